"""`manage.py index_strokes`: reads the journals into the index of strokes, or makes the index anew."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from canvas import strokes
from canvas.models import Canvas, Indexed, Stroke

STEP = 5_000  # operations between two words of progress


class Command(BaseCommand):
    help = "Reads each canvas' journal into the index of strokes. The dreamer does it too, after every frame."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--canvas", metavar="SLUG", help="this canvas alone")
        parser.add_argument("--anew", action="store_true", help="forget the index and read the whole journal again")

    def handle(self, *args: Any, **options: Any) -> None:
        places = Canvas.objects.order_by("pk")
        if options["canvas"]:
            places = places.filter(slug=options["canvas"])
            if not places:
                raise CommandError(f"No canvas is called {options['canvas']!r}.")
        for canvas in places:
            if options["anew"]:
                Indexed.objects.filter(canvas=canvas).delete()
                Stroke.objects.filter(canvas=canvas).delete()
            done = Indexed.objects.filter(canvas=canvas).values_list("seq", flat=True).first() or 0
            while done < canvas.head:
                strokes.index(canvas, min(done + STEP, canvas.head))
                done = Indexed.objects.values_list("seq", flat=True).get(canvas=canvas)
                self.stdout.write(f"\r{canvas.slug}: {done} of {canvas.head} operations", ending="")
                self.stdout.flush()
            count = Stroke.objects.filter(canvas=canvas).count()
            self.stdout.write(f"\r{canvas.slug}: {count} strokes from {canvas.head} operations.      ")
