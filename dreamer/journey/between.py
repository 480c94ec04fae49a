"""The pictures between two key frames: one is enlarged, and the next, which lies inside it, fades in."""

from __future__ import annotations

import math

import numpy as np
from PIL import Image

from dreamer.journey.path import View, Waypoint, moved

Box = tuple[float, float, float, float]

# The next key frame at first ends far inside its own box, and slowly: a share of the way from its edge to its middle.
MARGIN, SOFT = 0.35, 1.2
WAVY = 0.6  # how far what is seen of it departs from an oval
# Waves across it, radians a side and where they begin; a few that never meet again look like chance.
WAVES = ((9.1, 4.3, 0.7), (-5.2, 8.7, 2.1), (13.4, -7.9, 4.0), (3.7, 15.2, 1.3), (-17.1, -11.8, 5.2))
SMOOTH_SIDE = 320  # px


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
    alpha = _shown((left, top, right, bottom), (x0, y0, x1, y1), share)
    picture.paste(part, (x0, y0), alpha)
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


def _shown(box: Box, pixels: tuple[int, int, int, int], share: float) -> Image.Image:
    """How much of the next key frame is seen at each of these pixels of it, L: nothing at the edge of its box, most in
    the middle, and in between along lines that are nowhere straight. On plain ground a rectangle would be seen."""
    x0, y0, x1, y1 = pixels
    left, top, right, bottom = box
    # It is smooth: a small one, enlarged, is the same.
    shrink = max(1.0, max(x1 - x0, y1 - y0) / SMOOTH_SIDE)
    width, height = max(1, round((x1 - x0) / shrink)), max(1, round((y1 - y0) / shrink))
    u = ((x0 + (np.arange(width) + 0.5) * (x1 - x0) / width - left) / (right - left))[None]
    v = ((y0 + (np.arange(height) + 0.5) * (y1 - y0) / height - top) / (bottom - top))[:, None]
    inside = 16 * u * (1 - u) * v * (1 - v)
    waves = sum(np.sin(a * u + b * v + c) for a, b, c in WAVES) / len(WAVES)
    rest = (1 - share) ** 0.75
    reach = (inside * (1 + WAVY * waves) - MARGIN * rest) / (SOFT * rest + 1e-6)
    reach = np.clip(reach, 0, 1)
    alpha = np.rint(reach * reach * (3 - 2 * reach) * (255 * _ease(share))).astype(np.uint8)
    return Image.fromarray(alpha).resize((x1 - x0, y1 - y0), Image.Resampling.BILINEAR)


def _ease(share: float) -> float:
    """Gentle at both ends."""
    share = min(1.0, max(0.0, share))
    return share * share * (3 - 2 * share)
