"""`manage.py moderation signals` looks for odd ways to draw; `manage.py moderation purge` forgets what has to be."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from canvas.models import Evidence, Signal
from canvas.moderation import traces, watch

EVIDENCE_DAYS = 180  # after its case was decided
SIGNAL_DAYS = 90


class Command(BaseCommand):
    help = "Looks for signals, or forgets what has to be forgotten. Both may run at any time, as often as you like."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("what", choices=["signals", "purge"])

    def handle(self, *args: Any, what: str, **options: Any) -> None:
        if what == "signals":
            self.stdout.write(f"{watch.look()} signals are new or stronger than before: /moderation/signals/")
            return
        now = timezone.now()
        digests = traces.purge(now)
        evidence, _kinds = Evidence.objects.filter(
            report__case__closed_at__lt=now - timedelta(days=EVIDENCE_DAYS)
        ).delete()
        signals, _kinds = Signal.objects.filter(day__lt=(now - timedelta(days=SIGNAL_DAYS)).date()).delete()
        self.stdout.write(f"Forgotten: {digests} digests of addresses, {evidence} pictures, {signals} signals.")
