"""Gradients of what is done to each value by itself: dx = dy f'(x), summed where x was repeated to y's shape."""

from __future__ import annotations

import numpy as np
from onnx import TensorProto

from ...graph import Node
from ..tape import Gradients, Tape
from .table import only_first, rule

# Functions of one value


@rule("Identity", "Dropout")
def _identity(tape: Tape, node: Node, dy: str) -> Gradients:
    return only_first(node, dy)


@rule("Relu")
def _relu(tape: Tape, node: Node, dy: str) -> Gradients:
    return [where_positive(tape, node.outputs[0], dy, tape.number(0))]


def where_positive(tape: Tape, x: str, yes: str, no: str) -> str:
    """One tensor where ``x`` > 0, another where not."""
    return tape("Where", tape("Greater", x, tape.number(0)), yes, no)


@rule("LeakyRelu")
def _leaky_relu(tape: Tape, node: Node, dy: str) -> Gradients:
    slope = tape("Mul", dy, tape.number(node.attrs.get("alpha", 0.01)))
    return [where_positive(tape, node.inputs[0], dy, slope)]


@rule("PRelu")
def _prelu(tape: Tape, node: Node, dy: str) -> Gradients:
    tape.const(node, 1)
    return only_first(node, where_positive(tape, node.inputs[0], dy, tape("Mul", dy, node.inputs[1])))


@rule("Clip")
def _clip(tape: Tape, node: Node, dy: str) -> Gradients:
    # As in PyTorch, the ends of the interval belong to it.
    inside, x = dy, node.inputs[0]
    for bound, op in zip(node.inputs[1:], ("GreaterOrEqual", "LessOrEqual"), strict=False):
        if bound:
            inside = tape("Where", tape(op, x, bound), inside, tape.number(0))
    return only_first(node, inside)


@rule("Sigmoid")
def _sigmoid(tape: Tape, node: Node, dy: str) -> Gradients:
    y = node.outputs[0]
    return [tape("Mul", dy, tape("Mul", y, tape("Sub", tape.number(1), y)))]


@rule("Tanh")
def _tanh(tape: Tape, node: Node, dy: str) -> Gradients:
    y = node.outputs[0]
    return [tape("Mul", dy, tape("Sub", tape.number(1), tape("Mul", y, y)))]


@rule("Elu")
def _elu(tape: Tape, node: Node, dy: str) -> Gradients:
    below = tape("Add", node.outputs[0], tape.number(node.attrs.get("alpha", 1.0)))  # alpha e^x
    return [where_positive(tape, node.inputs[0], dy, tape("Mul", dy, below))]


@rule("Pow")
def _pow(tape: Tape, node: Node, dy: str) -> Gradients:
    exponent = tape.const(node, 1)
    assert exponent is not None
    # x^0 is flat everywhere, also at 0, where 0 * x^-1 would not be a number
    less = tape.graph.constant(np.where(exponent == 0, 1, exponent - 1.0))
    slope = tape("Mul", tape.graph.constant(exponent), tape("Pow", node.inputs[0], less))
    return [tape.unbroadcast(node, tape("Mul", dy, slope), 0), None]


# Functions of several values


@rule("Max", "Min")
def _extreme(tape: Tape, node: Node, dy: str) -> Gradients:
    """Those that are equal share, as in PyTorch."""
    wins = [tape("Cast", tape("Equal", x, node.outputs[0]), to=TensorProto.FLOAT) for x in node.inputs]
    share = tape("Div", dy, tape("Sum", *wins))
    return [
        tape.unbroadcast(node, tape("Mul", share, win), i) if node.inputs[i] in tape.active else None
        for i, win in enumerate(wins)
    ]


@rule("Add", "Sum")
def _add(tape: Tape, node: Node, dy: str) -> Gradients:
    return [tape.unbroadcast(node, dy, i) if name in tape.active else None for i, name in enumerate(node.inputs)]


@rule("Sub")
def _sub(tape: Tape, node: Node, dy: str) -> Gradients:
    left, right = (name in tape.active for name in node.inputs)
    return [
        tape.unbroadcast(node, dy, 0) if left else None,
        tape.unbroadcast(node, tape("Neg", dy), 1) if right else None,
    ]


@rule("Mul")
def _mul(tape: Tape, node: Node, dy: str) -> Gradients:
    a, b = node.inputs
    return [
        tape.unbroadcast(node, tape("Mul", dy, b), 0) if a in tape.active else None,
        tape.unbroadcast(node, tape("Mul", dy, a), 1) if b in tape.active else None,
    ]


@rule("Div")
def _div(tape: Tape, node: Node, dy: str) -> Gradients:
    (a, b), y = node.inputs, node.outputs[0]
    da = tape("Div", dy, b)
    return [
        tape.unbroadcast(node, da, 0) if a in tape.active else None,
        tape.unbroadcast(node, tape("Neg", tape("Mul", da, y)), 1) if b in tape.active else None,
    ]
