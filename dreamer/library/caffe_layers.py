"""One function a Caffe layer type: from its parameters and weights to ONNX nodes, and nothing rounded away."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from onnx import helper

from .names import LibraryError
from .wire import Message, first

Array = np.ndarray[Any, Any]


@dataclass
class Layer:
    """A layer on its way to ONNX: `inputs` and `outputs` are tensor names, `weights` its arrays in order."""

    name: str
    type: str
    params: Message  # the layer's own parameter message, {} when it has none
    weights: list[Array]
    inputs: list[str]
    outputs: list[str]
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    constants: dict[str, Array] = field(default_factory=dict)

    def get(self, name: str, default: Any) -> Any:
        """A parameter that counts once."""
        return first(self.params, name, default)

    def weight(self, index: int, what: str) -> Array:
        """One of the layer's arrays."""
        if index >= len(self.weights):
            raise LibraryError(
                f"layer {self.name!r} ({self.type}) has no {what} in the .caffemodel file; "
                "are the .caffemodel and the .prototxt of the same net?"
            )
        return self.weights[index]

    def constant(self, suffix: str, value: Array) -> str:
        """Keep an array and return its tensor name."""
        name = f"{self.name}_{suffix}"
        self.constants[name] = np.ascontiguousarray(value, np.int64 if value.dtype.kind == "i" else np.float32)
        return name

    def emit(self, op: str, inputs: list[str], outputs: list[str] | None = None, **attributes: Any) -> None:
        """Add a node."""
        name = self.name if not self.nodes else f"{self.name}:{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, inputs, outputs or self.outputs[:1], name=name, **attributes))

    def pair(self, name: str, default: int) -> list[int]:
        """[h, w] of kernel_size, stride, pad or dilation, whichever way it is spelled."""
        short = name.removesuffix("_size")
        both = [first(self.params, f"{short}_{axis}") for axis in "hw"]
        if any(value is not None for value in both):
            return [default if value is None else int(value) for value in both]
        values = [int(v) for v in self.params.get(name, [])] or [default]
        return values[:2] if len(values) > 1 else values * 2


def _convolution(layer: Layer) -> None:
    count, group = int(layer.get("num_output", 0)), int(layer.get("group", 1))
    kernel = layer.pair("kernel_size", 0)
    weight = layer.weight(0, "weights")
    per = count * kernel[0] * kernel[1]
    if not per or weight.size % per:
        raise LibraryError(
            f"layer {layer.name!r} has {weight.size} weights, which do not make {count} filters of "
            f"{kernel[0]} x {kernel[1]}; are the .caffemodel and the .prototxt of the same net?"
        )
    inputs = [layer.inputs[0], layer.constant("w", weight.reshape(count, -1, *kernel))]
    if layer.get("bias_term", True):
        inputs.append(layer.constant("b", layer.weight(1, "bias").reshape(-1)))
    layer.emit(
        "Conv",
        inputs,
        kernel_shape=kernel,
        strides=layer.pair("stride", 1),
        pads=layer.pair("pad", 0) * 2,
        dilations=layer.pair("dilation", 1),
        group=group,
    )


def _pooling(layer: Layer) -> None:
    kind = layer.get("pool", "MAX")
    if kind not in ("MAX", "AVE", 0, 1):
        raise LibraryError(f"layer {layer.name!r} pools by {kind}, expected MAX or AVE")
    average = kind in ("AVE", 1)
    if layer.get("global_pooling", False):
        layer.emit("GlobalAveragePool" if average else "GlobalMaxPool", layer.inputs)
        return
    kernel, stride, pad = layer.pair("kernel_size", 0), layer.pair("stride", 1), layer.pair("pad", 0)
    # Caffe rounds the number of windows up, and drops a last one that would start outside the picture and its
    # padding; ONNX's ceil_mode is the same rule. Only an average must know what its divisor counts: in Caffe the
    # padding, but not what a last window overhangs. Padding by hand says exactly that.
    ceil = layer.get("round_mode", "CEIL") in ("CEIL", 0) and stride != [1, 1]
    source = layer.inputs[0]
    options: dict[str, Any] = {"kernel_shape": kernel, "strides": stride}
    if ceil:
        options["ceil_mode"] = 1
    if not average:
        layer.emit("MaxPool", [source], pads=pad * 2, **options)
    elif ceil and any(pad):
        padded = f"{layer.name}_padded"
        sizes = layer.constant("pads", np.array([0, 0, *pad, 0, 0, *pad]))
        layer.emit("Pad", [source, sizes], [padded])
        layer.emit("AveragePool", [padded], **options)
    else:
        layer.emit("AveragePool", [source], pads=pad * 2, count_include_pad=1, **options)


def _relu(layer: Layer) -> None:
    slope = float(layer.get("negative_slope", 0.0))
    if slope:
        layer.emit("LeakyRelu", layer.inputs, alpha=slope)
    else:
        layer.emit("Relu", layer.inputs)


def _prelu(layer: Layer) -> None:
    slope = layer.weight(0, "slopes").reshape(-1)
    layer.emit("PRelu", [layer.inputs[0], layer.constant("slope", slope.reshape(-1, 1, 1))])


def _lrn(layer: Layer) -> None:
    if layer.get("norm_region", "ACROSS_CHANNELS") not in ("ACROSS_CHANNELS", 0):
        raise LibraryError(f"layer {layer.name!r} normalises within a channel, which cannot be imported")
    layer.emit(
        "LRN",
        layer.inputs,
        size=int(layer.get("local_size", 5)),
        alpha=float(layer.get("alpha", 1.0)),  # divided by the size in Caffe and in ONNX alike
        beta=float(layer.get("beta", 0.75)),
        bias=float(layer.get("k", 1.0)),
    )


def _inner_product(layer: Layer) -> None:
    if layer.get("axis", 1) != 1:
        raise LibraryError(f"layer {layer.name!r} works on axis {layer.get('axis', 1)}, expected 1")
    count = int(layer.get("num_output", 0))
    weight = layer.weight(0, "weights")
    if not count or weight.size % count:
        raise LibraryError(f"layer {layer.name!r} has {weight.size} weights, which do not make {count} outputs")
    matrix = weight.reshape(-1, count).T if layer.get("transpose", False) else weight.reshape(count, -1)
    flat = f"{layer.name}_flat"
    inputs = [flat, layer.constant("w", matrix)]
    if layer.get("bias_term", True):
        inputs.append(layer.constant("b", layer.weight(1, "bias").reshape(-1)))
    layer.emit("Flatten", [layer.inputs[0]], [flat], axis=1)
    layer.emit("Gemm", inputs, transB=1)


def _batch_norm(layer: Layer) -> None:
    # Stored as running sums with their common weight.
    weight = float(layer.weight(2, "statistics").reshape(-1)[0])
    factor = 1 / weight if weight else 0.0
    mean, var = (layer.weight(i, "statistics").reshape(-1) * factor for i in (0, 1))
    ones, zeros = np.ones(len(mean), np.float32), np.zeros(len(mean), np.float32)
    names = [
        layer.constant(suffix, value)
        for suffix, value in (("scale", ones), ("shift", zeros), ("mean", mean), ("var", var))
    ]
    layer.emit("BatchNormalization", [layer.inputs[0], *names], epsilon=float(layer.get("eps", 1e-5)))


def _scale(layer: Layer) -> None:
    if len(layer.inputs) > 1 or layer.get("axis", 1) != 1 or layer.get("num_axes", 1) != 1:
        raise LibraryError(f"layer {layer.name!r} scales by something else than one number a channel")
    factor = layer.constant("scale", layer.weight(0, "factors").reshape(-1, 1, 1))
    if not layer.get("bias_term", False):
        layer.emit("Mul", [layer.inputs[0], factor])
        return
    shift = layer.constant("shift", layer.weight(1, "bias").reshape(-1, 1, 1))
    layer.emit("Mul", [layer.inputs[0], factor], [f"{layer.name}_scaled"])
    layer.emit("Add", [f"{layer.name}_scaled", shift])


def _bias(layer: Layer) -> None:
    layer.emit("Add", [layer.inputs[0], layer.constant("b", layer.weight(0, "bias").reshape(-1, 1, 1))])


def _eltwise(layer: Layer) -> None:
    operation = layer.get("operation", "SUM")
    coefficients = [float(c) for c in layer.params.get("coeff", [])]
    inputs = list(layer.inputs)
    if operation in ("PROD", 0):
        product = inputs[0]
        for i, name in enumerate(inputs[1:], 2):
            result = layer.outputs[0] if i == len(inputs) else f"{layer.name}_{i}"
            layer.emit("Mul", [product, name], [result])
            product = result
        return
    if operation in ("SUM", 1) and any(c != 1 for c in coefficients):
        for i, coefficient in enumerate(coefficients):
            factor = layer.constant(f"coeff{i}", np.array(coefficient, np.float32))
            layer.emit("Mul", [inputs[i], factor], [f"{layer.name}_term{i}"])
            inputs[i] = f"{layer.name}_term{i}"
    layer.emit("Sum" if operation in ("SUM", 1) else "Max", inputs)


def _power(layer: Layer) -> None:
    power, scale, shift = (float(layer.get(n, d)) for n, d in (("power", 1), ("scale", 1), ("shift", 0)))
    source = layer.inputs[0]
    steps = [("Mul", scale, 1.0), ("Add", shift, 0.0), ("Pow", power, 1.0)]
    steps = [step for step in steps if step[1] != step[2]] or steps[:1]
    for i, (op, value, _) in enumerate(steps, 1):
        result = layer.outputs[0] if i == len(steps) else f"{layer.name}_{op.lower()}"
        layer.emit(op, [source, layer.constant(f"{op.lower()}_by", np.array(value, np.float32))], [result])
        source = result


def _flatten(layer: Layer) -> None:
    if layer.get("axis", 1) != 1 or layer.get("end_axis", -1) not in (-1, 3):
        raise LibraryError(f"layer {layer.name!r} flattens from axis {layer.get('axis', 1)}, expected 1 to the end")
    layer.emit("Flatten", layer.inputs, axis=1)


def _reshape(layer: Layer) -> None:
    dims = [int(d) for d in first(layer.params, "shape", {}).get("dim", [])]
    layer.emit("Reshape", [layer.inputs[0], layer.constant("shape", np.array(dims, np.int64))])


def _concat(layer: Layer) -> None:
    layer.emit("Concat", layer.inputs, axis=int(layer.get("axis", layer.get("concat_dim", 1))))


def _plain(op: str, **attributes: Any) -> Callable[[Layer], None]:
    return lambda layer: layer.emit(op, layer.inputs[:1], **attributes)


# Type -> (its function, the name of its parameter message).
LAYERS: dict[str, tuple[Callable[[Layer], None], str]] = {
    "BatchNorm": (_batch_norm, "batch_norm_param"),
    "Bias": (_bias, "bias_param"),
    "Concat": (_concat, "concat_param"),
    "Convolution": (_convolution, "convolution_param"),
    "ELU": (lambda layer: layer.emit("Elu", layer.inputs, alpha=float(layer.get("alpha", 1.0))), "elu_param"),
    "Eltwise": (_eltwise, "eltwise_param"),
    "Flatten": (_flatten, "flatten_param"),
    "InnerProduct": (_inner_product, "inner_product_param"),
    "LRN": (_lrn, "lrn_param"),
    "PReLU": (_prelu, "prelu_param"),
    "Pooling": (_pooling, "pooling_param"),
    "Power": (_power, "power_param"),
    "ReLU": (_relu, "relu_param"),
    "Reshape": (_reshape, "reshape_param"),
    "Scale": (_scale, "scale_param"),
    "Sigmoid": (_plain("Sigmoid"), ""),
    "Softmax": (_plain("Softmax", axis=1), ""),
    "SoftmaxWithLoss": (_plain("Softmax", axis=1), ""),
    "TanH": (_plain("Tanh"), ""),
}
SOURCES = {"Data", "HDF5Data", "ImageData", "Input", "MemoryData", "DummyData", "WindowData"}
SAME = {"Dropout", "Split"}  # give out what they take in, when nothing is being trained
UNNEEDED = {"Accuracy", "ArgMax", "Silence", "EuclideanLoss", "HDF5Output"}
