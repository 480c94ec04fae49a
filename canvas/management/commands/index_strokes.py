"""`manage.py index_strokes`: reads the journals into the index of strokes, or rebuilds it."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from canvas import strokes
from canvas.models import Canvas, IndexProgress, Stroke

STEP = 5_000  # operations between two reports of progress


class Command(BaseCommand):
    help = "Reads each canvas' journal into the index of strokes. The dreamer does it too, after every frame."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--canvas", metavar="SLUG", help="this canvas alone")
        parser.add_argument("--rebuild", action="store_true", help="forget the index and read the whole journal again")

    def handle(self, *args: Any, **options: Any) -> None:
        canvases = Canvas.objects.order_by("pk")
        if options["canvas"]:
            canvases = canvases.filter(slug=options["canvas"])
            if not canvases:
                raise CommandError(f"No canvas is called {options['canvas']!r}.")
        for canvas in canvases:
            if options["rebuild"]:
                IndexProgress.objects.filter(canvas=canvas).delete()
                Stroke.objects.filter(canvas=canvas).delete()
            done = IndexProgress.objects.filter(canvas=canvas).values_list("seq", flat=True).first() or 0
            while done < canvas.head:
                strokes.index(canvas, min(done + STEP, canvas.head))
                done = IndexProgress.objects.values_list("seq", flat=True).get(canvas=canvas)
                self.stdout.write(f"\r{canvas.slug}: {done} of {canvas.head} operations", ending="")
                self.stdout.flush()
            count = Stroke.objects.filter(canvas=canvas).count()
            self.stdout.write(f"\r{canvas.slug}: {count} strokes from {canvas.head} operations.      ")
