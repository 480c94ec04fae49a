"""Teaches the house model's eye: drawings by the canvas' own brush, of the emoji that the network was trained with.

Nothing of what it is judged by (`judging.HELD_BACK`) is among them. `python -m dreamer.guesses --teach` does it.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter, ImageFont

from dreamer.engine import Network
from dreamer.house.classes import OBJECTS
from dreamer.house.samples import scribble
from dreamer.house.sprites import FONT, FONT_SIZE, glyph

from .eye import NOTHING, SIDE, Bytes, Eye, Floats, features
from .judging import drawn
from .seeing import window_around

# Found on emoji left out of the teaching, one of each class that has several.
STRENGTH = 3000.0  # of the ridge
SHARPNESS = 36.0  # how much surer it is than a regression's plain values

SCALE = 0.5  # of the sketches that are judged: the network sees them smaller still
PAINTED = 2  # pictures of each emoji in all its colours, beside the drawings

THICKER = (3, 5, 7)  # px of a window: many people draw small things with a thick pen

LABELS = (*OBJECTS, NOTHING)


def teach(network: Network, each: int = 6, seed: int = 1) -> Eye:
    """An eye for this network, which stays as it is, from about `each` drawings of every class."""
    rows, labels = [], []
    for number, (label, window) in enumerate(lessons(each, seed)):
        for seen in views(window, THICKER[number % len(THICKER)]):
            rows.append(features(network, seen))
            labels.append(LABELS.index(label))
    return fit(network.sha256, np.array(rows), np.array(labels))


def views(window: Bytes, thicker: int) -> tuple[Bytes, Bytes, Bytes]:
    """A lesson as it is, mirrored, and drawn with a pen so many px thicker, less one."""
    thick = Image.fromarray(window).filter(ImageFilter.MinFilter(thicker))
    return window, np.ascontiguousarray(window[:, ::-1]), np.asarray(thick)


def lessons(each: int, seed: int) -> Iterator[tuple[str, Bytes]]:
    """Labels, and windows uint8 [SIDE, SIDE, 3] around drawings of them; as often scribbles, which are NOTHING.

    Raises FileNotFoundError saying what to install.
    """
    if not FONT.is_file():
        raise FileNotFoundError(f"{FONT} is missing: install the package fonts-noto-color-emoji")
    font, random = ImageFont.truetype(str(FONT), FONT_SIZE), np.random.default_rng(seed)
    for label, emoji in OBJECTS.items():
        for shape in emoji:
            for _ in range(max(2, 2 * each // (1 + len(emoji)))):
                made = drawn(random, label, glyph(shape, font), SCALE)
                x0, y0, x1, y1 = window_around(made.box, made.picture.shape[1], made.picture.shape[0])
                window = Image.fromarray(made.picture[y0:y1, x0:x1])
                yield label, np.asarray(window.resize((SIDE, SIDE), Image.Resampling.LANCZOS))
            for _ in range(PAINTED):
                yield label, _painted(random, glyph(shape, font))
    for _ in range(4 * each):
        paper = Image.new("RGB", (SIDE, SIDE), "white")
        scribble(random, paper, int(random.integers(1, 6)))
        yield NOTHING, np.asarray(paper)


def _painted(random: np.random.Generator, shape: Bytes) -> Bytes:
    """The whole picture on paper, as somebody with patience would paint it."""
    paper, size = Image.new("RGB", (SIDE, SIDE), "white"), round(SIDE * random.uniform(0.6, 0.9))
    turned = Image.fromarray(shape).rotate(random.uniform(-15, 15), Image.Resampling.BILINEAR).resize((size, size))
    x, y = (int(n) for n in random.integers(0, SIDE - size + 1, 2))
    paper.paste(turned, (x, y), turned)
    return np.asarray(paper)


def fit(sha256: str, rows: Floats, labels: NDArray[np.int_]) -> Eye:
    """The ridge regression of one column a label, 1 where it is shown and 0 elsewhere, on standardised features; rows
    float32 [n, features], labels [n] are places in LABELS. Every class counts alike, however many rows it has."""
    mean, deviation = rows.mean(axis=0), rows.std(axis=0) + 1e-3
    x = ((rows - mean) / deviation).astype(np.float64)
    wanted = np.eye(len(LABELS))[labels]
    share = len(labels) / (len(LABELS) * np.bincount(labels, minlength=len(LABELS)).clip(1))[labels][:, None]
    weights = np.linalg.solve(x.T @ (share * x) + STRENGTH * np.eye(x.shape[1]), x.T @ (share * wanted))
    bias = np.full(len(LABELS), 1 / len(LABELS))
    parts = [(SHARPNESS * part).astype(np.float32) for part in (weights, bias)]
    return Eye(sha256, LABELS, mean.astype(np.float32), deviation.astype(np.float32), *parts)
