"""`manage.py second_factor NAME`: lets somebody in again who lost telephone, keys and recovery codes."""

from __future__ import annotations

from typing import Any

from allauth.mfa.models import Authenticator
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from canvas.moderation.models import Act
from dreamsite.accounts import closing
from dreamsite.core.models import User


class Command(BaseCommand):
    help = "Says which second factors an account has; with --remove forgets them and ends its sessions."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name")
        parser.add_argument("--remove", action="store_true", help="forget them all; the password alone signs in then")

    def handle(self, *args: Any, name: str, remove: bool, **options: Any) -> None:
        user = User.objects.filter(username__iexact=name).first()
        if user is None:
            raise CommandError(f"Nobody is called {name!r}.")
        held = Authenticator.objects.filter(user=user)
        kinds = ", ".join(sorted(held.values_list("type", flat=True))) or "none"
        if remove:
            with transaction.atomic():
                held.delete()
                closing.end_sessions(user)
                Act.objects.record(None, "remove-second-factor", person=user, kinds=kinds)
        self.stdout.write(f"{user.username}: {kinds}{', removed' if remove else ''}")
