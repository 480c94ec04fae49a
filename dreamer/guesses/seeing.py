"""What the network sees in a drawing: a window around it, as up to three words that may be said.

The eye looks (`eye.py`), for any network: classifiers of photographs see nothing in lines on paper. A word counts where
the network that dreams has a class for it, towards which it can be led. Where that has none for any word of the eye,
its own class scores say what they can.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from PIL import Image

from dreamer.engine import Network
from dreamer.engine.classes import MAP_SIDE, VECTOR_SIDE, chances, classes_of
from dreamer.house.classes import ILSVRC, ILSVRC_TOO
from dreamer.library.labels import spoken

from . import eye
from .eye import Box, Bytes

MOST = 3
FILLS = 0.72  # of the window's side, by the longer side of what was drawn
LEAST_SIDE = 48  # px of the window on the canvas: a dot shows nothing
SURE = 0.03  # how likely the eye must find a word
SURER = 3.0  # times as likely as on blank paper, or it is no guess
LEAST = 0.04  # and at least as likely as this, among what is not paper


@dataclass(frozen=True)
class Guess:
    """`number` is the class' number in the network, `chance` how likely it takes it to be, 0 to 1."""

    number: int
    label: str
    chance: float

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def window_around(box: Box, width: int, height: int) -> Box:
    """The square window a drawing is looked at in, within the canvas where that is large enough."""
    x0, y0, x1, y1 = box
    side = min(max(LEAST_SIDE, round(max(x1 - x0, y1 - y0) / FILLS)), width, height)
    left = min(max(0, round((x0 + x1 - side) / 2)), width - side)
    top = min(max(0, round((y0 + y1 - side) / 2)), height - side)
    return left, top, left + side, top + side


def guesses(network: Network, picture: Bytes, box: Box, paper: tuple[int, int, int]) -> tuple[Guess, ...]:
    """What the drawing inside `box` may be, likeliest first; empty where nothing stands out, or nothing may be said.

    network  the one that dreams: guesses are of its classes
    picture  uint8 [h, w, 3]: the drawing on a canvas
    paper    the canvas' background
    """
    layer = classes_of(network)
    if layer is None:
        return ()
    x0, y0, x1, y1 = window_around(box, picture.shape[1], picture.shape[0])
    window = Image.fromarray(picture[y0:y1, x0:x1])
    looks = eye.read()
    likely = looks.chances(picture, box, paper)
    found: list[Guess] = []
    for place in np.argsort(likely)[::-1]:
        label, chance = looks.words[place], float(likely[place])
        if label == eye.NOTHING or chance < SURE or len(found) == MOST:
            break
        numbers = classes_called(network, label)
        if numbers and (word := spoken(label)):
            number = numbers[0] if len(numbers) == 1 else _likeliest(network, layer, window, numbers)
            found.append(Guess(number, word, round(chance, 3)))
    if found or any(classes_called(network, word) for word in looks.words):
        return tuple(found)
    return tuple(_apart(_by_classes(network, layer, window, paper))[:MOST])


def classes_called(network: Network, label: str) -> list[int]:
    """The numbers of a network's classes that a label of the house model names: its own, or those of ILSVRC."""
    if label in network.labels:
        return [network.labels.index(label)]
    names = [name.split(",")[0].strip().lower() for name in network.labels]
    found: set[int] = set()
    for words in (*ILSVRC.get(label, ()), *ILSVRC_TOO.get(label, ())):
        first, _, last = words.lower().partition("..")
        if first in names and (last or first) in names:
            found |= set(range(names.index(first), names.index(last or first) + 1))
    return sorted(found)


def _likeliest(network: Network, layer: str, window: Image.Image, numbers: Sequence[int]) -> int:
    """Of several classes the one that the network itself finds likeliest: a dog is to become one breed of many."""
    seen = chances(network, layer, _resized(window, _side(network, layer)))
    return max(numbers, key=lambda number: seen[number])


def _by_classes(network: Network, layer: str, window: Image.Image, paper: tuple[int, int, int]) -> list[Guess]:
    side = _side(network, layer)
    shown = chances(network, layer, _resized(window, side))
    blank = chances(network, layer, np.full((side, side, 3), paper, np.uint8))
    paper_class = blank.argmax()  # what blank paper is taken for is around every drawing
    for seen_chances in (shown, blank):
        seen_chances[paper_class] = 0
        seen_chances /= max(float(seen_chances.sum()), 1e-9)
    return [
        Guess(int(n), word, round(float(shown[n]), 3))
        for n in np.argsort(shown)[::-1][:40]
        if shown[n] >= LEAST and shown[n] > SURER * blank[n] and (word := spoken(network.labels[n]))
    ]


def _side(network: Network, layer: str) -> int:
    return max(MAP_SIDE if network.layers[layer].spatial else VECTOR_SIDE, network.min_size)


def _resized(window: Image.Image, side: int) -> Bytes:
    return np.asarray(window.resize((side, side), Image.Resampling.LANCZOS))


def _apart(found: Sequence[Guess]) -> list[Guess]:
    """Without a word that another one says already."""
    kept: list[Guess] = []
    for guess in found:
        if all(guess.label != other.label for other in kept):
            kept.append(guess)
    return kept
