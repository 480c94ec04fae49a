"""`manage.py dreamer`: the process that dreams."""

from __future__ import annotations

import os
import signal
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from canvas import frames
from canvas.models import Canvas, Dream
from dreamer.worker import Dreamer
from dreamsite.core import metrics


class Command(BaseCommand):
    help = "Dreams on the canvases each interval, until it is stopped. Several may run: each canvas is held by one."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--canvas", action="append", metavar="SLUG", help="only this canvas (may be repeated)")
        parser.add_argument(
            "--next-style", action="store_true", help="ask the running dreamer for another style, and end"
        )
        parser.add_argument("--nice", type=int, default=5, help="how far the web process goes before it (default: 5)")

    def handle(self, *, canvas: list[str] | None, next_style: bool, nice: int, **options: Any) -> None:
        known = set(Canvas.objects.values_list("slug", flat=True))
        if unknown := set(canvas or ()) - known:
            raise CommandError(
                f"No canvas is called {', '.join(sorted(unknown))}; there are {', '.join(sorted(known))}."
            )
        if next_style:
            for each in Canvas.objects.filter(slug__in=canvas or known):
                Dream.objects.update_or_create(canvas=each, defaults={"style_wanted": True})
            self.stdout.write("The next dream will have another style.")
            return
        if trouble := frames.storage_trouble():
            raise CommandError(trouble)
        if hasattr(os, "nice"):
            os.nice(nice)
        dreamer = Dreamer(slugs=canvas)

        def stop(signum: int, frame: FrameType | None) -> None:
            dreamer.stop.set()

        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)
        metrics.serve()
        dreamer.run()
