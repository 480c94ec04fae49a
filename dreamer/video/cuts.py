"""Where a film's shots begin: what is seen changes at once, and by more than it did before."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

BINS = 64
LUMINANCE = 0.35  # of all pixels have another luminance than in the picture before, or
COARSE = 25.0  # grey levels of difference, on average, in pictures of a few pixels: what moves hardly changes these
GRID = (16, 9)
JUMP = 3.0  # times the change between the two pictures before: what changes all the time is no cut


class Cuts:
    """Finds where shots begin while pictures come by, uint8 [H, W, 3]; `found` has the numbers of their first ones."""

    def __init__(self) -> None:
        self._before: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None
        self._change = 0.0
        self._count = 0
        self.found: list[int] = []

    def add(self, picture: NDArray[np.uint8]) -> None:
        now = _histogram(picture), _coarse(picture)
        if self._before is not None:
            luminance = float(np.abs(now[0] - self._before[0]).sum()) / 2
            coarse = float(np.abs(now[1] - self._before[1]).mean())
            change = max(luminance / LUMINANCE, coarse / COARSE)
            if change > 1 and change > JUMP * self._change:
                self.found.append(self._count)
            self._change = change
        self._before = now
        self._count += 1


def _histogram(picture: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Shares of the pixels in BINS steps of luminance (ITU-R BT.601)."""
    grey = np.asarray(Image.fromarray(picture).convert("L"))
    counts = np.bincount(grey.ravel() // (256 // BINS), minlength=BINS)
    return np.asarray(counts / grey.size)


def _coarse(picture: NDArray[np.uint8]) -> NDArray[np.float64]:
    return np.asarray(Image.fromarray(picture).resize(GRID, Image.Resampling.BOX), np.float64)
