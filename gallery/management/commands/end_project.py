"""`manage.py end_project`: the farewell."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from gallery.farewell import ending, totals


class Command(BaseCommand):
    help = (
        "Ends the project: no ink is taken any more, the network dreams a last time, and the farewell stands at the "
        "site's address. Everything stays; resume_project takes it back."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--yes", action="store_true", help="do not ask")
        parser.add_argument("--why", default="", help="for the log of acts")

    def handle(self, *args: Any, **options: Any) -> None:
        so_far = totals.read()
        self.stdout.write(
            f"So far: days {so_far.days}, people {so_far.people}, strokes {so_far.strokes}, frames {so_far.frames}."
        )
        if not options["yes"]:
            if not sys.stdin.isatty():
                raise CommandError("Nobody is there to confirm: run it in a terminal, or with --yes.")
            if input("End the project? Type “end” to do it: ").strip().lower() != "end":
                raise CommandError("Nothing was done.")
        if not ending.end(None, options["why"]):
            raise CommandError("The project has ended already; resume_project opens it again.")
        self.stdout.write("The project has ended. A last frame is dreamed, then the whole film is made by the worker.")
