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

LARGEST_BLOCK = 64  # of SpaceToDepth: 4096 times as many channels


@dataclass
class Node:
    """A GraphDef node: `inputs` are names of tensors (a node's, or `node:1` for what it gives second), without those
    that only say what comes first."""

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
    source: dict[str, Node]  # all of the file's nodes
    alias: dict[str, str] = field(default_factory=dict)  # tensors that are just another one
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    used: dict[str, Array] = field(default_factory=dict)

    def constant(self, name: str, value: Array) -> str:
        """Keep an array; its tensor's name, which is none of the file's: those count on with _1 and _2, too."""
        while name in self.source or name in self.used:
            name += "_"
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
    elif padding == "EXPLICIT":
        top, bottom, left, right = node.ints("explicit_paddings")[2:6]
        options["pads"] = [top, left, bottom, right]
    elif padding != "VALID":
        raise LibraryError(f"node {node.name!r} pads by {padding!r}, expected SAME or VALID")
    return options


def _conv(state: State, node: Node) -> None:
    weight = state.value(node, 1)  # [h, w, in, out]
    dilations = node.ints("dilations")[1:3] or [1, 1]
    options = _window(node, list(weight.shape[:2]), node.ints("strides")[1:3] or [1, 1])
    if dilations != [1, 1]:
        options["dilations"] = dilations
        if "pads" in options and node.text("padding") == "SAME":
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


def _unary(op: str) -> Callable[[State, Node], None]:
    return lambda state, node: state.emit(node, op, node.inputs[:1], state.ranks[node.inputs[0]])


def _identity_n(state: State, node: Node) -> None:
    """Several tensors handed on, as Keras writes functions whose gradients it gives itself (its SiLU)."""
    for i, name in enumerate(node.inputs):
        state.alias[f"{node.name}:{i}" if i else node.name] = name


def _softmax(op: str) -> Callable[[State, Node], None]:
    """Over the channels, which TensorFlow has last."""

    def translate(state: State, node: Node) -> None:
        rank = state.ranks[node.inputs[0]]
        state.emit(node, op, node.inputs[:1], rank, axis=_axis(-1, rank))

    return translate


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
    """Reshape, Squeeze: four dimensions to two, in TensorFlow's order of the values; or values to one pixel."""
    source, rank = node.inputs[0], state.ranks[node.inputs[0]]
    if node.op == "Reshape":
        shape = _wanted_shape(state, node)
        if len(shape) == 4 and shape[1:3] == [1, 1] and rank == 2:  # [n, values] to [n, 1, 1, values]
            name = state.constant(f"{node.name}_shape", np.array([0, -1, 1, 1]))
            state.emit(node, "Reshape", [source, name], 4)
            return
        if len(shape) == 4 and shape[1:3] == [1, 1]:
            state.emit(node, "Identity", [source], rank)
            return
        if len(shape) != 2:
            raise LibraryError(f"node {node.name!r} reshapes to {shape}; only [n, values] can be imported")
    if rank == 2:
        state.emit(node, "Identity", [source], 2)
        return
    turned = f"{node.name}_nhwc"
    state.nodes.append(helper.make_node("Transpose", [source], [turned], perm=[0, 2, 3, 1]))
    state.emit(node, "Flatten", [turned], 2, axis=1)


def _wanted_shape(state: State, node: Node) -> list[int]:
    """The shape a Reshape asks for, -1 where it is computed: Keras packs it out of the batch's size and constants."""
    name = node.inputs[1]
    if name in state.constants:
        return [int(d) for d in state.constants[name].reshape(-1)]
    pack = state.source.get(name)
    if pack is None or pack.op != "Pack":
        raise LibraryError(f"node {node.name!r} reshapes to what is computed at run time")
    values = [state.constants.get(i) for i in pack.inputs]
    return [-1 if v is None else int(v.reshape(-1)[0]) for v in values]


def _expand_dims(state: State, node: Node) -> None:
    """[n, values] to a pixel [n, 1, 1, values], of two steps the second: both are the one Reshape."""
    axis, rank = int(state.value(node, 1).reshape(-1)[0]), state.ranks[node.inputs[0]]
    if rank == 2 and axis in (1, 2, -2):
        name = state.constant(f"{node.name}_shape", np.array([0, -1, 1, 1]))
        state.emit(node, "Reshape", [node.inputs[0], name], 4)
    elif rank == 4 and axis in (1, 2, -2, -3):
        state.emit(node, "Identity", node.inputs[:1], 4)
    else:
        raise LibraryError(f"node {node.name!r} adds axis {axis}, which cannot be imported")


def _mean(state: State, node: Node) -> None:
    axes, rank = sorted(int(a) for a in state.value(node, 1).reshape(-1)), state.ranks[node.inputs[0]]
    axes = sorted(a % rank for a in axes)
    op, what = ("GlobalMaxPool", "takes the maximum") if node.op == "Max" else ("GlobalAveragePool", "averages")
    if axes != [1, 2] or rank != 4:
        raise LibraryError(f"node {node.name!r} {what} over axes {axes}, expected height and width")
    if node.flag("keep_dims") or node.flag("keepdims"):
        state.emit(node, op, node.inputs[:1], 4)
        return
    pooled = f"{node.name}_pool"
    state.nodes.append(helper.make_node(op, node.inputs[:1], [pooled]))
    state.emit(node, "Flatten", [pooled], 2, axis=1)


def _pad(state: State, node: Node) -> None:
    pads = state.value(node, 1)
    if pads.shape != (4, 2) or state.ranks[node.inputs[0]] != 4:
        raise LibraryError(f"node {node.name!r} pads by an array of shape {pads.shape}, expected (4, 2), for a map")
    name = state.constant(f"{node.name}_pads", pads[[0, 3, 1, 2]].T.reshape(-1).astype(np.int64))
    if node.op == "MirrorPad":
        if node.text("mode") != "REFLECT":
            raise LibraryError(f"node {node.name!r} pads by {node.text('mode')}, expected REFLECT")
        state.emit(node, "Pad", [node.inputs[0], name], 4, mode="reflect")
        return
    fill = [state.constant(f"{node.name}_fill", state.value(node, 2).reshape(()))] if node.op == "PadV2" else []
    state.emit(node, "Pad", [node.inputs[0], name, *fill], 4)


def _blocks(state: State, node: Node) -> None:
    """Pixels to channels or back; the places of a block come before the channels in both."""
    if node.text("data_format", "NHWC") != "NHWC":
        raise LibraryError(f"node {node.name!r} has data format {node.text('data_format')}, expected NHWC")
    size = int(node.number("block_size", 2))
    if not 2 <= size <= LARGEST_BLOCK:
        raise LibraryError(f"node {node.name!r} has blocks of {size}, expected 2 to {LARGEST_BLOCK}")
    state.emit(node, node.op, node.inputs[:1], 4, blocksize=size)


def _axis(axis: int, rank: int) -> int:
    """Where one of TensorFlow's axes lies here."""
    axis %= rank
    return (0, 2, 3, 1)[axis] if rank == 4 else axis


def _split(state: State, node: Node) -> None:
    sizes = [int(v) for v in state.value(node, 1).reshape(-1)] if node.op == "SplitV" else []
    at, source = (2, node.inputs[0]) if node.op == "SplitV" else (0, node.inputs[1])
    count, rank = int(node.number("num_split", len(sizes))), state.ranks[source]
    axis = _axis(int(state.value(node, at).reshape(-1)[0]), rank)
    outputs = [node.name, *(f"{node.name}:{i}" for i in range(1, count))]
    parts = [state.constant(f"{node.name}_sizes", np.array(sizes))] if sizes else []
    even = {} if sizes else {"num_outputs": count}
    state.nodes.append(helper.make_node("Split", [source, *parts], outputs, name=node.name, axis=axis, **even))
    state.ranks.update(dict.fromkeys(outputs, rank))


def _strided_slice(state: State, node: Node) -> None:
    """A piece of a map, as cropping is written; axes are not taken away."""
    rank = state.ranks[node.inputs[0]]
    begin, end, step = (state.value(node, i).reshape(-1) for i in (1, 2, 3))
    masks = {m: int(node.number(f"{m}_mask", 0)) for m in ("begin", "end", "ellipsis", "new_axis", "shrink_axis")}
    if any(masks[m] for m in ("ellipsis", "new_axis", "shrink_axis")) or len(begin) > rank:
        raise LibraryError(f"node {node.name!r} takes axes away or adds some, which cannot be imported")
    first = [0 if masks["begin"] >> i & 1 else int(v) for i, v in enumerate(begin)]
    last = [2**31 - 1 if masks["end"] >> i & 1 else int(v) for i, v in enumerate(end)]
    axes = [_axis(i, rank) for i in range(len(begin))]
    parts = (("from", first), ("to", last), ("axes", axes), ("steps", step))
    names = [state.constant(f"{node.name}_{key}", np.array(value, np.int64)) for key, value in parts]
    state.emit(node, "Slice", [node.inputs[0], *names], rank)


def _composed(*ops: str) -> Callable[[State, Node], None]:
    """Ops of one value, one after the other."""

    def translate(state: State, node: Node) -> None:
        source = node.inputs[0]
        for op in ops[:-1]:
            state.nodes.append(helper.make_node(op, [source], [f"{node.name}_{op.lower()}"]))
            source = f"{node.name}_{op.lower()}"
        state.emit(node, ops[-1], [source], state.ranks[node.inputs[0]])

    return translate


def _square(state: State, node: Node) -> None:
    state.emit(node, "Mul", [node.inputs[0]] * 2, state.ranks[node.inputs[0]])


def _leaky_relu(state: State, node: Node) -> None:
    alpha = node.number("alpha", 0.2)
    state.emit(node, "LeakyRelu", node.inputs[:1], state.ranks[node.inputs[0]], alpha=alpha)


def _add_n(state: State, node: Node) -> None:
    rank = max(state.ranks.get(name, 0) for name in node.inputs)
    state.emit(node, "Sum", [_operand(state, node, i, rank) for i in range(len(node.inputs))], rank)


OPS: dict[str, Callable[[State, Node], None]] = {
    **dict.fromkeys(("Add", "AddV2", "BiasAdd"), _binary("Add")),
    "Sub": _binary("Sub"),
    "Mul": _binary("Mul"),
    **dict.fromkeys(("Div", "RealDiv"), _binary("Div")),
    "AvgPool": _pool,
    "MaxPool": _pool,
    **dict.fromkeys(
        ("BatchNormWithGlobalNormalization", "FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3"), _batch_norm
    ),
    "Concat": _concat,
    "ConcatV2": _concat,
    "Conv2D": _conv,
    **dict.fromkeys(("DepthToSpace", "SpaceToDepth"), _blocks),
    "DepthwiseConv2dNative": _conv,
    **dict.fromkeys(("Identity", "CheckNumerics", "StopGradient"), _unary("Identity")),
    **{op: _unary(op) for op in ("Abs", "Elu", "Erf", "Exp", "Log", "Neg", "Reciprocal", "Selu")},
    **{op: _unary(op) for op in ("Softplus", "Softsign", "Sqrt")},
    "AddN": _add_n,
    "Cast": _unary("Identity"),
    "ExpandDims": _expand_dims,
    "IdentityN": _identity_n,
    "LRN": _lrn,
    "LeakyRelu": _leaky_relu,
    "LogSoftmax": _softmax("LogSoftmax"),
    "MatMul": _matmul,
    "Max": _mean,
    "Maximum": _binary("Max"),
    "Mean": _mean,
    "Minimum": _binary("Min"),
    "MirrorPad": _pad,
    "Pad": _pad,
    "PadV2": _pad,
    "Pow": _binary("Pow"),
    "Rsqrt": _composed("Sqrt", "Reciprocal"),
    "Split": _split,
    "SplitV": _split,
    "Square": _square,
    "StridedSlice": _strided_slice,
    "Relu": _unary("Relu"),
    "Relu6": _relu6,
    "Reshape": _flatten,
    "Sigmoid": _unary("Sigmoid"),
    "Softmax": _softmax("Softmax"),
    "Squeeze": _flatten,
    "Tanh": _unary("Tanh"),
}
LEFT_OUT = {  # what frozen networks of pictures also hold, and why it is not imported
    **dict.fromkeys(("BatchMatMul", "BatchMatMulV2", "Einsum", "BatchMatMulV3"), "multiplies two tensors (attention)"),
    **dict.fromkeys(
        ("Transpose", "Pack", "Unpack", "Slice", "Tile", "Sum", "Min", "Prod"), "moves, cuts or sums whole axes"
    ),
    **dict.fromkeys(("GatherV2", "Gather", "GatherNd", "OneHot", "ArgMax", "TopKV2", "Where"), "picks by number"),
    **dict.fromkeys(("NonMaxSuppressionV3", "CropAndResize", "Range", "NonMaxSuppressionV5"), "works on boxes"),
    **dict.fromkeys(
        ("ResizeBilinear", "ResizeNearestNeighbor", "Conv2DBackpropInput"), "enlarges maps to a given size"
    ),
    **dict.fromkeys(("SpaceToBatchND", "BatchToSpaceND"), "makes several pictures of one, for dilated windows"),
    **dict.fromkeys(("Conv3D", "MaxPool3D", "AvgPool3D"), "works on volumes"),
    **dict.fromkeys(
        ("While", "If", "TensorArrayV3", "LoopCond", "NextIteration", "Exit"), "runs in a loop or a branch"
    ),
    **dict.fromkeys(("DecodeJpeg", "DecodePng", "ParseExample"), "reads files"),
    **dict.fromkeys(("FakeQuantWithMinMaxVars", "QuantizedConv2D", "Dequantize", "QuantizeV2"), "has whole numbers"),
    **dict.fromkeys(("_FusedConv2D", "_FusedMatMul"), "is what an optimiser for one machine made"),
    **dict.fromkeys(
        ("Floor", "Round", "Sign", "Greater", "Less", "Equal"), "is a step, through which no gradient passes"
    ),
}
