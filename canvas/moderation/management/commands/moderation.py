"""`manage.py moderation signals` looks for odd ways to draw; `manage.py moderation purge` forgets what is due."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from canvas.moderation import periodic_tasks
from canvas.moderation.signals import detection


class Command(BaseCommand):
    help = "Looks for signals, or forgets what is due. Workers do both by themselves; this does it now."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("what", choices=["signals", "purge"])

    def handle(self, *args: Any, what: str, **options: Any) -> None:
        if what == "signals":
            self.stdout.write(f"{detection.detect()} signals are new or stronger than before: /moderation/signals/")
            return
        digests, pictures, signals = periodic_tasks.forget(timezone.now())
        self.stdout.write(f"Forgotten: {digests} digests of addresses, {pictures} pictures, {signals} signals.")
