"""Working on a large picture a band of rows at a time.

A photograph of 8000 x 6000 is 576 MB as float32 [3, H, W]. The picture and its gradient have to be held; every
temporary beside them does not, so whatever runs over a whole picture runs over bands. The bands depend on the
size alone, so the order of every sum, and with it every byte of the result, is the same from run to run.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]

BAND_BYTES = 8 * 2**20


def bands(height: int, row_bytes: int) -> Iterator[slice]:
    """Slices of an even number of rows that cover `height`, each about BAND_BYTES large (never under two rows)."""
    rows = max(2, BAND_BYTES // max(row_bytes, 1) // 2 * 2)
    for top in range(0, height, rows):
        yield slice(top, min(top + rows, height))


def rows_of(array: Floats) -> Iterator[slice]:
    """The bands of a float32 [3, H, W] array."""
    return bands(array.shape[1], array.shape[0] * array.shape[2] * 4)


def mean_abs(gradient: Floats, mask: Bytes | None = None) -> float:
    """Mean of |gradient| over [3, H, W], in float64; weighted by a mask [H, W], 0 to 255, where one is given.

    Weighted, it is the mean of the masked region: a small region then moves as fast as the whole picture would, not
    faster by the inverse of its area. A mask of zeros gives 0.
    """
    total, count = 0.0, 0.0
    for rows in rows_of(gradient):
        size = np.abs(gradient[:, rows])
        if mask is None:
            count += size.size
        else:
            weight = share(mask[rows])
            size *= weight
            count += size.shape[0] * float(weight.sum(dtype=np.float64))
        total += float(size.sum(dtype=np.float64))
    return total / count if count > 0 else 0.0


def share(mask: Bytes) -> Floats:
    """A mask's bytes as shares, 0 to 1. For a band: of a large picture the floats would be four times the mask."""
    return mask.astype(np.float32) / np.float32(255)


def roll(array: Floats, down: int, right: int) -> None:
    """Shift [3, H, W] circularly, in place: what leaves at the bottom (or right) comes in at the top (or left)."""
    _, height, width = array.shape
    if right % width:
        for rows in rows_of(array):
            array[:, rows] = np.roll(array[:, rows], right, axis=2)
    if down % height:
        for columns in bands(width, array.shape[0] * height * 4):
            array[:, :, columns] = np.roll(array[:, :, columns], down, axis=1)
