"""When no moderator is awake: several trusted people together cover an area for some minutes, until one has looked.

A cover hides and stops ink, nothing else: it takes nothing away, is over by itself, can be lifted at any moment, and
bans nobody. What lies below it is dreamed and kept like everything else.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from statistics import median
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from canvas import limits, notify, user_status
from canvas.models import Canvas, Region
from canvas.moderation.models import Act, Case, CoverVote
from canvas.wire import milliseconds
from dreamsite.core.clocks import lately
from dreamsite.core.rect import Rect

COVER = Act.add_verb("cover", gettext_lazy("Covered an area together"))


class CoverError(Exception):
    """Not now, and why, in words for the person; `status` is HTTP's."""

    def __init__(self, reason: str, status: int) -> None:
        super().__init__(reason)
        self.status = status


@dataclass(frozen=True)
class Outcome:
    votes: int
    region: Region | None  # the cover, where there were enough


def vote(canvas: Canvas, user: Any, rect: Rect) -> Outcome:
    """Asks for an area to be covered; with enough others who ask for about the same area, it is. Raises CoverError."""
    status = user_status.read([user.pk])[user.pk]
    if not status.trusted:
        raise CoverError(
            _("Covering an area is for people who have drawn here for %(hours)d hours and %(days)d days.")
            % {"hours": limits.TRUSTED_HOURS, "days": limits.TRUSTED_DAYS},
            403,
        )
    with transaction.atomic():
        # One after another: two people who ask at the same moment find each other.
        Canvas.objects.select_for_update().get(pk=canvas.pk)
        _check(canvas, user, rect)
        now = timezone.now()
        mine, _new = CoverVote.objects.update_or_create(
            canvas=canvas,
            user=user,
            region=None,
            at__gt=now - timedelta(minutes=limits.COVER_VOTES_MINUTES),
            defaults={"x": rect.left, "y": rect.top, "width": rect.width, "height": rect.height, "at": now},
        )
        agreeing = _agreeing(canvas, mine)
        region = _cover(canvas, agreeing) if len(agreeing) >= limits.COVER_QUORUM else None
    if region:
        notify.look(canvas.slug)
    else:
        until = milliseconds(mine.at + timedelta(minutes=limits.COVER_VOTES_MINUTES))
        rect_fields = {"x": mine.x, "y": mine.y, "width": mine.width, "height": mine.height}
        count = {"votes": len(agreeing), "quorum": limits.COVER_QUORUM, "until": until}
        notify.request_cover(canvas.slug, rect_fields | count)
    return Outcome(len(agreeing), region)


def _check(canvas: Canvas, user: Any, rect: Rect) -> None:
    if not (0 < rect.width <= limits.COVER_SIDE and 0 < rect.height <= limits.COVER_SIDE):
        raise CoverError(_("The covered area is at most %d px wide and high.") % limits.COVER_SIDE, 400)
    if not Rect(0, 0, canvas.width, canvas.height).contains(rect):
        raise CoverError(_("This area is not on the canvas."), 400)
    now = timezone.now()
    if CoverVote.objects.filter(lately("at", timedelta(hours=1), now), user=user).count() >= limits.COVER_VOTES_HOURLY:
        raise CoverError(
            _("You have asked %d times within an hour; a moderator will look.") % limits.COVER_VOTES_HOURLY, 429
        )
    covers_here = Region.objects.filter(canvas=canvas, kind=Region.Kind.COVER)
    if any(_meets(rect, _rect(one)) for one in covers_here.in_force(now)):
        raise CoverError(_("This area is covered already."), 409)
    reviewed = covers_here.filter(
        lifted_at__gt=now - timedelta(minutes=limits.COVER_PAUSE_MINUTES), lifted_by__isnull=False
    )
    if any(_meets(rect, _rect(one)) for one in reviewed):
        raise CoverError(_("A moderator has just looked at this area and left it open."), 409)


def _agreeing(canvas: Canvas, mine: CoverVote) -> list[CoverVote]:
    """The recent votes, one of each person, that mean about the same area as `mine`; with it."""
    since = mine.at - timedelta(minutes=limits.COVER_VOTES_MINUTES)
    recent = CoverVote.objects.filter(canvas=canvas, region=None, at__gt=since).exclude(user=mine.user_id)
    trusted = user_status.read(recent.values_list("user_id", flat=True))
    near = {one.user_id: one for one in recent.order_by("at") if _meets(_rect(mine), _rect(one))}
    return [mine, *(one for who, one in near.items() if trusted[who].trusted)]


def _cover(canvas: Canvas, votes: list[CoverVote]) -> Region:
    # The median of each edge: one person alone cannot stretch it.
    edges = zip(*map(_rect, votes), strict=True)
    left, top, right, bottom = (int(median(values)) for values in edges)
    region = Region.objects.create(
        canvas=canvas,
        kind=Region.Kind.COVER,
        x=left,
        y=top,
        width=right - left,
        height=bottom - top,
        until=timezone.now() + timedelta(minutes=limits.COVER_MINUTES),
        why=_("Covered by several people until a moderator has looked."),
    )
    CoverVote.objects.filter(pk__in=[one.pk for one in votes]).update(region=region)
    case = Case.objects.create(
        kind=Case.Kind.COVER,
        canvas=canvas,
        region=region,
        x=(left + right) // 2,
        y=(top + bottom) // 2,
        r=max(right - left, bottom - top) // 2,
        score=float(len(votes)),
    )
    Act.objects.record(
        None,
        COVER,
        canvas=canvas,
        op=case.op,
        region=region.pk,
        people=sorted(one.user_id for one in votes),
        x=region.x,
        y=region.y,
        width=region.width,
        height=region.height,
    )
    return region


def _rect(one: Any) -> Rect:
    return Rect.sized(one.x, one.y, one.width, one.height)


def _meets(a: Rect, b: Rect) -> bool:
    """Whether they share at least half of the smaller one."""
    return a.overlaps(b) and 2 * a.intersection(b).area >= min(a.area, b.area)
