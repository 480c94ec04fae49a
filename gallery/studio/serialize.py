"""A work as JSON, for its page and for programs."""

from __future__ import annotations

from typing import Any

from django.urls import reverse

from dreamsite.core.tasks.jobs import State
from gallery import media
from gallery.studio import queue
from gallery.studio.models import Work


def work_as_json(made: Work) -> dict[str, Any]:
    ahead, seconds = queue.ahead(made) if made.is_open and made.pk else (0, 0.0)
    term = (made.recipe.get("target") or {}).get("terms", [{}])[0]
    channels = term.get("channels")
    return {
        "key": made.key,
        "url": made.get_absolute_url(),
        "state": made.state,
        "fraction": round(made.fraction, 3),
        "ahead": ahead if made.state == State.WAITING else 0,
        "seconds": round(seconds, 1),
        "message": made.message,
        "title": made.title,
        "layer": term.get("layer", ""),
        "channel": channels[0][0] if channels else None,
        "picture": media.path(made.picture) if made.picture else None,
        "thumbnail": media.path(made.thumbnail) if made.thumbnail else None,
        "growing": reverse("studio_growing", args=[made.key]) if made.state == State.RUNNING else None,
    }
