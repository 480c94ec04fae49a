"""From an ONNX model to the graph of a network for colour pictures: one float32 input [1, 3, height, width]."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import helper, shape_inference

from ..graph import FLOATS, Graph, Node
from ..graph.fold import fold_constants
from ..graph.opset import to_opset
from .checks import check_memory
from .names import LibraryError

QUANTISED = {"QuantizeLinear", "DequantizeLinear", "QLinearConv", "ConvInteger", "MatMulInteger", "QLinearMatMul"}


def read_graph(model: onnx.ModelProto, input_name: str | None = None, size: int = 224) -> Graph:
    """The graph of `model` with its picture as the only input, at the size it was made for (`size` px where the file
    leaves it open), and everything constant folded. LibraryError where it is no network for pictures."""
    _refuse(model)
    model = to_opset(model)
    graph = Graph.read(model)
    picture, last, nominal = _picture(model, graph, input_name, size)
    check_memory(model, picture, (1, *nominal[2:], 3) if last else nominal)
    for info in model.graph.input:
        if info.name in graph.inputs and info.name != picture:
            _other_input(graph, info)
    graph.inputs = {picture: nominal}
    _single_precision(model, graph)
    if last:
        _channels_first(graph)
    fold_constants(graph)
    return graph


def _refuse(model: onnx.ModelProto) -> None:
    foreign = sorted({n.domain for n in model.graph.node if n.domain not in ("", "ai.onnx")})
    if foreign:
        ops = sorted({n.op_type for n in model.graph.node if n.domain in foreign})
        raise LibraryError(f"the model uses operators outside standard ONNX: {', '.join(ops)} ({', '.join(foreign)})")
    quantised = sorted({n.op_type for n in model.graph.node} & QUANTISED)
    if quantised:
        raise LibraryError(
            f"the model is quantised ({', '.join(quantised)}), which has no gradients; take the float32 file of it"
        )
    for node in model.graph.node:
        if any(a.HasField("g") or a.graphs for a in node.attribute):
            raise LibraryError(
                f"node {node.name or node.output[0]!r} ({node.op_type}) decides at run time what is computed; "
                "export the model with that decision made"
            )


def _picture(
    model: onnx.ModelProto, graph: Graph, wanted: str | None, size: int
) -> tuple[str, bool, tuple[int, int, int, int]]:
    """(the picture's tensor, whether its channels come last, its shape with them first)."""
    inputs = {i.name: i for i in model.graph.input if i.name in graph.inputs}
    if wanted is None:
        pictures = [n for n, i in inputs.items() if len(i.type.tensor_type.shape.dim) == 4]
        if len(pictures) != 1:
            raise LibraryError(
                f"expected one picture input with four dimensions, found {pictures or list(inputs) or 'none'}; "
                "name the right one with --input"
            )
        wanted = pictures[0]
    elif wanted not in inputs:
        raise LibraryError(f"no input is called {wanted!r}; there are {', '.join(inputs)}")
    dims = [d.dim_value if d.HasField("dim_value") else 0 for d in inputs[wanted].type.tensor_type.shape.dim]
    if len(dims) != 4:
        raise LibraryError(f"input {wanted!r} has {len(dims)} dimensions; a picture has four")
    last = dims[3] == 3 and dims[1] != 3
    height, width = dims[1:3] if last else dims[2:4]
    if not last and dims[1] not in (0, 3):
        raise LibraryError(f"input {wanted!r} has {dims[1]} channels; a colour picture has 3")
    return wanted, last, (1, 3, height or size, width or size)


def _single_precision(model: onnx.ModelProto, graph: Graph) -> None:
    """Half and double precision files in float32: weights converted, casts between floats made nothing."""
    inferred = shape_inference.infer_shapes(model)
    infos = (*inferred.graph.input, *inferred.graph.value_info)
    kinds = {info.name: info.type.tensor_type.elem_type for info in infos}
    for node in graph.nodes:
        if node.op == "Cast" and node.attrs["to"] in FLOATS and kinds.get(node.inputs[0]) in FLOATS:
            node.op, node.attrs = "Identity", {}
    for name, value in graph.constants.items():
        if helper.np_dtype_to_tensor_dtype(value.dtype) in FLOATS:
            graph.constants[name] = value.astype(np.float32)


def _other_input(graph: Graph, info: onnx.ValueInfoProto) -> None:
    # Small extra inputs (a training flag, a blob queue) get zeros if anything reads them at all.
    kind = info.type.tensor_type
    dims = [d.dim_value or 1 for d in kind.shape.dim]
    if int(np.prod(dims)) > 4096:
        raise LibraryError(f"the model has a second input {info.name!r} of shape {dims}; only one picture can be fed")
    graph.constants[info.name] = np.zeros(dims, helper.tensor_dtype_to_np_dtype(kind.elem_type))


def _channels_first(graph: Graph) -> None:
    # A file made for [n, h, w, 3]: feed [n, 3, h, w] and turn it; a turn back right after cancels out.
    picture = graph.picture
    turned = graph.free(f"{picture}_nhwc")
    readers = [node for node in graph.nodes if picture in node.inputs]
    graph.rename(picture, turned)
    backs = [n for n in readers if n.op == "Transpose" and n.attrs.get("perm") == [0, 3, 1, 2]]
    for back in backs:
        graph.rename(back.outputs[0], picture)
    graph.drop(*backs)
    if len(backs) < len(readers):
        graph.nodes.insert(0, Node("Transpose", [picture], [turned], {"perm": [0, 2, 3, 1]}))
