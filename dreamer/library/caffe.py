"""Caffe nets: a `.caffemodel` and, where there is one, its `.prototxt`, without Caffe.

A `.caffemodel` also holds the description of the net it was trained as, so the `.prototxt` may be missing; where
it is given it rules, as in Caffe, and the weights are found by the layers' names.

Blobs that layers overwrite in place keep their name for what a reader finds in them at the end; what was there
before a ReLU is `<blob>_pre`, and before other layers `<blob>_raw`, so both can be dreamed of.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from ..graph import IR_VERSION, OPSET, Array
from .caffe_layers import LAYERS, LEFT_OUT, SAME, SOURCES, Layer, is_needed
from .caffe_schema import BLOB, LAYER, NET, TEST, V1_NAMES
from .conventions import CAFFE, Convention, Triple
from .importing import Raw
from .messages import array, decode, parse
from .names import LibraryError

Net = Any  # a message of `caffe_schema`
LEAST_KEPT = 0.1  # of a network's layers; with fewer it is not that network any more


def read_caffe(weights: Path, prototxt: Path | None = None, description: Net = None) -> Raw:
    """The net of a `.caffemodel`, as its `.prototxt`, a `description` or it itself describes it."""
    try:
        trained = decode(weights.read_bytes(), NET)
    except LibraryError as error:
        raise LibraryError(f"{weights} is not a .caffemodel file, or it is cut short: {error}") from None
    if description is None:
        description = read_prototxt(prototxt) if prototxt else trained
    arrays_by_layer = {layer.name: [_blob(blob) for blob in layer.blobs] for layer in _layers(trained)}
    if not any(arrays_by_layer.values()):
        raise LibraryError(f"{weights} holds no weights; is it a .caffemodel file?")
    return net_to_onnx(description, arrays_by_layer)


def read_prototxt(path: Path) -> Net:
    """The net that a `.prototxt` file describes."""
    try:
        net = parse(path.read_text(encoding="utf-8-sig"), NET)
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


def _layers(net: Net) -> list[Any]:
    return list(net.layer or net.layers)


def _blob(blob: Any) -> Array:
    values = array(blob, "data", "<f4")
    if not values.size:
        values = array(blob, "double_data", "<f8")
    shape = list(blob.shape.dim)
    if not shape:
        shape = [getattr(blob, name) or 1 for name in ("num", "channels", "height", "width")]
    if int(np.prod(shape)) != values.size:
        raise LibraryError(f"a blob of shape {shape} holds {values.size} values")
    return values.reshape(shape)


def net_to_onnx(net: Net, weights: dict[str, list[Array]]) -> Raw:
    """Turn a described net and its weights, by layer name, into an ONNX model."""
    described = [layer for layer in _layers(net) if _in_test(layer)]
    picture, size, convention = _input(net, described)
    steps, notes = _steps(described, picture, weights)
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
        net.name or "net",
        [helper.make_tensor_value_info(picture, TensorProto.FLOAT, [1, 3, *size])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)])
    model.ir_version = IR_VERSION
    return Raw(model, convention, notes=tuple(notes))


def _in_test(layer: Any) -> bool:
    """Whether the layer belongs to the net as it is used, not as it is trained."""
    include = [rule.phase == TEST or not rule.HasField("phase") for rule in layer.include]
    exclude = [rule.HasField("phase") and rule.phase == TEST for rule in layer.exclude]
    return (not include or any(include)) and not any(exclude)


def _type(layer: Any) -> str:
    kind = layer.type
    return V1_NAMES.get(kind, str(kind)) if isinstance(kind, int) else str(kind)


def _input(net: Net, layers: list[Any]) -> tuple[str, tuple[int | str, int | str], Convention | None]:
    """(the picture's blob, its height and width, how the net was fed when that is said)."""
    name = net.input[0] if net.input else ""
    dims = list(net.input_dim[:4]) or [d for shape in net.input_shape[:1] for d in shape.dim]
    convention = None
    # A net as it was trained says how in its training layers, which _in_test has left out of `layers`.
    for layer in [*layers, *_layers(net)]:
        if _type(layer) not in SOURCES:
            continue
        transform = layer.transform_param
        convention = convention or _convention(transform)
        if not name and layer.top:
            name = layer.top[0]
        if not dims and hasattr(layer, "input_param") and layer.input_param.shape:
            dims = list(layer.input_param.shape[0].dim)
        if not dims and transform.crop_size:
            dims = [1, 3, transform.crop_size, transform.crop_size]
    if not name:
        raise LibraryError("the net has no input: expected an input, an Input layer or a Data layer")
    if dims and (len(dims) != 4 or dims[1] != 3):
        raise LibraryError(f"the net's input {name!r} has shape {dims}, expected a colour picture [n, 3, h, w]")
    return name, (dims[2], dims[3]) if dims else ("h", "w"), convention


def _convention(transform: Any) -> Convention | None:
    means = [_short(m) for m in transform.mean_value]
    if len(means) not in (1, 3):
        return None
    blue, green, red = means * 3 if len(means) == 1 else means
    return Convention(CAFFE.channel_order, (blue, green, red), _short(transform.scale))


def _short(value: float) -> float:
    """The shortest decimal that is this float32: 0.017, not 0.017000000923871994."""
    return float(str(np.float32(value)))


def _steps(layers: list[Any], picture: str, weights: dict[str, list[Array]]) -> tuple[list[Layer], list[str]]:
    """The layers that compute something, with a tensor name of its own for every state of every blob; and what had to
    be left out: a layer of a type that is not known here costs itself and what rests on it."""
    now: dict[str, str] = {picture: picture}  # blob -> the tensor that stands for it at this point
    lost: set[str] = set()  # blobs that nothing here can compute
    flat: set[str] = set()  # tensors without height and width
    steps: list[Layer] = []
    strange: dict[str, str] = {}  # the layers of types that are not imported: of which, and why
    resting = 0
    for layer in layers:
        kind, name = _type(layer), layer.name
        bottoms, tops = list(layer.bottom), list(layer.top)
        if kind in SOURCES or not is_needed(kind):
            continue
        if kind == "SoftmaxWithLoss":  # its second blob holds the true classes
            bottoms, tops = bottoms[:1], [name]
        if any(b in lost for b in bottoms):
            resting += 1
            lost.update(tops)
            continue
        unknown = [b for b in bottoms if b not in now]
        if unknown:
            raise LibraryError(f"layer {name!r} reads the blob {unknown[0]!r}, which no layer before it writes")
        if kind in SAME:
            now.update(dict.fromkeys(tops, now[bottoms[0]]))
            continue
        if kind not in LAYERS:
            strange[name] = f"{kind!r} ({LEFT_OUT[kind]})" if kind in LEFT_OUT else repr(kind)
            lost.update(tops)
            continue
        outputs = tops[: len(tops) if kind == "Slice" else 1] or [name]
        step = Layer(
            name=name,
            type=kind,
            params=_params(layer, LAYERS[kind][1]),
            weights=weights.get(name, []),
            inputs=[now[b] for b in bottoms],
            outputs=outputs,
            flat=bool(bottoms) and now[bottoms[0]] in flat,
        )
        for top in outputs:
            if top in now and top != picture:
                _set_aside(steps, now[top], f"{top}_{'pre' if kind in ('ReLU', 'PReLU', 'ELU') else 'raw'}", step, flat)
            now[top] = top
            lost.discard(top)
            if step.flat or kind in ("InnerProduct", "Flatten"):
                flat.add(top)
        steps.append(step)
    return steps, _lost(strange, resting, len(steps))


def _params(layer: Any, name: str) -> Any:
    """A layer's own parameters; the first generation has not a field for each type."""
    return getattr(layer if hasattr(layer, name) else LAYER(), name) if name else None


def _lost(strange: dict[str, str], resting: int, kept: int) -> list[str]:
    if not strange:
        return []
    total = kept + resting + len(strange)
    unknown = ", ".join(f"{name!r} has type {kind}" for name, kind in list(strange.items())[:5])
    if kept < LEAST_KEPT * total:
        raise LibraryError(
            f"layer {unknown}, which cannot be imported, and with what depends on it {total - kept} of {total} layers "
            f"are lost; known are {', '.join(sorted(LAYERS))}"
        )
    unknown += ", ..." if len(strange) > 5 else ""
    return [f"{kept} of {total} layers are kept: {unknown}, which is not imported, and {resting} layers rest on that"]


def _set_aside(steps: list[Layer], old: str, wanted: str, step: Layer, flat: set[str]) -> None:
    """Rename the tensor `old`, which `step` overwrites in place, in everything before."""
    taken = {name for other in steps for name in other.outputs}
    new, number = wanted, 1
    while new in taken:
        number += 1
        new = f"{wanted}{number}"
    for other in [*steps, step]:
        other.inputs = [new if name == old else name for name in other.inputs]
    for other in steps:
        other.outputs = [new if name == old else name for name in other.outputs]
    if old in flat:
        flat.add(new)
