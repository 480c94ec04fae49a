"""Padding that depends on a picture's size, written as numbers: windows take the fast ways only then."""

from __future__ import annotations

from ...graph import Graph, Node
from ..tape import Tape
from .workbench import rectified


def fix_padding(graph: Graph) -> None:
    """Write SAME padding as numbers, with which windows take the fast ways, where it is known: where no stride is, or
    where the size is. Shapes must have been inferred."""
    for node in graph.nodes:
        if not node.attrs.get("auto_pad", b"NOTSET").startswith(b"SAME"):
            continue
        strides = node.attrs.get("strides", [1, 1])
        sizes = graph.shapes.get(node.inputs[0], (None,) * 4)[2:]
        if all(stride == 1 or isinstance(size, int) for size, stride in zip(sizes, strides, strict=True)):
            last = [1 if s == 1 else (int(n or 0) - 1) % s + 1 for n, s in zip(sizes, strides, strict=True)]
            _write_pads(graph, node, last)


def even_out(graph: Graph) -> None:
    """Give odd sizes a row or a column of zeros in front where SAME padding meets a stride of 2: then padding is a
    number, as for even sizes, and windows take the fast ways at any size.

    Odd windows pad an odd size by one pixel more, and that in front; to a pool zeros are nothing where what it gets
    is rectified. Other nodes keep SAME. To be called after ``fix_padding`` and ``expand_lrn``.
    """
    tape, never_negative = Tape(graph, set()), rectified(graph)
    nodes, graph.nodes = graph.nodes, []
    for node in nodes:
        x, shape = node.inputs[0], graph.shapes.get(node.inputs[0], (None,))
        if (
            node.attrs.get("auto_pad") == b"SAME_UPPER"
            and node.attrs["strides"] == [2, 2]
            and all(reach % 2 and reach > 1 for reach in _reach(graph, node))
            and (node.op == "Conv" or (node.op == "MaxPool" and x in never_negative))
            and None not in shape
        ):
            odd = graph.emit("Mod", tape.size(x), graph.integers(2))
            pads = graph.emit("Concat", odd, graph.integers(0, 0), axis=0)
            node.inputs[0] = graph.emit("Pad", x, pads, "", graph.integers(2, 3), hint=x)
            graph.nodes[-1].saved["begin"] = odd
            graph.shapes[node.inputs[0]] = (*shape[:2], *(f"{size}, even" for size in shape[2:]))
            _write_pads(graph, node, [2, 2])
        graph.nodes.append(node)


def _write_pads(graph: Graph, node: Node, last: list[int]) -> None:
    """SAME padding as numbers; ``last``: how many pixels the last window's stride still has."""
    lower = node.attrs.pop("auto_pad") == b"SAME_LOWER"
    totals = [max(reach - n, 0) for reach, n in zip(_reach(graph, node), last, strict=True)]
    before = [(total + lower) // 2 for total in totals]
    node.attrs["pads"] = [*before, *(total - b for total, b in zip(totals, before, strict=True))]


def _reach(graph: Graph, node: Node) -> list[int]:
    """How many pixels a window spans in each direction."""
    kernel = node.attrs.get("kernel_shape") or graph.constants[node.inputs[1]].shape[2:]
    return [d * (n - 1) + 1 for n, d in zip(kernel, node.attrs.get("dilations", [1, 1]), strict=True)]
