"""The part of the table of rules for operations on windows: convolutions and pools."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from onnx import TensorProto

from . import winograd
from .graph import Array, GraphError, Node
from .pools import blocks_lack, handles, has_window, max_pool_gradient, smooth_gradient, taps
from .rules import Gradients, Tape, _only, rectify, rule


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
    group = node.attrs.get("group", 1)
    window = Window.of(node, weights.shape[2:])
    if window.strides == (1, 1):
        pads = _mirrored_pads(window)
        if pads is not None:
            # The gradient of a stride-1 convolution is a convolution with the weights turned round.
            turned = flipped(weights, group)
            if window.dilations == (1, 1) and winograd.handles(tape, dy, turned, pads):
                return _only(node, winograd.convolve(tape, dy, turned))
            dx = tape("Conv", dy, tape.graph.constant(turned), pads=pads, dilations=list(window.dilations), group=group)
            if weights.shape[2:] == (1, 1) and group == 1 and not any(pads) and tape.in_blocks(dy):
                tape.pointwise[dx] = dy, turned
            return _only(node, dx)
    if (
        group == 1
        and window.dilations == (1, 1)
        and window.strides == (2, 2)
        and window.pads is not None
        and all(pad < reach for pad, reach in zip(window.pads, window.reach * 2, strict=True))
        and weights.shape[1] <= 4
    ):
        return _only(node, _by_phases(tape, dy, weights, window, node.inputs[0]))
    return _only(node, window.spread(tape, dy, node.inputs[1], node.inputs[0], group))


def _by_phases(tape: Tape, dy: str, weights: Array, window: Window, x: str) -> str:
    """The gradient of a strided convolution with few input channels: one plain convolution that gives a block
    of pixels as channels, then DepthToSpace.

    With stride s, pixel a of block i, at 2 s i + a, gets weight k of output 2 i + j where k = a + pad - s j.
    """
    stride = window.strides[0]
    out, depth, *kernel = weights.shape
    assert window.pads is not None
    block = 2 * stride  # 48 channels for a picture: three full vectors, where 12 would waste a quarter of one
    low = [-((k - 1 - p) // stride) for k, p in zip(kernel, window.pads[:2], strict=True)]
    high = [(block - 1 + p) // stride for p in window.pads[:2]]
    spans = [last - first + 1 for first, last in zip(low, high, strict=True)]
    phases = np.zeros((depth, block, block, out, *spans), np.float32)
    for row, column, j, i in np.ndindex(block, block, *spans):
        ky, kx = (
            a + p - stride * (first + at)
            for a, p, first, at in zip((row, column), window.pads[:2], low, (j, i), strict=True)
        )
        if 0 <= ky < kernel[0] and 0 <= kx < kernel[1]:
            phases[:, row, column, :, j, i] = weights[:, :, ky, kx].T
    # the phases' places are enough for the picture if no more than two of its pixels are beyond the last window
    if dy in tape.phases and all(
        k - a - b <= 3 for k, a, b in zip(kernel, window.pads[:2], window.pads[2:], strict=True)
    ):
        conv = _of_phases(tape, tape.phases[dy], phases.reshape(depth * block * block, out, *spans), low)
        whole = tape("DepthToSpace", conv, blocksize=block, mode="CRD")
        start = tape("Mul", tape.starts[dy], tape.graph.integers(stride)) if dy in tape.starts else ""
        return tape.crop(whole, start or tape.graph.integers(0, 0), tape.size(x))
    # the outputs may end before the picture does, and in the middle of a block
    short = [
        max(0, -(-(k - a - b) // stride)) + block // stride - 1
        for k, a, b in zip(kernel, window.pads[:2], window.pads[2:], strict=True)
    ]
    conv = tape(
        "Conv",
        dy,
        tape.graph.constant(phases.reshape(depth * block * block, out, *spans)),
        strides=[block // stride] * 2,
        pads=[-low[0], -low[1], high[0] + short[0], high[1] + short[1]],
    )
    whole = tape("DepthToSpace", conv, blocksize=block, mode="CRD")
    return tape.crop(whole, tape.graph.integers(0, 0), tape.size(x))


def _of_phases(tape: Tape, phases: list[tuple[str, str]], weights: Array, low: list[int]) -> str:
    """A convolution of stride 2 of what ``phases`` would be interleaved to: row 2i+j is row i + j//2 of phase j%2.

    ``low``: where the first row and column of the weights lie from 2i on. As many outputs as a phase has places.
    """
    total = ""
    for row, column in ((0, 0), (0, 1), (1, 0), (1, 1)):
        part = phases[row][column]
        first = [-((j - p) // -2) for j, p in zip(low, (row, column), strict=True)]  # the least i + j//2, less i
        rows, columns = (slice(2 * f + p - j, None, 2) for f, p, j in zip(first, (row, column), low, strict=True))
        mine = np.ascontiguousarray(weights[:, :, rows, columns])
        last = [f + n - 1 for f, n in zip(first, mine.shape[2:], strict=True)]
        conv = tape("Conv", part, tape.graph.constant(mine), pads=[-first[0], -first[1], last[0], last[1]])
        shape = tape.graph.shapes[part]
        tape.graph.shapes[conv] = (shape[0], len(weights), *shape[2:])
        total = tape("Add", total, conv, like=conv) if total else conv
    return total


def _mirrored_pads(window: Window) -> list[int] | None:
    """Pads of the gradient convolution, or None where it has none (more padding than the window reaches)."""
    reach = window.reach * 2
    pads = window.pads
    if pads is None:  # SAME with stride 1 does not depend on the picture's size
        total = [r - 1 for r in window.reach]
        first = [(t + window.lower) // 2 for t in total]
        pads = (first[0], first[1], total[0] - first[0], total[1] - first[1])
    mirrored = [r - 1 - p for r, p in zip(reach, pads, strict=True)]
    return mirrored if min(mirrored) >= 0 else None


def flipped(weights: Array, group: int) -> Array:
    """Weights [o, i/group, kh, kw] of a convolution turned into those of its gradient [i, o/group, kh, kw]."""
    out, per_group, height, width = weights.shape
    split = weights.reshape(group, out // group, per_group, height, width)
    return split.transpose(0, 2, 1, 3, 4).reshape(group * per_group, out // group, height, width)[:, :, ::-1, ::-1]


@rule("MaxPool")
def _max_pool(tape: Tape, node: Node, dy: str) -> Gradients:
    if lacking := blocks_lack(tape, node):
        return [_filled(tape, node, dy, lacking)]
    if tape.smooth_pool:
        return [_smooth_pool(tape, node, dy)]
    if handles(tape, node):
        x, y = node.inputs[0], node.outputs[0]
        if dy in tape.plain:  # brought into the blocks once here, or each product with a mask leaves them
            dy = taps(tape, dy, {(0, 0): 1.0})
            tape.graph.shapes[dy] = tape.graph.shapes[y]
        alone = node.attrs.get("strides", [1, 1]) != [1, 1]
        dx = max_pool_gradient(tape, node, rectify(tape, dy, y) if alone else dy)
        if alone:  # masked here, where there is a quarter of the pixels, it needs no mask at the Relu before
            tape.masked[dx] = x
        return [dx]
    if len(node.outputs) == 1:
        node.outputs.append(tape.graph.fresh("Indices"))
    return [tape.scatter(node.inputs[0], node.outputs[1], dy)]


def _filled(tape: Tape, node: Node, dy: str, lacking: int) -> str:
    """A pool's gradient by way of one with ``lacking`` more channels, of zeros."""
    channels, filled, numbers = _channels(tape, node), [], tape.graph.integers
    for name, like in ((node.inputs[0],) * 2, (node.outputs[0],) * 2, (dy, node.outputs[0])):
        batch, _, *size = tape.graph.shapes[like]
        filled.append(tape("Pad", name, numbers(0, 0, 0, 0, 0, lacking, 0, 0)))
        tape.graph.shapes[filled[-1]] = (batch, channels + lacking, *size)
    x, y, dy = filled
    tape.rectified.add(x)
    tape.plain.add(dy)
    dx = str(_max_pool(tape, Node("MaxPool", [x], [y], node.attrs, node.name), dy)[0])
    return tape("Slice", dx, numbers(0), numbers(channels), numbers(1), like=node.inputs[0])


def _smooth_pool(tape: Tape, node: Node, dy: str) -> str:
    """Instead of the exact gradient: every place of a window gets an equal part, also those in the padding."""
    if has_window(tape, node):
        return smooth_gradient(tape, node, dy)
    kernel = tuple(node.attrs["kernel_shape"])
    channels = _channels(tape, node)
    weights = tape.graph.constant(np.full((channels, 1, *kernel), 1 / np.prod(kernel)))
    return Window.of(node, kernel).spread(tape, dy, weights, node.inputs[0], channels)


def _channels(tape: Tape, node: Node) -> int:
    """The number of channels of a node's input, which its rule must know beforehand."""
    channels = tape.graph.shapes.get(node.inputs[0], (None, None))[1]
    if not isinstance(channels, int):
        raise GraphError(f"{node}: the number of channels of {node.inputs[0]!r} is not known")
    return channels


@rule("AveragePool")
def _average_pool(tape: Tape, node: Node, dy: str) -> Gradients:
    return [_as_average(tape, node, dy)]


def _as_average(tape: Tape, node: Node, dy: str) -> str:
    """The gradient of an average pool."""
    x = node.inputs[0]
    window = Window.of(node, tuple(node.attrs["kernel_shape"]))
    channels = _channels(tape, node)
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
    return window.spread(tape, scaled, kernel, x, channels)


@rule("GlobalAveragePool")
def _global_average_pool(tape: Tape, node: Node, dy: str) -> Gradients:
    x = node.inputs[0]
    count = tape("Cast", tape("ReduceProd", tape.size(x), keepdims=0), to=TensorProto.FLOAT)
    return [tape("Expand", tape("Div", dy, count), tape("Shape", x))]


@rule("GlobalMaxPool")
def _global_max_pool(tape: Tape, node: Node, dy: str) -> Gradients:
    """The first of several maxima gets it all, as in the other pools."""
    x = node.inputs[0]
    rows = tape("Reshape", x, tape.graph.integers(0, 0, -1))
    place = tape("ArgMax", rows, axis=2, keepdims=1)
    flat = tape("Reshape", dy, tape.graph.integers(0, 0, 1))
    return [tape("Reshape", tape("ScatterElements", tape.zeros(rows), place, flat, axis=2), tape("Shape", x))]
