"""Laplacian pyramid normalisation of a gradient: the same force at every scale.

A network's gradient is mostly fine grain. Split into bands by a Laplacian pyramid (Burt and Adelson, "The Laplacian
Pyramid as a Compact Image Code", IEEE Trans. Commun. 31, 1983) and with every band brought to the same root mean
square, its coarse forms count as much as its grain: large, calm, colourful shapes in the same number of steps. The
idea of using it on dreams is that of TensorFlow's 2015 DeepDream example.

The pyramid is built in place. Beside the gradient it needs a third of the gradient's size, and bands.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from .bands import Floats

TINY = 1e-10
STRIP = 32  # rows, an even number


def halve(picture: Floats) -> Floats:
    """Blur with outer([1 4 6 4 1], [1 4 6 4 1]) / 256 and keep every second row and column, the first included.

    [3, H, W] to [3, ceil(H/2), ceil(W/2)]. Beyond the edge the edge repeats, so a flat picture stays flat.
    """
    channels, height, width = picture.shape
    half = np.empty((channels, (height + 1) // 2, (width + 1) // 2), dtype=np.float32)
    for rows in _strips(half):
        wanted = np.clip(np.arange(2 * rows.start - 2, 2 * rows.stop + 1), 0, height - 1)
        half[:, rows] = _halve_axis(_halve_axis(picture[:, wanted], 1, edge=False), 2, edge=True)
    return half


def add_doubled(half: Floats, picture: Floats, gain: float) -> None:
    """picture = gain * picture + half, doubled in size by the same kernel times 4; in place.

    Away from the edges doubling is the adjoint of `halve`, times 4: together they keep a flat picture as it is.
    """
    for rows in _strips(picture):
        part = picture[:, rows]
        part *= np.float32(gain)
        part += _doubled(half, rows, picture.shape[2])


def _doubled(half: Floats, rows: slice, width: int) -> Floats:
    """These rows of `half` doubled, the first of them an even one."""
    # An even row 2i draws on i-1, i and i+1, an odd one on i and i+1.
    wanted = np.clip(np.arange(rows.start // 2 - 1, (rows.stop + 1) // 2 + 1), 0, half.shape[1] - 1)
    tall = _double_axis(half[:, wanted], 1, edge=False)[:, : rows.stop - rows.start]
    return _double_axis(tall, 2, edge=True)[:, :, :width]


def normalise_bands(gradient: Floats, levels: int) -> None:
    """Bring `levels` bands of detail and what is left below them to a root mean square of 1 each, in place.

    Fewer levels are taken where the picture is too small: the coarsest one is at least two pixels on a side. A band
    that is zero stays zero.

    With low = halve(g) and its double f the detail is g - f, and the result (g - f) / r + double(normalised low), r
    being the detail's root mean square. Doubling is linear, so that is g / r + double(normalised low - low / r): the
    detail is measured strip by strip and never kept.
    """
    if levels > 0 and min(gradient.shape[1:]) >= 4:
        low = halve(gradient)
        gain = 1 / max(_detail(gradient, low), TINY)
        below = low.copy()
        normalise_bands(below, levels - 1)
        low *= np.float32(gain)
        below -= low
        add_doubled(below, gradient, gain)
    else:
        gradient /= np.float32(max(_rms(gradient[:, rows] for rows in _strips(gradient)), TINY))


def _detail(gradient: Floats, low: Floats) -> float:
    """The root mean square of gradient - double(low). Of all of it: a gradient may live in one place."""
    return _rms(gradient[:, rows] - _doubled(low, rows, gradient.shape[2]) for rows in _strips(gradient))


def _strips(array: Floats) -> Iterator[slice]:
    """Bands of few rows: what is made of them stays in the processor's cache."""
    height = array.shape[1]
    return (slice(top, min(top + STRIP, height)) for top in range(0, height, STRIP))


def _rms(parts: Iterable[Floats]) -> float:
    total, count = 0.0, 0
    for part in parts:
        total += float(np.square(part).sum(dtype=np.float64))
        count += part.size
    return float(np.sqrt(total / count))


def _halve_axis(picture: Floats, axis: int, *, edge: bool) -> Floats:
    """Every second value of the [1 4 6 4 1] / 16 blur; without `edge` the two values beyond either end are there."""
    p = np.moveaxis(picture, axis, -1)
    if edge:
        p = np.pad(p, ((0, 0), (0, 0), (2, 2)), mode="edge")
    count = (p.shape[-1] - 3) // 2
    at = [p[..., k : k + 2 * count - 1 : 2] for k in range(5)]
    out = at[1] + at[3]
    out *= np.float32(4)
    out += at[0]
    out += at[4]
    out += at[2] * np.float32(6)
    out *= np.float32(1 / 16)
    return np.moveaxis(out, -1, axis)


def _double_axis(half: Floats, axis: int, *, edge: bool) -> Floats:
    """Twice as many values: [1 6 1] / 8 at even places, [1 1] / 2 at odd ones; without `edge` as in _halve_axis."""
    h = np.moveaxis(half, axis, -1)
    if edge:
        h = np.pad(h, ((0, 0), (0, 0), (1, 1)), mode="edge")
    out = np.empty((*h.shape[:-1], 2 * (h.shape[-1] - 2)), dtype=np.float32)
    left, here, right = h[..., :-2], h[..., 1:-1], h[..., 2:]
    out[..., 0::2] = (left + right) * np.float32(1 / 8) + here * np.float32(6 / 8)
    out[..., 1::2] = (here + right) * np.float32(1 / 2)
    return np.moveaxis(out, -1, axis)
