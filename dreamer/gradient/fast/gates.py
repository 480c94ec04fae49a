"""The gradient of maps whose channels are weighed by what their own means say (squeeze and excitation).

Back to such a map come dy times the weights and, through the means, one number for each channel: together a
BatchNormalization, which reads and writes the map once.
"""

from __future__ import annotations

from ...graph import Node
from ..rules.elementwise import multiplied
from ..rules.window import spread_evenly
from ..tape import Gradients
from .workbench import Workbench


def weighed(tape: Workbench, node: Node, dy: str) -> Gradients | None:
    """By the rule; remembered of what, and by what."""
    gradients = multiplied(tape, node, dy)
    for dx, x, weights in zip(gradients, node.inputs, node.inputs[::-1], strict=True):
        of_map, of_weights = (tape.graph.shapes.get(name, ()) for name in (x, weights))
        known = tape.blocked and len(of_map) == 4 and isinstance(of_map[1], int)
        if dx and known and of_weights == (1, of_map[1], 1, 1) and of_map != of_weights:
            tape.weighed[dx] = dy, weights
    return gradients


def averaged(tape: Workbench, node: Node, dy: str) -> Gradients | None:
    """By the rule; remembered as one number for each channel."""
    dx, each = spread_evenly(tape, node.inputs[0], dy)
    if tape.graph.shapes.get(dy, ())[:1] == (1,):
        tape.even[dx] = each
    return [dx]
