"""The pictures between two key frames: one is enlarged, and the next, which lies inside it, fades in."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from dreamer.journey.path import View, Waypoint, moved

FEATHER = 0.5  # of the next key frame's shorter side: how soft its edge is at first, so that it is never seen


def between(
    now: Image.Image, after: Image.Image, waypoint: Waypoint, view: View, share: float, size: tuple[int, int]
) -> Image.Image:
    """What is seen of two key frames: RGB, `size` (width, height).

    share  of the way from `now` (0: alone) to `after` (1: alone)
    """
    width, height = size
    picture = _part(now, view.box, size)
    if share <= 0:
        return picture
    # Where the next key frame lies in what is seen, in px; of it the whole pixels inside are drawn.
    left, top, right, bottom = moved(view, waypoint.box)
    left, right, top, bottom = left * width, right * width, top * height, bottom * height
    x0, y0 = max(0, math.ceil(left - 1e-6)), max(0, math.ceil(top - 1e-6))
    x1, y1 = min(width, math.floor(right + 1e-6)), min(height, math.floor(bottom + 1e-6))
    if x1 <= x0 or y1 <= y0:
        return picture
    inside = tuple(
        (n - low) / (high - low)
        for n, low, high in ((x0, left, right), (y0, top, bottom), (x1, left, right), (y1, top, bottom))
    )
    part = _part(after, (inside[0], inside[1], inside[2], inside[3]), (x1 - x0, y1 - y0))
    edge = FEATHER * (1 - share) ** 0.75 * min(right - left, bottom - top)
    across = _ramp(x0, x1, left, right, edge)
    down = _ramp(y0, y1, top, bottom, edge)
    alpha = np.minimum(across[None], down[:, None]) * (255 * _ease(share))
    picture.paste(part, (x0, y0), Image.fromarray(np.rint(alpha).astype(np.uint8)))
    return picture


def _part(image: Image.Image, box: tuple[float, float, float, float], size: tuple[int, int]) -> Image.Image:
    """A part of a picture, in shares of its sides, at a size; smooth in both directions."""
    width, height = image.size
    left, top, right, bottom = box
    exact = (
        min(max(0.0, left * width), width - 1e-3),
        min(max(0.0, top * height), height - 1e-3),
        min(float(width), right * width),
        min(float(height), bottom * height),
    )
    return image.resize(size, Image.Resampling.BICUBIC, box=exact)


def _ramp(first: int, last: int, low: float, high: float, edge: float) -> NDArray[np.float64]:
    """From 0 at the ends of low..high to 1 `edge` inside them, at the middles of these pixels."""
    at = np.arange(first, last) + 0.5
    if edge < 0.5:
        return np.ones(last - first)
    inside = np.clip(np.minimum(at - low, high - at) / edge, 0, 1)
    smooth: NDArray[np.float64] = inside * inside * (3 - 2 * inside)
    return smooth


def _ease(share: float) -> float:
    """Gentle at both ends."""
    share = min(1.0, max(0.0, share))
    return share * share * (3 - 2 * share)
