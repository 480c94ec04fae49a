"""How much of a drawing is found again in a dream: a number beside the eyes."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageFilter

from dreamer.engine.bands import Bytes, Floats

SCALE = 1 / 500  # of the shorter side: the blur's deviation, about half the width of a thin stroke
INK = 0.25  # of the strongest: from here on a gradient of the drawing is an edge
FLOOR = 0.25  # of the ink's own contrast: what is fainter is not found again
TURN = np.pi / 8  # how far an edge may have turned


def kept(drawing: Bytes, dreamed: Bytes) -> float:
    """The share of a drawing's edges found again in what was dreamed of it, both uint8 [H, W, 3]: 0 to 1; nan where
    nothing is drawn.

    With d and f the gradients of the two pictures' brightness, blurred to a stroke's scale, the edges are where |d| is
    at least INK of its 99.5th percentile. One is found again where |f| >= FLOOR |d| and f is turned by at most TURN
    from d or from -d: a dark line that has become a light one is still that line. Each counts as much as |d|.
    """
    (dx, dy), (fx, fy) = _gradient(drawing), _gradient(dreamed)
    ink, found = np.hypot(dx, dy), np.hypot(fx, fy)
    edges = ink >= max(INK * float(np.percentile(ink, 99.5)), 1.0)
    along = np.abs(dx * fx + dy * fy) >= np.cos(TURN) * ink * found
    weight = ink[edges]
    if not weight.size:
        return float("nan")
    return float((weight * (along & (found >= FLOOR * ink))[edges]).sum() / weight.sum())


def chance(drawing: Bytes, dreamed: Bytes) -> float:
    """What `kept` says where nothing can have been kept: of the same dream, mirrored and turned by 90 degrees."""
    return kept(drawing, np.ascontiguousarray(dreamed.transpose(1, 0, 2)[::-1, :]))


def _gradient(picture: Bytes) -> tuple[Floats, Floats]:
    """Across and down, float32 [H, W], in grey levels a pixel."""
    grey = Image.fromarray(picture).convert("L")
    blurred = grey.filter(ImageFilter.GaussianBlur(min(grey.size) * SCALE))
    down, across = np.gradient(np.asarray(blurred, np.float32))
    return np.asarray(across, np.float32), np.asarray(down, np.float32)
