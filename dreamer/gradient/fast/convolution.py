"""Faster ways to the gradient of a convolution than laying every output's weights back over the picture."""

from __future__ import annotations

import numpy as np

from ...graph import Array, Node
from ..rules.table import only_first
from ..rules.window import Window
from ..tape import Gradients
from . import winograd
from .workbench import Offset, Workbench


def mirrored(tape: Workbench, node: Node, dy: str) -> Gradients | None:
    """With stride 1 it is a convolution, with the weights turned round."""
    weights, window, group = _parts(tape, node)
    pads = _mirrored_pads(window)
    if window.strides != (1, 1) or pads is None:
        return None
    turned = flipped(weights, group)
    if dy in tape.sampled and weights.shape[2:] == (1, 1) and not any(pads) and len(weights) > weights.shape[1] * group:
        kernel, (batch, _, *size) = tape.graph.constant(turned), tape.graph.shapes[tape.sampled[dy][0][0]]

        def convolved(part: str, _at: Offset) -> str:
            made = tape("Conv", part, kernel, group=group)
            tape.graph.shapes[made] = (batch, len(turned), *size)
            return made

        return only_first(node, tape.each_phase(node.inputs[0], dy, convolved))
    if window.dilations == (1, 1) and winograd.handles(tape, dy, turned, pads):
        return only_first(node, winograd.convolve(tape, dy, turned))
    dx = tape("Conv", dy, tape.graph.constant(turned), pads=pads, dilations=list(window.dilations), group=group)
    if weights.shape[2:] == (1, 1) and group == 1 and not any(pads) and tape.in_blocks(dy):
        tape.pointwise[dx] = dy, turned
    return only_first(node, dx)


def by_phases(tape: Workbench, node: Node, dy: str) -> Gradients | None:
    """With stride 2 and few input channels, as on the picture itself: a plain convolution that gives blocks of pixels
    as channels."""
    weights, window, group = _parts(tape, node)
    if (
        group == 1
        and window.dilations == (1, 1)
        and window.strides == (2, 2)
        and window.pads is not None
        and all(pad < reach for pad, reach in zip(window.pads, window.reach * 2, strict=True))
        and weights.shape[1] <= 4
    ):
        return only_first(node, _phases_of(tape, dy, weights, window, node.inputs[0]))
    return None


def interleaved(tape: Workbench, node: Node, dy: str) -> Gradients | None:
    """With stride 2 and channels in whole blocks, depthwise too: the even and the odd rows and columns are convolutions
    of stride 1 with every other weight each.

    With padding p pixel 2j + a gets weight a + p - 2o of output j + o.
    """
    weights, window, group = _parts(tape, node)
    x, kernel, numbers = node.inputs[0], weights.shape[2:], (0, 1)
    if (
        window.strides != (2, 2)
        or window.dilations != (1, 1)
        or window.pads is None
        or not tape.in_blocks(x)
        or not all(k >= 2 and before <= k - 2 for k, before in zip(kernel, window.pads[:2], strict=True))
    ):
        return None
    turned = flipped(weights, group)[:, :, ::-1, ::-1]
    # places of the picture beyond those that twice as many as there are outputs make
    more = [
        max(0, -((before + after + 1 - k) // 2))
        for k, before, after in zip(kernel, window.pads[:2], window.pads[2:], strict=True)
    ]
    reach = [  # of each axis' even and odd places: the first and the last o
        [(-((k - 1 - a - before) // 2), (a + before) // 2) for a in numbers]
        for k, before in zip(kernel, window.pads[:2], strict=True)
    ]
    batch, _, *size = tape.graph.shapes.get(dy, (1, None, None, None))
    longer = [length if not m or length is None else f"{length}+{m}" for length, m in zip(size, more, strict=True)]

    def phase(*at: int) -> str:
        spans = [reach[axis][a] for axis, a in enumerate(at)]
        rows, columns = (
            [a + before - 2 * o for o in range(first, last + 1)]
            for a, before, (first, last) in zip(at, window.pads or (), spans, strict=False)
        )
        mine = np.ascontiguousarray(turned[:, :, rows][:, :, :, columns])
        pads = [-first for first, _ in spans] + [last + m for (_, last), m in zip(spans, more, strict=True)]
        made = tape("Conv", dy, tape.graph.constant(mine), pads=pads, group=group)
        tape.graph.shapes[made] = (batch, len(turned), *longer)
        return made

    phases = [(phase(row, 0), phase(row, 1)) for row in numbers]
    dx = tape.interleave(x, phases)
    if all(sum(window.pads[axis::2]) == k - 1 for axis, k in enumerate(kernel)):
        tape.sampled[dx] = phases
    return only_first(node, dx)


def _parts(tape: Workbench, node: Node) -> tuple[Array, Window, int]:
    weights = tape.const(node, 1)
    assert weights is not None
    return weights, Window.of(node, weights.shape[2:]), node.attrs.get("group", 1)


def _phases_of(tape: Workbench, dy: str, weights: Array, window: Window, x: str) -> str:
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
        conv = _from_phases(tape, tape.phases[dy], phases.reshape(depth * block * block, out, *spans), low)
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


def _from_phases(tape: Workbench, phases: list[tuple[str, str]], weights: Array, low: list[int]) -> str:
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
