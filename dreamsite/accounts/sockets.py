"""What closes somebody's open sockets, in every process and within a second: a session's end, another password, a ban.

The sockets read session and account anew when they are told to (canvas.notify). Here stands who tells.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.models import Session
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver
from django.utils import timezone

from canvas import notify
from canvas.models import Sanction
from dreamsite.core.models import User


@receiver(post_delete, sender=Session)
def session_ended(sender: Any, instance: Session, **kwargs: Any) -> None:
    """Signing out, closing a session from the list, and every change of a session's key end here."""
    if instance.expire_date < timezone.now():
        return  # long unused, and swept away by the thousand
    user = instance.get_decoded().get(SESSION_KEY)
    if user is not None:
        notify.recheck([int(user)])


@receiver(post_save, sender=Sanction)
def sanctioned(sender: Any, instance: Sanction, **kwargs: Any) -> None:
    """From the administration too."""
    notify.recheck([instance.user_id])


@receiver(post_save, sender=User)
def account_changed(sender: Any, instance: User, created: bool, update_fields: Any, **kwargs: Any) -> None:
    """A ban, another password, another name: whatever it was, accounts are saved too seldom to ask."""
    if not created and update_fields != frozenset({"last_login"}):
        notify.recheck([instance.pk])
