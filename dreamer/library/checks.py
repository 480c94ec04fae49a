"""What an import refuses, since it would be noticed only in dreams: black ones, or classes with others' names."""

from __future__ import annotations

from math import prod

import numpy as np
import onnx
from onnx import numpy_helper

from ..graph import attributes
from .names import LibraryError

SIZE = 224  # px, the side that most networks were made for
LARGEST = 2 * 2**30  # bytes of one tensor at the network's own size; real ones take some MB
SIZES = (8, 4096)  # px; what any was made for lies far inside


def check_size(size: int) -> int:
    """`size` (px) itself, if a network may have been made for it."""
    if not SIZES[0] <= size <= SIZES[1]:
        raise LibraryError(f"the size is {size} px, expected {SIZES[0]} to {SIZES[1]}, as the network was made for")
    return size


def check_weights(model: onnx.ModelProto, picture: str) -> None:
    """LibraryError where weights are no numbers, or a convolution takes other channels than it gets."""
    weights = {tensor.name: tensor for tensor in model.graph.initializer}
    for tensor in weights.values():
        value = numpy_helper.to_array(tensor)
        # A single infinite number may be meant: what a map is padded with before a pool.
        wrong = np.isnan(value) if value.size == 1 else ~np.isfinite(value)
        if wrong.any():
            raise LibraryError(f"{tensor.name} holds {wrong.sum()} values that are no numbers; the file is damaged")
    channels = _channels(model)
    for node in model.graph.node:
        if node.op_type != "Conv" or node.input[1] not in weights or node.input[0] not in channels:
            continue
        received = channels[node.input[0]]
        expected = weights[node.input[1]].dims[1] * attributes(node).get("group", 1)
        if expected != received:
            takes = f"{node.name or node.output[0]!r} takes {expected} channels, but"
            if node.input[0] == picture:
                raise LibraryError(f"{takes} the picture has {received}; only networks for colour pictures can dream")
            raise LibraryError(f"{takes} {node.input[0]} has {received}; the file is damaged")


def check_memory(model: onnx.ModelProto, picture: str, shape: tuple[int, ...]) -> None:
    """LibraryError where a tensor would take more than LARGEST bytes, by its shape: before anything is computed.

    `shape` is the picture's, as the file has it.
    """
    resized = onnx.ModelProto()
    resized.CopyFrom(model)
    for info in resized.graph.input:
        if info.name == picture:
            for dim, size in zip(info.type.tensor_type.shape.dim, shape, strict=True):
                dim.dim_value = size
    try:
        graph = onnx.shape_inference.infer_shapes(resized, data_prop=True).graph
    except Exception:  # what is wrong with its shapes is said by those who need them
        return
    for info in (*graph.input, *graph.value_info, *graph.output):
        dims = [dim.dim_value for dim in info.type.tensor_type.shape.dim if dim.HasField("dim_value")]
        if (needed := 4 * prod(dims)) > LARGEST:
            raise LibraryError(
                f"{info.name!r} has the shape {dims}: {needed / 2**30:.1f} GiB, expected at most {LARGEST / 2**30:g}; "
                "no machine dreams with this"
            )


def check_labels(labels: tuple[str, ...], model: onnx.ModelProto, logits: str | None, published: int | None) -> None:
    """LibraryError unless there is a name for each class, or as many as were `published`: else all may be shifted."""
    if logits is None:
        raise LibraryError(f"{len(labels)} labels were given, but the network has no classifier to name")
    count = _channels(model).get(logits)
    if count is None or len(labels) in (count, published):
        return
    hint = "; where the first class stands for nothing, it has a line too" if len(labels) + 1 == count else ""
    raise LibraryError(
        f"{len(labels)} labels were given, but the network tells {count} classes apart; "
        f"expected a line for each, in output order{hint}"
    )


def _channels(model: onnx.ModelProto) -> dict[str, int]:
    """Channels of each map and classes of each list of scores, where they are known."""
    graph = onnx.shape_inference.infer_shapes(model).graph
    dims = {info.name: info.type.tensor_type.shape.dim for info in (*graph.input, *graph.value_info, *graph.output)}
    return {name: dim[1].dim_value for name, dim in dims.items() if len(dim) > 1 and dim[1].dim_value}
