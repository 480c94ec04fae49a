"""Colour: what a gradient may do to it, and giving a photograph its own colours back.

All functions work in place on RGB, 0..255, float32 [3, H, W] unless they say otherwise.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .bands import Bytes, Floats, bands, rows_of

# The square root of the correlation of R, G and B over ImageNet, as published with Lucid (Olah, Mordvintsev and
# Schubert, "Feature Visualization", Distill 2017, appendix on preconditioning), scaled so that its longest column
# has length one. Its first column is nearly grey: natural pictures vary most in brightness.
_ROOT = np.array([[0.26, 0.09, 0.02], [0.27, 0.00, -0.05], [0.27, -0.09, 0.03]])
CORRELATION_ROOT: NDArray[np.float64] = _ROOT / np.linalg.norm(_ROOT, axis=0).max()
DECORRELATE = (CORRELATION_ROOT @ CORRELATION_ROOT.T).astype(np.float32)

# Brightness of RGB after ITU-R BT.601, which is what JPEG's YCbCr uses (ITU-T T.871, section 7).
LUMA = np.array([0.299, 0.587, 0.114], dtype=np.float32)
_ONE_LUMA = np.outer(np.ones(3, dtype=np.float32), LUMA)

# What a gradient is multiplied by, [3, 3] on the channel axis, for each of the recipe's colour modes.
# "decorrelated": ascent in y where rgb = M y moves rgb by M Mᵀ g (the chain rule applied twice).
# "luminance": every channel gets the same step, the brightness of g; hue and saturation stay as they are.
MIXES: dict[str, Floats | None] = {"rgb": None, "decorrelated": DECORRELATE, "luminance": _ONE_LUMA}


def mix(gradient: Floats, mode: str) -> None:
    """Turn the gradient's colours by one of MIXES, in place."""
    matrix = MIXES[mode]
    if matrix is None:
        return
    for rows in rows_of(gradient):
        gradient[:, rows] = np.tensordot(matrix, gradient[:, rows], axes=1)


def mean_free(gradient: Floats) -> None:
    """Subtract each channel's mean, so that a step cannot shift the picture's overall colour or brightness.

    Without it long loops (a canvas dreaming for days, a zoom) drift towards one hue or darken steadily.
    """
    for channel in gradient:
        channel -= np.float32(channel.mean(dtype=np.float64))


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
