"""`manage.py claim`: print the link with which a new site's owner claims it."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from dreamsite.claim import claim_link


class Command(BaseCommand):
    help = "Prints the one-time link with which the owner of a new site claims it, if nobody has."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--quiet", action="store_true", help="say nothing when the site has an owner")

    def handle(self, *args: Any, quiet: bool, **options: Any) -> None:
        link = claim_link()
        if link:
            self.stdout.write(link)
        elif not quiet:
            self.stdout.write("This site has an owner. Sign in, or make another one: manage.py createsuperuser")
