"""Where a dream may work, and what holds, from how long ago ink fell: forms grow out of what people draw.

Ages are bytes, one for each cell of a grid over the picture: how many dreams have seen the newest ink of that cell, 0
where it fell since the last one, NEVER where none fell. Masks are bytes too, 255 where a dream may do as it likes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .bands import Bytes, Floats

NEVER = 255
OLDEST = 254  # ages end here

# Distances are measured between so many cells of a side at most: a front is soft over many more pixels.
MEASURED = 96


def of_mask(mask: Bytes) -> Bytes:
    """Ages that let a drawn mask [h, w] play the ink: new where it is at least half white, none elsewhere."""
    return np.where(mask >= 128, 0, NEVER).astype(np.uint8)


def front(ages: Bytes, start: float, speed: float) -> Bytes:
    """How far the dream has come: a mask of the ages' proportions.

    Around ink of age k it works within R = start + speed * k of the shorter side, smoothly less from R - start / 2 on
    (smoothstep). Without any ink it works nowhere. Cells that are measured as one count by their oldest ink, whose
    front is furthest.
    """
    cells = _pooled(ages)
    height, width = cells.shape
    side = min(height, width)
    reach = np.full(cells.shape, -np.inf, np.float32)
    for age in np.unique(cells[cells != NEVER]):
        radius = (start + speed * float(age)) * side
        if radius >= np.hypot(height, width) + start * side / 2:  # all of it
            return np.full(cells.shape, 255, np.uint8)
        np.maximum(reach, np.float32(radius) - distance(cells == age), out=reach)
    share = np.clip(reach / max(start * side / 2, 1e-6), 0, 1)
    return np.asarray(np.rint(255 * share * share * (3 - 2 * share)), np.uint8)


def held(ages: Bytes, hold: float, fade: float) -> Floats:
    """How much of its coarse part each place keeps: float32 [h, w], hold * fade^age where ink is. Paper beside it keeps
    nothing: it would stay white around every line."""
    share = hold * np.power(fade, ages.astype(np.float32))
    return np.where(ages == NEVER, 0, share).astype(np.float32)


def distance(inside: NDArray[np.bool_]) -> Floats:
    """How far each cell's middle is from the nearest one inside: float32 [h, w], in cells; infinite where none is.

    Exact, an axis at a time (Felzenszwalb and Huttenlocher, "Distance Transforms of Sampled Functions", 2012): down the
    columns by counting from either side, then across by the least of all columns' squares.
    """
    height, width = inside.shape
    far = np.float32(height + width)
    down = np.where(inside, np.float32(0), far)
    for row in range(1, height):
        np.minimum(down[row], down[row - 1] + 1, out=down[row])
    for row in range(height - 2, -1, -1):
        np.minimum(down[row], down[row + 1] + 1, out=down[row])
    columns = np.arange(width, dtype=np.float32)
    across = np.square(columns[:, None] - columns)
    squares = np.square(down)
    nearest = np.stack([(squares + one).min(axis=1) for one in across], axis=1)
    found = np.sqrt(nearest)
    return found if inside.any() else np.full_like(found, np.inf)


def _pooled(ages: Bytes) -> Bytes:
    """The ages of at most MEASURED cells on the longer side: of several the oldest that is not NEVER."""
    height, width = ages.shape
    most = max(height, width)
    if most <= MEASURED:
        return ages
    rows, columns = (np.unique(np.arange(n) * MEASURED // most, return_index=True)[1] for n in (height, width))
    older = np.where(ages == NEVER, -1, ages.astype(np.int16))
    oldest = np.maximum.reduceat(np.maximum.reduceat(older, rows, axis=0), columns, axis=1)
    return np.where(oldest < 0, NEVER, oldest).astype(np.uint8)
