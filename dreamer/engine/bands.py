"""Working on a large picture a band of rows at a time.

A photograph of 8000 x 6000 is 576 MB as float32 [3, H, W]. The picture and its gradient have to be held; every
temporary beside them does not, so whatever runs over a whole picture runs over bands. The bands depend on the
size alone, so the order of every sum, and with it every byte of the result, is the same from run to run and with any
number of cores. They are small enough for what is made of one to stay in the processor's cache.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]

BAND_BYTES = 2 * 2**20

T = TypeVar("T")


def cores() -> int:
    """How many cores this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not every system tells
        return os.cpu_count() or 1


def bands(height: int, row_bytes: int) -> Iterator[slice]:
    """Slices of an even number of rows that cover `height`, each about BAND_BYTES large (never under two rows)."""
    rows = max(2, BAND_BYTES // max(row_bytes, 1) // 2 * 2)
    for top in range(0, height, rows):
        yield slice(top, min(top + rows, height))


def each(work: Callable[[slice], T], parts: Iterable[slice]) -> list[T]:
    """work(part) of every part, on all cores; the results in the parts' order. numpy and Pillow let threads run."""
    parts = list(parts)
    if len(parts) < 2:
        return [work(part) for part in parts]
    with ThreadPoolExecutor(min(cores(), len(parts))) as pool:
        return list(pool.map(work, parts))


def rows_of(array: Floats) -> Iterator[slice]:
    """The bands of a float32 [3, H, W] array."""
    return bands(array.shape[1], array.shape[0] * array.shape[2] * 4)


def mean_abs(gradient: Floats, mask: Bytes | None = None) -> float:
    """Mean of |gradient| over [3, H, W], in float64; weighted by a mask [H, W], 0 to 255, where one is given.

    Weighted, it is the mean of the masked region: a small region then moves as fast as the whole picture would, not
    faster by the inverse of its area. A mask of zeros gives 0.
    """

    def sums(rows: slice) -> tuple[float, float]:
        size = np.abs(gradient[:, rows])
        if mask is None:
            return float(size.sum(dtype=np.float64)), size.size
        weight = share(mask[rows])
        size *= weight
        return float(size.sum(dtype=np.float64)), size.shape[0] * float(weight.sum(dtype=np.float64))

    totals, counts = zip(*each(sums, rows_of(gradient)), strict=True)
    return sum(totals) / sum(counts) if sum(counts) > 0 else 0.0


def share(mask: Bytes) -> Floats:
    """A mask's bytes as shares, 0 to 1. For a band: of a large picture the floats would be four times the mask."""
    return mask.astype(np.float32) / np.float32(255)
