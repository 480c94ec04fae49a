"""Leaving: an account is closed at once, comes back with the next sign-in, and is scrubbed when the grace is over.

What was drawn stays, for it is part of a picture that others drew too; but nobody's name stands beside it any more.
"""

from __future__ import annotations

import json
import logging
import time
from datetime import timedelta
from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.contrib.auth.signals import user_logged_in
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import Exists, ForeignObjectRel, Model, OuterRef, QuerySet
from django.dispatch import receiver
from django.utils import timezone
from django.utils.translation import gettext as _

from canvas.models import CleanHours
from canvas.moderation.audit.models import nameless
from canvas.moderation.models import Act, Appeal, CoverVote, IpDigest, Note, Report, Signal
from dreamer.models import StyleVote
from dreamsite.accounts import guests, sessions
from dreamsite.canvases import services as canvases
from dreamsite.core.models import User
from dreamsite.core.tasks import periodic_task
from gallery.models import BesideFeed, Film
from gallery.studio.models import Journey, Music, Original, Spent, Work

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
    sessions.end(UserSession.objects.filter(user=user))


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


# What goes with the account: models, each with the column that names the person.
_DELETED: tuple[tuple[type[Model], str], ...] = (
    (EmailAddress, "user"),
    (Authenticator, "user"),
    (SocialAccount, "user"),
    (IpDigest, "person"),
    (Signal, "person"),
    (Note, "person"),
    (CoverVote, "user"),
    (StyleVote, "voter"),
    (CleanHours, "user"),
    (Work, "owner"),
    (Music, "owner"),
    (Journey, "owner"),
    (Original, "owner"),
    (Spent, "owner"),  # after what it was spent on
    (Film, "owner"),
    (BesideFeed, "user"),
)
# What stays because others decided on it, without the words and addresses in it.
_EMPTIED: tuple[tuple[type[Model], str, tuple[str, ...]], ...] = (
    (Report, "reporter", ("text", "contact", "address")),
    (Appeal, "person", ("text", "answer")),
)


@transaction.atomic
def scrub(pk: int) -> bool:
    """Forgets who this was; False when there is nothing to do (any more).

    The row stays, nameless, so that strokes, sanctions and the audit log still tell one stranger from another. What
    keeps the name is said on the page that closes an account: words that others wrote, also in the log of acts, and
    films that were made before.
    """
    user = User.objects.select_for_update().filter(pk=pk, closes_at__lte=timezone.now(), closed_at=None).first()
    if user is None:
        return False
    end_sessions(user)
    _end_unfinished_sign_ins(user)
    _scrub_admin_history(user)
    canvases.leave(user)
    for model, column in _DELETED:
        model._default_manager.filter(**{column: user}).delete()
    for model, column, emptied in _EMPTIED:
        model._default_manager.filter(**{column: user}).update(**dict.fromkeys(emptied, ""))
    user.frames.clear()
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


def _end_unfinished_sign_ins(user: User) -> None:
    """Sessions of nobody yet, in which a name or an address waits for a code."""
    words = [user.username, *EmailAddress.objects.filter(user=user).values_list("email", flat=True)]
    for session in Session.objects.exclude(session_key__in=UserSession.objects.values("session_key")).iterator():
        held = json.dumps(session.get_decoded(), default=str)
        if any(word in held for word in words):
            session.delete()


def _scrub_admin_history(user: User) -> None:
    """Django's history of the administration names what was changed by its text: the account, and rows about it."""
    theirs: list[tuple[type[Model], QuerySet[Any]]] = [(User, User.objects.filter(pk=user.pk))]
    for relation in User._meta.get_fields(include_hidden=True):
        if isinstance(relation, ForeignObjectRel) and not relation.many_to_many:
            model: Any = relation.related_model
            theirs.append((model, model._default_manager.filter(**{relation.field.name: user})))
    for model, rows in theirs:
        keys = [str(key) for key in rows.values_list("pk", flat=True)]
        found = LogEntry.objects.filter(content_type=ContentType.objects.get_for_model(model), object_id__in=keys)
        found.update(object_repr=nameless(user.pk), change_message="")
