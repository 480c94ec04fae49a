"""The exact gradient of 3x3 max pools out of depthwise convolutions.

The runtime's MaxPool is fast, but not when asked where the maxima are, and scattering to those places is
slow too. Instead: the maximum of a 3x3 window is the maximum over rows of the maximum over columns, and the
first maximum in reading order is the first row's first column. So two one-dimensional problems remain, in
each of which a window (a, b, c) sends its gradient to c if c > a and c > b, else to b if b > a, else to a.
Comparisons are depthwise convolutions (``Workbench.positive``) in the blocked layout of the convolutions around.

Padding counts as 0 here, so ``x`` must be rectified: never negative, and of no consequence where it is 0.
"""

from __future__ import annotations

from ...graph import Node
from ..tape import Gradients
from .masks import rectify
from .workbench import Offset, Workbench


def filled(tape: Workbench, node: Node, dy: str) -> Gradients | None:
    """By way of a pool with a few more channels, of zeros, where it lacks only those to lie in whole blocks."""
    lacking, (x, y) = _blocks_lack(tape, node), (node.inputs[0], node.outputs[0])
    if not lacking:
        return None
    channels, wide, numbers = tape.channels(node), [], tape.graph.integers
    for name, like in ((x, x), (y, y), (dy, y)):
        batch, _, *size = tape.graph.shapes[like]
        wide.append(tape("Pad", name, numbers(0, 0, 0, 0, 0, lacking, 0, 0)))
        tape.graph.shapes[wide[-1]] = (batch, channels + lacking, *size)
    wide_x, wide_y, dy = wide
    tape.rectified.add(wide_x)
    tape.unblocked.add(dy)
    pool = Node("MaxPool", [wide_x], [wide_y], node.attrs, node.name)
    (dx,) = smooth(tape, pool, dy) or exact(tape, pool, dy) or [None]
    assert dx is not None
    return [tape("Slice", dx, numbers(0), numbers(channels), numbers(1), like=x)]


def smooth(tape: Workbench, node: Node, dy: str) -> Gradients | None:
    """Shared out, a ninth of a window's gradient to each of its places."""
    if not tape.smooth_pool or not _has_window(tape, node):
        return None
    x, y = node.inputs[0], node.outputs[0]
    if node.attrs.get("strides", [1, 1])[0] == 1:
        return [tape("AveragePool", dy, kernel_shape=[3, 3], pads=[1, 1, 1, 1], count_include_pad=1, like=x)]
    batch, channels, height, width = tape.graph.shapes[y]
    size = (batch, channels, f"{height}+1", f"{width}+1")
    # even rows lie in the window that starts there and in the one before, odd rows in one window only
    reach = ((0, -1), (0,))
    phases = []
    for rows in reach:
        pair = [tape.taps(dy, {(r, c): 1 / 9 for r in rows for c in columns}, longer=(1, 1)) for columns in reach]
        tape.graph.shapes |= dict.fromkeys(pair, size)
        phases.append((pair[0], pair[1]))
    return [_interleave(tape, x, phases)]


def exact(tape: Workbench, node: Node, dy: str) -> Gradients | None:
    """To the maxima, of a rectified map."""
    x, y = node.inputs[0], node.outputs[0]
    if tape.smooth_pool or x not in tape.rectified or not _has_window(tape, node):
        return None
    if dy in tape.unblocked:  # brought into the blocks once here, or each product with a mask leaves them
        dy = tape.taps(dy, {(0, 0): 1.0})
        tape.graph.shapes[dy] = tape.graph.shapes[y]
    if node.attrs.get("strides", [1, 1]) == [1, 1]:
        return [_overlapping(tape, node, dy)]
    dx = _strided(tape, node, rectify(tape, dy, y))
    tape.masked[dx] = x  # masked here, where there is a quarter of the pixels, it needs no mask at the Relu before
    return [dx]


def _has_window(tape: Workbench, node: Node) -> bool:
    """Whether this is a 3x3 pool of stride 1 or 2 as GoogLeNet has them, on the CPU's blocked layout."""
    return tape.in_blocks(node.inputs[0]) > 0 and _is_3x3(tape, node)


def _is_3x3(tape: Workbench, node: Node) -> bool:
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


def _blocks_lack(tape: Workbench, node: Node) -> int:
    """How many channels a pool lacks that only for want of whole blocks of them would not take its fast way; 0 where
    that is none, or so many that filling them up is no gain."""
    x = node.inputs[0]
    shape = tape.graph.shapes.get(x, ())
    channels = shape[1] if len(shape) == 4 else None
    fits = tape.blocked and (tape.smooth_pool or x in tape.rectified)
    if not fits or not isinstance(channels, int) or not _is_3x3(tape, node):
        return 0
    lacking = -channels % 16
    return lacking if 8 * lacking < channels else 0


def _sum(tape: Workbench, like: str, *parts: tuple[str, dict[Offset, float]]) -> str:
    """``like`` and shifted tensors of its size; each addition becomes part of a depthwise convolution, in place."""
    total = like
    for x, weights in parts:
        term = tape.taps(x, weights)
        tape.graph.shapes[term] = tape.graph.shapes[like]
        total = tape("Add", total, term, like=like)
    return total


def _pairs(tape: Workbench, x: str, down: int, right: int, *, before: bool = False) -> str:
    """Each value's maximum with the next one along an axis, or with the one before. Of a window's three values the
    last is the largest just where the second pair's maximum is above the first pair's."""
    pads = [down, right, 0, 0] if before else [0, 0, down, right]
    return tape("MaxPool", x, kernel_shape=[1 + down, 1 + right], pads=pads, like=x)


def _overlapping(tape: Workbench, node: Node, dy: str) -> str:
    """A window's maximum is the larger of its two pairs', and a pair's the larger of its two values: along each axis
    the gradient goes to pairs first and then to values. Each time all stays at the later place but what the earlier
    one wins, or the other way round: so nothing has to be moved but that."""
    x = node.inputs[0]
    pairs = _pairs(tape, x, 0, 1, before=True)  # the pair at p is p-1 and p, so the window at p has those at p and p+1
    rows = tape("MaxPool", pairs, kernel_shape=[1, 2], pads=[0, 0, 0, 1], like=x)
    for values, two, (down, right) in ((rows, _pairs(tape, rows, 1, 0, before=True), (1, 0)), (x, pairs, (0, 1))):
        before, here, after = (-down, -right), (0, 0), (down, right)
        later = tape("Mul", dy, tape.positive(two, {after: 1.0, here: -1.0}), like=dy)
        dy = _sum(tape, dy, (later, {here: -1.0, before: 1.0}))
        earlier = tape("Mul", dy, tape.positive(values, {here: 1.0, before: -1.0}, otherwise=True), like=dy)
        dy = _sum(tape, dy, (earlier, {here: -1.0, after: 1.0}))
    return dy


def _strided(tape: Workbench, node: Node, dy: str) -> str:
    """Even and odd rows and columns apart, interleaved at the end. One more of each than there are windows:
    the last window's c may or may not exist."""
    x, y = node.inputs[0], node.outputs[0]
    batch, channels, height, width = tape.graph.shapes[y]
    full = tape.graph.shapes[x]
    size = (batch, channels, f"{height}+1", f"{width}+1")
    dy = tape.taps(dy, {(0, 0): 1.0}, longer=(1, 1))
    tape.graph.shapes[dy] = size
    pairs = _pairs(tape, x, 0, 1)
    rows = tape("MaxPool", pairs, kernel_shape=[1, 2], strides=[1, 2])  # as many as the pool has
    tape.graph.shapes[rows] = (batch, channels, full[2], width)
    c_wins, b_beats_a = (
        tape.positive(values, {(1, 0): 1.0, (0, 0): -1.0}, strides=(2, 1), longer=(1, 1), size=size)
        for values in (_pairs(tape, rows, 1, 0), rows)
    )
    phases = []
    for row, part in enumerate(_share(tape, dy, c_wins, b_beats_a, (-1, 0))):
        c_wins, b_beats_a = (
            tape.positive(values, {(row, 1): 1.0, (row, 0): -1.0}, strides=(2, 2), longer=(1, 1), size=size)
            for values in (pairs, x)
        )
        phases.append(_share(tape, part, c_wins, b_beats_a, (0, -1)))
    return _interleave(tape, x, phases)


def _share(tape: Workbench, dy: str, c_wins: str, b_beats_a: str, before: Offset) -> tuple[str, str]:
    """The gradient of windows along an axis shared among the even and the odd places: the window at p has its a and
    its b there, and its c where the next one has its a."""
    third = tape("Mul", dy, c_wins, like=dy)
    rest = _sum(tape, dy, (third, {(0, 0): -1.0}))
    odd = tape("Mul", rest, b_beats_a, like=dy)
    return _sum(tape, rest, (third, {before: 1.0}), (odd, {(0, 0): -1.0})), odd


def _interleave(tape: Workbench, x: str, phases: list[tuple[str, str]]) -> str:
    """``Workbench.interleave``, where what is beyond the picture is 0: a convolution of stride 2 before takes the
    phases as they are."""
    dx = tape.interleave(x, phases)
    tape.phases[dx] = phases
    return dx
