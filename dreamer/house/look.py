"""Sheets of what a model dreams, to judge it by looking: classes out of noise, styles on pictures, and many dreams on
top of one another."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from ..engine import PRESETS, Network, Recipe, Target, dream
from ..engine.bands import Bytes
from ..library.files import ShelfStyle
from . import LIVE
from .classes import GROUPS

log = logging.getLogger("dreamer.house")

# One thing from noise: in few octaves of many steps, turned and scaled so little that it stays where it is.
ALONE: dict[str, Any] = PRESETS["noise"] | {
    "iterations": 40,
    "octave_scale": 1.5,
    "min_size": 64,
    "roll": 6,
    "rotate": 3.0,
    "rescale": 0.05,
    "smooth": 9,
}

# What noise is made into, to see how far a training is.
TEN = ("banana", "fox", "owl", "butterfly", "horse", "elephant", "strawberry", "castle", "fish", "sunflower")


def scribble(height: int = 384, width: int = 512, seed: int = 5, brush: float = 1.0) -> Bytes:
    """A child's drawing: nine thick strokes in bright colours on white, uint8 [height, width, 3]. With a `brush` of 2
    they are twice as wide and long: 14 to 34 px wide."""
    random = np.random.default_rng(seed)
    picture = Image.new("RGB", (width * 2, height * 2), "white")
    pen = ImageDraw.Draw(picture)
    for _ in range(9):
        at, heading, turn = random.uniform(0.15, 0.85, 2) * (width * 2, height * 2), random.uniform(0, 6.3), 0.0
        colour, radius = tuple(int(c) for c in random.integers(20, 240, 3)), brush * int(random.integers(7, 18))
        for _ in range(int(random.integers(60, 160))):
            turn = 0.85 * turn + random.normal(0, 0.07)
            heading += turn
            at = at + 8 * brush * np.array([np.cos(heading), np.sin(heading)])
            pen.ellipse([*(at - radius), *(at + radius)], fill=colour)
    return np.asarray(picture.resize((width, height), Image.Resampling.LANCZOS))


def first_drawing(side: int = 1536) -> Bytes:
    """What a fresh site's first visitor leaves: a house and a sun of some 200 px on a white canvas, uint8 [side, side,
    3]. The hardest ground to dream on: nearly all of it is the same."""
    picture = Image.new("RGB", (side * 2, side * 2), "white")
    brush = ImageDraw.Draw(picture)

    def line(points: Sequence[tuple[float, float]], colour: tuple[int, int, int], width: int) -> None:
        brush.line([(side + 2 * x, side + 2 * y) for x, y in points], fill=colour, width=2 * width, joint="curve")

    line([(-60, 60), (-60, -10), (0, -60), (60, -10), (60, 60), (-60, 60)], (200, 40, 40), 6)
    line([(-60, -10), (60, -10)], (200, 40, 40), 6)
    line([(-15, 60), (-15, 20), (15, 20), (15, 60)], (60, 60, 200), 5)
    turns = np.linspace(0, 12, 60)
    line([(-120 + 12 * t + 10 * np.cos(2 * t), 80 + 10 * np.sin(2 * t)) for t in turns], (30, 150, 60), 5)
    brush.ellipse([side + 140, side - 200, side + 200, side - 140], outline=(240, 180, 0), width=12)
    return np.asarray(picture.resize((side, side), Image.Resampling.LANCZOS))


def blank(height: int = 384, width: int = 512) -> Bytes:
    """A canvas nobody has drawn on: white, with the faintest grain, uint8 [height, width, 3]."""
    grain = np.random.default_rng(0).normal(0, 2, (height, width, 3))
    return np.clip(250 + grain, 0, 255).astype(np.uint8)


def canvases(side: int = 1536) -> dict[str, Bytes]:
    """What a live canvas begins with, at its size, by name."""
    drawn = scribble(side, side, brush=side / 768)
    return {"scribble": drawn, "blank": blank(side, side), "first": first_drawing(side)}


def sheet(pictures: Sequence[Bytes], columns: int) -> Bytes:
    """Pictures of one size side by side, row by row."""
    rows = [np.concatenate(list(pictures[i : i + columns]), axis=1) for i in range(0, len(pictures), columns)]
    missing = rows[0].shape[1] - rows[-1].shape[1]
    rows[-1] = np.pad(rows[-1], ((0, 0), (0, missing), (0, 0)))
    return np.concatenate(rows)


def reduced(picture: Bytes, width: int = 512) -> Bytes:
    """The picture, at most so wide."""
    image = Image.fromarray(picture)
    image.thumbnail((width, width), Image.Resampling.LANCZOS)
    return np.asarray(image)


def class_sheet(network: Network, labels: Sequence[str], *, side: int = 160) -> Bytes:
    """What noise becomes when the network is to see each of these classes in the middle of it. Wanted at every place, a
    class comes as a cloth of its parts; wanted at one, it comes as one whole thing."""
    pictures = []
    for label in labels:
        (term,) = network.class_target(label).terms
        target = Target((replace(term, position=(0.5, 0.5)),))
        pictures.append(dream(None, network, Recipe(target, model=network.name, noise=(side, side), seed=1, **ALONE)))
        log.info("%s", label)
    return sheet(pictures, 8)


def style_named(name: str) -> ShelfStyle:
    """The style `LAYER` or `LAYER:CHANNEL`; a group's channels go by their classes' names, as in `creatures:owl`."""
    layer, _, channel = name.partition(":")
    if not channel:
        return ShelfStyle(layer, None, name)
    number = int(channel) if channel.isdigit() else GROUPS[layer].index(channel)
    return ShelfStyle(layer, number, name)


def chain(picture: Bytes, network: Network, styles: Sequence[ShelfStyle], **changes: Any) -> Iterator[Bytes]:
    """Dreams on top of one another as the live canvas has them, one in each style; `changes` to its recipe's fields."""
    for seed, style in enumerate(styles):
        target = Target.layer(style.layer, style.channel)
        recipe = Recipe(target, model=network.name, seed=seed, **PRESETS["live"] | LIVE | changes)
        picture = dream(picture, network, recipe)
        yield picture


def fifty(network: Network, shelf: Sequence[ShelfStyle], grounds: Sequence[Bytes], seed: int = 1) -> Bytes:
    """What fifty dreams make of each ground, five in each of ten styles: it as it was, and after 5, 15, 30 and 50."""
    random = np.random.default_rng(seed)
    rows = []
    for ground in grounds:
        chosen = random.choice(len(shelf), 10, replace=False)
        dreams = [ground, *chain(ground, network, [shelf[number] for number in chosen for _ in range(5)])]
        rows += [reduced(dreams[after]) for after in (0, 5, 15, 30, 50)]
        log.info("after 50 dreams: mean %.0f, burnt out %.1f %%", *_exposure(dreams[-1]))
    return sheet(rows, 5)


def _exposure(picture: Bytes) -> tuple[float, float]:
    """The mean, and how many in a hundred values are at an end."""
    return float(picture.mean()), 100 * float(((picture < 3) | (picture > 252)).mean())


def open_picture(path: Path, width: int = 512) -> Bytes:
    """A picture file, at most so wide."""
    return reduced(np.asarray(Image.open(path).convert("RGB")), width)
