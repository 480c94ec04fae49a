"""What a machine's clock does to what was written down by it: somebody may set it, back or forward, by hours."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Q
from django.utils import timezone

SLACK = timedelta(minutes=1)  # by which the clocks of two machines may differ


def lately(column: str, within: timedelta, now: datetime | None = None) -> Q:
    """Rows of the last `within`. What lies ahead was written before the clock was set back, and counts for nothing.

    Or else whoever met a limit would meet it again until the clock has come to where it was.
    """
    now = now or timezone.now()
    return Q(**{f"{column}__gt": now - within, f"{column}__lte": now + SLACK})
