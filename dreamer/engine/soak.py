"""Ink that soaks in: what is drawn on a canvas becomes something to see forms in.

A stroke is a thin line, with edges that no step of a dream comes near: as long as it lies there as it was drawn, forms
grow beside it. So before the dream a share of its contrast goes into its surroundings, as wet ink goes into paper, and
flat places around it take its colour: there forms grow, along the stroke and of its colour.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image

from .bands import Bytes, Floats
from .noise import flatness
from .octaves import Size, shrink
from .smooth import add_doubled, halve

# How far contrast goes, in parts of the picture's shorter side: half of what goes stays near.
NEAR, FAR = 96, 32

# How far colour goes in flat places: by the coarsest levels of a pyramid that ends at some COARSEST pixels, in these
# shares. A stroke is thin: over so wide a place its colour is next to nothing, and is made stronger, up to LEVELS grey
# levels (root mean square of the channels) times the root of the share that soaks.
COARSEST, SHARES, GAIN, LEVELS = 12, (4 / 7, 2 / 7, 1 / 7), 15.0, 180.0

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
    out = (_around(here, SHARES) - here) * np.float32(GAIN)
    strength = np.sqrt(np.square(out).mean(axis=0)) / np.float32(LEVELS * share**0.5)
    flat = flatness(picture)
    open_ground = _around(flat[None], (1.0,))[0] ** 4
    out *= flat * open_ground / (open_ground + OPEN**4) / np.sqrt(1 + np.square(strength))
    return np.asarray(out, np.float32)


def _around(field: Floats, shares: Sequence[float]) -> Floats:
    """[n, H, W] blurred smoothly: its pyramid's levels in these shares, the coarsest first, doubled to its size again.

    No level's kernel has negative parts: made stronger, they would be rings of the opposite colour.
    """
    levels = [field]
    while min(levels[-1].shape[1:]) >= 2 * COARSEST or len(levels) == 1:
        levels.append(halve(levels[-1]))
    used = shares[: len(levels) - 1]
    gains = [0.0] * (len(levels) - len(used)) + [share / sum(used) for share in reversed(used)]
    out = levels.pop() * np.float32(gains.pop())
    while levels:
        finer = levels.pop().copy()
        add_doubled(out, finer, gains.pop())
        out = finer
    return out


def _parts(picture: Bytes, parts: int) -> Size:
    """The size of a picture that has so many pixels on its shorter side, or its own."""
    height, width = picture.shape[:2]
    scale = min(1.0, parts / min(height, width))
    return max(1, round(height * scale)), max(1, round(width * scale))
