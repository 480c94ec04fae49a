"""What the next dream is led by: the guesses that people agreed with."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import numpy as np
from django.db.models import F
from numpy.typing import NDArray

from canvas.models import Canvas
from dreamer.engine import Cancelled, Network
from dreamer.models import Guess
from dreamer.registered import preset

from .steering import Wanted, steer

log = logging.getLogger(__name__)

MOST = 4  # in one dream: each costs about a second


def lead(
    canvas: Canvas, pixels: NDArray[np.uint8], network: Network, seed: int, cancelled: Callable[[], bool] | None
) -> tuple[NDArray[np.uint8], dict[str, Any]]:
    """The canvas uint8 [h, w, 3] led where people agreed with a guess of this network, and what the frame's recipe says
    of it: {"guesses": [{"id", "word", "box"}]}, or nothing. Raises Cancelled."""
    led = []
    for guess in Guess.objects.leading(canvas).filter(network=network.name)[:MOST]:
        word, box = guess.words[guess.chosen], (guess.left, guess.top, guess.right, guess.bottom)
        try:
            pixels = steer(
                pixels, network, Wanted(box, word["number"]), preset("live", network.name), seed + guess.pk, cancelled
            )
        except Cancelled:
            raise
        except Exception:
            # The dream is worth more than the word.
            log.exception("%s: the dream could not be led towards %s.", canvas.slug, word["label"])
            continue
        led.append({"id": guess.pk, "word": word["label"], "box": list(box)})
    return pixels, {"guesses": led} if led else {}


def done(led: dict[str, Any]) -> None:
    """The dream that was led by these is kept."""
    ids = [guess["id"] for guess in led.get("guesses", ())]
    Guess.objects.filter(pk__in=ids, dreams_left__gt=0).update(dreams_left=F("dreams_left") - 1)
