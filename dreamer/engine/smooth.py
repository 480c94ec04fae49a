"""Laplacian pyramid normalisation of a gradient: the same force at every scale.

A network's gradient is mostly fine grain. Split into bands by a Laplacian pyramid (Burt and Adelson, "The Laplacian
Pyramid as a Compact Image Code", IEEE Trans. Commun. 31, 1983) and with every band brought to the same root mean
square, its coarse forms count as much as its grain: large, calm, colourful shapes in the same number of steps. The
idea of using it on dreams is that of TensorFlow's 2015 DeepDream example.

The pyramid is built in place. Beside the gradient it needs a third of the gradient's size, and bands.
"""

from __future__ import annotations

import numpy as np

from .bands import Floats, bands, rows_of

TINY = 1e-10


def halve(picture: Floats) -> Floats:
    """Blur with outer([1 4 6 4 1], [1 4 6 4 1]) / 256 and keep every second row and column, the first included.

    [3, H, W] to [3, ceil(H/2), ceil(W/2)]. Beyond the edge the edge repeats, so a flat picture stays flat.
    """
    channels, height, width = picture.shape
    half = np.empty((channels, (height + 1) // 2, (width + 1) // 2), dtype=np.float32)
    for rows in bands(half.shape[1], channels * width * 8):
        wanted = np.clip(np.arange(2 * rows.start - 2, 2 * rows.stop + 1), 0, height - 1)
        half[:, rows] = _halve_axis(_halve_axis(picture[:, wanted], 2, edge=True), 1, edge=False)
    return half


def add_doubled(half: Floats, picture: Floats, sign: float) -> None:
    """picture += sign * (half, doubled in size by the same kernel times 4), in place.

    Away from the edges this is the adjoint of `halve`, times 4: together they keep a flat picture as it is.
    """
    width = picture.shape[2]
    for rows in rows_of(picture):
        # An even row 2i draws on i-1, i and i+1, an odd one on i and i+1. Bands begin at an even row.
        wanted = np.clip(np.arange(rows.start // 2 - 1, (rows.stop + 1) // 2 + 1), 0, half.shape[1] - 1)
        tall = _double_axis(half[:, wanted], 1, edge=False)[:, : rows.stop - rows.start]
        wide = _double_axis(tall, 2, edge=True)[:, :, :width]
        wide *= np.float32(sign)
        picture[:, rows] += wide


def normalise_bands(gradient: Floats, levels: int) -> None:
    """Bring `levels` bands of detail and what is left below them to a root mean square of 1 each, in place.

    Fewer levels are taken where the picture is too small: the coarsest one is at least two pixels on a side. A band
    that is zero stays zero.
    """
    if levels > 0 and min(gradient.shape[1:]) >= 4:
        low = halve(gradient)
        add_doubled(low, gradient, -1.0)
        normalise_bands(low, levels - 1)
        gradient /= np.float32(max(_rms(gradient), TINY))
        add_doubled(low, gradient, 1.0)
    else:
        gradient /= np.float32(max(_rms(gradient), TINY))


def _rms(band: Floats) -> float:
    total = sum(float(np.square(band[:, rows]).sum(dtype=np.float64)) for rows in rows_of(band))
    return float(np.sqrt(total / band.size))


def _halve_axis(picture: Floats, axis: int, *, edge: bool) -> Floats:
    """Every second value of the [1 4 6 4 1] / 16 blur; without `edge` the two values beyond either end are there."""
    p = np.moveaxis(picture, axis, -1)
    if edge:
        p = np.pad(p, ((0, 0), (0, 0), (2, 2)), mode="edge")
    count = (p.shape[-1] - 3) // 2
    at = [p[..., k : k + 2 * count - 1 : 2] for k in range(5)]
    out = (at[0] + at[4]) * np.float32(1 / 16) + (at[1] + at[3]) * np.float32(4 / 16) + at[2] * np.float32(6 / 16)
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
