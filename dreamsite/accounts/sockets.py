"""What closes somebody's open sockets, in every process and within a second: a session's end, another password, a ban.

The sockets themselves read session and account anew when they are told to (canvas.hub.recheck). Here stands who tells.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver
from django.utils import timezone

from canvas import hub
from canvas.models import Sanction
from dreamsite.core.models import User


def recheck(*users: int) -> None:
    """Every process looks again at these people, as soon as what was changed can be seen by others."""
    transaction.on_commit(lambda: hub.recheck(users))


@receiver(post_delete, sender=Session)
def session_ended(sender: Any, instance: Session, **kwargs: Any) -> None:
    """Signing out, closing a session from the list, and every change of a session's key end here."""
    if instance.expire_date < timezone.now():
        return  # long unused, and swept away by the thousand
    user = instance.get_decoded().get(SESSION_KEY)
    if user is not None:
        recheck(int(user))


@receiver(post_save, sender=Sanction)
def sanctioned(sender: Any, instance: Sanction, **kwargs: Any) -> None:
    """From the administration too."""
    recheck(instance.user_id)


@receiver(post_save, sender=User)
def account_changed(sender: Any, instance: User, created: bool, update_fields: Any, **kwargs: Any) -> None:
    """A ban, another password, another name: whatever it was, accounts are saved too seldom to ask."""
    if not created and update_fields != frozenset({"last_login"}):
        recheck(instance.pk)
