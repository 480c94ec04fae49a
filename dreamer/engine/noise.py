"""A start from nothing: noise that looks like the world's pictures do before anything is in them."""

from __future__ import annotations

import numpy as np

from .bands import Bytes, Floats, bands, rows_of
from .colour import CORRELATION_ROOT
from .octaves import add_enlarged

GREY = 117.0  # the middle that the networks of 2014 were trained around


def noise_picture(height: int, width: int, *, contrast: float, seed: int) -> Bytes:
    """uint8 [height, width, 3]: noise with as much force at every scale, in natural pictures' colours.

    White noise all but vanishes when it is shrunk, so the small octaves would begin on flat grey. Natural pictures
    have amplitudes that fall as 1/f (Field, "Relations between the statistics of natural images and the response
    properties of cortical cells", J. Opt. Soc. Am. A 4, 1987), which is equal force in every octave: this is the sum
    of white noise made at each size, halved down to four pixels, and enlarged. `contrast` is the standard deviation
    of all values, in grey levels; the mean is GREY.
    """
    rng = np.random.default_rng([seed, 1])
    picture = np.zeros((3, height, width), dtype=np.float32)
    h, w = height, width
    while True:
        add_enlarged(np.stack([_white(rng, h, w) for _ in range(3)]), picture)
        if min(h, w) < 8:
            break
        h, w = (h + 1) // 2, (w + 1) // 2
    out = np.empty((height, width, 3), dtype=np.uint8)
    spread = np.float32(contrast / max(_deviation(picture), 1e-6))
    for rows in bands(height, width * 12):
        band = np.tensordot(picture[:, rows], spread * CORRELATION_ROOT.T, axes=(0, 0))
        out[rows] = np.clip(np.rint(band + np.float32(GREY)), 0, 255).astype(np.uint8)
    return out


def _white(rng: np.random.Generator, height: int, width: int) -> Floats:
    return rng.standard_normal((height, width), dtype=np.float32)


def _deviation(picture: Floats) -> float:
    """Root mean square of the three channels' deviations once they have natural colours, from their covariance."""
    products, sums = np.zeros((3, 3)), np.zeros(3)
    for rows in rows_of(picture):
        band = picture[:, rows].reshape(3, -1).astype(np.float64)
        products += band @ band.T
        sums += band.sum(axis=1)
    mean = sums / picture[0].size
    covariance = products / picture[0].size - np.outer(mean, mean)
    return float(np.sqrt(max(0.0, np.trace(CORRELATION_ROOT @ covariance @ CORRELATION_ROOT.T)) / 3))
