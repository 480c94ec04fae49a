"""What a Relu lets through, once for all that it passes: with rectified y, a gradient masked by y stays masked."""

from __future__ import annotations

from ...graph import Node
from ..rules.shape import concat, pad
from ..tape import Gradients
from .workbench import HUGE, Offset, Workbench


def relu(tape: Workbench, node: Node, dy: str) -> Gradients | None:
    """In the blocked layout, and not again what is masked already."""
    y = node.outputs[0]
    if y == tape.masked.get(dy):
        return [dy]
    if not tape.in_blocks(y):
        return None
    if dy not in tape.sampled:
        return [rectify(tape, dy, y)]

    def masked(part: str, at: Offset) -> str:
        mask = tape("Clip", tape.pick(y, at, like=part, weight=HUGE), tape.number(0), tape.number(1), like=part)
        return tape("Mul", part, mask, like=part)

    return [tape.each_phase(y, dy, masked)]


def rectify(tape: Workbench, dy: str, y: str) -> str:
    """``dy`` where ``y`` > 0, else 0, for a ``y`` in blocks that is never negative."""
    return tape("Mul", dy, tape.positive(y, {(0, 0): 1.0}), like=y)


def concat_of_relus(tape: Workbench, node: Node, dy: str) -> Gradients | None:
    """Every part is a Relu's output: mask all of them at once."""
    y = node.outputs[0]
    relus = {n.outputs[0] for n in tape.graph.nodes if n.op == "Relu"}
    if len(node.inputs) < 2 or not relus.issuperset(node.inputs) or not tape.in_blocks(y):
        return None
    parts = concat(tape, node, dy if tape.masked.get(dy) == y else rectify(tape, dy, y))
    tape.masked |= {part: x for part, x in zip(parts, node.inputs, strict=True) if part}
    return parts


def pad_of_masked(tape: Workbench, node: Node, dy: str) -> Gradients | None:
    """Where only zeros are put around, what was known of the gradient still holds."""
    if tape.masked.get(dy) != node.outputs[0]:
        return None
    dx, *others = pad(tape, node, dy)
    assert dx is not None
    tape.masked[dx] = node.inputs[0]
    if dy in tape.phases and "begin" in node.saved:  # before it there is nothing
        tape.phases[dx], tape.starts[dx] = tape.phases[dy], node.saved["begin"]
    return [dx, *others]
