"""Ink that soaks in: what is drawn on a canvas becomes something to see forms in.

A stroke is a thin line, with edges that no step of a dream comes near: as long as it lies there as it was drawn, forms
grow beside it. So before the dream a share of its contrast goes into its surroundings, as wet ink goes into paper, and
flat places around it take its colour: there forms grow, along the stroke and of its colour.
"""

from __future__ import annotations

import numpy as np
from PIL import Image

from .bands import Bytes, Floats
from .noise import flatness
from .octaves import Size, shrink

# How far contrast goes, in parts of the picture's shorter side: half of what goes stays near.
NEAR, FAR = 96, 32

# How far colour goes in flat places, likewise. A stroke is thin: over so wide a place its colour is next to nothing,
# and is made stronger, up to LEVELS grey levels (root mean square of the channels) times the share's root.
HALO, GAIN, LEVELS = (48, 24, 12), 15.0, 180.0

# Of which share of its surroundings on a place counts as open ground. A sheet full of strokes has more, a photograph
# of a meadow and a canvas that was dreamed on have a fifth.
OPEN = 0.3


def soaked(photo: Bytes, share: float, mask: Bytes | None = None) -> Bytes:
    """uint8 [H, W, 3] with this share of its contrast, 0 to 1, gone into the surroundings. What is coarser than FAR
    stays, and so does what lies under a mask's zeros (uint8 [H, W] of the same size)."""
    here = Image.fromarray(photo)
    near, far = (Image.fromarray(shrink(photo, _parts(photo, parts))) for parts in (NEAR, FAR))
    around = Image.blend(near, far.resize(near.size, Image.Resampling.BICUBIC), 0.5)
    out = Image.blend(here, around.resize(here.size, Image.Resampling.BICUBIC), share)
    return np.asarray(out if mask is None else Image.composite(out, here, Image.fromarray(mask)))


def halo(picture: Bytes, share: float) -> Floats:
    """What to add to uint8 [H, W, 3] for flat places to take the colours around them: float32 [3, H, W].

    The difference to what is around, near and far, which on a flat ground is the ink there. Meant for a dream's
    smallest octave, as ``clouds`` are.
    """
    here = picture.transpose(2, 0, 1).astype(np.float32)
    whole = sum(1 / parts for parts in HALO)
    around = sum((_around(here, parts) * np.float32(1 / parts / whole) for parts in HALO), np.zeros_like(here))
    out = (around - here) * np.float32(GAIN)
    strength = np.sqrt(np.square(out).mean(axis=0)) / np.float32(LEVELS * share**0.5)
    flat = flatness(picture)
    open_ground = np.clip(_around(flat[None], min(HALO))[0], 0, 1) ** 4
    out *= flat * open_ground / (open_ground + OPEN**4) / np.sqrt(1 + np.square(strength))
    return np.asarray(out, np.float32)


def _around(field: Floats, parts: int) -> Floats:
    """[n, H, W] blurred to so many parts of its shorter side. Linearly: what a cubic filter overshoots, made stronger,
    would be a ring of the opposite colour around the halo."""
    (height, width), (rows, columns) = field.shape[1:], _parts(field[0], parts)
    few = (Image.fromarray(channel).resize((columns, rows), Image.Resampling.BILINEAR) for channel in field)
    return np.stack([np.asarray(channel.resize((width, height), Image.Resampling.BILINEAR)) for channel in few])


def _parts(picture: Bytes | Floats, parts: int) -> Size:
    """The size of a picture [H, W] or [H, W, 3] that has so many pixels on its shorter side, or its own."""
    height, width = picture.shape[:2]
    scale = min(1.0, parts / min(height, width))
    return max(1, round(height * scale)), max(1, round(width * scale))
