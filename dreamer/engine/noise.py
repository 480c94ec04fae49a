"""A start from nothing: noise that looks like the world's pictures do before anything is in them, as a whole picture
or where a picture is empty."""

from __future__ import annotations

import numpy as np

from .bands import Bytes, Floats, bands, rows_of
from .colour import CORRELATION_ROOT, mixed
from .octaves import add_enlarged, soften

GREY = 117.0  # the middle that the networks of 2014 were trained around

# What counts as flat: a deviation well under FLAT grey levels within some NEAR pixels.
FLAT, NEAR = 8.0, 2
GRAINS = (6, 12, 24, 48)  # px; the sizes of the clouds' puffs


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


def clouds(picture: Bytes, strength: float, rng: np.random.Generator) -> Floats:
    """What to add to uint8 [H, W, 3] to have coloured clouds in its flat places: float32 [3, H, W].

    `strength` is their deviation in grey levels. On white (or black) they are that much darker (lighter) that a dream
    can go both ways from there; what is drawn stays as it is. Meant for a dream's smallest octave.
    """
    height, width = picture.shape[:2]
    puffs = np.zeros((3, height, width), np.float32)
    for grain in GRAINS:
        rows, columns = max(2, height // grain), max(2, width // grain)
        add_enlarged(np.stack([_white(rng, rows, columns) for _ in range(3)]), puffs)
    puffs *= np.float32(strength / max(_deviation(puffs), 1e-6))
    here = picture.transpose(2, 0, 1).astype(np.float32)
    towards_middle = (here / np.float32(127.5) - 1) ** 3 * np.float32(-1.5 * strength)
    return np.asarray((mixed(CORRELATION_ROOT, puffs) + towards_middle) * flatness(picture), np.float32)


def flatness(picture: Bytes) -> Floats:
    """How flat uint8 [H, W, 3] is, place by place: float32 [H, W], 0 to 1."""
    grey = picture.transpose(2, 0, 1).astype(np.float32).mean(axis=0)
    variance = _blurred(np.square(grey - _blurred(grey)))
    return _blurred(1 / (1 + np.square(variance / np.float32(FLAT**2))))


def _blurred(grey: Floats) -> Floats:
    """[H, W], softened over NEAR pixels."""
    out: Floats = grey[None].astype(np.float32)
    for _ in range(NEAR):
        soften(out)
    return np.asarray(out[0])


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
