"""How each ONNX operation is differentiated: one table, keyed by op name.

A rule is called as ``rule(tape, node, dy)`` with the name of the objective's gradient with respect to
the node's output. It emits nodes and returns exactly one gradient (or None) for each of the node's inputs.
Sizes of pictures are known only at run time, so where a rule needs one it asks the tensor for its Shape;
with fixed sizes ONNX Runtime folds all of that away.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from onnx import TensorProto, helper

from .graph import Array, Graph, GraphError, Node
from .lrn import band_sum, channel_band
from .pools import handles, has_window, max_pool_gradient, positive, rectified, smooth_gradient

Gradients = list[str | None]
Rule = Callable[..., Gradients]

RULES: dict[str, Rule] = {}


@dataclass
class Tape:
    """What rules share: the graph they append to, which tensors depend on the picture, and the pool mode."""

    graph: Graph
    active: set[str]
    smooth_pool: bool = False
    blocked: bool = True
    masked: dict[str, str] = field(default_factory=dict)  # gradients already zero where this tensor is
    pointwise: dict[str, tuple[str, Array]] = field(default_factory=dict)  # results of 1x1 convolutions: of what

    def __post_init__(self) -> None:
        self.rectified = rectified(self.graph)

    def __call__(self, op: str, *inputs: str, like: str = "", **attrs: Any) -> str:
        return self.graph.emit(op, *inputs, hint=f"d{op}", like=like, **attrs)

    def add(self, parts: list[str]) -> str:
        """The sum of the gradients that arrive over several ways."""
        pointwise = [part for part in parts if part in self.pointwise]
        if len(pointwise) > 1:  # sibling 1x1 convolutions: one over all their outputs adds up by itself
            sources = [self.pointwise[part] for part in pointwise]
            shapes = [self.graph.shapes[dy] for dy, _ in sources]
            joined = self("Concat", *(dy for dy, _ in sources), axis=1)
            weights = np.concatenate([w for _, w in sources], axis=1)
            self.graph.shapes[joined] = (shapes[0][0], weights.shape[1], *shapes[0][2:])
            merged = self("Conv", joined, self.graph.constant(weights), like=pointwise[0])
            parts = [merged, *(part for part in parts if part not in self.pointwise)]
        total = parts[0]
        for part in parts[1:]:  # two at a time: each sum can become part of a convolution
            total = self("Add", total, part, like=part)
        return total

    def in_blocks(self, x: str) -> int:
        """The channels of ``x`` if the CPU's blocked layout holds it without padding, else 0."""
        shape = self.graph.shapes.get(x, ())
        channels = shape[1] if len(shape) == 4 else 0
        return channels if self.blocked and isinstance(channels, int) and channels % 16 == 0 else 0

    def const(self, node: Node, index: int) -> Array | None:
        """The value of an input that must be a constant, or None where the input is absent."""
        if index >= len(node.inputs) or not node.inputs[index]:
            return None
        name = node.inputs[index]
        if name not in self.graph.constants:
            raise GraphError(f"{node}: its input {name!r} must be a constant to be differentiated")
        return self.graph.constants[name]

    def size(self, tensor: str) -> str:
        """Height and width of a tensor, int64 [2], at run time."""
        return self("Shape", tensor, start=2)

    def crop(self, tensor: str, start: str, size: str) -> str:
        """The window of ``tensor`` [n,c,h,w] of a given size from a given place (both int64 [2])."""
        return self("Slice", tensor, start, self("Add", start, size), self.graph.integers(2, 3))

    def unbroadcast(self, node: Node, dy: str, index: int) -> str:
        """Sum ``dy`` over the axes along which input ``index`` was repeated to the output's shape."""
        name = node.inputs[index]
        rank, out = self.graph.rank(name, node), self.graph.rank(node.outputs[0], node)
        mine, other = self.graph.shapes[name], self.graph.shapes[node.outputs[0]]
        lead = list(range(out - rank))
        repeated = lead + [out - rank + i for i, n in enumerate(mine) if n == 1 and other[out - rank + i] != 1]
        if repeated:
            dy = self("ReduceSum", dy, self.graph.integers(*repeated), keepdims=1)
        if lead:
            dy = self("Squeeze", dy, self.graph.integers(*lead))
        return dy


def rule(*ops: str) -> Callable[[Rule], Rule]:
    """Enter a rule into the table for these ops."""

    def enter(function: Rule) -> Rule:
        for op in ops:
            if op in RULES:
                raise AssertionError(f"two rules for {op}")
            RULES[op] = function
        return function

    return enter


def _none(node: Node) -> Gradients:
    return [None] * len(node.inputs)


def _only(node: Node, gradient: str) -> Gradients:
    """The gradient goes to the first input; the others are parameters."""
    return [gradient, *_none(node)[1:]]


# Elementwise


@rule("Identity", "Dropout")
def _identity(tape: Tape, node: Node, dy: str) -> Gradients:
    return _only(node, dy)


@rule("Relu")
def _relu(tape: Tape, node: Node, dy: str) -> Gradients:
    if node.outputs[0] == tape.masked.get(dy):
        return [dy]
    return [rectify(tape, dy, node.outputs[0])]


def rectify(tape: Tape, dy: str, y: str) -> str:
    """``dy`` where ``y`` > 0, else 0, for a ``y`` that is never negative."""
    channels = tape.in_blocks(y)
    if not channels:
        return tape("Where", tape("Greater", y, tape.graph.constant(0)), dy, tape.graph.constant(0), like=y)
    return tape("Mul", dy, positive(tape, y, {(0, 0): 1.0}), like=y)


@rule("LeakyRelu")
def _leaky_relu(tape: Tape, node: Node, dy: str) -> Gradients:
    slope = tape("Mul", dy, tape.graph.constant(node.attrs.get("alpha", 0.01)))
    return [tape("Where", tape("Greater", node.inputs[0], tape.graph.constant(0)), dy, slope)]


@rule("PRelu")
def _prelu(tape: Tape, node: Node, dy: str) -> Gradients:
    tape.const(node, 1)
    slope = tape("Mul", dy, node.inputs[1])
    return _only(node, tape("Where", tape("Greater", node.inputs[0], tape.graph.constant(0)), dy, slope))


@rule("Clip")
def _clip(tape: Tape, node: Node, dy: str) -> Gradients:
    # As in PyTorch, the ends of the interval belong to it.
    inside, x = dy, node.inputs[0]
    for bound, op in zip(node.inputs[1:], ("GreaterOrEqual", "LessOrEqual"), strict=False):
        if bound:
            inside = tape("Where", tape(op, x, bound), inside, tape.graph.constant(0))
    return _only(node, inside)


@rule("Sigmoid")
def _sigmoid(tape: Tape, node: Node, dy: str) -> Gradients:
    y = node.outputs[0]
    return [tape("Mul", dy, tape("Mul", y, tape("Sub", tape.graph.constant(1), y)))]


@rule("Tanh")
def _tanh(tape: Tape, node: Node, dy: str) -> Gradients:
    y = node.outputs[0]
    return [tape("Mul", dy, tape("Sub", tape.graph.constant(1), tape("Mul", y, y)))]


@rule("Add", "Sum")
def _add(tape: Tape, node: Node, dy: str) -> Gradients:
    return [tape.unbroadcast(node, dy, i) if name in tape.active else None for i, name in enumerate(node.inputs)]


@rule("Sub")
def _sub(tape: Tape, node: Node, dy: str) -> Gradients:
    left, right = (name in tape.active for name in node.inputs)
    return [
        tape.unbroadcast(node, dy, 0) if left else None,
        tape.unbroadcast(node, tape("Neg", dy), 1) if right else None,
    ]


@rule("Mul")
def _mul(tape: Tape, node: Node, dy: str) -> Gradients:
    a, b = node.inputs
    return [
        tape.unbroadcast(node, tape("Mul", dy, b), 0) if a in tape.active else None,
        tape.unbroadcast(node, tape("Mul", dy, a), 1) if b in tape.active else None,
    ]


@rule("Div")
def _div(tape: Tape, node: Node, dy: str) -> Gradients:
    (a, b), y = node.inputs, node.outputs[0]
    da = tape("Div", dy, b)
    return [
        tape.unbroadcast(node, da, 0) if a in tape.active else None,
        tape.unbroadcast(node, tape("Neg", tape("Mul", da, y)), 1) if b in tape.active else None,
    ]


# Shape


@rule("Flatten", "Reshape", "Squeeze", "Unsqueeze")
def _reshape(tape: Tape, node: Node, dy: str) -> Gradients:
    return _only(node, tape("Reshape", dy, tape("Shape", node.inputs[0])))


@rule("Transpose")
def _transpose(tape: Tape, node: Node, dy: str) -> Gradients:
    rank = tape.graph.rank(node.inputs[0], node)
    perm = node.attrs.get("perm", list(range(rank))[::-1])
    return [tape("Transpose", dy, perm=[int(i) for i in np.argsort(perm)])]


@rule("Concat")
def _concat(tape: Tape, node: Node, dy: str) -> Gradients:
    axis, y = node.attrs["axis"] % tape.graph.rank(node.outputs[0], node), node.outputs[0]
    relus = {n.outputs[0] for n in tape.graph.nodes if n.op == "Relu"}
    whole = len(node.inputs) > 1 and relus.issuperset(node.inputs) and tape.in_blocks(y) > 0
    if whole:  # every part is a Relu's output: mask all of them at once
        dy = rectify(tape, dy, y)
    sizes = [tape.graph.shapes[name][axis] for name in node.inputs if tape.graph.rank(name, node)]
    if not all(isinstance(size, int) for size in sizes):
        shapes = [tape("Shape", name, start=axis, end=axis + 1) for name in node.inputs]
        lengths = tape("Concat", *shapes, axis=0)
    else:
        lengths = tape.graph.constant(sizes, np.int64)
    parts = tape.graph.emit_many("Split", len(sizes), dy, lengths, hint="dConcat", axis=axis)
    if whole:
        tape.masked |= dict(zip(parts, node.inputs, strict=True))
    return list(parts)


@rule("Pad")
def _pad(tape: Tape, node: Node, dy: str) -> Gradients:
    if node.attrs.get("mode", b"constant") not in (b"constant", "constant"):
        raise GraphError(f"{node}: only constant padding is differentiated, got mode {node.attrs['mode']!r}")
    pads = tape.const(node, 1)
    assert pads is not None
    inputs = [dy, tape.graph.constant(-pads, np.int64), tape.graph.constant(0)]
    return _only(node, tape("Pad", *inputs, *(node.inputs[3:4])))


# Dense


@rule("Gemm")
def _gemm(tape: Tape, node: Node, dy: str) -> Gradients:
    a, b = node.inputs[:2]
    alpha, ta, tb = node.attrs.get("alpha", 1.0), node.attrs.get("transA", 0), node.attrs.get("transB", 0)
    da = db = dc = None
    if a in tape.active:
        da = (
            tape("Gemm", b, dy, alpha=alpha, transA=tb, transB=1)
            if ta
            else tape("Gemm", dy, b, alpha=alpha, transB=1 - tb)
        )
    if b in tape.active:
        db = (
            tape("Gemm", dy, a, alpha=alpha, transA=1, transB=ta)
            if tb
            else tape("Gemm", a, dy, alpha=alpha, transA=1 - ta)
        )
    if len(node.inputs) > 2 and node.inputs[2] in tape.active:
        dc = tape.unbroadcast(node, tape("Mul", dy, tape.graph.constant(node.attrs.get("beta", 1.0))), 2)
    return [da, db, dc][: len(node.inputs)]


@rule("MatMul")
def _matmul(tape: Tape, node: Node, dy: str) -> Gradients:
    ranks = [tape.graph.rank(name, node) for name in node.inputs]
    if min(ranks) < 2:
        raise GraphError(f"{node}: vectors are not differentiated, only matrices; got ranks {ranks}")

    def swapped(name: str, rank: int) -> str:
        return tape("Transpose", name, perm=[*range(rank - 2), rank - 1, rank - 2])

    a, b = node.inputs
    da = db = None
    if a in tape.active:
        da = _fold_batch(tape, node, tape("MatMul", dy, swapped(b, ranks[1])), 0)
    if b in tape.active:
        db = _fold_batch(tape, node, tape("MatMul", swapped(a, ranks[0]), dy), 1)
    return [da, db]


def _fold_batch(tape: Tape, node: Node, gradient: str, index: int) -> str:
    """Sum a matrix product's gradient over the leading axes along which that factor was repeated."""
    mine, out = tape.graph.shapes[node.inputs[index]][:-2], tape.graph.shapes[node.outputs[0]][:-2]
    lead = len(out) - len(mine)
    axes = [*range(lead), *(lead + i for i, n in enumerate(mine) if n == 1 and out[lead + i] != 1)]
    if axes:
        gradient = tape("ReduceSum", gradient, tape.graph.integers(*axes), keepdims=1)
    return tape("Squeeze", gradient, tape.graph.integers(*range(lead))) if lead else gradient


@rule("Softmax")
def _softmax(tape: Tape, node: Node, dy: str) -> Gradients:
    y, axis = node.outputs[0], tape.graph.integers(node.attrs.get("axis", -1))
    return [tape("Mul", y, tape("Sub", dy, tape("ReduceSum", tape("Mul", dy, y), axis, keepdims=1)))]


# Normalisation


@rule("BatchNormalization")
def _batch_norm(tape: Tape, node: Node, dy: str) -> Gradients:
    scale, variance = tape.const(node, 1), tape.const(node, 4)
    assert scale is not None and variance is not None
    factor = scale / np.sqrt(variance + node.attrs.get("epsilon", 1e-5))
    rank = tape.graph.rank(node.inputs[0], node)
    return _only(node, tape("Mul", dy, tape.graph.constant(factor.reshape(-1, *[1] * (rank - 2)))))


@rule("LRN")
def _lrn(tape: Tape, node: Node, dy: str) -> Gradients:
    """With s = bias + alpha/size * B x^2 (B the 0/1 band over channels), q = s^beta and y = x/q:
    dx = dy/q - x B'(2 alpha beta/size * dy y / s).  The node is the division (see lrn.py)."""
    (x, q), y = node.inputs, node.outputs[0]
    channels = tape.graph.shapes[x][1]
    assert isinstance(channels, int)
    band = channel_band(channels, node.saved["size"]).T * node.saved["factor"]
    u = tape("Div", tape("Mul", dy, y, like=x), node.saved["s"], like=x)
    spread = tape("Mul", x, band_sum(tape.graph, u, band, x), like=x)
    dx = tape("Sub", tape("Div", dy, q, like=x), spread, like=x)
    if tape.masked.get(dy) == y:  # x and y are zero together
        tape.masked[dx] = x
    return [dx, None]


# Windows


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
        room = tape.graph.constant([0, 0, 0, 0, 0, 0, *self.reach], np.int64)
        whole = tape(
            "ConvTranspose", dy, weights, strides=list(self.strides), dilations=list(self.dilations), group=group
        )
        # pixels beyond the last window exist in x but not here: make room, then take x's window
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
            dx = tape("Conv", dy, tape.graph.constant(turned), pads=pads, dilations=list(window.dilations), group=group)
            if weights.shape[2:] == (1, 1) and group == 1 and not any(pads) and tape.in_blocks(dy):
                tape.pointwise[dx] = dy, turned
            return _only(node, dx)
    if (
        group == 1
        and window.dilations == (1, 1)
        and window.strides == (2, 2)
        and window.pads is not None
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
    if tape.smooth_pool:
        return [_smooth_pool(tape, node, dy)]
    if handles(tape, node):
        x, y = node.inputs[0], node.outputs[0]
        alone = node.attrs.get("strides", [1, 1]) != [1, 1]
        dx = max_pool_gradient(tape, node, rectify(tape, dy, y) if alone else dy)
        if alone:  # masked here, where there is a quarter of the pixels, it needs no mask at the Relu before
            tape.masked[dx] = x
        return [dx]
    if len(node.outputs) == 1:
        node.outputs.append(tape.graph.fresh("Indices"))
    zeros = tape(
        "ConstantOfShape",
        tape("Shape", node.inputs[0]),
        value=helper.make_tensor("zero", TensorProto.FLOAT, [1], [0.0]),
    )
    flat = tape.graph.integers(-1)
    summed = tape(
        "ScatterElements",
        tape("Reshape", zeros, flat),
        tape("Reshape", node.outputs[1], flat),
        tape("Reshape", dy, flat),
        axis=0,
        reduction="add",
    )
    return [tape("Reshape", summed, tape("Shape", node.inputs[0]))]


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
