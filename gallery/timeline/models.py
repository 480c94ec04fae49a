"""How much happened in each quarter of an hour: what the timeline and the calendar are drawn from."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.db import models

from canvas.models import Canvas


class QuarterHour(models.Model):
    """A finished quarter of an hour of a canvas in which something happened; see gallery.timeline.activity.

    Quarters, because every time zone in use differs from UTC by a whole number of them: days and hours of any zone
    are sums of rows.
    """

    canvas = models.ForeignKey(Canvas, on_delete=models.CASCADE, related_name="quarter_hours")
    at = models.PositiveBigIntegerField()  # its beginning, in seconds since 1970: thousands of rows are read at once
    frames = models.PositiveIntegerField()
    strokes = models.PositiveIntegerField()
    first = models.PositiveIntegerField(null=True)  # numbers of its first and last frame
    last = models.PositiveIntegerField(null=True)
    changes = models.PositiveIntegerField(default=0)  # how often the style changed
    # And where: [[number, seconds since the beginning, title], …]
    styles: Any = models.JSONField(default=list)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["canvas", "at"], name="quarter_hour_at")]

    def __str__(self) -> str:
        return f"{self.canvas_id} {datetime.fromtimestamp(self.at, UTC):%Y-%m-%d %H:%M}"
