"""TensorFlow's frozen graphs (GraphDef, `.pb`) without TensorFlow.

TensorFlow keeps pictures as [n, h, w, c]; here every tensor with four dimensions becomes [n, c, h, w], under its
node's name. SAME padding depends on the size's parity, so it stays SAME_UPPER wherever a stride makes that
matter. TensorFlow does not divide LRN's alpha by the window, ONNX does.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from ..graph import IR_VERSION, OPSET, Array
from .importing import Raw
from .messages import array, decode
from .names import LibraryError, unknown
from .tensorflow_ops import OPS, Node, State
from .tensorflow_schema import GRAPH

_PASSING = ("Identity", "PlaceholderWithDefault")
# TensorFlow's number of a data type -> (numpy's, where values stand that are not raw bytes)
_TYPES = {
    1: (np.float32, "float_val"),
    2: (np.float64, "double_val"),
    3: (np.int32, "int_val"),
    4: (np.uint8, "int_val"),
    9: (np.int64, "int64_val"),
    10: (np.bool_, "bool_val"),
    19: (np.float16, "half_val"),
}


def read_graphdef(path: Path, picture: str | None = None) -> Raw:
    """The network of a frozen graph; `picture` names the tensor to feed where that is not the one placeholder."""
    try:
        graph = decode(path.read_bytes(), GRAPH)
    except LibraryError as error:
        raise LibraryError(f"{path} is not a TensorFlow graph, or it is cut short: {error}") from None
    nodes = {node.name: node for node in map(_node, graph.node) if node.op}
    if not nodes:
        raise LibraryError(f"{path} is not a TensorFlow graph: it holds no nodes")
    return graph_to_onnx(nodes, picture)


def _node(message: Any) -> Node:
    inputs = [name.split(":")[0] for name in message.input if not name.startswith("^")]
    return Node(message.name, message.op, inputs, {a.key: a.value for a in message.attr})


def graph_to_onnx(nodes: dict[str, Node], picture: str | None = None) -> Raw:
    """Translate everything that can be computed from the picture."""
    picture = _picture(nodes, picture)
    order = _reachable(nodes, picture)
    state = State(_constants(nodes), {picture: 4})
    state.constants.pop(picture, None)
    skipped: set[str] = set()
    notes = []
    for node in order:
        unknown_inputs = [n for n in node.inputs if n not in state.ranks and n not in state.constants]
        if node.op not in OPS:
            # One strange branch (a summary, a decoder) must not forbid the rest.
            skipped.add(node.name)
            notes.append(f"left out {node.name} ({node.op}) and what rests on it")
        elif any(name in skipped for name in unknown_inputs):
            skipped.add(node.name)
        elif unknown_inputs:  # dropout's share to keep, say, which is fed at every run
            skipped.add(node.name)
            notes.append(f"left out {node.name} ({node.op}): nothing says what {', '.join(unknown_inputs)} is")
        else:
            OPS[node.op](state, node)
    if not state.nodes:
        known = ", ".join(sorted(OPS))
        raise LibraryError(
            f"nothing after {picture!r} can be imported ({'; '.join(notes)}); "
            f"name the tensor to feed with --input; operations known here are {known}"
        )
    read = {name for node in state.nodes for name in node.input}
    outputs = [node.output[0] for node in state.nodes if node.output[0] not in read]
    graph = helper.make_graph(
        state.nodes,
        "graph",
        [helper.make_tensor_value_info(picture, TensorProto.FLOAT, [1, 3, *_size(nodes[picture])])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs],
        [numpy_helper.from_array(value, name) for name, value in state.used.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)])
    model.ir_version = IR_VERSION
    return Raw(model, None, picture, tuple(notes))


def _picture(nodes: dict[str, Node], picture: str | None) -> str:
    if picture is not None:
        picture = picture.removesuffix(":0")  # TensorFlow's name for a node's first result
        if picture not in nodes:
            raise unknown("tensor", picture, nodes)
        return picture
    found = [node.name for node in nodes.values() if node.op in ("Placeholder", "PlaceholderV2")]
    if len(found) != 1:
        raise LibraryError(
            f"expected one placeholder for the picture, found {', '.join(found) or 'none'}; "
            "name the tensor to feed with --input"
        )
    return found[0]


def _size(node: Node) -> tuple[int | str, int | str]:
    dims = [d.size for d in node.attr["shape"].shape.dim] if "shape" in node.attr else []
    if len(dims) == 4 and min(dims[1:3]) > 0:
        return dims[1], dims[2]
    return "h", "w"


def _reachable(nodes: dict[str, Node], picture: str) -> list[Node]:
    """Everything that rests on the picture, inputs before readers, else in the file's order."""
    readers: dict[str, list[str]] = {}
    for node in nodes.values():
        for name in node.inputs:
            readers.setdefault(name, []).append(node.name)
    reach, waiting = {picture}, [picture]
    while waiting:
        for name in readers.get(waiting.pop(), []):
            if name not in reach:
                reach.add(name)
                waiting.append(name)
    order: list[Node] = []
    done = {picture}
    for start in (name for name in nodes if name in reach):
        stack = [start]
        while stack:
            node = nodes[stack[-1]]
            waiting = [i for i in node.inputs if i in reach and i not in done]
            if node.name in done or len(stack) > len(nodes):
                stack.pop()
            elif waiting:
                stack.extend(waiting)
            else:
                done.add(node.name)
                order.append(node)
                stack.pop()
    return order


def _constants(nodes: dict[str, Node]) -> dict[str, Array]:
    found: dict[str, Array] = {}
    for node in nodes.values():
        if node.op == "Const" and "value" in node.attr and node.attr["value"].tensor.dtype in _TYPES:
            found[node.name] = _tensor(node.name, node.attr["value"].tensor)
    changed = True
    while changed:  # weights are often read through Identity, switches have defaults
        new = [n for n in nodes.values() if n.op in _PASSING and n.name not in found and n.inputs[:1]]
        new = [n for n in new if n.inputs[0] in found]
        found.update({n.name: found[n.inputs[0]] for n in new})
        changed = bool(new)
    return found


def _tensor(name: str, tensor: Any) -> Array:
    kind, place = _TYPES[tensor.dtype]
    shape = [d.size for d in tensor.tensor_shape.dim]
    count = int(np.prod(shape))
    if tensor.tensor_content:
        values: Array = np.frombuffer(tensor.tensor_content, np.dtype(kind).newbyteorder("<")).astype(kind)
    elif place in ("float_val", "double_val"):
        values = array(tensor, place, "<f4" if place == "float_val" else "<f8").astype(kind)
    elif place == "half_val":
        values = np.array(tensor.half_val, np.uint16).view(np.float16)
    else:
        values = np.array(getattr(tensor, place), kind)
    if not values.size:  # none at all are all zero
        values = np.zeros(count, kind)
    if values.size < count:  # the last value stands for all that follow
        values = np.concatenate([values, np.full(count - values.size, values[-1], kind)])
    if values.size != count:
        raise LibraryError(f"constant {name!r} of shape {shape} holds {values.size} values")
    return values.reshape(shape)
