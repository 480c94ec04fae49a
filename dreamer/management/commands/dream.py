"""`manage.py dream photo.jpg dreamed.jpg`: dream on a photograph, a video, or from noise."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from dreamer.engine import Progress
from dreamer.engine.studio import Job, run
from dreamer.engine.zoom import Journey
from dreamer.management.dream import journey, sheet
from dreamer.management.dream.options import add_arguments, credit_of
from dreamer.management.dream.recipes import Recipes
from dreamer.management.terminal import STOPPED, Bar, duration, stop_on_interrupt
from dreamer.video import job as video_job


class Command(BaseCommand):
    help = (
        "Dream on a photograph, a video, or from noise. The recipe is stored in the picture; Ctrl-C keeps the picture "
        "as far as it came."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        add_arguments(parser)

    def handle(self, **options: Any) -> None:
        try:
            elsewhere = ("sheet", "compare", "video", "journey", "path")
            if options["side"] is not None and (other := next((o for o in elsewhere if options[o] is not None), None)):
                raise ValueError(f"received --side with --{other}, expected --frame-side there")
            if options["sheet"] is not None or options["compare"] is not None:
                for line in sheet.run(options, Recipes()):
                    self.stdout.write(line)
                return
            if options["video"] is not None:
                self._video(options)
                return
            if options["journey"] is None and options["path"] is not None:
                options["journey"] = "zoom"
            if options["sound"] is not None:
                raise ValueError("received --sound or --no-sound without --video, expected a video")
            if options["journey"] is not None:
                self.stdout.write(journey.run(options, Recipes()))
                return
            if options["music"] or options["credit"] or options["follow"]:
                words = "received --music, --credit or --follow without --journey or --video, expected a film for it"
                raise ValueError(words)
            recipe, network = Recipes().recipe(options)
            job = self._job(options)
            started = time.monotonic()
            with Bar(sys.stderr) as bar, stop_on_interrupt() as stopped:
                finished = run(job, network, recipe, progress=_reporter(bar), cancelled=stopped)
        except (ValueError, TypeError, RuntimeError, OSError) as error:
            raise CommandError(str(error)) from error
        seconds = time.monotonic() - started
        took = duration(seconds) if seconds >= 60 else f"{seconds:.1f} s"
        written = ", ".join(str(path) for path in (job.dreamed, *job.films))
        if not finished:
            raise CommandError(f"Stopped; {written} shows how far it came.", returncode=STOPPED)
        self.stdout.write(f"{written}: dreamed with {network.name} on {network.device} in {took}.")

    def _video(self, options: dict[str, Any]) -> None:
        useless = ("photo", "mask", "gif", "film", "dreams", "zoom", "turn", "between", "noise", "journey", "path")
        for name in useless:
            if options[name] is not None:
                shown = "a photograph" if name == "photo" else f"--{name}"
                raise ValueError(f"received both --video and {shown}, expected one of them")
        side = video_job.SIDE if options["frame_side"] is None else options["frame_side"]
        job = video_job.Job(
            options["video"],
            options["dreamed"],
            options["guide"],
            side,
            sound=options["sound"] is not False,
            music=options["music"],
            credit=credit_of(options),
            follow=options["follow"],
        )
        job.check()
        recipe, network = Recipes().recipe({**options, "photo": options["video"]})
        started = time.monotonic()
        with Bar(sys.stderr) as bar, stop_on_interrupt() as stopped:
            made, finished = video_job.run(
                job, network, recipe, font=settings.FILM_FONT, progress=_reporter(bar), cancelled=stopped
            )
        if not finished:
            raise CommandError(f"Stopped; {job.dreamed} shows how far it came.", returncode=STOPPED)
        sound = "with its sound" if made.sound and job.sound else "without sound"
        if job.credit:
            sound = f"with {job.credit.words}"
        self.stdout.write(
            f"{job.dreamed}: {made.frames} pictures, {made.seconds:.1f} s, {sound}, dreamed with {network.name} on "
            f"{network.device} in {duration(time.monotonic() - started)}."
        )

    def _job(self, options: dict[str, Any]) -> Job:
        given = {name: options[name] for name in ("zoom", "turn", "between") if options[name] is not None}
        if given and options["dreams"] is None:
            raise ValueError(f"received --{next(iter(given))} without --dreams, expected how many dreams the zoom has")
        zoomed = None if options["dreams"] is None else Journey(options["dreams"], **given)
        return Job(
            dreamed=options["dreamed"],
            photo=options["photo"],
            mask=options["mask"],
            guide=options["guide"],
            side=options["side"],
            films=tuple(path for path in (options["gif"], options["film"]) if path),
            fps=12.0 if options["fps"] is None else options["fps"],
            frame_side=options["frame_side"],
            journey=zoomed,
        )


def _reporter(bar: Bar) -> Callable[[Progress], None]:
    def report(p: Progress) -> None:
        bar.show(
            p.fraction,
            f"octave {p.octave}/{p.octaves} · step {p.iteration}/{p.iterations} · tile {p.tile}/{p.tiles}",
            p.seconds_left,
        )

    return report
