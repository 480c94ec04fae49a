"""One function a Caffe layer type: from its parameters and weights to ONNX nodes, and nothing rounded away."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from onnx import helper

from ..graph import Array
from .names import LibraryError

MAX, AVERAGE = 0, 1  # numbers of Caffe's enums, as `caffe_schema` lists them
CEIL = 0
ACROSS_CHANNELS = 0
PRODUCT, SUM = 0, 1


@dataclass
class Layer:
    """A layer on its way to ONNX: `inputs` and `outputs` are tensor names, `weights` its arrays in order."""

    name: str
    type: str
    params: Any  # the layer's own parameter message, None where its type has none
    weights: list[Array]
    inputs: list[str]
    outputs: list[str]
    flat: bool = False  # its input has no height and width
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    constants: dict[str, Array] = field(default_factory=dict)

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
        both = [f"{name.removesuffix('_size')}_{axis}" for axis in "hw"]
        known = self.params.DESCRIPTOR.fields_by_name
        if all(n in known for n in both) and any(self.params.HasField(n) for n in both):
            return [getattr(self.params, n) if self.params.HasField(n) else default for n in both]
        given = getattr(self.params, name)
        values = [given] if isinstance(given, int) else list(given) or [default]
        return values[:2] if len(values) > 1 else values * 2

    def per_channel(self, values: Array) -> Array:
        """Numbers for the channels, in the shape that meets the input's."""
        return values.reshape(-1) if self.flat else values.reshape(-1, 1, 1)


def _convolution(layer: Layer) -> None:
    count, group = layer.params.num_output, layer.params.group
    kernel = layer.pair("kernel_size", 0)
    weight = layer.weight(0, "weights")
    per = count * kernel[0] * kernel[1]
    if not per or weight.size % per:
        raise LibraryError(
            f"layer {layer.name!r} has {weight.size} weights, which do not make {count} filters of "
            f"{kernel[0]} x {kernel[1]}; are the .caffemodel and the .prototxt of the same net?"
        )
    inputs = [layer.inputs[0], layer.constant("w", weight.reshape(count, -1, *kernel))]
    if layer.params.bias_term:
        inputs.append(layer.constant("b", layer.weight(1, "bias").reshape(-1)))
    layer.emit("Conv", inputs, **_window(layer, kernel, group))


def _window(layer: Layer, kernel: list[int], group: int) -> dict[str, Any]:
    return {
        "kernel_shape": kernel,
        "strides": layer.pair("stride", 1),
        "pads": layer.pair("pad", 0) * 2,
        "dilations": layer.pair("dilation", 1),
        "group": group,
    }


def _depthwise(layer: Layer) -> None:
    """A convolution whose filters see a channel each, whatever `group` says."""
    layer.params.group = layer.params.num_output
    _convolution(layer)


def _deconvolution(layer: Layer) -> None:
    group, kernel, weight = layer.params.group, layer.pair("kernel_size", 0), layer.weight(0, "weights")
    per = layer.params.num_output // group * kernel[0] * kernel[1]
    if not per or weight.size % per:
        raise LibraryError(f"layer {layer.name!r} has {weight.size} weights, which do not make its filters")
    inputs = [layer.inputs[0], layer.constant("w", weight.reshape(-1, layer.params.num_output // group, *kernel))]
    if layer.params.bias_term:
        inputs.append(layer.constant("b", layer.weight(1, "bias").reshape(-1)))
    layer.emit("ConvTranspose", inputs, **_window(layer, kernel, group))


def _pooling(layer: Layer) -> None:
    params = layer.params
    if params.pool not in (MAX, AVERAGE):
        raise LibraryError(f"layer {layer.name!r} pools by chance (STOCHASTIC), expected MAX or AVE")
    average = params.pool == AVERAGE
    if params.global_pooling:
        layer.emit("GlobalAveragePool" if average else "GlobalMaxPool", layer.inputs)
        return
    kernel, stride, pad = layer.pair("kernel_size", 0), layer.pair("stride", 1), layer.pair("pad", 0)
    # Caffe rounds the number of windows up, and drops a last one that would start outside the picture and its
    # padding; ONNX's ceil_mode is the same rule. Only an average must know what its divisor counts: in Caffe the
    # padding, but not what a last window overhangs. Padding by hand says exactly that. BVLC's Caffe can be told to
    # round down by round_mode, others' by ceil_mode.
    ceil = params.round_mode == CEIL and params.ceil_mode and stride != [1, 1]
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
    if layer.params.negative_slope:
        layer.emit("LeakyRelu", layer.inputs, alpha=layer.params.negative_slope)
    else:
        layer.emit("Relu", layer.inputs)


def _relu6(layer: Layer) -> None:
    bounds = [layer.constant(name, np.array(value, np.float32)) for name, value in (("low", 0.0), ("high", 6.0))]
    layer.emit("Clip", [layer.inputs[0], *bounds])


def _prelu(layer: Layer) -> None:
    slope = layer.per_channel(layer.weight(0, "slopes"))
    layer.emit("PRelu", [layer.inputs[0], layer.constant("slope", slope)])


def _lrn(layer: Layer) -> None:
    size, alpha, beta, bias = (getattr(layer.params, name) for name in ("local_size", "alpha", "beta", "k"))
    if layer.params.norm_region == ACROSS_CHANNELS:
        # alpha is divided by the size in Caffe and in ONNX alike
        layer.emit("LRN", layer.inputs, size=size, alpha=alpha, beta=beta, bias=bias)
        return
    # Within a channel: x / (1 + alpha * mean of x^2 over the window)^beta, the mean counting the padding; k is ignored.
    source, square, mean, scaled, base, norm = layer.inputs[0], *(f"{layer.name}_{n}" for n in _LRN_STEPS)
    layer.emit("Mul", [source, source], [square])
    pads = [(size - 1) // 2] * 2 + [size // 2] * 2
    layer.emit("AveragePool", [square], [mean], kernel_shape=[size, size], pads=pads, count_include_pad=1)
    layer.emit("Mul", [mean, layer.constant("alpha", np.array(alpha, np.float32))], [scaled])
    layer.emit("Add", [scaled, layer.constant("one", np.array(1.0, np.float32))], [base])
    layer.emit("Pow", [base, layer.constant("beta", np.array(beta, np.float32))], [norm])
    layer.emit("Div", [source, norm])


_LRN_STEPS = ("square", "mean", "scaled", "base", "norm")


def _inner_product(layer: Layer) -> None:
    if layer.params.axis != 1:
        raise LibraryError(f"layer {layer.name!r} works on axis {layer.params.axis}, expected 1")
    count, weight = layer.params.num_output, layer.weight(0, "weights")
    if not count or weight.size % count:
        raise LibraryError(f"layer {layer.name!r} has {weight.size} weights, which do not make {count} outputs")
    matrix = weight.reshape(-1, count).T if layer.params.transpose else weight.reshape(count, -1)
    flat = f"{layer.name}_flat"
    inputs = [flat, layer.constant("w", matrix)]
    if layer.params.bias_term:
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
    layer.emit("BatchNormalization", [layer.inputs[0], *names], epsilon=layer.params.eps)


def _scale(layer: Layer) -> None:
    params, source = layer.params, layer.inputs[0]
    if len(layer.inputs) > 1 and params.axis == 0:  # by a number for each channel that the net computes itself
        factor = f"{layer.name}_factor"
        layer.emit("Reshape", [layer.inputs[1], layer.constant("each", np.array([0, -1, 1, 1]))], [factor])
        layer.emit("Mul", [source, factor])
        return
    if len(layer.inputs) > 1 or params.axis != 1 or params.num_axes not in (1, -1):
        raise LibraryError(f"layer {layer.name!r} scales by something else than one number a channel")
    factor = layer.constant("scale", layer.per_channel(layer.weight(0, "factors")))
    if not params.bias_term:
        layer.emit("Mul", [source, factor])
        return
    shift = layer.constant("shift", layer.per_channel(layer.weight(1, "bias")))
    layer.emit("Mul", [source, factor], [f"{layer.name}_scaled"])
    layer.emit("Add", [f"{layer.name}_scaled", shift])


def _bias(layer: Layer) -> None:
    layer.emit("Add", [layer.inputs[0], layer.constant("b", layer.per_channel(layer.weight(0, "bias")))])


def _eltwise(layer: Layer) -> None:
    operation, coefficients, inputs = layer.params.operation, list(layer.params.coeff), list(layer.inputs)
    if operation == PRODUCT:
        product = inputs[0]
        for i, name in enumerate(inputs[1:], 2):
            result = layer.outputs[0] if i == len(inputs) else f"{layer.name}_{i}"
            layer.emit("Mul", [product, name], [result])
            product = result
        return
    if operation == SUM and any(c != 1 for c in coefficients):
        for i, coefficient in enumerate(coefficients):
            factor = layer.constant(f"coeff{i}", np.array(coefficient, np.float32))
            layer.emit("Mul", [inputs[i], factor], [f"{layer.name}_term{i}"])
            inputs[i] = f"{layer.name}_term{i}"
    layer.emit("Sum" if operation == SUM else "Max", inputs)


def _chain(layer: Layer, *steps: tuple[str, float | None, float]) -> None:
    """Ops with a number each, one after the other; those left out whose number changes nothing (the third)."""
    source = layer.inputs[0]
    steps = tuple(step for step in steps if step[1] != step[2]) or steps[:1]
    for i, (op, value, _) in enumerate(steps, 1):
        result = layer.outputs[0] if i == len(steps) else f"{layer.name}_{op.lower()}{i}"
        by = [] if value is None else [layer.constant(f"{op.lower()}_by{i}", np.array(value, np.float32))]
        layer.emit(op, [source, *by], [result])
        source = result


def _power(layer: Layer) -> None:
    """(shift + scale x)^power."""
    params = layer.params
    _chain(layer, ("Mul", params.scale, 1.0), ("Add", params.shift, 0.0), ("Pow", params.power, 1.0))


def _exp(layer: Layer) -> None:
    """base^(shift + scale x); a base of -1 is e."""
    params = layer.params
    factor = 1.0 if params.base == -1 else float(np.log(params.base))
    _chain(layer, ("Mul", params.scale * factor, 1.0), ("Add", params.shift * factor, 0.0), ("Exp", None, 0.0))


def _log(layer: Layer) -> None:
    """The logarithm of shift + scale x to the base."""
    params = layer.params
    factor = 1.0 if params.base == -1 else 1 / float(np.log(params.base))
    steps = (("Mul", params.scale, 1.0), ("Add", params.shift, 0.0), ("Log", None, 0.0), ("Mul", factor, 1.0))
    _chain(layer, *steps)


def _clip(layer: Layer) -> None:
    limits = [layer.constant(name, np.array(getattr(layer.params, name), np.float32)) for name in ("min", "max")]
    layer.emit("Clip", [*layer.inputs, *limits])


def _swish(layer: Layer) -> None:
    """x sigmoid(beta x)."""
    x, gate, beta = layer.inputs[0], f"{layer.name}_gate", layer.params.beta
    scaled = x if beta == 1 else f"{layer.name}_scaled"
    if beta != 1:
        layer.emit("Mul", [x, layer.constant("beta", np.array(beta, np.float32))], [scaled])
    layer.emit("Sigmoid", [scaled], [gate])
    layer.emit("Mul", [x, gate])


def _mvn(layer: Layer) -> None:
    """Each picture's channels, or all of them together, without their mean, over their deviation."""
    x, params = layer.inputs[0], layer.params
    if layer.flat:
        raise LibraryError(f"layer {layer.name!r} (MVN) normalises what has no height and width, expected a map")
    axes = layer.constant("axes", np.array([1, 2, 3] if params.across_channels else [2, 3], np.int64))
    mean, centred, square, var, root, deviation = (f"{layer.name}_{step}" for step in _MVN_STEPS)
    layer.emit("ReduceMean", [x, axes], [mean])
    if not params.normalize_variance:
        layer.emit("Sub", [x, mean])
        return
    layer.emit("Sub", [x, mean], [centred])
    layer.emit("Mul", [centred, centred], [square])
    layer.emit("ReduceMean", [square, axes], [var])
    layer.emit("Sqrt", [var], [root])
    layer.emit("Add", [root, layer.constant("eps", np.array(params.eps, np.float32))], [deviation])
    layer.emit("Div", [centred, deviation])


_MVN_STEPS = ("mean", "centred", "square", "var", "root", "deviation")


def _tile(layer: Layer) -> None:
    axis, rank = layer.params.axis, 2 if layer.flat else 4
    if not 1 <= axis < rank or layer.params.tiles < 1:
        raise LibraryError(
            f"layer {layer.name!r} repeats axis {axis} {layer.params.tiles} times, "
            f"expected an axis from 1 to {rank - 1} and at least once"
        )
    repeats = [layer.params.tiles if i == axis else 1 for i in range(rank)]
    layer.emit("Tile", [layer.inputs[0], layer.constant("repeats", np.array(repeats, np.int64))])


def _flatten(layer: Layer) -> None:
    if layer.params.axis != 1 or layer.params.end_axis not in (-1, 3):
        raise LibraryError(f"layer {layer.name!r} flattens from axis {layer.params.axis}, expected 1 to the end")
    layer.emit("Flatten", layer.inputs, axis=1)


def _reshape(layer: Layer) -> None:
    layer.emit("Reshape", [layer.inputs[0], layer.constant("shape", np.array(layer.params.shape.dim, np.int64))])


def _concat(layer: Layer) -> None:
    params = layer.params
    layer.emit("Concat", layer.inputs, axis=params.axis if params.HasField("axis") else params.concat_dim)


def _slice(layer: Layer) -> None:
    """One blob into several, at the given places or evenly."""
    params, count = layer.params, len(layer.outputs)
    axis = params.axis if params.HasField("axis") else params.slice_dim
    points = list(params.slice_point)
    if not points:
        layer.emit("Split", layer.inputs, layer.outputs, axis=axis, num_outputs=count)
        return
    if len(points) != count - 1:
        raise LibraryError(f"layer {layer.name!r} cuts at {len(points)} places, but has {count} outputs")
    for output, first, last in zip(layer.outputs, [0, *points], [*points, 2**31 - 1], strict=True):
        bounds = (("from", first), ("to", last), ("axis", axis))
        names = [layer.constant(f"{output}_{name}", np.array([value])) for name, value in bounds]
        layer.emit("Slice", [layer.inputs[0], *names], [output])


def _permute(layer: Layer) -> None:
    layer.emit("Transpose", layer.inputs, perm=list(layer.params.order))


def _normalize(layer: Layer) -> None:
    """x / sqrt(sum of x^2 + eps) * scale, the sum over channels, or over the whole map."""
    source, square, summed, safe, norm, even = layer.inputs[0], *(f"{layer.name}_{n}" for n in _NORM_STEPS)
    axes = layer.constant("axes", np.array([1, 2, 3] if layer.params.across_spatial else [1]))
    layer.emit("Mul", [source, source], [square])
    layer.emit("ReduceSum", [square, axes], [summed], keepdims=1)
    layer.emit("Add", [summed, layer.constant("eps", np.array(layer.params.eps, np.float32))], [safe])
    layer.emit("Sqrt", [safe], [norm])
    layer.emit("Div", [source, norm], [even])
    layer.emit("Mul", [even, layer.constant("scale", layer.per_channel(layer.weight(0, "factors")))])


_NORM_STEPS = ("square", "summed", "safe", "norm", "even")


def _shuffle_channel(layer: Layer) -> None:
    """Channels as a table of `group` rows, read by columns."""
    source, size, split, rows, turned, whole = layer.inputs[0], *(f"{layer.name}_{n}" for n in _SHUFFLE_STEPS)
    layer.emit("Shape", [source], [size], start=2)
    group = layer.params.group
    layer.emit("Concat", [layer.constant("groups", np.array([0, group, -1])), size], [split], axis=0)
    layer.emit("Reshape", [source, split], [rows])
    layer.emit("Transpose", [rows], [turned], perm=[0, 2, 1, 3, 4])
    layer.emit("Concat", [layer.constant("all", np.array([0, -1])), size], [whole], axis=0)
    layer.emit("Reshape", [turned, whole])


_SHUFFLE_STEPS = ("size", "split", "rows", "turned", "whole")


def _interp(layer: Layer) -> None:
    """Corners stay corners: (n - 1) * zoom + 1 pixels out of n; or a size that is given."""
    params = layer.params
    attributes: dict[str, Any] = {"mode": "linear", "coordinate_transformation_mode": "align_corners"}
    if params.pad_beg or params.pad_end or params.shrink_factor != 1:
        raise LibraryError(f"layer {layer.name!r} resizes with padding or to less, which cannot be imported")
    source, channels, size = layer.inputs[0], f"{layer.name}_channels", f"{layer.name}_size"
    if params.height and params.width:
        to = layer.constant("to", np.array([params.height, params.width]))
    else:
        before, less, more, to = (f"{layer.name}_{name}" for name in ("before", "less", "more", "to"))
        one, zoom = layer.constant("one", np.array([1])), layer.constant("zoom", np.array([params.zoom_factor]))
        layer.emit("Shape", [source], [before], start=2)
        layer.emit("Sub", [before, one], [less])
        layer.emit("Mul", [less, zoom], [more])
        layer.emit("Add", [more, one], [to])
    layer.emit("Shape", [source], [channels], end=2)
    layer.emit("Concat", [channels, to], [size], axis=0)
    layer.emit("Resize", [source, "", "", size], **attributes)


def _upsample(layer: Layer) -> None:
    nearest: dict[str, Any] = {
        "mode": "nearest",
        "coordinate_transformation_mode": "asymmetric",
        "nearest_mode": "floor",
    }
    factors = layer.constant("scales", np.array([1, 1, layer.params.scale, layer.params.scale], np.float32))
    layer.emit("Resize", [layer.inputs[0], "", factors], **nearest)


def _softmax(layer: Layer) -> None:
    layer.emit("Softmax", layer.inputs[:1], axis=layer.params.axis)


def _plain(op: str) -> Callable[[Layer], None]:
    return lambda layer: layer.emit(op, layer.inputs[:1])


# Type -> (its function, the name of its parameter message).
LAYERS: dict[str, tuple[Callable[[Layer], None], str]] = {
    "AbsVal": (_plain("Abs"), ""),
    "BNLL": (_plain("Softplus"), ""),
    "BatchNorm": (_batch_norm, "batch_norm_param"),
    "Bias": (_bias, "bias_param"),
    "Clip": (_clip, "clip_param"),
    "Concat": (_concat, "concat_param"),
    "Convolution": (_convolution, "convolution_param"),
    "ConvolutionDepthwise": (_depthwise, "convolution_param"),
    "Deconvolution": (_deconvolution, "convolution_param"),
    "DepthwiseConvolution": (_depthwise, "convolution_param"),
    "ELU": (lambda layer: layer.emit("Elu", layer.inputs, alpha=layer.params.alpha), "elu_param"),
    "Eltwise": (_eltwise, "eltwise_param"),
    "Exp": (_exp, "exp_param"),
    "Flatten": (_flatten, "flatten_param"),
    "InnerProduct": (_inner_product, "inner_product_param"),
    "Interp": (_interp, "interp_param"),
    "LRN": (_lrn, "lrn_param"),
    "Log": (_log, "log_param"),
    "MVN": (_mvn, "mvn_param"),
    "Normalize": (_normalize, "norm_param"),
    "PReLU": (_prelu, ""),
    "Permute": (_permute, "permute_param"),
    "Pooling": (_pooling, "pooling_param"),
    "Power": (_power, "power_param"),
    "ReLU": (_relu, "relu_param"),
    "ReLU6": (_relu6, ""),
    "Reshape": (_reshape, "reshape_param"),
    "Scale": (_scale, "scale_param"),
    "ShuffleChannel": (_shuffle_channel, "shuffle_channel_param"),
    "Sigmoid": (_plain("Sigmoid"), ""),
    "Slice": (_slice, "slice_param"),
    "Softmax": (_softmax, "softmax_param"),
    "SoftmaxWithLoss": (_softmax, "softmax_param"),
    "Swish": (_swish, "swish_param"),
    "TanH": (_plain("Tanh"), ""),
    "Tile": (_tile, "tile_param"),
    "Upsample": (_upsample, "upsample_param"),
}
SOURCES = {"Data", "HDF5Data", "ImageData", "Input", "MemoryData", "DummyData", "WindowData"}
SAME = {"Dropout", "Split"}  # give out what they take in, when nothing is being trained

LEFT_OUT = {  # Caffe's own types that are not imported, and why
    "BatchReindex": "picks among several pictures",
    "Crop": "cuts to the size of another layer's map",
    "Embed": "takes words, not pictures",
    "Filter": "picks among several pictures",
    "Im2col": "unfolds windows, which no network in use needs",
    "LSTM": "goes over a sequence",
    "LSTMUnit": "goes over a sequence",
    "Parameter": "hands out weights alone",
    "Python": "is code of its author's own, which is not in the file",
    "RNN": "goes over a sequence",
    "Recurrent": "goes over a sequence",
    "Reduction": "leaves one number of a whole picture",
    "SPP": "has windows that depend on the picture's size",
    "Threshold": "is a step, through which no gradient passes",
}


def is_needed(kind: str) -> bool:
    """Whether a layer of this type computes anything for a net in use: measures and losses do not, but for the
    softmax within one."""
    loss = kind.endswith("Loss") and kind != "SoftmaxWithLoss"
    return not loss and kind not in ("Accuracy", "ArgMax", "Silence", "HDF5Output")
