"""Gradients of activations in the convolutions' blocked layout, which comparisons, Where and Sub would leave."""

from __future__ import annotations

import numpy as np

from ...graph import Node
from ..tape import Gradients
from .workbench import HUGE, Workbench


def clip(tape: Workbench, node: Node, dy: str) -> Gradients | None:
    """Between constant bounds, as in ReLU6: strictly inside them the gradient passes."""
    y, bounds = node.outputs[0], [tape.graph.constants.get(name) for name in node.inputs[1:3]]
    if not tape.in_blocks(y) or len(bounds) != 2 or any(b is None or not np.isfinite(b).all() for b in bounds):
        return None
    for bound, sign in zip(bounds, (1.0, -1.0), strict=True):
        assert bound is not None
        inside = tape.taps(y, {(0, 0): sign * HUGE}, bias=-sign * HUGE * float(bound.reshape(-1)[0]))
        mask = tape("Clip", inside, tape.number(0), tape.number(1))
        tape.graph.shapes[inside] = tape.graph.shapes[mask] = tape.graph.shapes[y]
        dy = tape("Mul", dy, mask, like=y)
    return [dy, None, None]


def swish(tape: Workbench, node: Node, dy: str) -> Gradients | None:
    """Of y = x s with s = sigmoid(x), both ways at once: dy (s + y (1 - s)), which is dy (y + s (1 - y))."""
    makers = {n.outputs[0]: n for n in tape.graph.nodes if n.op == "Sigmoid" and n.outputs[0] in node.inputs}
    y = node.outputs[0]
    for x, s in (node.inputs, node.inputs[::-1]):
        if s in makers and makers[s].inputs[0] == x and tape.in_blocks(y):
            rest = tape.taps(y, {(0, 0): -1.0}, bias=1.0)
            tape.graph.shapes[rest] = tape.graph.shapes[y]
            slope = tape("Add", tape("Mul", s, rest, like=y), y, like=y)
            dx = tape("Mul", dy, slope, like=y)
            return [dx if name == x else None for name in node.inputs]
    return None
