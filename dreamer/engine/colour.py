"""Colour: what a gradient may do to it, and giving a photograph its own colours back.

All functions work in place on RGB, 0..255, float32 [3, H, W] unless they say otherwise.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from .bands import Bytes, Floats, bands, rows_of

# The square root of the correlation of R, G and B over ImageNet, as published with Lucid (Olah, Mordvintsev and
# Schubert, "Feature Visualization", Distill 2017, appendix on preconditioning), scaled so that its longest column
# has length one. Its first column is nearly grey: natural pictures vary most in brightness.
_ROOT = np.array([[0.26, 0.09, 0.02], [0.27, 0.00, -0.05], [0.27, -0.09, 0.03]])
CORRELATION_ROOT: Floats = (_ROOT / np.linalg.norm(_ROOT, axis=0).max()).astype(np.float32)

# Brightness of RGB after ITU-R BT.601, which is what JPEG's YCbCr uses (ITU-T T.871, section 7).
LUMA = np.array([0.299, 0.587, 0.114], dtype=np.float32)


def decorrelate(gradient: Floats, lively: float = 0.0) -> None:
    """Turn the gradient into a step in decorrelated colours, in place.

    With rgb = M y, M being CORRELATION_ROOT, the gradient in y is Mᵀ g. Each of y's three channels is brought to the
    same root mean square (a gradient's size says little about how far to go, as with Adam and its kin), and M turns
    the step back into RGB. Brightness then changes most, then blue against yellow, then green against magenta, in the
    proportions of natural pictures: no acid colours. `lively` takes that much of the proportions away: at 1 the three
    count the same.
    """
    squares = np.zeros(3)
    for rows in rows_of(gradient):
        band = mixed(CORRELATION_ROOT.T, gradient[:, rows])
        squares += [float(np.square(channel).sum(dtype=np.float64)) for channel in band]
        gradient[:, rows] = band
    scales = 1 / np.sqrt(np.maximum(squares / gradient[0].size, 1e-30))
    scales[squares == 0] = 0
    scales *= np.linalg.norm(CORRELATION_ROOT, axis=0) ** -lively
    back = CORRELATION_ROOT * scales.astype(np.float32)
    for rows in rows_of(gradient):
        gradient[:, rows] = mixed(back, gradient[:, rows])


def mixed(matrix: Floats, band: Floats) -> Floats:
    """matrix [3, 3] times band [3, rows, W]. A product this thin gains nothing from a library's threads, which would
    wait for one another at the processor's full cost."""
    out = np.empty_like(band)
    term = np.empty_like(band[0])
    for channel, shares in zip(out, matrix, strict=True):
        np.multiply(band[0], shares[0], out=channel)
        for other, share in zip(band[1:], shares[1:], strict=True):
            channel += np.multiply(other, share, out=term)
    return out


def to_luminance(gradient: Floats) -> None:
    """Give all three channels the brightness of the gradient, in place: hue and saturation stay as they are."""
    for rows in rows_of(gradient):
        gradient[:, rows] = np.tensordot(LUMA, gradient[:, rows], axes=1)


# How lively decorrelated colours are, by the recipe's name for them.
LIVELY = {"decorrelated": 0.0, "vivid": 0.3}

# What a step may do to colours, likewise.
MODES: dict[str, Callable[[Floats], None]] = {
    "rgb": lambda gradient: None,
    "decorrelated": partial(decorrelate, lively=LIVELY["decorrelated"]),
    "vivid": partial(decorrelate, lively=LIVELY["vivid"]),
    "luminance": to_luminance,
}


def mean_free(gradient: Floats, part: float = 1.0) -> None:
    """Subtract each channel's mean, so that a step cannot shift the picture's overall colour or brightness. `part`: the
    gradient lies in this share of the picture, the mean is that of it, and the rest does not matter.

    Without it long loops (a canvas dreaming for days, a zoom) drift towards one hue or darken steadily.
    """
    for channel in gradient:
        channel -= np.float32(channel.mean(dtype=np.float64) / part)


def hold_colours(move: Floats, here: Floats, limit: float) -> None:
    """Slow a move [3, h, w] away from grey, in place, where the picture `here` is colourful: at a chroma of `limit` it
    has ended, at half of it a quarter is gone.

    Chroma is the distance from the grey of the same mean, in grey levels: 208 for pure red. Moves to other hues and
    back to grey stay as they are, and so does what is more colourful already: ink is nobody's to fade.
    """
    chroma = here + move / 2  # half-way, or moves across the chroma would lengthen it
    chroma -= chroma.mean(axis=0)
    size = np.square(chroma).sum(axis=0)
    outward = np.einsum("crw,crw->rw", chroma, move)
    np.maximum(outward, 0, out=outward)
    outward *= np.minimum(np.float32(1 / max(limit, 1) ** 2), 1 / np.maximum(size, 1))
    chroma *= outward
    move -= chroma


def keep_colours(dreamed: Bytes, photo: Bytes) -> None:
    """Give uint8 [H, W, 3] `dreamed` the colours of `photo`, in place: Y of the dream, Cb and Cr of the photo.

    In YCbCr (BT.601) R, G and B are Y plus terms in Cb and Cr alone, so the same Cb and Cr with another Y is the
    photograph plus the difference in Y on all three channels; no conversion there and back, no rounding between.
    """
    for rows in bands(photo.shape[0], photo.shape[1] * 12):
        before = photo[rows].astype(np.float32)
        difference = dreamed[rows].astype(np.float32) @ LUMA - before @ LUMA
        before += difference[..., None]
        dreamed[rows] = np.clip(np.rint(before), 0, 255).astype(np.uint8)
