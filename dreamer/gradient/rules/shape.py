"""Gradients of what only moves values: they move back, and where a value went to several places, they add up."""

from __future__ import annotations

from itertools import zip_longest

import numpy as np

from ...graph import GraphError, Node
from ..tape import Gradients, Tape
from .table import only_first, rule


@rule("Flatten", "Reshape", "Squeeze", "Unsqueeze")
def _reshape(tape: Tape, node: Node, dy: str) -> Gradients:
    return only_first(node, tape("Reshape", dy, tape("Shape", node.inputs[0])))


@rule("Slice", "Gather", "GatherElements", "GatherND", "Tile")
def _picked(tape: Tape, node: Node, dy: str) -> Gradients:
    """What only picks elements, picks their numbers just as well."""
    x, *rest = node.inputs
    if any(name in tape.active for name in rest):
        raise GraphError(f"{node}: which elements it picks must not depend on the picture")
    count = tape("Range", *(tape.graph.constant(0, np.int64), tape("Size", x), tape.graph.constant(1, np.int64)))
    numbers = tape(node.op, tape("Reshape", count, tape("Shape", x)), *rest, **node.attrs)
    return only_first(node, tape.scatter(x, numbers, dy))


@rule("Split")
def _split(tape: Tape, node: Node, *dys: str) -> Gradients:
    parts = [dy or tape.zeros(y) for dy, y in zip_longest(dys, node.outputs, fillvalue="")]
    return only_first(node, tape("Concat", *parts, axis=node.attrs.get("axis", 0)))


@rule("Transpose")
def _transpose(tape: Tape, node: Node, dy: str) -> Gradients:
    rank = tape.graph.rank(node.inputs[0], node)
    perm = node.attrs.get("perm", list(range(rank))[::-1])
    return [tape("Transpose", dy, perm=[int(i) for i in np.argsort(perm)])]


@rule("Concat")
def concat(tape: Tape, node: Node, dy: str) -> Gradients:
    axis = node.attrs["axis"] % tape.graph.rank(node.outputs[0], node)
    sizes = [tape.graph.shapes[name][axis] for name in node.inputs if tape.graph.rank(name, node)]
    if all(isinstance(size, int) for size in sizes):
        lengths = tape.graph.constant(sizes, np.int64)
    else:
        lengths = tape("Concat", *(tape("Shape", x, start=axis, end=axis + 1) for x in node.inputs), axis=0)
    return list(tape.graph.emit_many("Split", len(sizes), dy, lengths, hint="dConcat", axis=axis))


@rule("Expand")
def _expand(tape: Tape, node: Node, dy: str) -> Gradients:
    return only_first(node, tape.unbroadcast(node, dy, 0))


@rule("DepthToSpace")
def _depth_to_space(tape: Tape, node: Node, dy: str) -> Gradients:
    block, channels = node.attrs["blocksize"], tape.channels(node)
    dx = tape("SpaceToDepth", dy, blocksize=block)
    if node.attrs.get("mode", b"DCR") == b"CRD":  # the block's places come after the channels, not before
        order = np.arange(channels).reshape(block * block, -1).T.reshape(-1)
        dx = tape("Gather", dx, tape.graph.constant(order, np.int64), axis=1)
    return [dx]


@rule("SpaceToDepth")
def _space_to_depth(tape: Tape, node: Node, dy: str) -> Gradients:
    return [tape("DepthToSpace", dy, blocksize=node.attrs["blocksize"])]


@rule("Pad")
def pad(tape: Tape, node: Node, dy: str) -> Gradients:
    """Zeros around are cut off again; what is mirrored or repeated was picked from x."""
    if node.attrs.get("mode", b"constant") != b"constant":
        return _picked(tape, node, dy)
    pads = node.inputs[1]
    less = tape.graph.integers(*-tape.graph.constants[pads]) if pads in tape.graph.constants else tape("Neg", pads)
    return only_first(node, tape("Pad", dy, less, tape.number(0), *node.inputs[3:4]))
