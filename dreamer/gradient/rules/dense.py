"""Gradients of products of matrices: with Y = A B,  dA = dY B'  and  dB = A' dY."""

from __future__ import annotations

from ...graph import GraphError, Node
from ..tape import Gradients, Tape
from .table import rule


@rule("Gemm")
def _gemm(tape: Tape, node: Node, dy: str) -> Gradients:
    """Y = alpha A B + beta C, either factor transposed or not."""
    a, b = node.inputs[:2]
    alpha, ta, tb = node.attrs.get("alpha", 1.0), node.attrs.get("transA", 0), node.attrs.get("transB", 0)
    da = db = dc = None
    if a in tape.active:
        da = (
            tape("Gemm", b, dy, alpha=alpha, transA=tb, transB=1)
            if ta
            else tape("Gemm", dy, b, alpha=alpha, transB=1 - tb)
        )
    if b in tape.active:
        db = (
            tape("Gemm", dy, a, alpha=alpha, transA=1, transB=ta)
            if tb
            else tape("Gemm", a, dy, alpha=alpha, transA=1 - ta)
        )
    if len(node.inputs) > 2 and node.inputs[2] in tape.active:
        dc = tape.unbroadcast(node, tape("Mul", dy, tape.number(node.attrs.get("beta", 1.0))), 2)
    return [da, db, dc][: len(node.inputs)]


@rule("MatMul")
def _matmul(tape: Tape, node: Node, dy: str) -> Gradients:
    ranks = [tape.graph.rank(name, node) for name in node.inputs]
    if min(ranks) < 2:
        raise GraphError(f"{node}: vectors are not differentiated, only matrices; got ranks {ranks}")

    def swapped(name: str, rank: int) -> str:
        return tape("Transpose", name, perm=[*range(rank - 2), rank - 1, rank - 2])

    a, b = node.inputs
    da = db = None
    if a in tape.active:
        da = _fold_batch(tape, node, tape("MatMul", dy, swapped(b, ranks[1])), 0)
    if b in tape.active:
        db = _fold_batch(tape, node, tape("MatMul", swapped(a, ranks[0]), dy), 1)
    return [da, db]


def _fold_batch(tape: Tape, node: Node, gradient: str, index: int) -> str:
    """Sum a matrix product's gradient over the leading axes along which that factor was repeated."""
    mine, out = tape.graph.shapes[node.inputs[index]][:-2], tape.graph.shapes[node.outputs[0]][:-2]
    lead = len(out) - len(mine)
    axes = [*range(lead), *(lead + i for i, n in enumerate(mine) if n == 1 and out[lead + i] != 1)]
    if axes:
        gradient = tape("ReduceSum", gradient, tape.graph.integers(*axes), keepdims=1)
    return tape("Squeeze", gradient, tape.graph.integers(*range(lead))) if lead else gradient
