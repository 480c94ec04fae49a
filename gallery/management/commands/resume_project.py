"""`manage.py resume_project`: undoes end_project."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from gallery.farewell import ending


class Command(BaseCommand):
    help = "Opens the canvas again after end_project, with everything that was on it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--why", default="", help="for the log of acts")

    def handle(self, *args: Any, **options: Any) -> None:
        if not ending.resume(None, options["why"]):
            raise CommandError("The project has not ended; there is nothing to open again.")
        self.stdout.write("The canvas is open again.")
