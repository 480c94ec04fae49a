"""Gradients of what makes one value of many along some axes: each gets its part of dy."""

from __future__ import annotations

from onnx import TensorProto

from ...graph import Node
from ..tape import Gradients, Tape
from .table import only_first, rule


def _axes(tape: Tape, node: Node) -> list[int]:
    """The axes that are reduced; empty where nothing is."""
    rank, given = tape.graph.rank(node.inputs[0], node), node.attrs.get("axes")
    if given is None:
        constant = tape.const(node, 1)
        given = None if constant is None else constant.reshape(-1).tolist()
    if not given:
        return [] if node.attrs.get("noop_with_empty_axes", 0) else list(range(rank))
    return [int(axis) % rank for axis in given]


def _kept(tape: Tape, node: Node, values: str) -> str:
    """A tensor of the result's shape with the reduced axes there, of size 1."""
    axes = _axes(tape, node)
    if node.attrs.get("keepdims", 1) or not axes:
        return values
    return tape("Unsqueeze", values, tape.graph.integers(*sorted(axes)))


@rule("ReduceSum")
def _reduce_sum(tape: Tape, node: Node, dy: str) -> Gradients:
    return only_first(node, tape("Expand", _kept(tape, node, dy), tape("Shape", node.inputs[0])))


@rule("ReduceMean")
def _reduce_mean(tape: Tape, node: Node, dy: str) -> Gradients:
    of, by = (tape("Cast", tape("Size", t), to=TensorProto.FLOAT) for t in (node.outputs[0], node.inputs[0]))
    (whole, *_) = _reduce_sum(tape, node, dy)
    assert whole is not None
    return only_first(node, tape("Mul", whole, tape("Div", of, by)))


@rule("ReduceMax", "ReduceMin")
def _reduce_extreme(tape: Tape, node: Node, dy: str) -> Gradients:
    """Those that are equal share, as in PyTorch."""
    axes = _axes(tape, node)
    wins = tape("Equal", node.inputs[0], _kept(tape, node, node.outputs[0]))
    wins = tape("Cast", wins, to=TensorProto.FLOAT)
    if not axes:
        return only_first(node, dy)
    count = tape("ReduceSum", wins, tape.graph.integers(*axes), keepdims=1)
    return only_first(node, tape("Mul", wins, tape("Div", _kept(tape, node, dy), count)))


@rule("ReduceL1")
def _reduce_l1(tape: Tape, node: Node, dy: str) -> Gradients:
    return only_first(node, tape("Mul", tape("Sign", node.inputs[0]), _kept(tape, node, dy)))


@rule("ReduceL2")
def _reduce_l2(tape: Tape, node: Node, dy: str) -> Gradients:
    """x / |x| dy; 0 where |x| is."""
    length = tape("Max", _kept(tape, node, node.outputs[0]), tape.number(1e-30))
    return only_first(node, tape("Mul", node.inputs[0], tape("Div", _kept(tape, node, dy), length)))


@rule("ReduceSumSquare")
def _reduce_sum_square(tape: Tape, node: Node, dy: str) -> Gradients:
    twice = tape("Mul", _kept(tape, node, dy), tape.number(2))
    return only_first(node, tape("Mul", node.inputs[0], twice))


@rule("ReduceLogSumExp")
def _reduce_log_sum_exp(tape: Tape, node: Node, dy: str) -> Gradients:
    share = tape("Exp", tape("Sub", node.inputs[0], _kept(tape, node, node.outputs[0])))
    return only_first(node, tape("Mul", share, _kept(tape, node, dy)))


@rule("ReduceLogSum")
def _reduce_log_sum(tape: Tape, node: Node, dy: str) -> Gradients:
    """y is the logarithm of a sum, so exp(-y) is one by it."""
    share = tape("Mul", _kept(tape, node, dy), tape("Exp", tape("Neg", _kept(tape, node, node.outputs[0]))))
    return only_first(node, tape("Expand", share, tape("Shape", node.inputs[0])))


@rule("ReduceProd")
def _reduce_prod(tape: Tape, node: Node, dy: str) -> Gradients:
    """dy times the product of the others, which y / x is where x is not 0."""
    others = tape("Div", _kept(tape, node, node.outputs[0]), node.inputs[0])
    return only_first(node, tape("Mul", others, _kept(tape, node, dy)))
