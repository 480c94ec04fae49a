"""Rewrites of a graph that leave the function it computes unchanged, each with its reason."""

from __future__ import annotations

import numpy as np
import onnxruntime as ort

from .graph import Array, Graph, Node, ours

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


def fix_padding(graph: Graph, *, aligned: bool) -> None:
    """Write SAME padding as numbers, with which windows take the fast ways, where it is known: where the size is, or
    where (``aligned``) every size is a multiple of the stride that meets it. Shapes must have been inferred."""
    for node in graph.nodes:
        auto = node.attrs.get("auto_pad", b"NOTSET")
        if not auto.startswith(b"SAME"):
            continue
        kernel = node.attrs.get("kernel_shape") or graph.constants[node.inputs[1]].shape[2:]
        sizes = graph.shapes.get(node.inputs[0], (None,) * 4)[2:]
        ones = [1] * len(kernel)
        strides, dilations = (node.attrs.get(name, ones) for name in ("strides", "dilations"))
        totals = []
        for size, n, stride, dilation in zip(sizes, kernel, strides, dilations, strict=True):
            left = stride if aligned or stride == 1 else (size - 1) % stride + 1 if isinstance(size, int) else None
            totals.append(None if left is None else max(dilation * (n - 1) + 1 - left, 0))
        if None not in totals:
            before = [(total + (auto == b"SAME_LOWER")) // 2 for total in totals]
            node.attrs["pads"] = [*before, *(total - b for total, b in zip(totals, before, strict=True))]
            del node.attrs["auto_pad"]
