"""Who has a feed of what is drawn beside their strokes."""

from __future__ import annotations

import hashlib
from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone

from canvas.models.canvas import secret_slug


class NearbyFeed(models.Model):
    """One person's feed. Its address holds a word that nobody can guess; kept is a digest, as of a password."""

    user: Any = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="nearby_feed")
    digest = models.CharField(max_length=64, unique=True)
    made_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"{self.user_id}"

    @classmethod
    def switch_on(cls, user: Any) -> str:
        """Gives the person a feed, in place of the one they had; the word in its address, which is shown once."""
        word = secret_slug()
        cls.objects.update_or_create(user=user, defaults={"digest": digest(word), "made_at": timezone.now()})
        return word


def digest(word: str) -> str:
    return hashlib.sha256(word.encode()).hexdigest()
