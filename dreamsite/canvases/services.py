"""A member's own canvas, from its making to its end. Who may do what is the views' concern."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from canvas import notify
from canvas.models import Canvas, Rules, Sanction, secret_slug
from canvas.moderation.cases import listing
from dreamsite.canvases import purging
from dreamsite.core.errors import InvalidRequest
from dreamsite.core.models import User

# --- Making one ----------------------------------------------------------------------------------------------------


def why_not(user: User, now: datetime | None = None) -> str:
    """Why this member may not make another canvas now; "" where they may."""
    now = now or timezone.now()
    if not settings.MEMBER_CANVASES:
        return _("Members do not make canvases on this site.")
    if any(not sanction.effects.may_draw for sanction in Sanction.objects.in_force(user)):
        return _("You cannot make a canvas while you may not draw.")
    made = Canvas.objects.made_by(user)
    most = settings.CANVASES_PER_PERSON
    if made.current().count() >= most:
        words = ngettext(
            "You have %(most)s canvas already. Archive or delete it first.",
            "You have %(most)s canvases already. Archive or delete one of them first.",
            most,
        )
        return words % {"most": most}
    lately = Canvas.objects.filter(maker=user, created_at__gt=now - timedelta(days=1)).count()
    if lately >= settings.CANVASES_PER_DAY:
        return _("You have made %(count)s canvases within a day. Make the next one tomorrow.") % {"count": lately}
    return ""


@transaction.atomic
def make(user: User, *, guests: bool, **fields: Any) -> Canvas:
    """A canvas of this member's, by link only. Raises InvalidRequest where they may not make another."""
    locked = User.objects.select_for_update().get(pk=user.pk)  # two at once are counted one after the other
    if reason := why_not(locked):
        raise InvalidRequest(reason)
    canvas = Canvas.objects.create(slug=secret_slug(), maker=user, by_member=True, listed=False, **fields)
    Rules.objects.create(canvas=canvas, members_only=not guests)
    return canvas


# --- What its maker does with it -----------------------------------------------------------------------------------


@transaction.atomic
def change(canvas: Canvas, *, guests: bool, **fields: Any) -> bool:
    """Writes what its maker changed. True where a new title took it off the list: a moderator reads it first."""
    renamed = fields.get("title", canvas.title) != canvas.title
    Canvas.objects.filter(pk=canvas.pk).update(**fields)
    rules = Rules.objects.of(canvas)
    if rules.members_only == guests:
        rules.members_only = not guests
        rules.save(update_fields=["members_only"])
    canvas.refresh_from_db()
    asks_again = renamed and canvas.listed
    if renamed and not canvas.listed:
        listing.retitled(canvas)
    if asks_again:
        Canvas.objects.filter(pk=canvas.pk).update(listed=False)
        listing.ask(canvas)
    notify.look(canvas.slug)
    return asks_again


def close(canvas: Canvas) -> None:
    """No more ink; it stays where it is."""
    Canvas.objects.filter(pk=canvas.pk, closed_at=None).update(closed_at=timezone.now())
    notify.look(canvas.slug)


def reopen(canvas: Canvas) -> None:
    Canvas.objects.filter(pk=canvas.pk, archived_at=None, day_of=None).update(closed_at=None)
    notify.look(canvas.slug)


def archive(canvas: Canvas) -> None:
    """Closed for good, and out of the way. Raises InvalidRequest where the archive of its maker is full."""
    now, most = timezone.now(), settings.CANVASES_ARCHIVED_PER_PERSON
    if canvas.maker and Canvas.objects.made_by(canvas.maker).exclude(archived_at=None).count() >= most:
        raise InvalidRequest(
            _("Your archive holds %(most)s canvases, and is full. Delete one of them first.") % {"most": most}
        )
    Canvas.objects.filter(pk=canvas.pk, archived_at=None).update(archived_at=now, closed_at=Coalesce("closed_at", now))
    notify.look(canvas.slug)


@transaction.atomic
def new_link(canvas: Canvas) -> Canvas:
    """A canvas that is not listed gets another address; the old one leads nowhere, and who is there is sent away.

    Films of it that others than its maker made for themselves are withdrawn: they would go on showing it.
    """
    if canvas.listed:
        raise InvalidRequest(_("A canvas that is listed keeps its address."))
    purging.withdraw_films_of_others(canvas)
    return _move(canvas)


@transaction.atomic
def unlist(canvas: Canvas) -> Canvas:
    """Off the list, to an address that not everybody knows; films and downloads of it are withdrawn."""
    listing.withdraw(canvas)
    purging.withdraw(canvas)
    return _move(canvas, listed=False)


@transaction.atomic
def delete(canvas: Canvas) -> None:
    """Gone for everybody at once, films too; a worker takes its ink and pictures away some days later (purging)."""
    listing.withdraw(canvas)
    purging.withdraw(canvas)
    now = timezone.now()
    _move(canvas, listed=False, deleted_at=now, closed_at=canvas.closed_at or now)


def _move(canvas: Canvas, **changes: Any) -> Canvas:
    before = canvas.slug
    Canvas.objects.filter(pk=canvas.pk).update(slug=secret_slug(), **changes)
    canvas.refresh_from_db()
    notify.look(before)  # its rooms close: nobody has this address any more
    return canvas


def leave(user: User) -> None:
    """What becomes of somebody's canvases when their account is closed for good: private ones go with it."""
    for canvas in Canvas.objects.made_by(user).filter(Q(listed=False)):
        delete(canvas)
    Canvas.objects.filter(maker=user).update(maker=None)
