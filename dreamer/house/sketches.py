"""Things as people draw them on the canvas: lines by the canvas' own brush, and fills, of whatever a sprite shows.

A drawing is the outline of the sprite and of its patches of colour, traced, smoothed and drawn with an unsteady hand.
It may be filled: with flat colours, or with a wide brush that goes to and fro.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from canvas.brush import Point, draw

from .textures import smooth_noise

SIDE = 128  # px of the sprite that is traced
SHORTEST = 14  # px of a line worth drawing
NEAR = 3.0  # px between two places of one line
FILLED = 0.55  # of the drawings have colour inside

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]
Line = NDArray[np.float32]  # [points, 2]: x, y


def traced(rgba: Bytes, patches: int) -> tuple[tuple[Line, ...], Bytes]:
    """The lines of a sprite, in its px, and the sprite in so many flat colours: uint8 [SIDE, SIDE, 4]."""
    return _traced(rgba.tobytes(), rgba.shape[0], patches)


@lru_cache(maxsize=2000)
def _traced(rgba: bytes, side: int, patches: int) -> tuple[tuple[Line, ...], Bytes]:
    whole = Image.frombytes("RGBA", (side, side), rgba).convert("RGBa")
    small = whole.resize((SIDE, SIDE), Image.Resampling.BOX).convert("RGBA")
    alpha = np.asarray(small)[..., 3] > 110
    ground = Image.new("RGB", small.size, (128, 128, 128))
    ground.paste(small, (0, 0), small)
    flat = ground.filter(ImageFilter.MedianFilter(7)).quantize(patches + 1, method=Image.Quantize.MEDIANCUT)
    index = np.where(alpha, np.asarray(flat.filter(ImageFilter.ModeFilter(7))).astype(int) + 1, 0)
    edge = np.zeros(index.shape, bool)
    edge[:, 1:] |= index[:, 1:] != index[:, :-1]
    edge[1:] |= index[1:] != index[:-1]
    colours = np.asarray(flat.convert("RGB"))
    return chains(edge), np.dstack([colours, alpha * np.uint8(255)])


def chains(edge: NDArray[np.bool_]) -> tuple[Line, ...]:
    """The places that are set, joined to lines, smoothed; the longest first."""
    left = {(int(x), int(y)) for y, x in np.argwhere(edge)}
    around = [(dx, dy) for dx in range(-3, 4) for dy in range(-3, 4)]
    steps = sorted((step for step in around if 0 < _far(step) <= NEAR**2), key=_far)
    found = []
    while left:
        start = left.pop()
        line = [start]
        for end in (-1, 0):  # on from the start, and then back from it
            x, y = start
            while near := next(((x + dx, y + dy) for dx, dy in steps if (x + dx, y + dy) in left), None):
                left.discard(near)
                line.insert(len(line) if end else 0, near)
                x, y = near
        if len(line) >= SHORTEST:
            points = np.array(line, np.float32)
            kernel = np.ones(5, np.float32) / 5
            padded = np.pad(points, ((2, 2), (0, 0)), mode="edge")
            found.append(np.stack([np.convolve(padded[:, c], kernel, "valid") for c in (0, 1)], axis=1)[::3])
    return tuple(sorted(found, key=len, reverse=True))


def _far(step: tuple[int, int]) -> int:
    return step[0] ** 2 + step[1] ** 2


def hatched(alpha: NDArray[np.bool_], spacing: float, lean: float) -> Line:
    """One line to and fro that covers what is set in `alpha`, its rows `spacing` px apart."""
    points: list[tuple[float, float]] = []
    for number, y in enumerate(np.arange(spacing / 2, alpha.shape[0], spacing)):
        inside = np.flatnonzero(alpha[int(y)])
        if len(inside):
            ends = [(float(inside[0]), y + lean), (float(inside[-1]), y - lean)]
            points += ends if number % 2 else ends[::-1]
    return np.array(points, np.float32).reshape(-1, 2)


def sketch(
    random: np.random.Generator,
    picture: Bytes,
    rgba: Bytes,
    place: NDArray[np.float64],
    pen: float,
) -> Floats:
    """Draw the sprite onto `picture` [h, w, 3], in place. `place` [2, 3] brings px of a sprite of SIDE px to px of the
    picture; `pen` is the width of its lines there. Gives where the drawing is: float32 [h, w] in 0..1."""
    height, width = picture.shape[:2]
    lines, flat = traced(rgba, int(random.integers(1, 5)))
    back = np.linalg.inv(np.vstack([place, [0, 0, 1]]))[:2]
    placed = Image.fromarray(flat).transform(
        (width, height), Image.Transform.AFFINE, tuple(back.ravel()), resample=Image.Resampling.BILINEAR
    )
    shape: Floats = np.asarray(placed.getchannel("A"), np.float32) / np.float32(255)
    colour = tuple(int(c) for c in random.uniform(0, 110 if random.random() < 0.7 else 256, 3))
    drawn = shape.copy()
    scale = float(np.sqrt(abs(np.linalg.det(place[:, :2]))))
    if random.random() < FILLED:
        colours = np.asarray(placed)[..., :3].astype(np.float32)
        colours = np.clip(128 + (colours - 128) * random.uniform(0.9, 2.0) + random.normal(0, 12, 3), 0, 255)
        if random.random() < 0.5:
            cover = shape[..., None] * np.float32(random.uniform(0.5, 1))
            picture[:] = (picture * (1 - cover) + colours * cover).astype(np.uint8)
        else:
            brush = pen * random.uniform(1.5, 4)
            spacing = max(brush * random.uniform(0.5, 0.9) / scale, 3)
            to_and_fro = hatched(flat[..., 3] > 128, spacing, spacing / 4)
            inside = colours[shape > 0.5]
            wash = tuple(int(c) for c in (inside.mean(axis=0) if len(inside) else colours.mean(axis=(0, 1))))
            _stroke(random, picture, to_and_fro, place, brush, wash, int(random.integers(140, 256)))
    else:
        drawn *= np.float32(0.7)  # paper shows through: it counts less
    wobble = random.uniform(0, 2.2)
    noise = smooth_noise(random, SIDE, 40.0)
    for number, line in enumerate(lines[:14]):
        if number and random.random() < 0.2:
            continue  # nobody draws every line
        shift = np.stack([noise[number % SIDE, : len(line)], noise[-1 - number % SIDE, : len(line)]], axis=1)
        moved = line + wobble * np.resize(shift, line.shape)
        _stroke(random, picture, moved, place, pen * random.uniform(0.8, 1.2), colour, 255)
    return drawn


def _stroke(
    random: np.random.Generator,
    picture: Bytes,
    line: Line,
    place: NDArray[np.float64],
    width: float,
    colour: tuple[int, ...],
    opacity: int,
) -> None:
    if len(line) < 2:
        return
    at = np.rint((line @ place[:, :2].T + place[:, 2]) * 8).astype(int)
    # A brush of the canvas is soft: what it is called is its whole width, and half of that is dark.
    widths = np.rint(8 * width * 1.4 * np.clip(1 + 0.15 * random.standard_normal(len(line)), 0.6, 1.4)).astype(int)
    points: Sequence[Point] = [(int(x), int(y), max(int(w), 8)) for (x, y), w in zip(at, widths, strict=True)]
    red, green, blue = colour
    draw(picture, points, 0, (red, green, blue), opacity)
