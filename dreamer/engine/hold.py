"""What holds on to a drawing: near ink, what is coarser than a stroke stays what it was.

A dream that may change everything replaces a drawing. Held, it elaborates it: detail comes and goes, and a red roof
stays a red roof. Two things hold:

* Fresh ink holds all of it. In each step the coarse bands of the gradient get weaker there (`hold_all`; a GPU's models
  do the same), once the step's length is known: where all is fresh ink, its grain would else be blown up instead. It is
  a share of each step that holds, so a form may still come, slowly.
* Whatever is drawn holds its hue. At the end of each octave its coarse colour is taken out of the dream's difference to
  the photograph (`hold_hue`): that is linear, so the next octave goes on from a drawing that has its colours.
"""

from __future__ import annotations

import math

import numpy as np

from .bands import Bytes, Floats
from .noise import flatness
from .octaves import shrink
from .smooth import add_doubled, halve

# What is coarser than these parts of the picture's shorter side is coarse: about one and a half widths of a stroke.
STROKE_PARTS = 64

# Where ink is, is looked up at so many pixels on the shorter side.
LOOKED_AT = 384


def inked(photo: Bytes) -> Floats:
    """Where something is drawn: float32 [h, w], 0 to 1, of the photo's proportions; 0 on flat ground."""
    height, width = photo.shape[:2]
    scale = min(1.0, LOOKED_AT / min(height, width))
    return 1 - flatness(shrink(photo, (max(1, round(height * scale)), max(1, round(width * scale)))))


def hold_hue(difference: Floats, where: Floats, share: float) -> None:
    """Take `share` of its coarse colour out of a difference [3, H, W], in place: of that its brightness stays.

    where  float32 [H, W], 0 to 1: how much of that holds at each place
    """
    coarse = _coarse(difference)
    coarse -= coarse.mean(axis=0)
    coarse *= where * np.float32(share)
    difference -= coarse


def hold_all(gradient: Floats, where: Floats) -> None:
    """Take all that is coarse out of a gradient [3, H, W], in place, by the shares `where` says: float32 [H, W]."""
    gradient -= _coarse(gradient) * where


def coarse_levels(side: int) -> int:
    """How often a picture is halved until what is left is coarse; `side` is its shorter one, in px."""
    return round(math.log2(max(side / STROKE_PARTS, 1)))


def _coarse(field: Floats) -> Floats:
    """[n, H, W] without what is finer than a stroke."""
    levels = [field]
    for _ in range(coarse_levels(min(field.shape[1:]))):
        levels.append(halve(levels[-1]))
    out = levels.pop().copy()
    while levels:
        finer = np.zeros_like(levels.pop())
        add_doubled(out, finer, 0.0)
        out = finer
    return out
