"""One function a TensorFlow operation: from [n, h, w, c] to ONNX nodes on [n, c, h, w]."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from onnx import helper

from ..graph import Array
from .names import LibraryError


@dataclass
class Node:
    """A GraphDef node: `inputs` are node names, control inputs left out."""

    name: str
    op: str
    inputs: list[str]
    attr: dict[str, Any]  # messages of `tensorflow_schema`

    def text(self, name: str, default: str = "") -> str:
        """A text attribute."""
        return self.attr[name].s.decode() if name in self.attr else default

    def ints(self, name: str) -> list[int]:
        """A list of whole numbers."""
        return list(self.attr[name].list.i) if name in self.attr else []

    def number(self, name: str, default: float) -> float:
        """A number, whole or not."""
        value = self.attr.get(name)
        if value is None:
            return default
        return float(value.f if value.HasField("f") else value.i if value.HasField("i") else default)

    def flag(self, name: str) -> bool:
        """A yes or no."""
        return name in self.attr and bool(self.attr[name].b)


@dataclass
class State:
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


def _conv(state: State, node: Node) -> None:
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


def _pool(state: State, node: Node) -> None:
    options = _window(node, node.ints("ksize")[1:3], node.ints("strides")[1:3])
    state.emit(node, "MaxPool" if node.op == "MaxPool" else "AveragePool", node.inputs[:1], 4, **options)


def _lrn(state: State, node: Node) -> None:
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


def _operand(state: State, node: Node, index: int, rank: int) -> str:
    """An input's tensor; a constant is turned so that it meets [n, c, h, w]."""
    name = node.inputs[index]
    if name not in state.constants:
        return name
    value = state.constants[name]
    if rank == 4 and value.ndim:
        value = value.reshape((1,) * (4 - value.ndim) + value.shape).transpose(0, 3, 1, 2)
    return state.constant(f"{node.name}_{index}", value)


def _binary(op: str) -> Callable[[State, Node], None]:
    def translate(state: State, node: Node) -> None:
        rank = max(state.ranks.get(name, 0) for name in node.inputs)
        state.emit(node, op, [_operand(state, node, i, rank) for i in (0, 1)], rank)

    return translate


def _unary(op: str, **attributes: Any) -> Callable[[State, Node], None]:
    return lambda state, node: state.emit(node, op, node.inputs[:1], state.ranks[node.inputs[0]], **attributes)


def _relu6(state: State, node: Node) -> None:
    limits = [state.constant(f"{node.name}_{v}", np.array(v, np.float32)) for v in (0.0, 6.0)]
    state.emit(node, "Clip", [node.inputs[0], *limits], state.ranks[node.inputs[0]])


def _concat(state: State, node: Node) -> None:
    # Concat's axis comes first, ConcatV2's last.
    at, inputs = (0, node.inputs[1:]) if node.op == "Concat" else (len(node.inputs) - 1, node.inputs[:-1])
    axis, rank = int(state.value(node, at).reshape(-1)[0]), state.ranks[inputs[0]]
    axis = axis + rank if axis < 0 else axis
    state.emit(node, "Concat", inputs, rank, axis=(0, 2, 3, 1)[axis] if rank == 4 else axis)


def _batch_norm(state: State, node: Node) -> None:
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


def _matmul(state: State, node: Node) -> None:
    weight = state.value(node, 1)
    weight = weight.T if node.flag("transpose_b") else weight
    state.emit(node, "Gemm", [node.inputs[0], state.constant(f"{node.name}_w", weight)], 2)


def _flatten(state: State, node: Node) -> None:
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


def _mean(state: State, node: Node) -> None:
    axes = sorted(int(a) for a in state.value(node, 1).reshape(-1))
    if axes != [1, 2] or state.ranks[node.inputs[0]] != 4:
        raise LibraryError(f"node {node.name!r} averages over axes {axes}, expected height and width")
    if node.flag("keep_dims") or node.flag("keepdims"):
        state.emit(node, "GlobalAveragePool", node.inputs[:1], 4)
        return
    pooled = f"{node.name}_pool"
    state.nodes.append(helper.make_node("GlobalAveragePool", node.inputs[:1], [pooled]))
    state.emit(node, "Flatten", [pooled], 2, axis=1)


def _pad(state: State, node: Node) -> None:
    pads = state.value(node, 1).reshape(4, 2)[[0, 3, 1, 2]]
    name = state.constant(f"{node.name}_pads", pads.T.reshape(-1).astype(np.int64))
    state.emit(node, "Pad", [node.inputs[0], name], 4)


OPS: dict[str, Callable[[State, Node], None]] = {
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
