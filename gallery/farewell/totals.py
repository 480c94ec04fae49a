"""Totals of the whole project, counted from the database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core.cache import caches
from django.utils import timezone

from canvas.models import Batch, Frame, Stroke
from dreamsite.core.models import SiteState

CACHE_SECONDS = 300  # counting millions of strokes takes a database seconds


@dataclass(frozen=True)
class Totals:
    """No countries: the site does not know where people are."""

    began_at: datetime | None
    ended_at: datetime
    days: int  # begun ones: eight days and an hour are nine
    people: int  # whose strokes are in some frame, or newer than the last
    strokes: int
    frames: int


def read() -> Totals:
    ended_at = SiteState.objects.filter(id=1).values_list("ended_at", flat=True).first()
    key = f"farewell-numbers:{ended_at.timestamp() if ended_at else 0}"
    found: Totals | None = caches["pages"].get(key)
    if found is None:
        found = count(ended_at or timezone.now())
        caches["pages"].set(key, found, CACHE_SECONDS)
    return found


def count(ended_at: datetime) -> Totals:
    first_ink = Batch.objects.order_by("at").values_list("at", flat=True).first()
    first_frame = Frame.objects.order_by("made_at").values_list("made_at", flat=True).first()
    began_at = min(filter(None, (first_ink, first_frame)), default=None)
    lasted = ended_at - began_at if began_at else timedelta(0)
    return Totals(
        began_at=began_at,
        ended_at=ended_at,
        days=max(1, -(-lasted // timedelta(days=1))) if began_at else 0,
        people=Stroke.objects.values("author").distinct().count(),
        strokes=Stroke.objects.count(),
        frames=Frame.objects.count(),
    )
