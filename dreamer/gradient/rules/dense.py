"""Gradients of products of matrices: with Y = A B,  dA = dY B'  and  dB = A' dY."""

from __future__ import annotations

from ...graph import GraphError, Node, Shape
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


@rule("Einsum")
def _einsum(tape: Tape, node: Node, dy: str) -> Gradients:
    """Sums of products over letters: a factor's gradient is such a sum of dy and the other factors."""
    equation = bytes(node.attrs["equation"]).decode().replace(" ", "")
    left, arrow, result = equation.partition("->")
    terms = left.split(",")
    if not arrow:
        result = "".join(sorted(letter for letter in set(left) - {","} if left.count(letter) == 1))
    if "." in equation or any(len(set(term)) < len(term) for term in terms):
        raise GraphError(f"{node}: no gradient for '...' or for a letter twice in a factor, got {equation}")
    gradients: Gradients = []
    for i, (name, term) in enumerate(zip(node.inputs, terms, strict=True)):
        if name not in tape.active:
            gradients.append(None)
            continue
        others = [t for j, t in enumerate(terms) if j != i]
        known = set(result).union(*others)
        kept = "".join(letter for letter in term if letter in known)
        made = tape(
            "Einsum",
            dy,
            *(n for j, n in enumerate(node.inputs) if j != i),
            equation=f"{','.join([result, *others])}->{kept}",
        )
        missing = [axis for axis, letter in enumerate(term) if letter not in known]
        if missing:  # summed in this factor alone: repeated
            made = tape("Expand", tape("Unsqueeze", made, tape.graph.integers(*missing)), tape("Shape", name))
        gradients.append(made)
    return gradients


@rule("MatMul")
def _matmul(tape: Tape, node: Node, dy: str) -> Gradients:
    """As numpy multiplies: stacks of matrices are repeated to each other; a vector is a row before, a column behind."""
    a, b = node.inputs
    row, column = (tape.graph.rank(name, node) == 1 for name in (a, b))
    out = tape.graph.shapes[node.outputs[0]]
    if column:
        dy, out = tape("Unsqueeze", dy, tape.graph.integers(-1)), (*out, 1)
    if row:
        dy, out = tape("Unsqueeze", dy, tape.graph.integers(-2)), (*out[:-1], 1, out[-1])
    factors, shapes = [], []
    for name, vector, axis in ((a, row, 0), (b, column, 1)):
        shape = tape.graph.shapes[name]
        factors.append(tape("Unsqueeze", name, tape.graph.integers(axis)) if vector else name)
        shapes.append(shape if not vector else (1, *shape) if axis == 0 else (*shape, 1))

    def swapped(index: int) -> str:
        rank = len(shapes[index])
        return tape("Transpose", factors[index], perm=[*range(rank - 2), rank - 1, rank - 2])

    gradients: Gradients = [None, None]
    for index, (name, vector) in enumerate(((a, row), (b, column))):
        if name in tape.active:
            made = tape("MatMul", dy, swapped(1)) if index == 0 else tape("MatMul", swapped(0), dy)
            made = _fold_batch(tape, made, shapes[index], out)
            gradients[index] = tape("Squeeze", made, tape.graph.integers(index)) if vector else made
    return gradients


def _fold_batch(tape: Tape, gradient: str, factor: Shape, result: Shape) -> str:
    """Sum a matrix product's gradient over the leading axes along which that factor was repeated."""
    mine, out = factor[:-2], result[:-2]
    lead = len(out) - len(mine)
    axes = [*range(lead), *(lead + i for i, n in enumerate(mine) if n == 1 and out[lead + i] != 1)]
    if axes:
        gradient = tape("ReduceSum", gradient, tape.graph.integers(*axes), keepdims=1)
    return tape("Squeeze", gradient, tape.graph.integers(*range(lead))) if lead else gradient
