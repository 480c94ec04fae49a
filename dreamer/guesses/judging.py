"""How often the right word is among the guesses: sketches by the canvas' own brush, of emoji that nothing was trained
on, at any place, of any size, in any ink."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from PIL import ImageFont

from dreamer.engine import Network
from dreamer.house.sketches import SIDE, sketch
from dreamer.house.sprites import FONT, FONT_SIZE, glyph

from .eye import Box, Bytes
from .seeing import classes_called, guesses

CANVAS = 640  # px
PAPER = (255, 255, 255)
SIZES, PENS = (120, 420), (5, 12)  # px of a drawing, and of its lines

# Emoji of the font that the house model's classes leave out (dreamer/house/classes.py), of classes that are spoken of.
HELD_BACK = {
    "dog": "🦮",
    "cat": "😸😻😼🙀😽",
    "monkey": "🙈🙉🙊",
    "bear": "🧸",
    "cow": "🐃",
    "heart": "💙💜💛❤💘",
    "hand": "👋🤚🖖",
    "leaf": "🍃",
    "lorry": "🚛",
    "car": "🚘🏎🚓🚔",
    "bus": "🚍🚐",
    "train": "🚄🚅🚞🚝🚇",
    "ship": "🛳⛴🚤🛥",
    "aeroplane": "🛫🛬",
    "house": "🏚",
    "church": "🕍💒",
    "skyscraper": "🏦🏨🏫🏣",
    "volcano": "🏔⛰",
    "clock": "🕐🕓🕘",
    "books": "📖📕📗",
    "ice cream": "🍧",
    "bread": "🥖",
    "snowman": "☃",
    "guitar": "🪕",
    "moon": "🌙",
    "sun": "☀",
    "palm": "🏝",
    "alien": "👾",
    "star": "🌠",
}


@dataclass(frozen=True)
class Sketch:
    """uint8 [CANVAS, CANVAS, 3], what it shows, and where that is."""

    label: str
    picture: Bytes
    box: Box


@dataclass(frozen=True)
class Verdict:
    """Counts: of `sketches`, for how many something was said, the right word among it, or first."""

    sketches: int
    answered: int
    among: int
    first: int

    def __str__(self) -> str:
        return (
            f"{self.sketches} sketches: the right word among three guesses {self.among} times, first {self.first} "
            f"times; nothing answered {self.sketches - self.answered} times"
        )


def sketches(count: int, seed: int, labels: tuple[str, ...] = tuple(HELD_BACK)) -> Iterator[Sketch]:
    """So many, each label in turn. Raises FileNotFoundError saying what to install."""
    if not FONT.is_file():
        raise FileNotFoundError(f"{FONT} is missing: install the package fonts-noto-color-emoji")
    font, random = ImageFont.truetype(str(FONT), FONT_SIZE), np.random.default_rng(seed)
    for number in range(count):
        turn, place = divmod(number, len(labels))
        emoji = HELD_BACK[labels[place]]
        yield drawn(random, labels[place], glyph(emoji[turn % len(emoji)], font))


def drawn(random: np.random.Generator, label: str, shape: Bytes, scale: float = 1.0) -> Sketch:
    """A sketch of a glyph uint8 [SIDE, SIDE, 4], at any place, of any size, in any ink; `scale` makes all of it
    smaller, canvas and pen too."""
    size = random.uniform(*SIZES)
    x, y = random.uniform(20, CANVAS - size - 20, 2)
    zoom, lean = size / SIDE, random.uniform(-0.15, 0.15)
    down, across = zoom * np.sin(lean), zoom * np.cos(lean)
    side = round(CANVAS * scale)
    picture = np.full((side, side, 3), PAPER, np.uint8)
    where = np.array([[across, -down, x], [down, across, y]]) * scale
    sketch(random, picture, shape, where, random.uniform(*PENS) * scale)
    rows, columns = np.nonzero((picture != PAPER).any(axis=2))
    box = int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1
    return Sketch(label, picture, box)


def judge(network: Network, count: int = 100, seed: int = 20_261_130) -> Verdict:
    """Let guesses be made at sketches of what a network knows. ValueError where it knows nothing of HELD_BACK."""
    right = {label: set(classes_called(network, label)) for label in HELD_BACK}
    known = tuple(label for label, words in right.items() if words)
    if not known:
        raise ValueError(f"{network.name} has no label for any of {', '.join(HELD_BACK)}")
    answered = among = first = 0
    for shown in sketches(count, seed, known):
        words = [guess.number for guess in guesses(network, shown.picture, shown.box, PAPER)]
        answered += bool(words)
        among += not right[shown.label].isdisjoint(words)
        first += bool(words) and words[0] in right[shown.label]
    return Verdict(count, answered, among, first)
