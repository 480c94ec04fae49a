"""Gradients of what is done to each value by itself: dx = dy f'(x), summed where x was repeated to y's shape."""

from __future__ import annotations

import math

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


@rule("Abs")
def _abs(tape: Tape, node: Node, dy: str) -> Gradients:
    return [tape("Mul", dy, tape("Sign", node.inputs[0]))]


@rule("Neg")
def _neg(tape: Tape, node: Node, dy: str) -> Gradients:
    return [tape("Neg", dy)]


@rule("Sqrt")
def _sqrt(tape: Tape, node: Node, dy: str) -> Gradients:
    return [tape("Div", tape("Mul", dy, tape.number(0.5)), node.outputs[0])]


@rule("Exp")
def _exp(tape: Tape, node: Node, dy: str) -> Gradients:
    return [tape("Mul", dy, node.outputs[0])]


@rule("Log")
def _log(tape: Tape, node: Node, dy: str) -> Gradients:
    return [tape("Div", dy, node.inputs[0])]


@rule("Reciprocal")
def _reciprocal(tape: Tape, node: Node, dy: str) -> Gradients:
    y = node.outputs[0]
    return [tape("Neg", tape("Mul", dy, tape("Mul", y, y)))]


@rule("Sin")
def _sin(tape: Tape, node: Node, dy: str) -> Gradients:
    return [tape("Mul", dy, tape("Cos", node.inputs[0]))]


@rule("Cos")
def _cos(tape: Tape, node: Node, dy: str) -> Gradients:
    return [tape("Neg", tape("Mul", dy, tape("Sin", node.inputs[0])))]


@rule("Erf")
def _erf(tape: Tape, node: Node, dy: str) -> Gradients:
    """erf'(x) = 2 / sqrt(pi) e^(-x^2)."""
    x = node.inputs[0]
    bell = tape("Exp", tape("Neg", tape("Mul", x, x)))
    return [tape("Mul", dy, tape("Mul", bell, tape.number(2 / math.sqrt(math.pi))))]


@rule("HardSigmoid")
def _hard_sigmoid(tape: Tape, node: Node, dy: str) -> Gradients:
    """y = alpha x + beta within 0..1, where alone it is not flat."""
    y, zero = node.outputs[0], tape.number(0)
    inside = tape("And", tape("Greater", y, zero), tape("Less", y, tape.number(1)))
    return [tape("Where", inside, tape("Mul", dy, tape.number(node.attrs.get("alpha", 0.2))), zero)]


@rule("HardSwish")
def _hard_swish(tape: Tape, node: Node, dy: str) -> Gradients:
    """y = x s(x) with s(x) = x/6 + 1/2 within 0..1: x/3 + 1/2 between -3 and 3, beyond them s."""
    x = node.inputs[0]
    curved = tape("Add", tape("Mul", x, tape.number(1 / 3)), tape.number(0.5))
    straight = tape("HardSigmoid", x, alpha=1 / 6, beta=0.5)
    return [tape("Mul", dy, tape("Where", tape("Less", tape("Abs", x), tape.number(3)), curved, straight))]


@rule("Softplus")
def _softplus(tape: Tape, node: Node, dy: str) -> Gradients:
    return [tape("Mul", dy, tape("Sigmoid", node.inputs[0]))]


@rule("Softsign")
def _softsign(tape: Tape, node: Node, dy: str) -> Gradients:
    beside = tape("Add", tape("Abs", node.inputs[0]), tape.number(1))
    return [tape("Div", dy, tape("Mul", beside, beside))]


@rule("Mish")
def _mish(tape: Tape, node: Node, dy: str) -> Gradients:
    """y = x t with t = tanh(softplus(x)): t + x (1 - t^2) sigmoid(x)."""
    x = node.inputs[0]
    t = tape("Tanh", tape("Softplus", x))
    rise = tape("Mul", tape("Sub", tape.number(1), tape("Mul", t, t)), tape("Sigmoid", x))
    return [tape("Mul", dy, tape("Add", t, tape("Mul", x, rise)))]


@rule("Selu")
def _selu(tape: Tape, node: Node, dy: str) -> Gradients:
    """gamma x, below 0 gamma alpha (e^x - 1)."""
    gamma, alpha = node.attrs.get("gamma", 1.0507009873554805), node.attrs.get("alpha", 1.6732632423543772)
    below = tape("Add", node.outputs[0], tape.number(gamma * alpha))
    return [tape("Mul", dy, where_positive(tape, node.inputs[0], tape.number(gamma), below))]


@rule("Celu")
def _celu(tape: Tape, node: Node, dy: str) -> Gradients:
    """x, below 0 alpha (e^(x / alpha) - 1)."""
    x = node.inputs[0]
    below = tape("Exp", tape("Div", x, tape.number(node.attrs.get("alpha", 1.0))))
    return [tape("Mul", dy, where_positive(tape, x, tape.number(1), below))]


@rule("ThresholdedRelu")
def _thresholded_relu(tape: Tape, node: Node, dy: str) -> Gradients:
    over = tape("Greater", node.inputs[0], tape.number(node.attrs.get("alpha", 1.0)))
    return [tape("Where", over, dy, tape.number(0))]


@rule("Cast")
def _cast(tape: Tape, node: Node, dy: str) -> Gradients:
    """Between kinds of floats; nothing passes to whole numbers, and nothing arrives from there."""
    return [dy]


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


@rule("Mean")
def _mean(tape: Tape, node: Node, dy: str) -> Gradients:
    return _add(tape, node, tape("Div", dy, tape.number(len(node.inputs))))


@rule("Where")
def _where(tape: Tape, node: Node, dy: str) -> Gradients:
    condition, zero = node.inputs[0], tape.number(0)
    both = (tape("Where", condition, dy, zero), tape("Where", condition, zero, dy))
    return [None] + [
        tape.unbroadcast(node, part, i) if node.inputs[i] in tape.active else None for i, part in enumerate(both, 1)
    ]


@rule("Sub")
def _sub(tape: Tape, node: Node, dy: str) -> Gradients:
    left, right = (name in tape.active for name in node.inputs)
    return [
        tape.unbroadcast(node, dy, 0) if left else None,
        tape.unbroadcast(node, tape("Neg", dy), 1) if right else None,
    ]


@rule("Mul")
def multiplied(tape: Tape, node: Node, dy: str) -> Gradients:
    """Each operand gets dy times the other."""
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
