"""Leaving: an account is closed at once, comes back with the next sign-in, and is scrubbed when the grace is over.

What was drawn stays, for it is part of a picture that others drew too; but nobody's name stands beside it any more.
"""

from __future__ import annotations

import logging
import time
from datetime import timedelta
from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth.signals import user_logged_in
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.dispatch import receiver
from django.utils import timezone
from django.utils.translation import gettext as _

from canvas.moderation.audit.models import nameless
from canvas.moderation.models import Act, IpDigest
from dreamsite.accounts import guests
from dreamsite.core.models import User
from dreamsite.core.tasks import periodic_task
from gallery.studio.models import Original, Work

log = logging.getLogger(__name__)

GRACE = timedelta(days=14)
UNCONFIRMED = timedelta(days=2)


class LastOwner(Exception):
    """The site would have no owner any more."""

    def __init__(self) -> None:
        super().__init__(_("You are the last owner of this site. Make somebody else an owner first."))


@transaction.atomic
def close(user: User) -> None:
    """Begins the grace: signed out everywhere, hidden from the pages of people. Raises LastOwner."""
    if user.is_last_owner():
        raise LastOwner
    user.closes_at = timezone.now() + GRACE
    user.save(update_fields=["closes_at"])
    end_sessions(user)


def end_sessions(user: User) -> None:
    for session in UserSession.objects.filter(user=user):
        session.end()


@receiver(user_logged_in)
def come_back(sender: Any, user: User, **kwargs: Any) -> None:
    if user.closes_at is not None:
        user.closes_at = None
        user.save(update_fields=["closes_at"])


def scrub_due() -> int:
    """Scrubs every account whose grace is over; how many there were. Can be run any time, by several at once."""
    due = User.objects.filter(closes_at__lte=timezone.now(), closed_at=None).values_list("pk", flat=True)
    return sum(scrub(pk) for pk in list(due))


def forget_unconfirmed() -> int:
    """Where addresses are confirmed: names taken by sign-ups that never were, with a mistyped address for one."""
    if settings.ACCOUNT_EMAIL_VERIFICATION != "mandatory":
        return 0
    confirmed = EmailAddress.objects.filter(user=OuterRef("pk"), verified=True)
    never = User.objects.filter(last_login=None, date_joined__lt=timezone.now() - UNCONFIRMED, is_staff=False)
    gone = never.filter(Exists(EmailAddress.objects.filter(user=OuterRef("pk")))).exclude(Exists(confirmed))
    return gone.delete()[0]


_forgotten_at = 0.0


@periodic_task
def keep_promises() -> None:
    global _forgotten_at
    scrub_due()  # one look into an index where nobody is due
    if time.monotonic() - _forgotten_at > 3600:
        _forgotten_at = time.monotonic()
        forget_unconfirmed()
        guests.forget_idle()


@transaction.atomic
def scrub(pk: int) -> bool:
    """Forgets who this was; False when there is nothing to do (any more).

    The row stays, nameless, so that strokes, sanctions and the audit log still tell one stranger from another.
    """
    user = User.objects.select_for_update().filter(pk=pk, closes_at__lte=timezone.now(), closed_at=None).first()
    if user is None:
        return False
    end_sessions(user)
    for model in (EmailAddress, Authenticator, SocialAccount):
        model.objects.filter(user=user).delete()
    IpDigest.objects.filter(person=user).delete()
    user.frames.clear()
    Work.objects.filter(owner=user).delete()
    Original.objects.filter(owner=user).delete()
    user.groups.clear()
    user.user_permissions.clear()
    Act.objects.all().forget(user.pk)
    user.username = nameless(user.pk)
    user.first_name = user.last_name = user.email = ""
    user.is_active = user.is_staff = user.is_superuser = False
    user.last_login, user.closed_at = None, timezone.now()
    user.set_unusable_password()
    user.save()
    log.info("Account %s is closed for good.", user.pk)
    return True
