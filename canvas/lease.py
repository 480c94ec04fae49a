"""The dreamer's lease on a canvas: one process dreams on it, and a dead one is replaced within seconds."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db.models import Q
from django.utils import timezone

from canvas.models import Canvas, Dream

LEASE_SECONDS = 12.0  # a killed dreamer is replaced after this long
RENEW_SECONDS = 3.0


def take(place: Canvas, holder: str) -> bool:
    """Takes or renews the lease for `holder`; False while another process holds it. One conditional UPDATE."""
    now = timezone.now()
    free = Q(holder__in=("", holder)) | Q(expires_at=None) | Q(expires_at__lt=now)
    expires_at = now + timedelta(seconds=LEASE_SECONDS)
    if Dream.objects.filter(free, canvas=place).update(holder=holder, expires_at=expires_at):
        return True
    if Dream.objects.filter(canvas=place).exists():
        return False
    # The first dreamer this canvas has had; two at once are told apart by the primary key.
    return (
        Dream.objects.get_or_create(canvas=place, defaults={"holder": holder, "expires_at": expires_at})[0].holder
        == holder
    )


def renew(holder: str) -> int:
    """Renews all leases `holder` still has; how many."""
    expires_at = timezone.now() + timedelta(seconds=LEASE_SECONDS)
    return Dream.objects.filter(holder=holder).update(expires_at=expires_at)


def give_back(holder: str) -> None:
    Dream.objects.filter(holder=holder).update(holder="", expires_at=None, state=Dream.State.WAITING, next_at=None)


def tell(place: Canvas, holder: str, **what: Any) -> bool:
    """Writes what the dreamer is doing, for everybody to see; False where the lease is gone."""
    return bool(Dream.objects.filter(canvas=place, holder=holder).update(**what))
