"""`manage.py film`: requests films, or makes one here and now."""

from __future__ import annotations

import sys
import threading
import time
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from canvas.models import Canvas, Frame
from dreamsite.core.tasks import heartbeats
from dreamsite.core.tasks.jobs import State
from gallery.films import captions, make
from gallery.films.models import Film
from gallery.films.requests import remake, request_film, request_whole_film


class Command(BaseCommand):
    help = "Requests the whole film of a canvas so far, or of a part of it; the worker makes it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--canvas", default=settings.CANVAS_SLUG, help="slug of the canvas")
        parser.add_argument("--from", dest="since", metavar="TIME", help="from this moment on, as 2026-11-20T12:00")
        parser.add_argument("--to", dest="until", metavar="TIME", help="only up to this moment; UTC, like the other")
        parser.add_argument("--title", default="", help="what the film is called (default: its time)")
        parser.add_argument("--drawing", action="store_true", help="show the strokes being drawn")
        parser.add_argument("--lossless", action="store_true", help="make one more file, visually lossless")
        parser.add_argument("--again", type=int, metavar="ID", help="withdraw this film, and make it anew")
        parser.add_argument("--now", action="store_true", help="make it in this process instead of the worker")

    def handle(self, **options: Any) -> None:
        if options["again"]:
            film = Film.objects.filter(pk=options["again"]).first()
            if film is None:
                raise CommandError(f"There is no film {options['again']}.")
            remake(film, first=True)
        else:
            film = self._request(options)
        self.stdout.write(f"Film {film.pk}, {captions.title(film)}: {settings.SITE_URL}{film.get_absolute_url()}")
        if options["now"]:
            self._make(film)

    def _request(self, options: dict[str, Any]) -> Film:
        canvas = Canvas.objects.filter(slug=options["canvas"]).first()
        if canvas is None:
            known = ", ".join(Canvas.objects.values_list("slug", flat=True))
            raise CommandError(f"No canvas is called {options['canvas']}; there are {known}.")
        more = {name: options[name] for name in ("title", "drawing", "lossless")}
        film = None
        if options["since"] or options["until"]:
            since = _moment(options["since"]) or datetime(1970, 1, 1, tzinfo=UTC)
            until = _moment(options["until"]) or timezone.now()
            if since >= until:
                raise CommandError(f"--from {since:%Y-%m-%dT%H:%M} is not before --to {until:%Y-%m-%dT%H:%M}.")
            shown = Frame.objects.visible().filter(canvas=canvas, made_at__gte=since, made_at__lt=until)
            first = shown.order_by("number").values_list("made_at", flat=True).first()
            if first is None:
                raise CommandError(f"{canvas} has no frames from {since:%Y-%m-%dT%H:%M} to {until:%Y-%m-%dT%H:%M}.")
            film = request_film(canvas, Film.Kind.PART, max(since, first), until, **more)
        else:
            film = request_whole_film(canvas, **more)
        if film is None:
            raise CommandError(f"{canvas} has no frames yet.")
        return film

    def _make(self, film: Film) -> None:
        done = threading.Event()
        reporter = threading.Thread(target=self._report, args=(film.pk, done), daemon=True)
        with heartbeats.sending():
            reporter.start()
            try:
                make.make(film.pk)
            finally:
                done.set()
                reporter.join()
        film.refresh_from_db()
        if film.state != State.DONE:
            raise CommandError(f"The film is {film.get_state_display().lower()}: {film.message or 'no frames to show'}")
        for file in film.files.all():
            self.stdout.write(f"{file.get_codec_display()}: {file.file.name}, {file.size / 1e6:.1f} MB")

    def _report(self, pk: int, done: threading.Event) -> None:
        begun = time.monotonic()
        while not done.wait(1):
            film = Film.objects.get(pk=pk)
            left = f", {film.seconds_left} s left" if film.seconds_left else ""
            end = "\r" if sys.stdout.isatty() else "\n"
            self.stdout.write(f"{film.percent:3} % after {time.monotonic() - begun:.0f} s{left}   ", ending=end)
            self.stdout.flush()
        connection.close()


def _moment(raw: str | None) -> datetime | None:
    if not raw:
        return None
    try:
        found = parse_datetime(raw if len(raw) > 10 else f"{raw}T00:00")
    except ValueError:
        found = None
    if found is None:
        raise CommandError(f"received {raw!r}, expected a moment like 2026-11-20T12:34, in UTC")
    return found if found.tzinfo else found.replace(tzinfo=UTC)
