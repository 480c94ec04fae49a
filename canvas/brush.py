"""The brush: a soft round stamp, placed each quarter of its size along a stroke.

The rules are in docs/protocol.md, *Rasterising a stroke*.

The same arithmetic, in the same order, runs in static/canvas/brush.js: IEEE doubles with + - * / and sqrt only, so that
every browser and the server paint the same bytes.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from functools import lru_cache
from math import ceil, floor, pi, sqrt

import numpy as np
from numpy.typing import NDArray

from dreamsite.core.rect import Rect

Point = tuple[int, int, int]  # x, y, diameter; all in 1/8 px
Pixels = NDArray[np.uint8]  # [height, width, 3], RGB


def spacing(width: float) -> float:
    """Distance from a stamp of this diameter to the next, both in 1/8 px; never under one pixel."""
    return max(width / 4, 8.0)


def stamps(points: Sequence[Point], carry: int) -> Generator[tuple[float, float, float], None, float]:
    """Positions and diameters (1/8 px) of the stamps of one piece; `carry` is in 1/256 px.

    Returns how far after the piece's end the next stamp is, in 1/8 px.
    """
    ahead = carry / 32  # from the last point to the next stamp
    x0, y0, w0 = points[0]
    if ahead == 0:
        yield float(x0), float(y0), float(w0)
        ahead = spacing(w0)
    for x1, y1, w1 in points[1:]:
        dx, dy = x1 - x0, y1 - y0
        length = sqrt(dx * dx + dy * dy)
        while ahead <= length:
            t = ahead / length
            width = w0 + (w1 - w0) * t
            yield x0 + dx * t, y0 + dy * t, width
            ahead = ahead + spacing(width)
        ahead = ahead - length
        x0, y0, w0 = x1, y1, w1
    return ahead


@lru_cache(maxsize=4096)
def mask(diameter: int, phase_x: int, phase_y: int, opacity: int) -> NDArray[np.uint16]:
    """Coverage 0..255 of one stamp, [side, side]. `diameter` in 1/2 px, the phases in 1/4 px."""
    radius = diameter / 4
    r = max(radius, 1.0)
    gain = min(1.0, radius * radius)  # thinner than two pixels: as wide as two, but fainter
    c = ceil(r)
    steps = np.arange(2 * c + 1, dtype=np.float64)
    u = steps - c + 0.5 - phase_x / 4
    v = steps - c + 0.5 - phase_y / 4
    s = 1 - ((u * u)[None, :] + (v * v)[:, None]) / (r * r)
    soft = np.floor(255 * (gain * (s * s * (3 - 2 * s))) + 0.5)
    m = np.where(s <= 0, 0, soft).astype(np.uint32)
    return ((m * opacity + 127) // 255).astype(np.uint16)


def stamp_square(x: float, y: float, width: float) -> tuple[int, int, int, int, int, int]:
    """(left, top, half side, diameter in 1/2 px, phase x, phase y) of the stamp at x, y (1/8 px)."""
    qx = floor(x / 2 + 0.5)
    qy = floor(y / 2 + 0.5)
    diameter = max(2, floor(width / 4 + 0.5))
    c = ceil(max(diameter / 4, 1.0))
    return (qx >> 2) - c, (qy >> 2) - c, c, diameter, qx & 3, qy & 3


def blend(pixels: Pixels, colour: tuple[int, int, int] | Pixels, alpha: NDArray[np.uint16]) -> None:
    """In place: `pixels` [h, w, 3] takes `colour`, one or that of each pixel, with coverage `alpha` [h, w], 0..255,
    rounded to nearest."""
    a = alpha[:, :, None]
    value = pixels * (255 - a) + np.array(colour, np.uint16) * a + np.uint16(127)
    # value // 255 for 0 <= value < 65535, without a division
    pixels[:] = (value + 1 + (value >> 8)) >> 8


def draw(
    pixels: Pixels, points: Sequence[Point], carry: int, colour: tuple[int, int, int] | Pixels, opacity: int
) -> None:
    """Draws one piece of a stroke onto `pixels`, in place; what lies outside is clipped.

    `colour` may be a picture of the same size: it is what the stroke brings back.
    """
    height, width = pixels.shape[:2]
    for x, y, w in stamps(points, carry):
        left, top, c, diameter, phase_x, phase_y = stamp_square(x, y, w)
        side = 2 * c + 1
        x0, y0, x1, y1 = max(left, 0), max(top, 0), min(left + side, width), min(top + side, height)
        if x0 < x1 and y0 < y1:
            whole = mask(diameter, phase_x, phase_y, opacity)
            ink = colour if isinstance(colour, tuple) else colour[y0:y1, x0:x1]
            blend(pixels[y0:y1, x0:x1], ink, whole[y0 - top : y1 - top, x0 - left : x1 - left])


def bounds(points: Sequence[Point]) -> Rect:
    """A rectangle that holds every pixel the piece can touch."""
    xs, ys, ws = zip(*points, strict=True)
    reach = max(max(ws) // 16, 1) + 2  # radius in pixels, and the rounding of position and size
    return Rect(min(xs) // 8 - reach, min(ys) // 8 - reach, max(xs) // 8 + reach + 1, max(ys) // 8 + reach + 1)


def measure(points: Sequence[Point], carry: int, *, begins: bool) -> tuple[float, float]:
    """About how many stamps the piece has, and how many pixels they paint, each anew. `begins`: as for `covered`."""
    x0, y0, w0 = points[0]
    stamps, pixels = (1.0, w0 * w0 / 64) if begins or carry == 0 else (0.0, 0.0)
    for x1, y1, w1 in points[1:]:
        dx, dy = x1 - x0, y1 - y0
        w = max(w0, w1)
        n = sqrt(dx * dx + dy * dy) / spacing(min(w0, w1))
        stamps += n
        pixels += n * w * w / 64
        x0, y0, w0 = x1, y1, w1
    return stamps, pixels


def covered(points: Sequence[Point], *, begins: bool) -> float:
    """About how many pixels of the canvas lie under the piece: a dot's footprint, a line's length times its width.

    `begins`: it does not go on where its stroke's last piece ended, so its first stamp lies on new ground, too.
    """
    x0, y0, w0 = points[0]
    pixels = pi / 4 * w0 * w0 / 64 if begins else 0.0
    for x1, y1, w1 in points[1:]:
        dx, dy = x1 - x0, y1 - y0
        pixels += sqrt(dx * dx + dy * dy) * (w0 + w1) / 128
        x0, y0, w0 = x1, y1, w1
    return pixels
