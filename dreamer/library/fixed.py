"""Where a network fixes the picture's size, as transformers do with their tables of places: what comes after sees the
whole picture at the one size that the network was made for; what comes before sees pictures of every size."""

from __future__ import annotations

import numpy as np

from ..graph import FixedShape, Graph, Node
from ..graph.fold import shapes_at

REARRANGED = {"Expand", "Flatten", "Reshape", "Squeeze", "Tile", "Unsqueeze"}  # as many values as before, or repeated


def fixing(graph: Graph) -> list[str]:
    """The first tensors, in the network's order, that exist at the nominal size only."""
    height, width = graph.inputs[graph.picture][2:]
    assert isinstance(height, int) and isinstance(width, int)
    first, other = shapes_at(graph), shapes_at(graph, (height + 64, width + 96))
    moving, fixed = {graph.picture}, set[str]()
    found = []
    for node in graph.nodes:
        if any(name in fixed for name in node.inputs):
            fixed.update(o for o in node.outputs if o)
        elif any(name in moving for name in node.inputs):
            if _fixes(node, first, other):
                found.append(node.outputs[0])
                fixed.update(o for o in node.outputs if o)
            else:
                moving.update(o for o in node.outputs if o)
    return found


def _fixes(node: Node, first: dict[str, FixedShape], other: dict[str, FixedShape]) -> bool:
    """Whether a node gives the same map for pictures of both sizes, or nothing for the other one."""
    known = [name for name in node.outputs if name in first]
    if any(name not in other for name in known):
        return True
    if not any(first.get(name) != other.get(name) for name in node.inputs):
        return False
    kept = [first[name] for name in known if other[name] == first[name]]
    if any(len(shape) >= 4 and np.prod(shape[2:]) > 1 for shape in kept):
        return True
    return node.op in REARRANGED and bool(kept) and len(first.get(node.inputs[0], ())) > 1
