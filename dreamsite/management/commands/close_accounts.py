"""`manage.py close_accounts`: scrubs accounts whose grace is over; the worker does it too, where one runs."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from dreamsite.accounts import closing


class Command(BaseCommand):
    help = (
        "Scrubs the accounts whose owners left and did not come back in time. For a daily timer, where no worker runs."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"{closing.scrub_due()} accounts closed for good.")
