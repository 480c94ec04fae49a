"""Equal windows that cover a picture: what the network sees of it at a time.

A window is a core, whose gradient is kept, and a halo around it, which gives the core its surroundings.
Windows at the picture's edge are pushed inwards instead of being padded, so all are of one size, and they
start at multiples of the layer's stride, so the gradient is that of the whole picture up to what lies
beyond the halo.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise, product


@dataclass(frozen=True)
class Span:
    """Along one axis: the window [start, stop) and the core [first, last) inside it, in picture pixels."""

    start: int
    stop: int
    first: int
    last: int


@dataclass(frozen=True)
class Tile:
    """One window. All tiles of a plan have the same height and width; their cores partition the picture."""

    y: Span
    x: Span

    @property
    def window(self) -> tuple[slice, slice]:
        """Where the window lies in the picture."""
        return slice(self.y.start, self.y.stop), slice(self.x.start, self.x.stop)

    @property
    def core(self) -> tuple[slice, slice]:
        """Where the core lies in the picture."""
        return slice(self.y.first, self.y.last), slice(self.x.first, self.x.last)

    @property
    def inner(self) -> tuple[slice, slice]:
        """Where the core lies in the window."""
        return (
            slice(self.y.first - self.y.start, self.y.last - self.y.start),
            slice(self.x.first - self.x.start, self.x.last - self.x.start),
        )

    @property
    def share(self) -> float:
        """The core's part of the window's area."""
        return (
            (self.y.last - self.y.first)
            * (self.x.last - self.x.first)
            / ((self.y.stop - self.y.start) * (self.x.stop - self.x.start))
        )


def spans(length: int, count: int, halo: int, stride: int) -> list[Span]:
    """``count`` equal windows over ``length`` pixels, starting at multiples of ``stride``.

    The size is the smallest that leaves at least ``halo`` pixels on the inner sides of every core and is
    congruent to ``length`` modulo ``stride`` (so the last window too starts at a multiple of it).
    """
    if count == 1:
        return [Span(0, length, 0, length)]
    size = -(-(length + 2 * halo * (count - 1)) // count)
    size += (length - size) % stride
    while size < length and -(-(length - size) // stride // (count - 1)) * stride + 2 * halo > size:
        size += stride  # the starts lie unevenly: the two furthest apart must still overlap by two halos
    if size >= length:
        return [Span(0, length, 0, length)]
    steps = (length - size) // stride
    starts = [round(i * steps / (count - 1)) * stride for i in range(count)]
    # Cores meet in the middle of each overlap.
    cuts = [0, *((a + size + b) // 2 for a, b in pairwise(starts)), length]
    return [Span(s, s + size, a, b) for s, a, b in zip(starts, cuts, cuts[1:], strict=False)]


def plan(height: int, width: int, *, tile: int = 512, halo: int = 32, stride: int = 1) -> list[Tile]:
    """Tiles in reading order. Cores are at most about ``tile`` pixels a side, windows ``tile + 2 halo``.

    Raises ValueError for sizes that make no sense.
    """
    if min(height, width) < 1 or tile < 1 or halo < 0 or stride < 1:
        raise ValueError(f"cannot tile {width}x{height} by {tile} with a halo of {halo} and a stride of {stride}")
    return [Tile(y, x) for y, x in product(*(_axis(length, tile, halo, stride) for length in (height, width)))]


def _axis(length: int, tile: int, halo: int, stride: int) -> list[Span]:
    count = 1
    while True:
        found = spans(length, count, halo, stride)
        size = found[0].stop - found[0].start
        if size <= tile + 2 * halo or count * stride >= length:
            return found
        count += 1


def fixed_plan(height: int, width: int, size: tuple[int, int]) -> list[Tile]:
    """Overlapping windows of exactly ``size`` (for networks whose dense layers accept no other)."""
    if height < size[0] or width < size[1]:
        raise ValueError(f"this network takes windows of {size[1]}x{size[0]}, the picture is only {width}x{height}")
    axes = []
    for length, extent in ((height, size[0]), (width, size[1])):
        count = -(-length // extent)
        starts = [round(i * (length - extent) / max(count - 1, 1)) for i in range(count)]
        cuts = [0, *((a + extent + b) // 2 for a, b in pairwise(starts)), length]
        axes.append([Span(s, s + extent, a, b) for s, a, b in zip(starts, cuts, cuts[1:], strict=False)])
    return [Tile(y, x) for y, x in product(*axes)]
