"""The votes of trusted people who want an area covered until a moderator has looked."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone


class CoverVote(models.Model):
    """A trusted person's request to cover an area until a moderator has looked; see services.py."""

    canvas = models.ForeignKey("canvas.Canvas", on_delete=models.CASCADE, related_name="cover_votes")
    user: Any = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="cover_votes")
    x = models.PositiveIntegerField()
    y = models.PositiveIntegerField()
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    at = models.DateTimeField(default=timezone.now, editable=False)
    region = models.ForeignKey("canvas.Region", null=True, blank=True, on_delete=models.SET_NULL, related_name="votes")

    class Meta:
        indexes = [models.Index(fields=["canvas", "at"], name="cover_vote_recent")]

    def __str__(self) -> str:
        return f"{self.user}: {self.width} × {self.height} at {self.x}, {self.y}"
