"""Local response normalisation across channels, written out so that its gradient can use the same parts.

The runtime's own kernel is slow and keeps nothing. With s = bias + alpha/size * (B x^2), where B sums each
channel's window, and q = s^beta, the output is x / q. B is a band, and so is B x a convolution in groups.
"""

from __future__ import annotations

import numpy as np

from ...graph import Array, Graph, GraphError, Node
from ..rules.normalisation import channel_band
from ..tape import Gradients
from .workbench import Workbench


def expand_lrn(graph: Graph) -> None:
    """Replace every LRN by arithmetic; the last node keeps what ``banded`` needs."""
    nodes, graph.nodes = graph.nodes, []
    for node in nodes:
        if node.op != "LRN":
            graph.nodes.append(node)
            continue
        x, y = node.inputs[0], node.outputs[0]
        shape = graph.shapes.get(x, ())
        if len(shape) != 4 or not isinstance(shape[1], int):
            raise GraphError(f"{node}: the number of channels of {x!r} is not known")
        size, alpha = node.attrs["size"], node.attrs.get("alpha", 1e-4)
        beta, bias = node.attrs.get("beta", 0.75), node.attrs.get("bias", 1.0)
        band = channel_band(shape[1], size) * (alpha / size)
        s = band_sum(graph, x, band, x, bias=bias, squares=True, hint=f"{y}/s")
        q = _power(graph, s, beta)
        graph.nodes.append(
            Node(
                "Div",
                [x, q],
                [y],
                name=node.name,
                strategy="banded LRN",
                saved={"s": s, "size": size, "factor": 2 * alpha * beta / size},
            )
        )


def banded(tape: Workbench, node: Node, dy: str) -> Gradients:
    """The rule of LRN for the division that ``expand_lrn`` made of it: s and q are there already."""
    (x, q), y = node.inputs, node.outputs[0]
    band = channel_band(tape.channels(node), node.saved["size"]).T * node.saved["factor"]
    u = tape("Div", tape("Mul", dy, y, like=x), node.saved["s"], like=x)
    spread = tape("Mul", x, band_sum(tape.graph, u, band, x), like=x)
    dx = tape("Sub", tape("Div", dy, q, like=x), spread, like=x)
    tape.unblocked.add(dx)
    if tape.masked.get(dy) == y:  # x and y are zero together
        tape.masked[dx] = x
    return [dx, None]


def _power(graph: Graph, s: str, beta: float) -> str:
    """s^beta; by square roots for the exponents in use, many times faster than Pow."""
    if beta == 1.0:
        return s
    root = graph.emit("Sqrt", s, like=s) if beta in (0.5, 0.75) else ""
    if beta == 0.5:
        return root
    if beta == 0.75:  # s^3/4 = sqrt(s sqrt(s))
        return graph.emit("Sqrt", graph.emit("Mul", s, root, like=s), like=s)
    return graph.emit("Pow", s, graph.constant(beta), like=s)


def band_sum(
    graph: Graph, x: str, band: Array, like: str, *, bias: float = 0.0, squares: bool = False, hint: str = "band"
) -> str:
    """The product of a banded [c,c] matrix with the channels of ``x`` [1,c,h,w], or with their squares, and a number
    added; a tensor of ``like``'s shape.

    A convolution in groups: each block of rows is multiplied with just the channels it touches, a tenth of the dense
    product's work. Squares are taken only here: before, they would leave the convolutions' blocked layout beside
    ``x``, which must too.
    """
    channels = len(band)
    block = max(d for d in range(1, min(channels, 16) + 1) if channels % d == 0)
    rows = band.reshape(channels // block, block, channels)
    used = [np.flatnonzero(r.any(axis=0)) for r in rows]
    width = max(u[-1] - u[0] + 1 for u in used)
    starts = [min(int(u[0]), channels - width) for u in used]
    if width >= channels:
        rows, starts, width = band[None], [0], channels
    picked = np.concatenate([np.arange(s, s + width) for s in starts])
    blocks = np.concatenate([r[:, s : s + width] for r, s in zip(rows, starts, strict=True)])
    values = graph.emit("Gather", x, graph.constant(picked, np.int64), axis=1) if len(starts) > 1 else x
    values = graph.emit("Mul", values, values) if squares else values
    weights = [graph.constant(blocks[:, :, None, None])] + ([graph.constant(np.full(channels, bias))] if bias else [])
    return graph.emit("Conv", values, *weights, group=len(starts), hint=hint, like=like)
