"""The models of a step on the device: a tile's gradient laid into the whole one, and the picture moved along that.

They are small graphs without a network, take pictures of any size, and need no arithmetic on sizes; so nothing of them
belongs on the CPU.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx

from ..graph import Array, Graph, ours
from .colour import CORRELATION_ROOT, LIVELY, LUMA
from .hold import coarse_levels
from .octaves import Size
from .recipe import Recipe
from .smooth import TINY as FAINT

TINY = 1e-30  # divides what is zero

BLUR = np.array([1, 4, 6, 4, 1], np.float32)  # sums to 16
KERNEL = np.tile(np.outer(BLUR, BLUR) / 256, (3, 1, 1, 1))

Odd = tuple[tuple[bool, bool], ...]


def paste_model() -> onnx.ModelProto:
    """A window's gradient laid into the whole one.

    gradient  float32 [1,3,h,w], or [1,3,1,1] of zeros where nothing lies in it yet
    window    float32 [1,3,window's h,w]
    rows      int64 [h], columns int64 [w]: which of the window's each of the picture's is, or -1 (``tiles.returned``)

    The output is float32 [1,3,h,w].
    """
    graph = Graph()
    gradient, window, rows, columns = names = [ours(name) for name in ("gradient", "window", "rows", "columns")]
    sizes = ((1, 3, "h before", "w before"), (1, 3, "window's h", "window's w"), ("h",), ("w",))
    graph.inputs, graph.integer_inputs = dict(zip(names, sizes, strict=True)), {rows, columns}
    down, across = (graph.emit("GreaterOrEqual", axis, graph.constant(0, np.int64)) for axis in (rows, columns))
    inside = graph.emit("And", graph.emit("Unsqueeze", down, graph.integers(1)), across)
    spread = graph.emit("Gather", graph.emit("Gather", window, rows, axis=2), columns, axis=3)  # -1 is a place, too
    graph.outputs = [graph.emit("Where", inside, spread, gradient)]
    return graph.write()


@dataclass(frozen=True)
class Shaping:
    """What is done with a gradient: what needs a model of its own. Amounts are inputs.

    odd   for each level of the pyramid, the finest first, whether the height and the width to be halved are odd
    held  the same for what new ink holds; None where nothing holds
    """

    odd: Odd = ()
    colour: str = "rgb"
    mean_free: bool = False
    masked: bool = False
    near: bool = False
    chroma: bool = False
    held: Odd | None = None

    @classmethod
    def of(cls, recipe: Recipe, size: Size, *, masked: bool, held: bool) -> Shaping:
        """What a recipe does with a gradient of this size."""
        odd = _odd(size, recipe.smooth, least=4)  # as ``normalise_bands`` counts them
        holding = _odd(size, coarse_levels(min(size))) if held else None
        return cls(odd, recipe.colour, recipe.mean_free, masked, recipe.near > 0, recipe.chroma > 0, holding)


def _odd(size: Size, levels: int, least: int = 1) -> Odd:
    """Whether each size that is halved is odd, down and across."""
    odd: list[tuple[bool, bool]] = []
    while len(odd) < levels and min(size) >= least:
        odd.append((size[0] % 2 == 1, size[1] % 2 == 1))
        size = ((size[0] + 1) // 2, (size[1] + 1) // 2)
    return tuple(odd)


def move_model(shaping: Shaping) -> onnx.ModelProto:
    """What ``HostAscent`` does with a gradient.

    picture, gradient   float32 [1,3,h,w]
    step, floor, near, tight (1 over chroma's square), spread (1 over the mask's mean)   float32 [1]
    mask                float32 [1,1,h,w], shares
    held                float32 [1,1,h,w], shares
    photo               float32 [1,3,h,w]

    The output is the moved picture.
    """
    graph, size = Graph(), (1, 3, "h", "w")
    picture, gradient, photo = pictures = [ours(name) for name in ("picture", "gradient", "photo")]
    mask, held = shares = [ours(name) for name in ("mask", "held")]
    step, floor, near, tight, spread = numbers = [ours(n) for n in ("step", "floor", "near", "tight", "spread")]
    graph.inputs = {**dict.fromkeys(pictures, size), **dict.fromkeys(shares, (1, 1, "h", "w"))}
    graph.inputs |= dict.fromkeys(numbers, (1,))
    op = _Ops(graph)

    def mean_abs(values: str) -> str:
        force = op("Abs", values)
        return op("Mul", op.mean(op("Mul", force, mask)), spread) if shaping.masked else op.mean(force)

    force = mean_abs(gradient)
    strength = op("Min", op("Div", force, op("Max", floor, TINY)), 1.0)
    if shaping.masked:
        gradient = op("Mul", gradient, mask)
    if shaping.odd:
        gradient = _bands_normalised(op, gradient, shaping.odd)
    if shaping.colour == "luminance":
        gradient = op.mixed(np.tile(LUMA, (3, 1)), gradient)
    elif shaping.colour in LIVELY:
        gradient = _decorrelated(op, gradient, LIVELY[shaping.colour])
    if shaping.mean_free:
        mean = op.mean(gradient, 3, 2)
        gradient = op("Sub", gradient, op("Mul", mean, spread) if shaping.masked else mean)
    gain = op("Div", op("Mul", step, strength), op("Max", mean_abs(gradient), TINY))
    if shaping.held is not None:
        gradient = op("Sub", gradient, op("Mul", _coarse(op, gradient, shaping.held), held))
    move = op("Mul", op("Mul", gradient, mask) if shaping.masked else gradient, gain)
    if shaping.near:
        move = op("Sub", move, op("Mul", op("Sub", picture, photo), near))
    if shaping.chroma:
        move = _held(op, move, picture, tight)
    # Clip's bounds have no axes
    graph.outputs = [graph.emit("Clip", op("Add", picture, move), graph.constant(0), graph.constant(255))]
    used = graph.ancestors(graph.outputs)
    graph.inputs = {name: shape for name, shape in graph.inputs.items() if name in used}
    return graph.write()


class _Ops:
    """Appends nodes to a graph: numbers among the inputs are constants."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph

    def __call__(self, name: str, *inputs: str | float | Array, **attrs: Any) -> str:
        names = (i if isinstance(i, str) else self.graph.constant(np.atleast_1d(i)) for i in inputs)
        return self.graph.emit(name, *names, **attrs)

    def mean(self, values: str, *axes: int) -> str:
        """Over all axes but the first, or some. One after the other: one sum of millions of float32 loses digits."""
        for axis in axes or (3, 2, 1):
            values = self.graph.emit("ReduceMean", values, self.graph.integers(axis), keepdims=1)
        return values

    def mixed(self, matrix: Array, values: str) -> str:
        """The product of a matrix [3, 3] with each pixel."""
        return self("Conv", values, matrix[:, :, None, None])

    def padded(self, values: str, pixels: int) -> str:
        """The edge repeated so many times on each side."""
        return self.graph.emit("Pad", values, self.graph.integers(*[0, 0, pixels, pixels] * 2), mode="edge")


def _halved(op: _Ops, values: str) -> str:
    """``smooth.halve``."""
    return op("Conv", op.padded(values, 2), KERNEL, strides=[2, 2], group=3)


def _doubled(op: _Ops, values: str, odd: tuple[bool, bool]) -> str:
    """What ``smooth.add_doubled`` adds; `odd`: whether the size to come is."""
    # of the doubled edge nothing stays: four places before, three behind, and one more where the size was odd
    pads = [4, 4, *(3 + more for more in odd)]
    return op("ConvTranspose", op.padded(values, 1), KERNEL * 4, strides=[2, 2], group=3, pads=pads)


def _coarse(op: _Ops, values: str, odd: Odd) -> str:
    """``hold._coarse``."""
    return _doubled(op, _coarse(op, _halved(op, values), odd[1:]), odd[0]) if odd else values


def _bands_normalised(op: _Ops, gradient: str, odd: Odd) -> str:
    """``smooth.normalise_bands``: halved and doubled by the same kernel, and what lies between at a root mean square
    of 1, as what is left at the end."""
    detail, below = gradient, ""
    if odd:
        low = _halved(op, gradient)
        detail = op("Sub", gradient, _doubled(op, low, odd[0]))
        below = _doubled(op, _bands_normalised(op, low, odd[1:]), odd[0])
    force = op("Sqrt", op.mean(op("Mul", detail, detail)))
    even = op("Div", detail, op("Max", force, FAINT))
    return op("Add", even, below) if below else even


def _decorrelated(op: _Ops, gradient: str, lively: float) -> str:
    """``colour.decorrelate``."""
    values = op.mixed(CORRELATION_ROOT.T, gradient)
    force = op("Sqrt", op("Max", op.mean(op("Mul", values, values), 3, 2), TINY))
    back = CORRELATION_ROOT * np.linalg.norm(CORRELATION_ROOT, axis=0) ** -lively
    return op.mixed(back, op("Div", values, force))


def _held(op: _Ops, move: str, picture: str, tight: str) -> str:
    """``colour.hold_colours``; the sums of three are means times 3."""
    half = op("Add", picture, op("Mul", move, 0.5))
    chroma = op("Sub", half, op.mean(half, 1))
    length = op("Mul", op.mean(op("Mul", chroma, chroma), 1), 3.0)
    outward = op("Max", op("Mul", op.mean(op("Mul", chroma, move), 1), 3.0), 0.0)
    slower = op("Mul", outward, op("Min", tight, op("Div", 1.0, op("Max", length, 1.0))))
    return op("Sub", move, op("Mul", chroma, slower))
