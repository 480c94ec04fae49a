"""How each ONNX operation is differentiated: one table, keyed by op name.

A rule is called as ``rule(tape, node, dy)`` with the name of the objective's gradient with respect to
the node's output. It emits nodes and returns exactly one gradient (or None) for each of the node's inputs.
Sizes of pictures are known only at run time, so where a rule needs one it asks the tensor for its Shape;
with fixed sizes ONNX Runtime folds all of that away.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any

import numpy as np
from onnx import TensorProto, helper

from .graph import IMAGE, Array, Graph, GraphError, Node
from .lrn import band_sum, channel_band
from .pools import positive, rectified

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
    plain: set[str] = field(default_factory=set)  # gradients that are not in the blocked layout
    pointwise: dict[str, tuple[str, Array]] = field(default_factory=dict)  # results of 1x1 convolutions: of what
    phases: dict[str, list[tuple[str, str]]] = field(default_factory=dict)  # of what they are interleaved to
    starts: dict[str, str] = field(default_factory=dict)  # where in that it begins (int64 [2]), if not at 0
    _lengths: dict[str | None, str | None] = field(default_factory=dict)

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
        """Height and width of a tensor, int64 [2], at run time.

        Counted from the picture's where the way is known: to ask a tensor in the blocked layout copies all of it.
        """
        axes = [self._length(size) for size in self.graph.shapes.get(tensor, ())[2:]]
        if len(axes) != 2 or None in axes:
            return self("Shape", tensor, start=2)
        return self("Concat", *(axis for axis in axes if axis), axis=0)

    def _length(self, size: int | str | None) -> str | None:
        """A height or width as int64 [1], or None where nothing says how it follows from the picture's."""
        if isinstance(size, int):
            return self.graph.integers(size)
        if size not in self._lengths:
            self._lengths[size] = self._counted(size)
        return self._lengths[size]

    def _counted(self, size: str | None) -> str | None:
        picture = self.graph.inputs.get(IMAGE, ())
        if size in picture[2:]:
            axis = picture.index(size)
            return self("Shape", IMAGE, start=axis, end=axis + 1)
        step = self.graph.sizes.get(size or "")
        before = self._length(step.before) if step else None
        if step is None or before is None:
            return None
        (mode, padding), number = step.padding, self.graph.integers
        if mode.startswith(b"SAME"):
            span = self("Add", before, number(step.stride - 1))
        elif step.ceiling and (padding or mode == b"VALID"):
            return None  # whether a window that begins in the padding counts differs from version to version
        else:
            room = (
                (0 if mode == b"VALID" else padding) - step.reach - 1 + step.stride * (1 + step.ceiling) - step.ceiling
            )
            span = self("Add", before, number(room))
        return self("Div", span, number(step.stride))

    def crop(self, tensor: str, start: str, size: str) -> str:
        """The window of ``tensor`` [n,c,h,w] of a given size from a given place (both int64 [2])."""
        return self("Slice", tensor, start, self("Add", start, size), self.graph.integers(2, 3))

    def zeros(self, like: str) -> str:
        """Zeros of a tensor's shape."""
        zero = helper.make_tensor("zero", TensorProto.FLOAT, [1], [0.0])
        return self("ConstantOfShape", self("Shape", like), value=zero)

    def scatter(self, x: str, numbers: str, dy: str) -> str:
        """Zeros of the shape of ``x`` with every value of ``dy`` added to the element whose number, in reading
        order, ``numbers`` (int64, as many as ``dy``) gives."""
        zeros, numbers, dy = (self("Reshape", t, self.graph.integers(-1)) for t in (self.zeros(x), numbers, dy))
        summed = self("ScatterElements", zeros, numbers, dy, axis=0, reduction="add")
        return self("Reshape", summed, self("Shape", x))

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


@rule("Elu")
def _elu(tape: Tape, node: Node, dy: str) -> Gradients:
    below = tape("Add", node.outputs[0], tape.graph.constant(node.attrs.get("alpha", 1.0)))  # alpha e^x
    return [tape("Where", tape("Greater", node.inputs[0], tape.graph.constant(0)), dy, tape("Mul", dy, below))]


@rule("Pow")
def _pow(tape: Tape, node: Node, dy: str) -> Gradients:
    exponent = tape.const(node, 1)
    assert exponent is not None
    # x^0 is flat everywhere, also at 0, where 0 * x^-1 would not be a number
    less = tape.graph.constant(np.where(exponent == 0, 1, exponent - 1.0))
    slope = tape("Mul", tape.graph.constant(exponent), tape("Pow", node.inputs[0], less))
    return [tape.unbroadcast(node, tape("Mul", dy, slope), 0), None]


@rule("Max", "Min")
def _extreme(tape: Tape, node: Node, dy: str) -> Gradients:
    """Those that are equal share, as in PyTorch."""
    wins = [tape("Cast", tape("Equal", x, node.outputs[0]), to=TensorProto.FLOAT) for x in node.inputs]
    share = tape("Div", dy, tape("Sum", *wins))
    return [
        tape.unbroadcast(node, tape("Mul", share, win), i) if node.inputs[i] in tape.active else None
        for i, win in enumerate(wins)
    ]


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


@rule("Slice", "Gather")
def _picked(tape: Tape, node: Node, dy: str) -> Gradients:
    """What only picks elements, picks their numbers just as well."""
    x, *rest = node.inputs
    if any(name in tape.active for name in rest):
        raise GraphError(f"{node}: which elements it picks must not depend on the picture")
    count = tape("Range", *(tape.graph.constant(0, np.int64), tape("Size", x), tape.graph.constant(1, np.int64)))
    numbers = tape(node.op, tape("Reshape", count, tape("Shape", x)), *rest, **node.attrs)
    return _only(node, tape.scatter(x, numbers, dy))


@rule("Split")
def _split(tape: Tape, node: Node, *dys: str) -> Gradients:
    parts = [dy or tape.zeros(y) for dy, y in zip_longest(dys, node.outputs, fillvalue="")]
    return _only(node, tape("Concat", *parts, axis=node.attrs.get("axis", 0)))


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
    if whole and tape.masked.get(dy) != y:  # every part is a Relu's output: mask all of them at once
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
    pads = node.inputs[1]
    less = tape.graph.integers(*-tape.graph.constants[pads]) if pads in tape.graph.constants else tape("Neg", pads)
    dx = tape("Pad", dy, less, tape.graph.constant(0), *node.inputs[3:4])
    if tape.masked.get(dy) == node.outputs[0]:
        tape.masked[dx] = node.inputs[0]
        if dy in tape.phases and "begin" in node.saved:  # before it there is nothing
            tape.phases[dx], tape.starts[dx] = tape.phases[dy], node.saved["begin"]
    return _only(node, dx)


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
    tape.plain.add(dx)
    if tape.masked.get(dy) == y:  # x and y are zero together
        tape.masked[dx] = x
    return [dx, None]


from . import windows as windows  # noqa: E402  enters the rest of the table, which builds on what is above
