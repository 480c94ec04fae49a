"""How a network looks at a picture when it is asked for a gradient: one value, made once for a dream and handed on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .bands import Floats


@dataclass(frozen=True, eq=False)
class GradientOptions:
    """Options of ``Network.gradient``.

    tile         how many pixels of a side to compute at once, without the halo: bounds the memory (``tiles.plan``)
    halo         pixels around a tile's core that the network sees beside it
    border       units within so many pixels of a window's edge want nothing. They see the network's zero padding,
                 and on a flat picture that edge is the strongest thing there is. 0: the exact gradient
    smooth_pool  max pools share their gradient out instead of sending it to the maxima
    guide        float32 [3,h,w], RGB, 0..255, needed by terms with a guide
    on_tile      called with (tiles done, tiles) from the caller's thread
    cancelled    asked before each tile; when true, Cancelled is raised
    """

    tile: int = 512
    halo: int = 32
    border: int = 0
    smooth_pool: bool = False
    guide: Floats | None = None
    on_tile: Callable[[int, int], None] | None = None
    cancelled: Callable[[], bool] | None = None


DEFAULT = GradientOptions()
