"""The worker takes what the rule of retention takes, a little every hour, and stores old dreams in fewer bytes."""

from __future__ import annotations

import logging
import time
from datetime import datetime

from django.conf import settings

from canvas.models import Canvas
from dreamsite.core.tasks import periodic_task
from gallery.space import compact, retention

log = logging.getLogger(__name__)

EVERY_SECONDS = 3600.0
AT_ONCE = 20  # frames that are asked for at once
COMPACT_SECONDS = 5.0  # of each round, between which the other periodic tasks have their turn
_looked_at = _compact_at = -EVERY_SECONDS
_compacted: dict[int, datetime] = {}  # canvas -> when the last frame that was looked at was made


@periodic_task
def thin_old_frames() -> None:
    global _looked_at
    if not settings.KEEP_ALL_DAYS or time.monotonic() - _looked_at < EVERY_SECONDS:
        return
    _looked_at = time.monotonic()
    for canvas in Canvas.objects.order_by("pk"):
        count, freed = retention.thin(canvas, most=5_000)
        if count:
            log.info("%s: the pictures of %d old frames were given up, %.1f MB.", canvas.slug, count, freed / 1e6)


@periodic_task
def compact_old_frames() -> None:
    """Some seconds' worth of pictures in each round; where there are none, the next look is in an hour."""
    global _compact_at
    if not settings.KEEP_EXACT_DAYS or time.monotonic() - _compact_at < EVERY_SECONDS:
        return
    begun = time.monotonic()
    for canvas in Canvas.objects.select_related("frame").order_by("pk"):
        # Some at a time: SQLite lets no connection write whose open SELECT is older than what others wrote meanwhile.
        while some := list(compact.waiting(canvas, _compacted.get(canvas.pk))[:AT_ONCE]):
            for frame in some:
                compact.store_smaller(frame)
                _compacted[canvas.pk] = frame.made_at
                if time.monotonic() - begun > COMPACT_SECONDS:
                    return
    _compact_at = time.monotonic()
    _compacted.clear()
