"""How long ago ink fell on each part of a canvas, counted in dreams: what a dream grows out of.

A map has a byte for each cell of CELL x CELL pixels: how many dreams have been kept since the newest ink in it, 0
where it is newer than the newest dream, OLDEST at most, NEVER where there is none. A frame's map follows from that of
the frame before and from the ink between, so it is kept with the frame; whoever takes ink away leaves it out, and the
next who asks makes it again from the journal.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from canvas import brush, wire
from canvas.picture import Numbered

CELL = 8  # px
NEVER, OLDEST = 255, 254  # as dreamer.engine.growth has them
SEEDS, ISLAND = 3, 2  # how many there are, and the age at which they stop growing

Ages = NDArray[np.uint8]  # [rows, columns] of cells


def bare(width: int, height: int) -> Ages:
    """The map of a canvas of this size that nobody has drawn on."""
    return np.full((-(-height // CELL), -(-width // CELL)), NEVER, np.uint8)


def inked(ages: Ages, operations: Iterable[wire.Operation], age: int = 0) -> Ages:
    """The map with these operations, all visible, on top; their ink has this age."""
    ages = ages.copy()
    for op in operations:
        if isinstance(op, wire.Stroke):
            for x, y, width in brush.stamps(op.points, op.carry):
                left, top, c, *_ = brush.stamp_square(x, y, width)
                right, bottom = left + 2 * c, top + 2 * c
                if right >= 0 and bottom >= 0:
                    ages[max(top, 0) // CELL : bottom // CELL + 1, max(left, 0) // CELL : right // CELL + 1] = age
    return ages


def planted(ages: Ages, dreams: int, key: int) -> Ages:
    """What grows where nobody has drawn anything: a map without ink gets SEEDS of the dreamer's own, always at the same
    places for the same key, that have seen so many dreams; but they stay islands, and leave paper to draw on."""
    if (ages != NEVER).any():
        return ages
    ages, random = ages.copy(), np.random.default_rng(key)
    for row, column in random.uniform(0.1, 0.9, (SEEDS, 2)) * ages.shape:
        ages[int(row), int(column)] = min(dreams, ISLAND)
    return ages


def older(ages: Ages) -> Ages:
    """The map after one more dream."""
    return np.where(ages < OLDEST, ages + np.uint8(1), ages).astype(np.uint8)


def followed(ages: Ages, drawn: Iterable[Numbered], dreams: Iterable[int]) -> Ages:
    """The map that follows from this one, by the journal alone.

    `drawn` are the operations after it that are visible now, `dreams` the number up to which each dream that was kept
    since had taken them in.
    """
    left = list(drawn)
    for seq in sorted(dreams):
        taken = [op for number, op in left if number <= seq]
        ages, left = older(inked(ages, taken)), left[len(taken) :]
    return inked(ages, (op for _, op in left))


def pack(ages: Ages) -> bytes:
    """A map as a frame keeps it: mostly equal bytes, so a kilobyte or two."""
    return zlib.compress(ages.tobytes(), 6)


def unpack(packed: bytes, width: int, height: int) -> Ages:
    """The map of a canvas of this size. ValueError where it is another's."""
    like = bare(width, height)
    ages = np.frombuffer(zlib.decompress(packed), np.uint8)
    if ages.size != like.size:
        raise ValueError(f"growth map: received {ages.size} cells, expected {like.size} for {width} x {height} pixels")
    return ages.reshape(like.shape).copy()
