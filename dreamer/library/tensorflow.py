"""TensorFlow's frozen graphs (GraphDef, `.pb`) without TensorFlow.

TensorFlow keeps pictures as [n, h, w, c]; here every tensor with four dimensions becomes [n, c, h, w], under its
node's name. SAME padding depends on the size's parity, so it stays SAME_UPPER wherever a stride makes that
matter. TensorFlow does not divide LRN's alpha by the window, ONNX does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from .graph import IR_VERSION, OPSET
from .importing import Raw
from .names import LibraryError, unknown
from .wire import Field, Message, arrays, decode, first

Array = np.ndarray[Any, Any]

_SHAPE = {2: Field("dim", "message", {1: Field("size")}), 3: Field("unknown_rank", "bool")}
_TENSOR = {
    1: Field("dtype"),
    2: Field("tensor_shape", "message", _SHAPE),
    4: Field("tensor_content", "bytes"),
    5: Field("float_val", "floats"),
    6: Field("double_val", "doubles"),
    7: Field("int_val", "ints"),
    10: Field("int64_val", "ints"),
    11: Field("bool_val", "ints"),
    13: Field("half_val", "ints"),
}
_LIST = {2: Field("s", "bytes"), 3: Field("i", "ints"), 4: Field("f", "float")}
_VALUE = {
    1: Field("list", "message", _LIST),
    2: Field("s", "bytes"),
    3: Field("i"),
    4: Field("f", "float"),
    5: Field("b", "bool"),
    7: Field("shape", "message", _SHAPE),
    8: Field("tensor", "message", _TENSOR),
}
_NODE = {
    1: Field("name", "string"),
    2: Field("op", "string"),
    3: Field("input", "string"),
    5: Field("attr", "message", {1: Field("key", "string"), 2: Field("value", "message", _VALUE)}),
}
GRAPH = {1: Field("node", "message", _NODE)}
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


@dataclass
class Node:
    """A GraphDef node: `inputs` are node names, control inputs left out."""

    name: str
    op: str
    inputs: list[str]
    attr: dict[str, Message]

    def text(self, name: str, default: str = "") -> str:
        """A text attribute."""
        return bytes(first(self.attr.get(name, {}), "s", default.encode())).decode()

    def ints(self, name: str) -> list[int]:
        """A list of whole numbers."""
        return [int(i) for i in first(self.attr.get(name, {}), "list", {}).get("i", [])]

    def number(self, name: str, default: float) -> float:
        """A number, whole or not."""
        value = self.attr.get(name, {})
        return float(first(value, "f", first(value, "i", default)))

    def flag(self, name: str) -> bool:
        """A yes or no."""
        return bool(first(self.attr.get(name, {}), "b", False))


@dataclass
class _State:
    """What has been translated so far."""

    constants: dict[str, Array]
    ranks: dict[str, int]
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    used: dict[str, Array] = field(default_factory=dict)

    def constant(self, name: str, value: Array) -> str:
        self.used[name] = np.ascontiguousarray(value, np.int64 if value.dtype.kind in "iu" else np.float32)
        return name

    def value(self, node: Node, index: int) -> Array:
        """The constant that an input must be."""
        name = node.inputs[index] if index < len(node.inputs) else "?"
        if name not in self.constants:
            raise LibraryError(f"node {node.name!r} ({node.op}) needs a constant, but its input {name!r} is computed")
        return self.constants[name]

    def emit(self, node: Node, op: str, inputs: list[str], rank: int, **attributes: Any) -> None:
        """Add the ONNX node that stands for `node`."""
        self.nodes.append(helper.make_node(op, inputs, [node.name], name=node.name, **attributes))
        self.ranks[node.name] = rank


def read_graphdef(path: Path, picture: str | None = None) -> Raw:
    """The network of a frozen graph; `picture` names the tensor to feed where that is not the one placeholder."""
    try:
        graph = decode(path.read_bytes(), GRAPH)
    except LibraryError as error:
        raise LibraryError(f"{path} is not a TensorFlow graph, or it is cut short: {error}") from None
    nodes = {node.name: node for node in map(_node, graph.get("node", [])) if node.op}
    if not nodes:
        raise LibraryError(f"{path} is not a TensorFlow graph: it holds no nodes")
    return graph_to_onnx(nodes, picture)


def _node(message: Message) -> Node:
    attributes = {str(first(a, "key", "")): first(a, "value", {}) for a in message.get("attr", [])}
    inputs = [str(i).split(":")[0] for i in message.get("input", []) if not str(i).startswith("^")]
    return Node(str(first(message, "name", "")), str(first(message, "op", "")), inputs, attributes)


def graph_to_onnx(nodes: dict[str, Node], picture: str | None = None) -> Raw:
    """Translate everything that can be computed from the picture."""
    picture = _picture(nodes, picture)
    order = _reachable(nodes, picture)
    state = _State(_constants(nodes), {picture: 4})
    skipped: set[str] = set()
    notes = []
    for node in order:
        if node.op not in OPS:
            # One strange branch (a summary, a decoder) must not forbid the rest.
            skipped.add(node.name)
            notes.append(f"left out {node.name} ({node.op}) and what rests on it")
        elif any(name in skipped for name in node.inputs):
            skipped.add(node.name)
        else:
            OPS[node.op](state, node)
    if not state.nodes:
        known = ", ".join(sorted(OPS))
        raise LibraryError(f"nothing after {picture!r} can be imported ({'; '.join(notes)}); known are {known}")
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
    dims = [int(first(d, "size", 0)) for d in first(node.attr.get("shape", {}), "shape", {}).get("dim", [])]
    if len(dims) == 4 and min(dims[1:3]) > 0:
        return dims[1], dims[2]
    return "h", "w"


def _reachable(nodes: dict[str, Node], picture: str) -> list[Node]:
    """Everything that rests on the picture, inputs before readers, else in the file's order."""
    readers: dict[str, list[str]] = {}
    for node in nodes.values():
        for name in node.inputs:
            readers.setdefault(name, []).append(node.name)
    reach, todo = {picture}, [picture]
    while todo:
        for name in readers.get(todo.pop(), []):
            if name not in reach:
                reach.add(name)
                todo.append(name)
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
        tensor = first(node.attr.get("value", {}), "tensor")
        if node.op == "Const" and tensor is not None and first(tensor, "dtype", 0) in _TYPES:
            found[node.name] = _tensor(node.name, tensor)
    changed = True
    while changed:  # weights are often read through Identity
        new = [n for n in nodes.values() if n.op == "Identity" and n.name not in found and n.inputs[:1]]
        new = [n for n in new if n.inputs[0] in found]
        found.update({n.name: found[n.inputs[0]] for n in new})
        changed = bool(new)
    return found


def _tensor(name: str, tensor: Message) -> Array:
    kind, place = _TYPES[first(tensor, "dtype")]
    shape = [int(first(d, "size", 0)) for d in first(tensor, "tensor_shape", {}).get("dim", [])]
    count = int(np.prod(shape))
    content = bytes(first(tensor, "tensor_content", b""))
    if content:
        values: Array = np.frombuffer(content, np.dtype(kind).newbyteorder("<")).astype(kind)
    elif place.endswith("float_val") or place == "double_val":
        values = arrays(tensor, place).astype(kind)
    elif place == "half_val":
        values = np.array(tensor.get(place, []), np.uint16).view(np.float16)
    else:
        values = np.array(tensor.get(place, []), kind)
    if values.size < count and values.size:  # the last value stands for all that follow
        values = np.concatenate([values, np.full(count - values.size, values[-1], kind)])
    if values.size != count:
        raise LibraryError(f"constant {name!r} of shape {shape} holds {values.size} values")
    return values.reshape(shape)


def _window(node: Node, kernel: list[int], strides: list[int]) -> dict[str, Any]:
    padding = node.text("padding")
    if node.text("data_format", "NHWC") != "NHWC":
        raise LibraryError(f"node {node.name!r} works on {node.text('data_format')}, expected NHWC")
    options: dict[str, Any] = {"kernel_shape": kernel, "strides": strides}
    if padding == "SAME":
        if strides == [1, 1] and all(k % 2 for k in kernel):
            options["pads"] = [(k - 1) // 2 for k in kernel] * 2  # the same for every size
        else:
            options["auto_pad"] = "SAME_UPPER"
    elif padding != "VALID":
        raise LibraryError(f"node {node.name!r} pads by {padding!r}, expected SAME or VALID")
    return options


def _conv(state: _State, node: Node) -> None:
    weight = state.value(node, 1)  # [h, w, in, out]
    dilations = node.ints("dilations")[1:3] or [1, 1]
    options = _window(node, list(weight.shape[:2]), node.ints("strides")[1:3] or [1, 1])
    if dilations != [1, 1]:
        options["dilations"] = dilations
        if "pads" in options:
            options["pads"] = [p * d for p, d in zip(options["pads"], dilations * 2, strict=True)]
    if node.op == "DepthwiseConv2dNative":
        depth, times = weight.shape[2:]
        weight = weight.reshape(*weight.shape[:2], 1, depth * times)
        options["group"] = depth
    name = state.constant(f"{node.name}_w", weight.transpose(3, 2, 0, 1))
    state.emit(node, "Conv", [node.inputs[0], name], 4, **options)


def _pool(state: _State, node: Node) -> None:
    options = _window(node, node.ints("ksize")[1:3], node.ints("strides")[1:3])
    state.emit(node, "MaxPool" if node.op == "MaxPool" else "AveragePool", node.inputs[:1], 4, **options)


def _lrn(state: _State, node: Node) -> None:
    size = 2 * int(node.number("depth_radius", 5)) + 1
    state.emit(
        node,
        "LRN",
        node.inputs[:1],
        4,
        size=size,
        alpha=node.number("alpha", 1.0) * size,
        beta=node.number("beta", 0.5),
        bias=node.number("bias", 1.0),
    )


def _operand(state: _State, node: Node, index: int, rank: int) -> str:
    """An input's tensor; a constant is turned so that it meets [n, c, h, w]."""
    name = node.inputs[index]
    if name not in state.constants:
        return name
    value = state.constants[name]
    if rank == 4 and value.ndim:
        value = value.reshape((1,) * (4 - value.ndim) + value.shape).transpose(0, 3, 1, 2)
    return state.constant(f"{node.name}_{index}", value)


def _binary(op: str) -> Callable[[_State, Node], None]:
    def translate(state: _State, node: Node) -> None:
        rank = max(state.ranks.get(name, 0) for name in node.inputs)
        state.emit(node, op, [_operand(state, node, i, rank) for i in (0, 1)], rank)

    return translate


def _unary(op: str, **attributes: Any) -> Callable[[_State, Node], None]:
    return lambda state, node: state.emit(node, op, node.inputs[:1], state.ranks[node.inputs[0]], **attributes)


def _relu6(state: _State, node: Node) -> None:
    limits = [state.constant(f"{node.name}_{v}", np.array(v, np.float32)) for v in (0.0, 6.0)]
    state.emit(node, "Clip", [node.inputs[0], *limits], state.ranks[node.inputs[0]])


def _concat(state: _State, node: Node) -> None:
    # Concat's axis comes first, ConcatV2's last.
    at, inputs = (0, node.inputs[1:]) if node.op == "Concat" else (len(node.inputs) - 1, node.inputs[:-1])
    axis, rank = int(state.value(node, at).reshape(-1)[0]), state.ranks[inputs[0]]
    axis = axis + rank if axis < 0 else axis
    state.emit(node, "Concat", inputs, rank, axis=(0, 2, 3, 1)[axis] if rank == 4 else axis)


def _batch_norm(state: _State, node: Node) -> None:
    if node.op == "BatchNormWithGlobalNormalization":
        mean, var, shift, scale = (state.value(node, i) for i in (1, 2, 3, 4))
        epsilon = node.number("variance_epsilon", 1e-3)
        if not node.flag("scale_after_normalization"):
            scale = np.ones_like(mean)
    else:
        scale, shift, mean, var = (state.value(node, i) for i in (1, 2, 3, 4))
        epsilon = node.number("epsilon", 1e-4)
    parts = {"scale": scale, "shift": shift, "mean": mean, "var": var}
    names = [state.constant(f"{node.name}_{key}", value) for key, value in parts.items()]
    state.emit(node, "BatchNormalization", [node.inputs[0], *names], 4, epsilon=epsilon)


def _matmul(state: _State, node: Node) -> None:
    weight = state.value(node, 1)
    weight = weight.T if node.flag("transpose_b") else weight
    state.emit(node, "Gemm", [node.inputs[0], state.constant(f"{node.name}_w", weight)], 2)


def _flatten(state: _State, node: Node) -> None:
    """Reshape, Squeeze: four dimensions to two, in TensorFlow's order of the values."""
    source, rank = node.inputs[0], state.ranks[node.inputs[0]]
    if node.op == "Reshape":
        shape = [int(d) for d in state.value(node, 1).reshape(-1)]
        if len(shape) != 2:
            raise LibraryError(f"node {node.name!r} reshapes to {shape}; only [n, values] can be imported")
    if rank == 2:
        state.emit(node, "Identity", [source], 2)
        return
    turned = f"{node.name}_nhwc"
    state.nodes.append(helper.make_node("Transpose", [source], [turned], perm=[0, 2, 3, 1]))
    state.emit(node, "Flatten", [turned], 2, axis=1)


def _mean(state: _State, node: Node) -> None:
    axes = sorted(int(a) for a in state.value(node, 1).reshape(-1))
    if axes != [1, 2] or state.ranks[node.inputs[0]] != 4:
        raise LibraryError(f"node {node.name!r} averages over axes {axes}, expected height and width")
    if node.flag("keep_dims") or node.flag("keepdims"):
        state.emit(node, "GlobalAveragePool", node.inputs[:1], 4)
        return
    pooled = f"{node.name}_pool"
    state.nodes.append(helper.make_node("GlobalAveragePool", node.inputs[:1], [pooled]))
    state.emit(node, "Flatten", [pooled], 2, axis=1)


def _pad(state: _State, node: Node) -> None:
    pads = state.value(node, 1).reshape(4, 2)[[0, 3, 1, 2]]
    name = state.constant(f"{node.name}_pads", pads.T.reshape(-1).astype(np.int64))
    state.emit(node, "Pad", [node.inputs[0], name], 4)


OPS: dict[str, Callable[[_State, Node], None]] = {
    **dict.fromkeys(("Add", "AddV2", "BiasAdd"), _binary("Add")),
    "Sub": _binary("Sub"),
    "Mul": _binary("Mul"),
    "RealDiv": _binary("Div"),
    "AvgPool": _pool,
    "MaxPool": _pool,
    **dict.fromkeys(
        ("BatchNormWithGlobalNormalization", "FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3"), _batch_norm
    ),
    "Concat": _concat,
    "ConcatV2": _concat,
    "Conv2D": _conv,
    "DepthwiseConv2dNative": _conv,
    **dict.fromkeys(("Identity", "CheckNumerics", "StopGradient"), _unary("Identity")),
    "LRN": _lrn,
    "MatMul": _matmul,
    "Mean": _mean,
    "Pad": _pad,
    "Relu": _unary("Relu"),
    "Relu6": _relu6,
    "Reshape": _flatten,
    "Sigmoid": _unary("Sigmoid"),
    "Softmax": _unary("Softmax", axis=-1),
    "Squeeze": _flatten,
    "Tanh": _unary("Tanh"),
}
