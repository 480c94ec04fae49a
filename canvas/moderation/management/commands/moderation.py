"""`manage.py moderation signals` looks for odd ways to draw; `purge` forgets what is due; `check` checks the log."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from canvas.moderation import periodic_tasks
from canvas.moderation.audit import chain
from canvas.moderation.signals import detection


class Command(BaseCommand):
    help = (
        "Looks for signals, or forgets what is due: workers do both by themselves, this does it now. Or checks that"
        " nobody changed the log of acts, and that a digest which you wrote down is one of its chain."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("what", choices=["signals", "purge", "check"])
        parser.add_argument("--known", metavar="DIGEST", action="append", default=[], help="from a monthly summary")

    def handle(self, *args: Any, what: str, known: list[str], **options: Any) -> None:
        if what == "check":
            self._check(known)
        elif what == "signals":
            self.stdout.write(f"{detection.detect()} signals are new or stronger than before: /moderation/signals/")
        else:
            digests, pictures, signals = periodic_tasks.forget(timezone.now())
            self.stdout.write(f"Forgotten: {digests} digests of addresses, {pictures} pictures, {signals} signals.")

    def _check(self, known: list[str]) -> None:
        chain.extend()
        found = chain.check()
        for digest in known:
            if not chain.holds(digest.strip().lower()):
                found.note(f"the digest {digest} is not in the chain any more: it was computed anew")
        if not found.holds:
            raise CommandError(
                "The log of acts was tampered with:\n" + "\n".join(f"  {words}" for words in found.broken)
            )
        self.stdout.write(f"The log of acts holds: {found.count} links, the last one {found.digest or 'none'}.")
