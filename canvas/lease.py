"""The dreamer's lease on a canvas: one process dreams on it, and a dead one is replaced within seconds."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db.models import OuterRef, Q, Subquery, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from canvas.models import Canvas, Dream

LEASE_SECONDS = 12.0  # a killed dreamer is replaced after this long
RENEW_SECONDS = 3.0

# Where a canvas' base ends: ink after it can be undone, since nobody dreams of it now.
BASE_SEQ = Coalesce(Subquery(Canvas.objects.filter(pk=OuterRef("canvas_id")).values("frame__seq")[:1]), Value(0))


def take(place: Canvas, holder: str, seen: Dream | None = None) -> bool:
    """Takes or keeps the lease for `holder`; False while another process holds it.

    `seen` is the row as it was read a moment ago: nothing is written where it says that there is nothing to do,
    since every write waits for the disk. What else was true then is decided by one conditional UPDATE.
    """
    now = timezone.now()
    expires_at = now + timedelta(seconds=LEASE_SECONDS)
    if seen is not None and seen.holder and seen.expires_at and now <= seen.expires_at <= _too_late(now):
        if seen.holder != holder:
            return False
        if seen.expires_at - now > timedelta(seconds=LEASE_SECONDS / 2):
            return True
    leases = Dream.objects.filter(canvas=place)
    if leases.filter(holder=holder).update(expires_at=expires_at):
        return True
    free = Q(holder="") | Q(expires_at=None) | Q(expires_at__lt=now) | Q(expires_at__gt=_too_late(now))
    # What the one before was dreaming of ended with it.
    if leases.filter(free).update(holder=holder, expires_at=expires_at, position=BASE_SEQ):
        return True
    if leases.exists():
        return False
    # The first dreamer this canvas has had; two at once are told apart by the primary key.
    return (
        Dream.objects.get_or_create(canvas=place, defaults={"holder": holder, "expires_at": expires_at})[0].holder
        == holder
    )


def _too_late(now: datetime) -> datetime:
    """No lease can last this long: who wrote it had a clock that has jumped back since."""
    return now + timedelta(seconds=2 * LEASE_SECONDS)


def renew(holder: str) -> int:
    """Renews all leases `holder` still has; how many."""
    expires_at = timezone.now() + timedelta(seconds=LEASE_SECONDS)
    return Dream.objects.filter(holder=holder).update(expires_at=expires_at)


def give_back(holder: str) -> None:
    Dream.objects.filter(holder=holder).update(
        holder="", expires_at=None, state=Dream.State.WAITING, next_at=None, position=BASE_SEQ
    )


def tell(place: Canvas, holder: str, claimed: int = 0, **what: Any) -> bool:
    """Writes what the dreamer is doing, for everybody to see; False where the lease is gone.

    Also where its claim is: a moderator has changed ink up to number `claimed` meanwhile (`frames.withdraw`).
    """
    return bool(Dream.objects.filter(canvas=place, holder=holder, position__gte=claimed).update(**what))


def drop(place: Canvas, holder: str, **what: Any) -> bool:
    """`tell`, and that what was being dreamed is not: its ink can be undone again."""
    return tell(place, holder, position=BASE_SEQ, **what)
