"""A model file made ready: its forward graph for RGB pictures in 0..255, and the layers one can dream of."""

from __future__ import annotations

import numpy as np
import onnx

from ..graph import IMAGE, Array, Graph, GraphError, Node, ours
from ..graph.fold import fold_constants
from ..library.files import ModelFiles
from ..library.layers import Layer, append_map, find_layers, known_size, map_name

__all__ = ["CENTRED", "Layer", "layer_size", "layers", "prepare", "seen_as"]

CENTRED = ours("image_centred")  # the picture less the mean, when that is all that is left of the preprocessing


def prepare(files: ModelFiles) -> Graph:
    """The network's graph with the input IMAGE [1,3,height,width] and everything constant folded.

    Raises GraphError where the file and its model.json do not fit together.
    """
    graph, info = Graph.read(onnx.load(str(files.model))), files.info
    if info.input not in graph.inputs:
        raise GraphError(
            f"{info.name}: model.json names the input {info.input!r}, the network has {', '.join(graph.inputs)}"
        )
    fold_constants(graph)
    # value = (pixel - mean) * scale in the network's channel order: one 1x1 convolution
    order = np.eye(3, dtype=np.float32)[:, :: 1 if info.channel_order == "RGB" else -1] * np.float32(info.scale)
    mean = np.asarray(info.mean, np.float32)
    turn, shift = graph.constant(order[:, :, None, None]), graph.constant(-mean * np.float32(info.scale))
    graph.nodes.insert(0, Node("Conv", [IMAGE, turn, shift], [info.input], name=ours("image_to_input")))
    graph.inputs = {IMAGE: (1, 3, "height", "width")}
    _fold_picture(graph, graph.nodes[0], mean)
    graph.infer_shapes()
    return graph


def _fold_picture(graph: Graph, picture: Node, mean: Array) -> None:
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


def layers(graph: Graph, files: ModelFiles) -> dict[str, Layer]:
    """Every tensor of a prepared graph that one can dream of (``library.layers``); nodes are appended to it that show
    each of them as a map [n,c,h,w], if it is one that lies differently."""
    info = files.info
    found = find_layers(graph, info.fixed_size, info.fixed_by, (info.input, CENTRED, *info.skipped))
    for layer in found.values():
        append_map(graph, layer)
    if any(layer.axes == 3 or layer.axis != 1 for layer in found.values()):
        graph.infer_shapes()
    return found


def seen_as(graph: Graph, layer: str) -> str:
    """The tensor of a prepared graph that shows a layer as a map or a vector: itself, or what was appended."""
    return map_name(layer) if any(map_name(layer) in node.outputs for node in graph.nodes) else layer


def layer_size(graph: Graph, layer: str, height: int, width: int) -> tuple[int, int]:
    """Height and width of a layer for a picture of this size."""
    part, seen = graph.copy(), seen_as(graph, layer)
    part.cut([seen])
    return known_size(part.infer_shapes({IMAGE: (1, 3, height, width)})[seen], layer)
