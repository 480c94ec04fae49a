"""The exact gradient of 3x3 max pools out of depthwise convolutions.

The runtime's MaxPool is fast, but not when asked where the maxima are, and scattering to those places is
slow too. Instead: the maximum of a 3x3 window is the maximum over rows of the maximum over columns, and the
first maximum in reading order is the first row's first column. So two one-dimensional problems remain, in
each of which a window (a, b, c) sends its gradient to c if c > a and c > b, else to b if b > a, else to a.
A comparison is a depthwise convolution with the taps -2^80 and 2^80 clamped to 0..1, which is exact in
float32 for values from 1e-17 to 1e14, and stays in the blocked layout of the convolutions around it.

Padding counts as 0 here, so ``x`` must be rectified: never negative, and of no consequence where it is 0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .graph import Graph, Node

if TYPE_CHECKING:
    from .rules import Tape

HUGE = 2.0**80
Offset = tuple[int, int]


def rectified(graph: Graph) -> set[str]:
    """Tensors that are never negative and through whose zeros no gradient passes: they come from Relu."""
    found: set[str] = set()
    for node in graph.nodes:
        zeros = node.op == "Pad" and not any(node.inputs[2:3]) and node.attrs.get("mode", b"constant") == b"constant"
        values = node.inputs[:1] if node.rule == "LRN" or zeros else node.inputs
        if node.op == "Relu" or ((node.op in PASSES or node.rule == "LRN" or zeros) and found.issuperset(values)):
            found.add(node.outputs[0])
    return found


PASSES = {"Concat", "MaxPool", "AveragePool", "Add", "Sum", "Identity"}


def taps(
    tape: Tape,
    x: str,
    weights: dict[Offset, float],
    *,
    bias: float = 0.0,
    strides: Offset = (1, 1),
    longer: Offset = (0, 0),
) -> str:
    """out[i, j] = sum over offsets (r, c) of weight * x[i * stride + r, j * stride + c], zeros beyond the edges.

    With stride 1 the output has the size of ``x``, plus ``longer`` at the end; with stride 2 as many rows as
    a ceiling pool of three without padding has windows, plus ``longer``.
    """
    channels = tape.in_blocks(x)
    first = [min(0, *(o[axis] for o in weights)) for axis in (0, 1)]
    last = [max(0, *(o[axis] for o in weights)) for axis in (0, 1)]
    kernel = np.zeros((channels, 1, last[0] - first[0] + 1, last[1] - first[1] + 1), np.float32)
    for (row, column), weight in weights.items():
        kernel[:, 0, row - first[0], column - first[1]] = weight
    # an output row i of a stride-2 window exists when rows 2i and 2i+1 do
    end = [last[axis] + longer[axis] if strides[axis] == 1 else last[axis] - 1 + 2 * longer[axis] for axis in (0, 1)]
    if min(end) < 0:  # the window must reach row 2i+1 even if it has no tap there
        grow = [max(0, -e) for e in end]
        kernel = np.pad(kernel, ((0, 0), (0, 0), (0, grow[0]), (0, grow[1])))
        end = [max(0, e) for e in end]
    return tape(
        "Conv",
        x,
        tape.graph.constant(kernel),
        *([tape.graph.constant(np.full(channels, bias))] if bias else []),
        group=channels,
        strides=list(strides),
        pads=[-first[0], -first[1], *end],
        kernel_shape=list(kernel.shape[2:]),
    )


def positive(
    tape: Tape,
    x: str,
    weights: dict[Offset, float],
    *,
    otherwise: bool = False,
    strides: Offset = (1, 1),
    longer: Offset = (0, 0),
    size: tuple[int | str | None, ...] = (),
) -> str:
    """1 where the weighted sum (as in ``taps``, of weights 1 and -1) is above 0, else 0; ``otherwise``: the reverse."""
    huge = -HUGE if otherwise else HUGE
    scaled = {offset: weight * huge for offset, weight in weights.items()}
    difference = taps(tape, x, scaled, bias=float(otherwise), strides=strides, longer=longer)
    mask = tape("Clip", difference, tape.graph.constant(0), tape.graph.constant(1))
    tape.graph.shapes[difference] = tape.graph.shapes[mask] = size or tape.graph.shapes[x]
    return mask


def handles(tape: Tape, node: Node) -> bool:
    """Whether this pool's exact gradient can be written so."""
    return node.inputs[0] in tape.rectified and has_window(tape, node)


def has_window(tape: Tape, node: Node) -> bool:
    """Whether this is a 3x3 pool of stride 1 or 2 as GoogLeNet has them, on the CPU's blocked layout."""
    return tape.in_blocks(node.inputs[0]) > 0 and _has_window(tape, node)


def _has_window(tape: Tape, node: Node) -> bool:
    """The same, whatever the channels."""
    attrs = node.attrs
    if (
        None in tape.graph.shapes[node.outputs[0]]
        or list(attrs["kernel_shape"]) != [3, 3]
        or attrs.get("dilations", [1, 1]) != [1, 1]
    ):
        return False
    strides, pads = list(attrs.get("strides", [1, 1])), list(attrs.get("pads", [0] * 4))
    if attrs.get("auto_pad", b"NOTSET") != b"NOTSET":  # SAME with stride 1 is a pixel on each side
        pads = [1] * 4 if strides == [1, 1] and attrs["auto_pad"].startswith(b"SAME") else []
    ceiling = attrs.get("ceil_mode", 0)
    return (strides, pads) == ([1, 1], [1] * 4) or (
        strides == [2, 2] and ((pads == [0] * 4 and ceiling) or (pads == [0, 0, 1, 1] and not ceiling))
    )


def blocks_lack(tape: Tape, node: Node) -> int:
    """How many channels a pool lacks that only for want of whole blocks of them would not take its fast way; 0 where
    that is none, or so many that filling them up is no gain."""
    x = node.inputs[0]
    shape = tape.graph.shapes.get(x, ())
    channels = shape[1] if len(shape) == 4 else None
    fits = tape.blocked and (tape.smooth_pool or x in tape.rectified)
    if not fits or not isinstance(channels, int) or not _has_window(tape, node):
        return 0
    lacking = -channels % 16
    return lacking if 8 * lacking < channels else 0


def max_pool_gradient(tape: Tape, node: Node, dy: str) -> str:
    """d objective / d x for a pool that ``handles`` accepts."""
    return _overlapping(tape, node, dy) if node.attrs.get("strides", [1, 1])[0] == 1 else _strided(tape, node, dy)


def _sum(tape: Tape, like: str, *parts: tuple[str, dict[Offset, float]]) -> str:
    """``like`` and shifted tensors of its size; each addition becomes part of a depthwise convolution, in place."""
    total = like
    for x, weights in parts:
        term = taps(tape, x, weights)
        tape.graph.shapes[term] = tape.graph.shapes[like]
        total = tape("Add", total, term, like=like)
    return total


def _pairs(tape: Tape, x: str, down: int, right: int, *, before: bool = False) -> str:
    """Each value's maximum with the next one along an axis, or with the one before. Of a window's three values the
    last is the largest just where the second pair's maximum is above the first pair's."""
    pads = [down, right, 0, 0] if before else [0, 0, down, right]
    return tape("MaxPool", x, kernel_shape=[1 + down, 1 + right], pads=pads, like=x)


def _overlapping(tape: Tape, node: Node, dy: str) -> str:
    """A window's maximum is the larger of its two pairs', and a pair's the larger of its two values: along each axis
    the gradient goes to pairs first and then to values. Each time all stays at the later place but what the earlier
    one wins, or the other way round: so nothing has to be moved but that."""
    x = node.inputs[0]
    pairs = _pairs(tape, x, 0, 1, before=True)  # the pair at p is p-1 and p, so the window at p has those at p and p+1
    rows = tape("MaxPool", pairs, kernel_shape=[1, 2], pads=[0, 0, 0, 1], like=x)
    for values, two, (down, right) in ((rows, _pairs(tape, rows, 1, 0, before=True), (1, 0)), (x, pairs, (0, 1))):
        before, here, after = (-down, -right), (0, 0), (down, right)
        later = tape("Mul", dy, positive(tape, two, {after: 1.0, here: -1.0}), like=dy)
        dy = _sum(tape, dy, (later, {here: -1.0, before: 1.0}))
        earlier = tape("Mul", dy, positive(tape, values, {here: 1.0, before: -1.0}, otherwise=True), like=dy)
        dy = _sum(tape, dy, (earlier, {here: -1.0, after: 1.0}))
    return dy


def _strided(tape: Tape, node: Node, dy: str) -> str:
    """Even and odd rows and columns apart, interleaved at the end. One more of each than there are windows:
    the last window's c may or may not exist."""
    x, y = node.inputs[0], node.outputs[0]
    batch, channels, height, width = tape.graph.shapes[y]
    full = tape.graph.shapes[x]
    size = (batch, channels, f"{height}+1", f"{width}+1")
    dy = taps(tape, dy, {(0, 0): 1.0}, longer=(1, 1))
    tape.graph.shapes[dy] = size
    pairs = _pairs(tape, x, 0, 1)
    rows = tape("MaxPool", pairs, kernel_shape=[1, 2], strides=[1, 2])  # as many as the pool has
    tape.graph.shapes[rows] = (batch, channels, full[2], width)
    c_wins, b_beats_a = (
        positive(tape, values, {(1, 0): 1.0, (0, 0): -1.0}, strides=(2, 1), longer=(1, 1), size=size)
        for values in (_pairs(tape, rows, 1, 0), rows)
    )
    phases = []
    for row, part in enumerate(_share(tape, dy, c_wins, b_beats_a, (-1, 0))):
        c_wins, b_beats_a = (
            positive(tape, values, {(row, 1): 1.0, (row, 0): -1.0}, strides=(2, 2), longer=(1, 1), size=size)
            for values in (pairs, x)
        )
        phases.append(_share(tape, part, c_wins, b_beats_a, (0, -1)))
    return _interleave(tape, x, phases)


def _share(tape: Tape, dy: str, c_wins: str, b_beats_a: str, before: Offset) -> tuple[str, str]:
    """The gradient of windows along an axis shared among the even and the odd places: the window at p has its a and
    its b there, and its c where the next one has its a."""
    third = tape("Mul", dy, c_wins, like=dy)
    rest = _sum(tape, dy, (third, {(0, 0): -1.0}))
    odd = tape("Mul", rest, b_beats_a, like=dy)
    return _sum(tape, rest, (third, {before: 1.0}), (odd, {(0, 0): -1.0})), odd


def _interleave(tape: Tape, x: str, phases: list[tuple[str, str]]) -> str:
    """A tensor of ``x``'s size out of its (even, odd) columns in even and in odd rows; what is beyond is cut, and is 0.

    A convolution of stride 2 before takes the phases as they are.
    """
    merged = []
    for pair in phases:
        columns = [tape("Unsqueeze", phase, tape.graph.integers(4)) for phase in pair]
        merged.append(tape("Reshape", tape("Concat", *columns, axis=4), tape.graph.integers(0, 0, 0, -1)))
    lines = tape("Concat", tape.graph.integers(0, 0, -1), tape("Shape", merged[0], start=3), axis=0)
    whole = tape("Reshape", tape("Concat", *merged, axis=3), lines)
    dx = tape("Slice", whole, tape.graph.integers(0, 0), tape.size(x), tape.graph.integers(2, 3), like=x)
    tape.phases[dx] = phases
    return dx


def smooth_gradient(tape: Tape, node: Node, dy: str) -> str:
    """A ninth of a window's gradient to each of its places, for a pool with ``has_window``."""
    x, y = node.inputs[0], node.outputs[0]
    if node.attrs.get("strides", [1, 1])[0] == 1:
        return tape("AveragePool", dy, kernel_shape=[3, 3], pads=[1, 1, 1, 1], count_include_pad=1, like=x)
    batch, channels, height, width = tape.graph.shapes[y]
    size = (batch, channels, f"{height}+1", f"{width}+1")
    # even rows lie in the window that starts there and in the one before, odd rows in one window only
    reach = ((0, -1), (0,))
    phases = []
    for rows in reach:
        pair = [taps(tape, dy, {(r, c): 1 / 9 for r in rows for c in columns}, longer=(1, 1)) for columns in reach]
        tape.graph.shapes |= dict.fromkeys(pair, size)
        phases.append((pair[0], pair[1]))
    return _interleave(tape, x, phases)
