"""Caffe nets: a `.caffemodel` and, where there is one, its `.prototxt`, without Caffe.

A `.caffemodel` also holds the description of the net it was trained as, so the `.prototxt` may be missing; where
it is given it rules, as in Caffe, and the weights are found by the layers' names.

Blobs that layers overwrite in place keep their name for what a reader finds in them at the end; what was there
before a ReLU is `<blob>_pre`, and before other layers `<blob>_raw`, so both can be dreamed of.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from ..graph import IR_VERSION, OPSET
from .caffe_layers import LAYERS, SAME, SOURCES, UNNEEDED, Array, Layer
from .caffe_schema import BLOB, NET, V1_NAMES
from .conventions import CAFFE, Convention, Triple
from .importing import Raw
from .names import LibraryError
from .prototxt import parse
from .wire import Message, arrays, decode, first


def read_caffe(weights: Path, prototxt: Path | None = None, description: Message | None = None) -> Raw:
    """The net of a `.caffemodel`, as its `.prototxt`, a parsed `description` or it itself describes it."""
    trained = _decode(weights)
    if description is None:
        description = read_prototxt(prototxt) if prototxt else trained
    arrays_by_layer = {str(first(layer, "name", "")): _blobs(layer) for layer in _layers(trained)}
    if not any(arrays_by_layer.values()):
        raise LibraryError(f"{weights} holds no weights; is it a .caffemodel file?")
    return net_to_onnx(description, arrays_by_layer)


def read_prototxt(path: Path) -> Message:
    """The net that a `.prototxt` file describes."""
    try:
        net = parse(path.read_text(encoding="utf-8"))
    except (LibraryError, UnicodeDecodeError) as error:
        raise LibraryError(f"{path}: {error}") from None
    if not _layers(net):
        raise LibraryError(f"{path} describes no layers; expected a net's .prototxt, not a solver's")
    return net


def read_mean(path: Path) -> Triple:
    """The mean of each channel (BGR) of a Caffe mean picture (`.binaryproto`)."""
    try:
        picture = _blob(decode(path.read_bytes(), BLOB))
    except LibraryError as error:
        raise LibraryError(f"{path} is not a Caffe mean picture: {error}") from None
    if picture.ndim < 3 or picture.shape[-3] != 3:
        raise LibraryError(f"{path} is not a colour mean picture: its shape is {picture.shape}")
    blue, green, red = picture.reshape(-1, 3, *picture.shape[-2:]).mean(axis=(0, 2, 3), dtype=np.float64)
    return round(float(blue), 3), round(float(green), 3), round(float(red), 3)


def _decode(path: Path) -> Message:
    try:
        return decode(path.read_bytes(), NET)
    except LibraryError as error:
        raise LibraryError(f"{path} is not a .caffemodel file, or it is cut short: {error}") from None


def _layers(net: Message) -> list[Message]:
    return [layer for layer in (net.get("layer") or net.get("layers") or []) if isinstance(layer, dict)]


def _blobs(layer: Message) -> list[Array]:
    return [_blob(blob) for blob in layer.get("blobs", [])]


def _blob(blob: Message) -> Array:
    values = arrays(blob, "data")
    if not values.size:
        values = arrays(blob, "double_data")
    shape = [int(d) for d in first(blob, "shape", {}).get("dim", [])]
    if not shape:
        shape = [int(first(blob, name, 1) or 1) for name in ("num", "channels", "height", "width")]
    if int(np.prod(shape)) != values.size:
        raise LibraryError(f"a blob of shape {shape} holds {values.size} values")
    return values.reshape(shape)


def net_to_onnx(net: Message, weights: dict[str, list[Array]]) -> Raw:
    """Turn a described net and its weights, by layer name, into an ONNX model."""
    described = [layer for layer in _layers(net) if _in_test(layer)]
    picture, size, convention = _input(net, described)
    steps = _steps(described, picture, weights)
    nodes: list[onnx.NodeProto] = []
    constants: dict[str, Array] = {}
    for step in steps:
        LAYERS[step.type][0](step)
        nodes.extend(step.nodes)
        constants.update(step.constants)
    read = {name for node in nodes for name in node.input}
    outputs = [name for node in nodes for name in node.output if name not in read]
    if not outputs:
        raise LibraryError("the net computes nothing from its picture")
    graph = helper.make_graph(
        nodes,
        str(first(net, "name", "net")),
        [helper.make_tensor_value_info(picture, TensorProto.FLOAT, [1, 3, *size])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)])
    model.ir_version = IR_VERSION
    return Raw(model, convention)


def _in_test(layer: Message) -> bool:
    """Whether the layer belongs to the net as it is used, not as it is trained."""
    include = [first(rule, "phase") for rule in layer.get("include", [])]
    exclude = [first(rule, "phase") for rule in layer.get("exclude", [])]
    return (not include or any(phase in ("TEST", 1, None) for phase in include)) and "TEST" not in exclude


def _type(layer: Message) -> str:
    kind = str(first(layer, "type", ""))
    return V1_NAMES.get(kind, kind)


def _input(net: Message, layers: list[Message]) -> tuple[str, tuple[int | str, int | str], Convention | None]:
    """(the picture's blob, its height and width, how the net was fed when that is said)."""
    name = str(first(net, "input", "")) and str(net["input"][0])
    dims = [int(d) for d in net.get("input_dim", [])[:4]]
    if not dims and net.get("input_shape"):
        dims = [int(d) for d in net["input_shape"][0].get("dim", [])]
    convention = None
    # A net as it was trained says how in its training layers, which _in_test has left out of `layers`.
    for layer in [*layers, *_layers(net)]:
        if _type(layer) not in SOURCES:
            continue
        transform = first(layer, "transform_param", {})
        convention = convention or _convention(transform)
        if not name and layer.get("top"):
            name = str(layer["top"][0])
        shapes = first(layer, "input_param", {}).get("shape", [])
        if not dims and shapes:
            dims = [int(d) for d in shapes[0].get("dim", [])]
        crop = int(first(transform, "crop_size", 0))
        if not dims and crop:
            dims = [1, 3, crop, crop]
    if not name:
        raise LibraryError("the net has no input: expected an input, an Input layer or a Data layer")
    if dims and (len(dims) != 4 or dims[1] != 3):
        raise LibraryError(f"the net's input {name!r} has shape {dims}, expected a colour picture [n, 3, h, w]")
    return name, (dims[2], dims[3]) if dims else ("h", "w"), convention


def _convention(transform: Message) -> Convention | None:
    means = [float(m) for m in transform.get("mean_value", [])]
    if len(means) not in (1, 3):
        return None
    blue, green, red = means * 3 if len(means) == 1 else means
    return Convention(CAFFE.channel_order, (blue, green, red), float(first(transform, "scale", 1.0)))


def _steps(layers: list[Message], picture: str, weights: dict[str, list[Array]]) -> list[Layer]:
    """The layers that compute something, with a tensor name of its own for every state of every blob."""
    now: dict[str, str] = {picture: picture}  # blob -> the tensor that stands for it at this point
    steps: list[Layer] = []
    for layer in layers:
        kind, name = _type(layer), str(first(layer, "name", ""))
        bottoms = [str(b) for b in layer.get("bottom", [])]
        tops = [str(t) for t in layer.get("top", [])]
        if kind in SOURCES or kind in UNNEEDED:
            continue
        unknown = [b for b in bottoms if b not in now]
        if kind == "SoftmaxWithLoss":  # its second blob holds the true classes
            bottoms, tops = bottoms[:1], [name]
            unknown = [b for b in bottoms if b not in now]
        if unknown:
            raise LibraryError(f"layer {name!r} reads the blob {unknown[0]!r}, which no layer before it writes")
        if kind in SAME:
            now.update(dict.fromkeys(tops, now[bottoms[0]]))
            continue
        if kind not in LAYERS:
            raise LibraryError(
                f"layer {name!r} has type {kind!r}, which cannot be imported; known are {', '.join(sorted(LAYERS))}"
            )
        top = tops[0] if tops else name
        step = Layer(
            name=name,
            type=kind,
            params=first(layer, LAYERS[kind][1], {}),
            weights=weights.get(name, []),
            inputs=[now[b] for b in bottoms],
            outputs=[top],
        )
        if top in now and top != picture:
            _set_aside(steps, now[top], f"{top}_{'pre' if kind in ('ReLU', 'PReLU', 'ELU') else 'raw'}", step)
        now[top] = top
        steps.append(step)
    return steps


def _set_aside(steps: list[Layer], old: str, wish: str, step: Layer) -> None:
    """Rename the tensor `old`, which `step` overwrites in place, in everything before."""
    taken = {name for other in steps for name in other.outputs}
    new, number = wish, 1
    while new in taken:
        number += 1
        new = f"{wish}{number}"
    for other in [*steps, step]:
        other.inputs = [new if name == old else name for name in other.inputs]
    for other in steps:
        other.outputs = [new if name == old else name for name in other.outputs]
