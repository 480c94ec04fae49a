"""Counts the timeline as time goes by, so that no page has to count a week at once."""

from __future__ import annotations

from canvas.models import Canvas
from dreamsite.core.tasks import periodic_task
from gallery.timeline import activity


@periodic_task
def settle() -> None:
    for canvas in Canvas.objects.order_by("pk"):
        activity.store_finished(canvas)
