"""Gradients of activations in the convolutions' blocked layout, which comparisons, Where and Sub would leave."""

from __future__ import annotations

import numpy as np

from ...graph import Node
from ..rules.table import only_first
from ..tape import Gradients
from .workbench import HUGE, Offset, Workbench


def clip(tape: Workbench, node: Node, dy: str) -> Gradients | None:
    """Between constant bounds, as in ReLU6: strictly inside them the gradient passes."""
    y, bounds = node.outputs[0], [tape.graph.constants.get(name) for name in node.inputs[1:3]]
    if not tape.in_blocks(y) or len(bounds) != 2 or any(b is None or not np.isfinite(b).all() for b in bounds):
        return None
    limits = [
        (sign * HUGE, -sign * HUGE * float(b.reshape(-1)[0]))
        for b, sign in zip(bounds, (1, -1), strict=True)
        if b is not None
    ]

    def masked(part: str, inside: list[str]) -> str:
        for values in inside:
            mask = tape("Clip", values, tape.number(0), tape.number(1), like=part)
            part = tape("Mul", part, mask, like=part)
        return part

    def phase(part: str, at: Offset) -> str:
        return masked(part, [tape.pick(y, at, like=part, weight=weight, bias=bias) for weight, bias in limits])

    if dy in tape.sampled:
        return only_first(node, tape.each_phase(y, dy, phase))
    inside = [tape.taps(y, {(0, 0): weight}, bias=bias) for weight, bias in limits]
    tape.graph.shapes |= dict.fromkeys(inside, tape.graph.shapes[y])
    return only_first(node, masked(dy, inside))


def swish(tape: Workbench, node: Node, dy: str) -> Gradients | None:
    """Of y = x s with s = sigmoid(x), both ways at once: dy (s + y (1 - s)), which is dy s (1 + x - y)."""
    makers = {n.outputs[0]: n for n in tape.graph.nodes if n.op == "Sigmoid" and n.outputs[0] in node.inputs}
    y = node.outputs[0]
    for x, s in (node.inputs, node.inputs[::-1]):
        if s in makers and makers[s].inputs[0] == x and tape.in_blocks(y):
            dx = _by_slope(tape, x, s, y, dy)
            return [dx if name == x else None for name in node.inputs]
    return None


def _by_slope(tape: Workbench, x: str, s: str, y: str, dy: str) -> str:
    rest = tape.taps(y, {(0, 0): -1.0}, bias=1.0)
    tape.graph.shapes[rest] = tape.graph.shapes[y]
    slope = tape("Mul", s, tape("Add", rest, x, like=y), like=y)

    def phase(part: str, at: Offset) -> str:
        return tape("Mul", part, tape.pick(slope, at, like=part), like=part)

    return tape.each_phase(y, dy, phase) if dy in tape.sampled else tape("Mul", dy, slope, like=y)
