"""TensorFlow's arithmetic on constants, computed: Keras writes batch norms and biases so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..graph import Array
from .messages import array
from .names import LibraryError
from .tensorflow_ops import Node

# TensorFlow's number of a data type -> (numpy's, where values stand that are not raw bytes)
TYPES: dict[int, tuple[Any, str]] = {
    1: (np.float32, "float_val"),
    2: (np.float64, "double_val"),
    3: (np.int32, "int_val"),
    4: (np.uint8, "int_val"),
    9: (np.int64, "int64_val"),
    10: (np.bool_, "bool_val"),
    19: (np.float16, "half_val"),
}
BOOL = 10
MOST = 2**28  # values of a constant that arithmetic makes


def _axes(values: Array) -> tuple[int, ...]:
    return tuple(int(v) for v in np.asarray(values).reshape(-1))


def _fill(node: Node, shape: Array, value: Array) -> Array:
    if np.prod(shape.astype(np.float64)) > MOST:
        raise LibraryError(f"node {node.name!r} makes a constant of {np.prod(shape.astype(np.float64)):.0f} values")
    return np.full(_axes(shape), value)


def _cast(node: Node, x: Array) -> Array:
    kind = TYPES.get(node.attr["DstT"].type) if "DstT" in node.attr else None
    return x.astype(kind[0]) if kind else x


def _squeeze(node: Node, x: Array) -> Array:
    return x.squeeze(tuple(node.ints("squeeze_dims")) or None)


def _same(node: Node, x: Array) -> Array:
    return x


def _plain(function: Callable[..., Array]) -> Callable[..., Array]:
    return lambda node, *values: function(*values)


FOLDED: dict[str, Callable[..., Array]] = {
    **dict.fromkeys(("Identity", "PlaceholderWithDefault", "StopGradient", "Enter"), _same),
    **dict.fromkeys(("Add", "AddV2", "BiasAdd"), _plain(np.add)),
    "Cast": _cast,
    "ConcatV2": lambda node, *values: np.concatenate(values[:-1], int(values[-1])),
    "Exp": _plain(np.exp),
    "ExpandDims": _plain(lambda x, axis: np.expand_dims(x, int(np.asarray(axis).reshape(-1)[0]))),
    "Fill": _fill,
    "LogicalNot": _plain(np.logical_not),
    "Maximum": _plain(np.maximum),
    "Mean": lambda node, x, axes: x.mean(_axes(axes), keepdims=node.flag("keep_dims")),
    "Minimum": _plain(np.minimum),
    "Mul": _plain(np.multiply),
    "Neg": _plain(np.negative),
    "Pack": lambda node, *values: np.stack(values, int(node.number("axis", 0))),
    "Pow": _plain(np.power),
    "RealDiv": _plain(np.true_divide),
    "Reciprocal": _plain(np.reciprocal),
    "Reshape": _plain(lambda x, shape: x.reshape(_axes(shape))),
    "Rsqrt": _plain(lambda x: 1 / np.sqrt(x)),
    "Sqrt": _plain(np.sqrt),
    "Square": _plain(np.square),
    "Squeeze": _squeeze,
    "Sub": _plain(np.subtract),
    "Sum": lambda node, x, axes: x.sum(_axes(axes), keepdims=node.flag("keep_dims")),
    "Transpose": _plain(lambda x, perm: x.transpose(_axes(perm))),
}


def constants(nodes: dict[str, Node], picture: str) -> dict[str, Array]:
    """The value of every tensor that does not depend on a picture, by its node's name."""
    found: dict[str, Array] = {}
    for node in nodes.values():
        if node.op == "Const" and "value" in node.attr and node.attr["value"].tensor.dtype in TYPES:
            found[node.name] = tensor(node.name, node.attr["value"].tensor)
        elif node.op in ("Placeholder", "PlaceholderV2") and is_flag(node):
            found[node.name] = np.array(False)  # whether it is being trained
    found.pop(picture, None)
    waiting = [n for n in nodes.values() if n.op in FOLDED and n.name not in found and n.name != picture]
    while waiting:
        ready = [n for n in waiting if n.inputs and all(i in found for i in n.inputs)]
        for node in ready:
            try:
                with np.errstate(all="ignore"):
                    found[node.name] = np.asarray(FOLDED[node.op](node, *(found[i] for i in node.inputs)))
            except (ValueError, TypeError, IndexError) as error:
                raise LibraryError(f"node {node.name!r} ({node.op}) cannot be computed: {error}") from None
        if not ready:
            break
        waiting = [n for n in waiting if n.name not in found]
    return found


def is_flag(node: Node) -> bool:
    """Whether a placeholder is for true or false."""
    return "dtype" in node.attr and node.attr["dtype"].type == BOOL


def tensor(name: str, message: Any) -> Array:
    """The array of a TensorProto."""
    kind, place = TYPES[message.dtype]
    shape = [d.size for d in message.tensor_shape.dim]
    count = int(np.prod(shape))
    if count > MOST:
        raise LibraryError(f"constant {name!r} would hold {count} values")
    if message.tensor_content:
        values: Array = np.frombuffer(message.tensor_content, np.dtype(kind).newbyteorder("<")).astype(kind)
    elif place in ("float_val", "double_val"):
        values = array(message, place, "<f4" if place == "float_val" else "<f8").astype(kind)
    elif place == "half_val":
        values = np.array(message.half_val, np.uint16).view(np.float16)
    else:
        values = np.array(getattr(message, place), kind)
    if not values.size:  # none at all are all zero
        values = np.zeros(count, kind)
    if values.size < count:  # the last value stands for all that follow
        values = np.concatenate([values, np.full(count - values.size, values[-1], kind)])
    if values.size != count:
        raise LibraryError(f"constant {name!r} of shape {shape} holds {values.size} values")
    return values.reshape(shape)
