"""The worker takes what the rule of retention takes, a little every hour."""

from __future__ import annotations

import logging
import time

from django.conf import settings

from canvas.models import Canvas
from dreamsite.core.tasks import periodic_task
from gallery.space import retention

log = logging.getLogger(__name__)

EVERY_SECONDS = 3600.0
_looked_at = -EVERY_SECONDS


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
