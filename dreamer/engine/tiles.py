"""Equal windows that cover a picture: what the network sees of it at a time.

A window is a core, whose gradient is kept, and a halo around it, which gives the core its surroundings.
Windows at the picture's edge are pushed inwards instead of being padded, so all are of one size, and they
start at multiples of the layer's stride, so the gradient is that of the whole picture up to what lies
beyond the halo.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise, product

import numpy as np
from numpy.typing import NDArray

LEFT_OVER = 0.25  # about how much longer a tile takes on all cores together than its share of one tile on each


@dataclass(frozen=True)
class Span:
    """Along one axis: the window [start, stop) and the core [first, last) inside it, in picture pixels."""

    start: int
    stop: int
    first: int
    last: int


Cut = tuple[list[Span], ...]  # a picture's rows and columns
Window = tuple[slice, slice]  # rows and columns
Roll = tuple[int, int]  # how far a picture is shifted, down and right: what leaves at one edge comes in at the other


@dataclass(frozen=True)
class Tile:
    """One window. All tiles of a plan have the same height and width; their cores partition the picture."""

    y: Span
    x: Span

    @property
    def window(self) -> Window:
        """Where the window lies in the picture."""
        return slice(self.y.start, self.y.stop), slice(self.x.start, self.x.stop)

    @property
    def core(self) -> Window:
        """Where the core lies in the picture."""
        return slice(self.y.first, self.y.last), slice(self.x.first, self.x.last)

    @property
    def inner(self) -> Window:
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
    # Windows of a few strides can lie so unevenly that one has nothing left.
    return [Span(s, s + size, a, b) for s, a, b in zip(starts, cuts, cuts[1:], strict=False) if a < b]


def plan(height: int, width: int, *, tile: int = 512, halo: int = 32, stride: int = 1, cores: int = 1) -> list[Tile]:
    """Tiles in reading order. Windows have at most as many pixels as a square of ``tile + 2 halo`` a side, which
    bounds the memory. They need not be squares: halos are computed twice, and among a few ways to cut, the one
    with the least work is taken (two wide halves of a 675 x 675 picture are 13 % less than four quarters), where
    tiles that are left over when each of ``cores`` has had the same number count more: they run on all together.

    Raises ValueError for sizes that make no sense.
    """
    if min(height, width) < 1 or tile < 1 or halo < 0 or stride < 1:
        raise ValueError(f"cannot tile {width}x{height} by {tile} with a halo of {halo} and a stride of {stride}")
    few, *others = product(*(_axis(length, tile, halo, stride) for length in (height, width)))
    most = max((tile + 2 * halo) ** 2, _pixels(few))
    whole = len(few[0]) == len(few[1]) == 1  # what fits a tile is seen at once
    fitting = [few, *(cut for cut in others if not whole and _pixels(cut) <= most)]

    def work(cut: Cut) -> float:
        count = len(cut[0]) * len(cut[1])
        return (count + LEFT_OVER * (count % cores)) * _pixels(cut)

    rows, columns = min(fitting, key=lambda cut: (work(cut), -len(cut[0])))  # of the same work: wide ones
    return [Tile(y, x) for y, x in product(rows, columns)]


def _pixels(cut: Cut) -> int:
    """Of each window."""
    rows, columns = cut
    return (rows[0].stop - rows[0].start) * (columns[0].stop - columns[0].start)


def _axis(length: int, tile: int, halo: int, stride: int) -> list[list[Span]]:
    """The spans of at most ``tile + 2 halo``, then one more and one less of them."""
    count = 1
    while True:
        found = spans(length, count, halo, stride)
        if found[0].stop - found[0].start <= tile + 2 * halo or count * stride >= length:
            return [found, spans(length, count + 1, halo, stride), spans(length, max(1, count - 1), halo, stride)]
        count += 1


def cut(picture: NDArray[np.float32], roll: Roll, window: Window) -> NDArray[np.float32]:
    """A copy of a window of the shifted picture [c,h,w]."""
    out = np.empty((len(picture), *(s.stop - s.start for s in window)), np.float32)
    for here, there in _around(picture.shape[1:], roll, window):
        out[here] = picture[there]
    return out


def paste(values: NDArray[np.float32], picture: NDArray[np.float32], roll: Roll, window: Window) -> None:
    """Write what belongs into a window of the shifted picture [c,h,w] into the picture, unshifted."""
    for here, there in _around(picture.shape[1:], roll, window):
        picture[there] = values[here]


def _around(size: tuple[int, ...], roll: Roll, window: Window) -> Iterator[tuple[tuple[slice, ...], tuple[slice, ...]]]:
    """The up to four parts of a window that goes around the edges: where in the window, and where in the picture."""
    axes = []
    for length, shift, span in zip(size, roll, window, strict=True):
        first, count = (span.start - shift) % length, span.stop - span.start
        head = min(count, length - first)
        parts = [(slice(0, head), slice(first, first + head)), (slice(head, count), slice(0, count - head))]
        axes.append(parts[: 1 + (head < count)])
    for rows, columns in product(*axes):
        yield (slice(None), rows[0], columns[0]), (slice(None), rows[1], columns[1])


def picked(length: int, shift: int, span: slice) -> NDArray[np.int64]:
    """Along one axis: which places of the picture a window of the shifted one shows, int64 [window's length]. It may
    reach beyond the end of the shifted picture, where the last place repeats."""
    return (np.minimum(np.arange(span.start, span.stop), length - 1) - shift) % length


def returned(length: int, shift: int, span: Span) -> NDArray[np.int64]:
    """The reverse for a window's core: where in the window each place of the picture lies, or -1; int64 [length]."""
    places = (np.arange(length) + shift) % length
    return np.where((span.first <= places) & (places < span.last), places - span.start, -1)
