"""Rewrites of a graph that leave the function it computes unchanged, each with its reason."""

from __future__ import annotations

import numpy as np
import onnxruntime as ort

from .graph import Array, Graph, Node, ours
from .rules import Tape

CENTRED = ours("image_centred")  # the picture less the mean, when that is all that is left of the preprocessing


def fold_constants(graph: Graph) -> None:
    """Compute what does not depend on an input, so that rules find weights and shapes as constants.

    Files made by exporters hold such arithmetic (Unsqueeze of a weight, ConstantOfShape) all over.
    """
    fed = graph.descendants(graph.inputs)
    fixed = [n for n in graph.nodes if not any(o in fed for o in n.outputs)]
    if not fixed:
        return
    kept = [n for n in graph.nodes if any(o in fed for o in n.outputs)]
    wanted = [o for n in fixed for o in n.outputs if o]
    used = {i for n in kept for i in n.inputs} | set(graph.outputs)
    part = Graph()
    part.nodes, part.constants = fixed, graph.constants
    part.outputs = [o for o in wanted if o in used]
    if part.outputs:
        options = ort.SessionOptions()
        options.log_severity_level = 3
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
        session = ort.InferenceSession(part.write().SerializeToString(), options, providers=["CPUExecutionProvider"])
        graph.constants |= dict(zip(part.outputs, session.run(None, {}), strict=True))
    graph.nodes = kept


def fold_picture(graph: Graph, picture: Node, mean: Array) -> None:
    """Move channel order and scale into the first convolutions, if nothing else reads the picture.

    ``picture`` is the 1x1 convolution that makes the network's input from the image, ``mean`` [3] its mean
    in the network's channel order. Subtracting the mean cannot move along (padding is zero after it), but a
    subtraction needs no node in the gradient, and the convolution needed two and four copies.
    """
    users = [n for n in graph.nodes if picture.outputs[0] in n.inputs]
    if picture.outputs[0] in graph.outputs or any(
        n.op != "Conv" or n.attrs.get("group", 1) != 1 or n.inputs[1] not in graph.constants for n in users
    ):
        return
    order = graph.constants[picture.inputs[1]][:, :, 0, 0]
    for user in users:
        turned = np.einsum("oihw,ij->ojhw", graph.constants[user.inputs[1]], order)
        user.inputs[:2] = [CENTRED, graph.constant(turned)]
    shift = np.abs(order).T @ mean / np.abs(order).sum(axis=0)
    centred = Node("Sub", [picture.inputs[0], graph.constant(shift.reshape(1, 3, 1, 1))], [CENTRED], name=CENTRED)
    graph.nodes[graph.nodes.index(picture)] = centred


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
    tape = Tape(graph, set())
    nodes, graph.nodes = graph.nodes, []
    for node in nodes:
        x, shape = node.inputs[0], graph.shapes.get(node.inputs[0], (None,))
        if (
            node.attrs.get("auto_pad") == b"SAME_UPPER"
            and node.attrs["strides"] == [2, 2]
            and all(reach % 2 and reach > 1 for reach in _reach(graph, node))
            and (node.op == "Conv" or (node.op == "MaxPool" and x in tape.rectified))
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
