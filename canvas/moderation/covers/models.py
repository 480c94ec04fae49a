"""The votes of trusted people who want a place covered until a moderator has looked."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone


class VeilVote(models.Model):
    """A trusted person's wish to cover a place until a moderator has looked; see services.py."""

    canvas = models.ForeignKey("canvas.Canvas", on_delete=models.CASCADE, related_name="veil_votes")
    user: Any = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="veil_votes")
    x = models.PositiveIntegerField()
    y = models.PositiveIntegerField()
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    at = models.DateTimeField(default=timezone.now, editable=False)
    region = models.ForeignKey("canvas.Region", null=True, blank=True, on_delete=models.SET_NULL, related_name="votes")

    class Meta:
        indexes = [models.Index(fields=["canvas", "at"], name="veilvote_recent")]

    def __str__(self) -> str:
        return f"{self.user}: {self.width} × {self.height} at {self.x}, {self.y}"
