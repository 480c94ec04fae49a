"""Looks at what has come to rest, and tells everybody at the canvas what the network sees in it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.utils import timezone

from canvas import notify
from canvas.models import Canvas, Dream
from dreamer.engine import Network
from dreamer.engine.classes import classes_of
from dreamer.models import Guess

from .drawings import alone, at_rest
from .seeing import guesses

log = logging.getLogger(__name__)

EVERY_SECONDS = 6.0  # at most one guess in this time on one canvas
SHOWN_SECONDS = 25.0  # how long browsers show it


class Listener:
    """One dreamer process' memory of what it has looked at. A new process begins with what is drawn from then on."""

    def __init__(self) -> None:
        self._looked: dict[int, int] = {}  # canvas -> the newest number that it has looked at
        self._heads: dict[int, int] = {}  # canvas -> the head when nothing more was to be looked at
        self._next: dict[int, float] = {}  # canvas -> when it may speak again

    def look(self, canvas: Canvas, opened: Callable[[], Network]) -> Guess | None:
        """Makes at most one guess. Costs nothing while nobody draws; `opened` is asked once there is a drawing."""
        if not settings.DREAM_GUESSES:
            return None
        if canvas.pk not in self._looked:
            self._looked[canvas.pk] = self._heads[canvas.pk] = canvas.head
        if canvas.head == self._heads[canvas.pk] or time.monotonic() < self._next.get(canvas.pk, 0.0):
            return None
        self._next[canvas.pk] = time.monotonic() + 1.0
        now = timezone.now()
        found = at_rest(canvas, now, self._looked[canvas.pk])
        if not found:
            return None
        drawing, network = found[0], opened()
        self._looked[canvas.pk] = drawing.last_seq
        if len(found) == 1 and drawing.last_seq == canvas.head:
            self._heads[canvas.pk] = canvas.head
        if classes_of(network) is None:
            return None
        seen = guesses(network, alone(canvas, drawing), drawing.box, canvas.background_rgb)
        if not seen:
            return None
        self._next[canvas.pk] = time.monotonic() + EVERY_SECONDS
        left, top, right, bottom = drawing.box
        guess = Guess.objects.create(
            canvas=canvas,
            network=network.name,
            seq=drawing.last_seq,
            left=left,
            top=top,
            right=right,
            bottom=bottom,
            authors=sorted(drawing.authors),
            words=[one.to_json() for one in seen],
            made_at=now,
        )
        publish(guess)
        log.info("%s: is that %s?", canvas.slug, " or ".join(one.label for one in seen))
        return guess


def publish(guess: Guess) -> None:
    """Everybody at the canvas is told with the next news of the dream."""
    Dream.objects.filter(canvas=guess.canvas).update(guess=news(guess))
    notify.look(guess.canvas.slug)


def news(guess: Guess) -> dict[str, Any]:
    """What browsers are told (docs/protocol.md): `until` is ms since 1970; `chosen` the place of a word, or null."""
    return {
        "id": guess.pk,
        "x": guess.left,
        "y": guess.top,
        "width": guess.right - guess.left,
        "height": guess.bottom - guess.top,
        "words": [word["label"] for word in guess.words],
        "authors": guess.authors,
        "chosen": guess.chosen,
        "until": round(1000 * (guess.made_at.timestamp() + SHOWN_SECONDS)),
    }
