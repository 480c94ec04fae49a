"""Gradients of what looks through a window that moves over the picture: convolutions and pools."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from onnx import TensorProto

from ...graph import GraphError, Node
from ..tape import Gradients, Tape
from .table import only_first, rule


@dataclass
class Window:
    """The attributes that Conv and the pools share, for two spatial axes."""

    kernel: tuple[int, int]
    strides: tuple[int, int]
    dilations: tuple[int, int]
    pads: tuple[int, int, int, int] | None  # top, left, bottom, right; None: SAME, by the size at run time
    lower: bool = False  # SAME_LOWER: the odd pixel of padding comes first

    @classmethod
    def of(cls, node: Node, kernel: tuple[int, ...]) -> Window:
        if len(kernel) != 2:
            raise GraphError(f"{node}: only two spatial axes are differentiated, got a kernel of {list(kernel)}")
        auto = node.attrs.get("auto_pad", b"NOTSET")
        auto = auto.decode() if isinstance(auto, bytes) else auto
        pads = tuple(node.attrs.get("pads", (0, 0, 0, 0)))
        if auto == "VALID":
            pads = (0, 0, 0, 0)
        return cls(
            (kernel[0], kernel[1]),
            tuple(node.attrs.get("strides", (1, 1))),
            tuple(node.attrs.get("dilations", (1, 1))),
            None if auto.startswith("SAME") else pads,
            auto == "SAME_LOWER",
        )

    @property
    def reach(self) -> tuple[int, int]:
        """How many pixels a window spans in each direction."""
        return (self.dilations[0] * (self.kernel[0] - 1) + 1, self.dilations[1] * (self.kernel[1] - 1) + 1)

    def begin(self, tape: Tape, x: str) -> str:
        """Padding before the picture, int64 [2]; for SAME computed from the size of ``x`` at run time."""
        if self.pads is not None:
            return tape.graph.integers(*self.pads[:2])
        stride, one = tape.graph.integers(*self.strides), tape.graph.integers(1, 1)
        size = tape.size(x)
        outputs = tape("Div", tape("Sub", tape("Add", size, stride), one), stride)
        used = tape("Add", tape("Mul", tape("Sub", outputs, one), stride), tape.graph.integers(*self.reach))
        total = tape("Max", tape("Sub", used, size), tape.graph.integers(0, 0))
        if self.lower:
            total = tape("Add", total, one)
        return tape("Div", total, tape.graph.integers(2, 2))

    def spread(self, tape: Tape, dy: str, weights: str, x: str, group: int) -> str:
        """The adjoint of the strided window: every output's weights laid back over ``x``'s size."""
        room = tape.graph.constant([0, 0, 0, 0, 0, 0, *self.strides], np.int64)
        whole = tape(
            "ConvTranspose", dy, weights, strides=list(self.strides), dilations=list(self.dilations), group=group
        )
        # pixels beyond the last window, fewer than a stride, exist in x but not here: make room, then take x's window
        whole = tape("Pad", whole, room) if any(s > 1 for s in self.strides) else whole
        return tape.crop(whole, self.begin(tape, x), tape.size(x))


@rule("Conv")
def _conv(tape: Tape, node: Node, dy: str) -> Gradients:
    weights = tape.const(node, 1)
    assert weights is not None
    window = Window.of(node, weights.shape[2:])
    return only_first(node, window.spread(tape, dy, node.inputs[1], node.inputs[0], node.attrs.get("group", 1)))


@rule("MaxPool")
def _max_pool(tape: Tape, node: Node, dy: str) -> Gradients:
    """To the place of each window's maximum, the first of several. Smoothed: a pixel's share to each of a window's."""
    if tape.smooth_pool:
        kernel, channels = tuple(node.attrs["kernel_shape"]), tape.channels(node)
        weights = tape.graph.constant(np.full((channels, 1, *kernel), 1 / np.prod(kernel)))
        return [Window.of(node, kernel).spread(tape, dy, weights, node.inputs[0], channels)]
    if node.attrs.get("storage_order", 0):  # its numbers go down columns; ours along rows
        attrs = {k: v for k, v in node.attrs.items() if k != "storage_order"}
        _, numbers = tape.graph.emit_many("MaxPool", 2, *node.inputs, hint="Indices", **attrs)
        return [tape.scatter(node.inputs[0], numbers, dy)]
    if len(node.outputs) == 1:
        node.outputs.append(tape.graph.fresh("Indices"))
    return [tape.scatter(node.inputs[0], node.outputs[1], dy)]


@rule("ConvTranspose")
def _conv_transpose(tape: Tape, node: Node, dy: str) -> Gradients:
    """The adjoint of an adjoint: the strided convolution itself."""
    weights = tape.const(node, 1)
    assert weights is not None
    window = Window.of(node, weights.shape[2:])
    pads = window.pads
    if node.attrs.get("output_shape"):
        sizes = tape.graph.shapes.get(node.inputs[0], ())[2:]
        if len(sizes) != 2 or not all(isinstance(size, int) for size in sizes):
            raise GraphError(f"{node}: a fixed output_shape is differentiated for inputs of a known size only")
        wanted = node.attrs["output_shape"][-2:]
        whole = [s * (int(n or 0) - 1) + r for s, n, r in zip(window.strides, sizes, window.reach, strict=True)]
        more = node.attrs.get("output_padding", (0, 0))
        totals = [w + m - out for w, m, out in zip(whole, more, wanted, strict=True)]
        pads = _halves(totals, later=node.attrs.get("auto_pad", b"NOTSET") != b"SAME_UPPER")
    elif pads is None:  # SAME: as many pixels as strides
        totals = [max(r - s, 0) for r, s in zip(window.reach, window.strides, strict=True)]
        pads = _halves(totals, later=window.lower)
    dx = tape(
        "Conv",
        dy,
        node.inputs[1],
        strides=list(window.strides),
        dilations=list(window.dilations),
        pads=[max(p, 0) for p in pads],
        group=node.attrs.get("group", 1),
    )
    return only_first(node, tape.crop(dx, tape.graph.integers(0, 0), tape.size(node.inputs[0])))


def _halves(totals: list[int], *, later: bool) -> tuple[int, int, int, int]:
    """Padding divided between both sides, the odd pixel before (``later``) or behind."""
    first = [(t + 1) // 2 if later else t // 2 for t in totals]
    return (first[0], first[1], totals[0] - first[0], totals[1] - first[1])


@rule("LpPool")
def _lp_pool(tape: Tape, node: Node, dy: str) -> Gradients:
    """y = (sum of |x|^p)^(1/p): dx = x |x|^(p-2) times the sum of dy y^(1-p) over the windows that hold x."""
    x, y, p, channels = node.inputs[0], node.outputs[0], node.attrs.get("p", 2), tape.channels(node)
    kernel = tuple(node.attrs["kernel_shape"])
    share = tape("Div", dy, tape("Max", tape("Pow", y, tape.number(p - 1)), tape.number(1e-30)))
    ones = tape.graph.constant(np.ones((channels, 1, *kernel)))
    spread = Window.of(node, kernel).spread(tape, share, ones, x, channels)
    slope = x if p == 2 else tape("Mul", tape("Sign", x), tape("Pow", tape("Abs", x), tape.number(p - 1)))
    return [tape("Mul", slope, spread)]


@rule("AveragePool")
def _average_pool(tape: Tape, node: Node, dy: str) -> Gradients:
    x = node.inputs[0]
    window = Window.of(node, tuple(node.attrs["kernel_shape"]))
    channels = tape.channels(node)
    # Pooling is linear: pooling ones gives (pixels in the window) / (what the runtime divides by).
    keep = ("kernel_shape", "strides", "dilations", "pads", "auto_pad", "ceil_mode", "count_include_pad")
    attrs = {k: v for k, v in node.attrs.items() if k in keep}
    one = tape.graph.constant(np.ones((1, 1, 1, 1)))
    ones = tape("Expand", one, tape("Concat", tape.graph.integers(1, 1), tape.size(x), axis=0))
    share = tape("AveragePool", ones, **attrs)
    if window.pads == (0, 0, 0, 0) and not node.attrs.get("ceil_mode", 0):
        weight = 1.0 / (window.kernel[0] * window.kernel[1])
        scaled = dy
    else:
        weight = 1.0
        begin = window.begin(tape, x)
        outputs = tape.size(node.outputs[0])
        stride, reach = tape.graph.integers(*window.strides), tape.graph.integers(*window.reach)
        used = tape("Add", tape("Mul", tape("Sub", outputs, tape.graph.integers(1, 1)), stride), reach)
        end = tape("Max", tape("Sub", tape("Sub", used, tape.size(x)), begin), tape.graph.integers(0, 0))
        none = tape.graph.integers(0, 0)
        padded = tape("Pad", ones, tape("Concat", none, begin, none, end, axis=0))
        kernel = tape.graph.constant(np.ones((1, 1, *window.kernel)))
        inside = tape.crop(
            tape("Conv", padded, kernel, strides=list(window.strides), dilations=list(window.dilations)), none, outputs
        )
        scaled = tape("Mul", dy, tape("Div", share, inside))
    kernel = tape.graph.constant(np.full((channels, 1, *window.kernel), weight))
    return [window.spread(tape, scaled, kernel, x, channels)]


@rule("GlobalAveragePool")
def _global_average_pool(tape: Tape, node: Node, dy: str) -> Gradients:
    return [spread_evenly(tape, node.inputs[0], dy)[0]]


def spread_evenly(tape: Tape, x: str, dy: str) -> tuple[str, str]:
    """The gradient of a mean over the whole map: of ``x``'s size, and what each place of it gets, [n,c,1,1]."""
    count = tape("Cast", tape("ReduceProd", tape.size(x), keepdims=0), to=TensorProto.FLOAT)
    each = tape("Div", dy, count)
    return tape("Expand", each, tape("Shape", x)), each


@rule("GlobalMaxPool")
def _global_max_pool(tape: Tape, node: Node, dy: str) -> Gradients:
    """The first of several maxima gets it all, as in the other pools."""
    x = node.inputs[0]
    rows = tape("Reshape", x, tape.graph.integers(0, 0, -1))
    place = tape("ArgMax", rows, axis=2, keepdims=1)
    flat = tape("Reshape", dy, tape.graph.integers(0, 0, 1))
    return [tape("Reshape", tape("ScatterElements", tape.zeros(rows), place, flat, axis=2), tape("Shape", x))]
