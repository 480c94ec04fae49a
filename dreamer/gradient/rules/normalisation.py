"""Gradients of what divides values by a measure of others."""

from __future__ import annotations

import numpy as np

from ...graph import Array, Node
from ..tape import Gradients, Tape
from .table import only_first, rule


@rule("Softmax")
def _softmax(tape: Tape, node: Node, dy: str) -> Gradients:
    y, axis = node.outputs[0], tape.graph.integers(node.attrs.get("axis", -1))
    return [tape("Mul", y, tape("Sub", dy, tape("ReduceSum", tape("Mul", dy, y), axis, keepdims=1)))]


@rule("LogSoftmax")
def _log_softmax(tape: Tape, node: Node, dy: str) -> Gradients:
    y, axis = node.outputs[0], tape.graph.integers(node.attrs.get("axis", -1))
    return [tape("Sub", dy, tape("Mul", tape("Exp", y), tape("ReduceSum", dy, axis, keepdims=1)))]


@rule("LpNormalization")
def _lp_normalization(tape: Tape, node: Node, dy: str) -> Gradients:
    """y = x / n. With n the root of the sum of squares, dx = (dy - y sum(dy y)) / n; with the sum of absolute values,
    dx = (dy - sign(x) sum(dy y)) / n."""
    p = node.attrs.get("p", 2)
    (x,), y, axis = node.inputs, node.outputs[0], tape.graph.integers(node.attrs.get("axis", -1))
    along = tape("ReduceSum", tape("Mul", dy, y), axis, keepdims=1)
    slope, length = (y, "ReduceL2") if p == 2 else (tape("Sign", x), "ReduceL1")
    return [tape("Div", tape("Sub", dy, tape("Mul", slope, along)), tape(length, x, axis, keepdims=1))]


def standardised(tape: Tape, x: str, axes: list[int], epsilon: float, dz: str) -> str:
    """The gradient of z = (x - mean) / sqrt(variance + epsilon), both over these axes, by x:
    dx = (dz - mean(dz) - z mean(dz z)) / sqrt(variance + epsilon)."""

    def mean(values: str) -> str:
        return tape("ReduceMean", values, tape.graph.integers(*axes), keepdims=1)

    centred = tape("Sub", x, mean(x))
    deviation = tape("Sqrt", tape("Add", mean(tape("Mul", centred, centred)), tape.number(epsilon)))
    z = tape("Div", centred, deviation)
    rest = tape("Sub", tape("Sub", dz, mean(dz)), tape("Mul", z, mean(tape("Mul", dz, z))))
    return tape("Div", rest, deviation)


@rule("LayerNormalization")
def _layer_norm(tape: Tape, node: Node, dy: str) -> Gradients:
    rank = tape.graph.rank(node.inputs[0], node)
    axes = list(range(node.attrs.get("axis", -1) % rank, rank))
    dz = tape("Mul", dy, node.inputs[1])
    return only_first(node, standardised(tape, node.inputs[0], axes, node.attrs.get("epsilon", 1e-5), dz))


@rule("InstanceNormalization")
def _instance_norm(tape: Tape, node: Node, dy: str) -> Gradients:
    rank, scale = tape.graph.rank(node.inputs[0], node), tape.const(node, 1)
    assert scale is not None
    dz = tape("Mul", dy, tape.graph.constant(scale.reshape(-1, *[1] * (rank - 2))))
    axes = list(range(2, rank))
    return only_first(node, standardised(tape, node.inputs[0], axes, node.attrs.get("epsilon", 1e-5), dz))


@rule("BatchNormalization")
def _batch_norm(tape: Tape, node: Node, dy: str) -> Gradients:
    """By the stored mean and variance, so a factor for each channel."""
    scale, variance = tape.const(node, 1), tape.const(node, 4)
    assert scale is not None and variance is not None
    factor = scale / np.sqrt(variance + node.attrs.get("epsilon", 1e-5))
    rank = tape.graph.rank(node.inputs[0], node)
    return only_first(node, tape("Mul", dy, tape.graph.constant(factor.reshape(-1, *[1] * (rank - 2)))))


@rule("LRN")
def _lrn(tape: Tape, node: Node, dy: str) -> Gradients:
    """With s = bias + alpha/size * B x^2, B the 0/1 band over channels, and y = x / s^beta:
    dx = dy / s^beta - x B'(2 alpha beta/size * dy y / s)."""
    x, y, channels = node.inputs[0], node.outputs[0], tape.channels(node)
    size, alpha = node.attrs["size"], node.attrs.get("alpha", 1e-4)
    beta, bias = node.attrs.get("beta", 0.75), node.attrs.get("bias", 1.0)

    def sums(values: str, band: Array, *added: str) -> str:
        """Over each channel's window."""
        return tape("Conv", values, tape.graph.constant(band[:, :, None, None] * (alpha / size)), *added)

    band = channel_band(channels, size)
    s = sums(tape("Mul", x, x), band, tape.graph.constant(np.full(channels, bias)))
    others = sums(tape("Div", tape("Mul", dy, y), s), band.T * 2 * beta)
    return [tape("Sub", tape("Div", dy, tape("Pow", s, tape.number(beta))), tape("Mul", x, others))]


def channel_band(channels: int, size: int) -> Array:
    """The 0/1 matrix [c,c] that sums each channel's window as ONNX places it: from c - floor((size-1)/2)
    to c + ceil((size-1)/2). (ONNX divides alpha by the size, as Caffe does and TensorFlow does not.)"""
    offset = np.arange(channels)[None, :] - np.arange(channels)[:, None]
    return ((offset >= -((size - 1) // 2)) & (offset <= size // 2)).astype(np.float32)
