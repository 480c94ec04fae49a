"""How a network of one size sees a picture of any other: whole, resampled to that size."""

from __future__ import annotations

import functools

import numpy as np

from ..library.layers import Size
from .target import Floats


@functools.lru_cache(maxsize=32)
def resampling(before: int, after: int) -> Floats:
    """The matrix float32 [after, before] that resamples a row: triangles as wide as a pixel of the coarser of both, so
    that shrinking averages and growing interpolates; every row sums to 1."""
    scale = before / after
    centres = (np.arange(after) + 0.5) * scale
    apart = np.abs(np.arange(before) + 0.5 - centres[:, None]) / max(scale, 1.0)
    weights = np.maximum(0.0, 1.0 - apart)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True), np.float32)


def resampled(picture: Floats, size: Size) -> Floats:
    """A picture [..., h, w] at another size."""
    rows, columns = (resampling(n, m) for n, m in zip(picture.shape[-2:], size, strict=True))
    return np.ascontiguousarray(rows @ picture @ columns.T)


def returned(gradient: Floats, size: Size) -> Floats:
    """The gradient with respect to a picture of this size, of one [..., h, w] with respect to what ``resampled`` made
    of it: the same matrices, transposed."""
    rows, columns = (resampling(n, m) for n, m in zip(size, gradient.shape[-2:], strict=True))
    return np.ascontiguousarray(rows.T @ gradient @ columns)
