"""The dreamer's lease on a canvas, and its claim on the ink that it takes into a frame.

One process dreams on a canvas, and a dead one is replaced within seconds. Both stand in the canvas' Dream row: the
holder and until when, and the position, up to which ink can no longer be undone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Case, F, OuterRef, Q, Subquery, Value, When
from django.db.models.functions import Coalesce
from django.utils import timezone

from canvas.models import Canvas, Dream

LEASE_SECONDS = 12.0  # a killed dreamer is replaced after this long
RENEW_SECONDS = 3.0

# Where a canvas' base ends: ink after it can be undone, since nobody dreams of it now.
BASE_SEQ = Coalesce(Subquery(Canvas.objects.filter(pk=OuterRef("canvas_id")).values("frame__seq")[:1]), Value(0))


class ClaimLost(Exception):
    """What was made under a claim is not kept."""


class LeaseLost(ClaimLost):
    """Another dreamer holds the canvas now."""


class BaseGone(ClaimLost):
    """The frame it was made from is not the base any more: somebody hid it, or its file was lost."""


class InkChanged(ClaimLost):
    """Ink that it holds was taken out of the picture, or put back, while it was made: its position was withdrawn."""


@dataclass(frozen=True)
class Claim:
    """On the ink of a canvas up to operation `seq`, by the process `holder`, which composes it on the canvas' base."""

    canvas: Canvas  # as it was when the claim was made
    holder: str
    seq: int

    def check(self, locked: Canvas) -> None:
        """Whether it still holds, under the canvas row's lock. Raises ClaimLost."""
        dream = Dream.objects.select_for_update().filter(canvas=locked, holder=self.holder).first()
        if dream is None:
            raise LeaseLost(f"The lease on {locked} went to another process while it dreamed.")
        if locked.frame_id != self.canvas.frame_id:
            raise BaseGone(f"{locked} starts from frame {locked.frame_id} now; this was made from another.")
        if dream.position < self.seq:
            raise InkChanged(f"The ink of {locked} up to operation {self.seq} was changed by a moderator.")


def claim(canvas: Canvas, holder: str, up_to: int | None = None) -> Claim:
    """Tells, before anything is painted, that ink up to the head (or `up_to`) is being taken into a frame.

    Under the lock under which the journal is written: an undo committed before it is in the head that comes back
    here, one that comes after it finds the position and is refused. Nobody's undo is confirmed and dreamed anyway.
    """
    with transaction.atomic():
        now = Canvas.objects.lock(canvas.pk)
        position = now.head if up_to is None else up_to
        if not Dream.objects.filter(canvas=now, holder=holder).update(position=position):
            raise LeaseLost(f"The lease on {now} went to another process.")
    return Claim(now, holder, position)


def withdraw(locked: Canvas) -> None:
    """Drops what is being made of the canvas now. Call it under the canvas row's lock, with the change that is why.

    The dreamer finds at its next report of progress, or at the latest when it would keep the frame, that the claim on
    the ink is gone, and begins again with the canvas as it is then; one that slept is looked at again.
    """
    state = Case(When(state=Dream.State.RESTING, then=Value(Dream.State.WAITING.value)), default=F("state"))
    Dream.objects.filter(canvas=locked).update(position=locked.frame.seq if locked.frame else 0, state=state)


def take(canvas: Canvas, holder: str, seen: Dream | None = None) -> bool:
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
    leases = Dream.objects.filter(canvas=canvas)
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
        Dream.objects.get_or_create(canvas=canvas, defaults={"holder": holder, "expires_at": expires_at})[0].holder
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


def let_go(canvas: Canvas, holder: str) -> None:
    """Gives one canvas back that rests: there is no lease to renew until somebody looks at it again."""
    rests = {"state": Dream.State.RESTING, "message": "", "fraction": 0.0, "octave": 0, "next_at": None}
    Dream.objects.filter(canvas=canvas, holder=holder).update(holder="", expires_at=None, **rests)


def report(canvas: Canvas, holder: str, claimed: int = 0, **what: Any) -> bool:
    """Writes what the dreamer is doing, for everybody to see; False where the lease is gone.

    Also where its claim is: a moderator has changed ink up to number `claimed` meanwhile (`withdraw`).
    """
    return bool(Dream.objects.filter(canvas=canvas, holder=holder, position__gte=claimed).update(**what))


def drop(canvas: Canvas, holder: str, **what: Any) -> bool:
    """`report`, and that what was being dreamed is not: its ink can be undone again."""
    return report(canvas, holder, position=BASE_SEQ, **what)
