"""Leads a dream where people agreed with a guess: the place becomes a little more of what it was said to be.

Class ascent in a window around the drawing, from coarse to fine, as in Santurkar et al. 2019 ("Image Synthesis with a
Single (Robust) Classifier", sketch to image); then the whole canvas is dreamed as ever, with that in it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from dreamer.engine import Network, Recipe, dream

from .drawings import Box

Bytes = NDArray[np.uint8]

WIDER = 1.3  # times the drawing's longer side is the window's
LEAST_SIDE, MOST_SIDE = 160, 640  # px of the window
STEPS = 4  # in the finest octave, more below


@dataclass(frozen=True)
class Wanted:
    """A place, and the class that it should show: its number in the network."""

    box: Box
    number: int


def steer(
    pixels: Bytes,
    network: Network,
    wanted: Wanted,
    fields: dict[str, Any],
    seed: int,
    cancelled: Callable[[], bool] | None = None,
) -> Bytes:
    """The canvas uint8 [h, w, 3] with the place led towards the class; everything outside a soft ellipse around the
    drawing stays to the bit. `fields` are the recipe's for this network's live canvas. A new array."""
    x0, y0, x1, y1 = _window(wanted.box, pixels.shape[1], pixels.shape[0])
    target = network.class_target(wanted.number)
    # The mask says where, and here the drawing is to become something else: no front, and nothing holds.
    options = {**fields, "iterations": STEPS, "octaves": 5, "min_size": max(64, network.min_size), "wash": 0.0}
    options |= {"front": 0.0, "hold": 0.0, "samples": 1}
    recipe = Recipe(target=target, model=network.name, seed=seed, **options)
    out = pixels.copy()
    part = np.ascontiguousarray(pixels[y0:y1, x0:x1])
    box = wanted.box[0] - x0, wanted.box[1] - y0, wanted.box[2] - x0, wanted.box[3] - y0
    out[y0:y1, x0:x1] = dream(
        part, network, recipe, mask=_ellipse(box, part.shape[1], part.shape[0]), cancelled=cancelled
    )
    return out


def _window(box: Box, width: int, height: int) -> Box:
    side = round(WIDER * max(box[2] - box[0], box[3] - box[1]))
    side = min(max(LEAST_SIDE, side), MOST_SIDE, width, height)
    left = min(max(0, (box[0] + box[2] - side) // 2), width - side)
    top = min(max(0, (box[1] + box[3] - side) // 2), height - side)
    return left, top, left + side, top + side


def _ellipse(box: Box, width: int, height: int) -> Bytes:
    """uint8 [height, width], 255 inside, soft at the rim, 0 at the window's edge."""
    mask = Image.new("L", (width, height), 0)
    soft = max(6, min(width, height) // 12)
    grown = box[0] - soft, box[1] - soft, box[2] + soft, box[3] + soft
    inside = (
        max(2 * soft, grown[0]),
        max(2 * soft, grown[1]),
        min(width - 2 * soft, grown[2]),
        min(height - 2 * soft, grown[3]),
    )
    if inside[0] < inside[2] and inside[1] < inside[3]:
        ImageDraw.Draw(mask).ellipse(inside, fill=255)
    return np.asarray(mask.filter(ImageFilter.GaussianBlur(soft / 2)))
