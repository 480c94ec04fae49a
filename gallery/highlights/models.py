"""Frames chosen by moderators."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils import timezone

from canvas.models import Canvas, Frame

MAX_CAPTION = 280


class HighlightQuerySet(models.QuerySet["Highlight"]):
    def shown(self) -> HighlightQuerySet:
        """Newest first, without frames that have been hidden since, or whose canvas is not listed any more."""
        found = self.filter(frame__hidden_at=None, frame__canvas__listed=True).select_related("frame__canvas")
        return found.order_by("-chosen_at", "-pk")

    def newest(self, canvas: Canvas, count: int) -> list[Highlight]:
        """The last ones chosen of a canvas, found from the choices: the database would rather begin with all frames."""
        chosen = self.order_by("-chosen_at", "-pk").values_list("frame_id", flat=True)[: 4 * count]
        found = self.shown().filter(frame__in=list(chosen), frame__canvas=canvas)
        return list(found[:count])


class Highlight(models.Model):
    frame = models.OneToOneField(Frame, on_delete=models.CASCADE, related_name="highlight")
    caption = models.CharField(max_length=MAX_CAPTION, blank=True)
    chosen_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    chosen_at = models.DateTimeField(default=timezone.now, db_index=True)

    objects = HighlightQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.frame}: {self.caption}" if self.caption else str(self.frame)

    def get_absolute_url(self) -> str:
        return reverse("frame", args=[self.frame_id])
