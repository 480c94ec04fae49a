"""Films that people make for themselves: of their strokes, or of a place and time; and clips of any film, to post.

Nobody else sees a film of one's own. A clip is seen by whoever sees its film. Both go after some weeks: who wants one
longer downloads it.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import Min, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from canvas import strokes
from canvas.models import Canvas, Frame, Stroke
from dreamsite.core.errors import InvalidRequest
from dreamsite.core.models import User
from dreamsite.core.rect import Rect
from dreamsite.core.tasks import enqueue, periodic_task
from dreamsite.core.tasks.jobs import OPEN, State
from gallery.films.models import Film
from gallery.films.requests import request_film
from gallery.films.tasks import make_film
from gallery.jobs import requests
from gallery.jobs.requests import counted

KEPT = timedelta(days=30)
A_DAY = {True: 3, False: 10}  # films and clips in 24 hours, by whether somebody is a guest
AT_ONCE = {True: 1, False: 2}  # that wait or are made, by whether somebody is a guest
AGAIN = timedelta(hours=1)  # after which a clip that failed, or showed nothing, is made once more
# Of everybody's that wait. Below SHARED anybody may add one more; up to WAITING whoever has none there, so that a few
# people do not take the place of all; and guests, whose names cost nothing, have half of both.
SHARED, WAITING = 40, 80


def left_today(user: User) -> int:
    """How many films and clips this person may still order in these 24 hours."""
    # Cancelled ones count, too: else orders could be given and cancelled without end.
    lately = _ordered(user).filter(requested_at__gte=timezone.now() - timedelta(hours=24))
    return max(0, A_DAY[user.guest] - lately.count())


def _ordered(user: User) -> QuerySet[Film]:
    return Film.objects.filter(requested_by=user).exclude(owner=None, shape="")


def may_order(user: User) -> None:
    """Raises InvalidRequest where this person has to wait with another film or clip."""
    ordered = _ordered(user)
    if ordered.filter(state__in=OPEN).count() >= AT_ONCE[user.guest]:
        raise InvalidRequest(
            ngettext(
                "A film of yours is still being made. Order the next one when it is done.",
                "%(count)s films of yours are still being made. Order the next one when they are done.",
                AT_ONCE[user.guest],
            )
            % {"count": AT_ONCE[user.guest]}
        )
    if not left_today(user):
        raise InvalidRequest(
            _("You can order %(count)s films and clips in 24 hours. Come back tomorrow.") % {"count": A_DAY[user.guest]}
        )
    waiting = Film.objects.exclude(owner=None, shape="").filter(state=State.WAITING)
    if user.guest:
        waiting = waiting.filter(requested_by__guest=True)
    count, share = waiting.count(), 2 if user.guest else 1
    if count >= WAITING // share and user.guest:
        raise InvalidRequest(
            ngettext(
                "%(count)s film of a guest is waiting to be made; guests have no room for more. Try again in an hour.",
                "%(count)s films of guests are waiting to be made; guests have no room for more. Try again in an hour.",
                count,
            )
            % {"count": count}
        )
    if count >= WAITING // share:
        raise InvalidRequest(
            ngettext(
                "%(count)s film is waiting to be made, and there is no room for more. Try again in an hour.",
                "%(count)s films are waiting to be made, and there is no room for more. Try again in an hour.",
                count,
            )
            % {"count": count}
        )
    if count >= SHARED // share and ordered.filter(state=State.WAITING).exists():
        raise InvalidRequest(
            _("So many films are waiting that each person may have one there. Order the next when yours is being made.")
        )


def order(
    user: User, canvas: Canvas, kind: str, since: datetime | None, until: datetime | None, area: Rect | None, shape: str
) -> Film:
    """A film that this person makes for themselves. Raises InvalidRequest where there is nothing to show, or too much
    is under way."""
    strokes.index(canvas)
    with counted(user):
        may_order(user)
        return _order(user, canvas, kind, since, until, area, shape)


def _order(
    user: User, canvas: Canvas, kind: str, since: datetime | None, until: datetime | None, area: Rect | None, shape: str
) -> Film:
    frames = Frame.objects.visible().filter(canvas=canvas).order_by("number").values_list("made_at", flat=True)
    first, last = frames.first(), frames.last()
    if first is None or last is None:
        raise InvalidRequest(_("There is no frame yet to make a film of."))
    drawn = Stroke.objects.filter(canvas=canvas).shown()
    if kind == Film.Kind.MINE:
        drawn = drawn.by(user).between(since, until)
        if not drawn.exists():
            raise InvalidRequest(_("No stroke of yours from this time is in the history."))
    began = drawn.order_by("ended_at").values_list("began_at", flat=True).first()
    if since is None:
        # From the frame that the first of these strokes was drawn on; the first frame of all has ink under it, too.
        on = frames.filter(made_at__lte=began).last() if began and kind == Film.Kind.MINE else None
        since = on or min(filter(None, (began, first)))
    ends_at = min(until or last, last) + timedelta(milliseconds=1)
    dreamed = frames.filter(made_at__gte=since, made_at__lt=ends_at)
    if since >= ends_at or not dreamed.exists():
        raise InvalidRequest(_("Nothing was dreamed in this time."))
    if kind == Film.Kind.MINE and not dreamed.filter(seq__gte=drawn.aggregate(seq=Min("last_seq"))["seq"]).exists():
        raise InvalidRequest(
            _("Not dreamed yet: no dream of this time has a stroke of yours in it. Wait for the next, or end later.")
        )
    more: dict[str, Any] = {"owner": user, "requested_by": user, "shape": shape, "track": None}
    if area and kind == Film.Kind.PLACE:
        more["area"] = list(area)
    return request_film(canvas, kind, since, ends_at, **more)


def order_clip(user: User, film: Film, shape: str) -> Film:
    """The clip of a film that can be seen; the same one whoever asks. Raises InvalidRequest."""
    with counted(user):
        Film.objects.select_for_update().filter(pk=film.pk).first()  # two who ask at once get one
        found = Film.objects.filter(of=film, shape=shape).first()
        ended = (found is not None and found.finished_at) or timezone.now()
        once_more = (State.EMPTY, State.FAILED) if ended < timezone.now() - AGAIN else ()
        if found is not None and found.state not in (State.CANCELLED, *once_more):
            return found
        if film.state != State.DONE:
            raise InvalidRequest(_("This film is not finished yet."))
        may_order(user)
        # One that shows nothing makes way; its row counts for whoever ordered it until the day is over.
        Film.objects.filter(of=film, shape=shape).update(of=None, message="")
        clip = Film.objects.create(
            canvas=film.canvas,
            kind=film.kind,
            starts_at=film.starts_at,
            ends_at=film.ends_at,
            title=film.title,
            drawing=film.drawing,
            area=film.area,
            shape=shape,
            of=film,
            owner=film.owner,
            requested_by=user,
        )
        enqueue(make_film, clip.pk, last=True)
    return clip


def drop(film: Film) -> None:
    """Deletes what a film and its clips show; their rows count until the day is over."""
    with transaction.atomic():
        now = Film.objects.select_for_update().filter(pk=film.pk).first()  # a worker may have ended it since
        if now is None:
            return
        for clip in now.clips.all():
            drop(clip)
        now.withdraw()
        if not Film.objects.filter(pk=film.pk).cancel():
            Film.objects.filter(pk=film.pk).update(state=State.CANCELLED, message="")
        transaction.on_commit(partial(requests.sweep, Film))


@periodic_task
def forget_old() -> None:
    """Deletes films of one's own, and clips, that are older than KEPT."""
    old = Film.objects.filter(requested_at__lt=timezone.now() - KEPT).exclude(owner=None, shape="")
    for film in old.exclude(state__in=OPEN).order_by("pk")[:100]:
        requests.delete(film)
