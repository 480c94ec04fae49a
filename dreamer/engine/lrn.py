"""Local response normalisation across channels, written out so that its gradient can use the same parts.

The runtime's own kernel is slow and keeps nothing. With s = bias + alpha/size * (B x^2), where B sums each
channel's window (research: ONNX divides alpha by the size, as Caffe does and TensorFlow does not), and
q = s^beta, the output is x / q.
"""

from __future__ import annotations

import numpy as np

from .graph import Array, Graph, GraphError, Node


def expand_lrn(graph: Graph) -> None:
    """Replace every LRN by arithmetic; its last node keeps the rule 'LRN' and what that rule needs."""
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
                rule="LRN",
                saved={"s": s, "size": size, "factor": 2 * alpha * beta / size},
            )
        )


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


def channel_band(channels: int, size: int) -> Array:
    """The 0/1 matrix [c,c] that sums each channel's window as ONNX places it: from c - floor((size-1)/2)
    to c + ceil((size-1)/2)."""
    offset = np.arange(channels)[None, :] - np.arange(channels)[:, None]
    return ((offset >= -((size - 1) // 2)) & (offset <= size // 2)).astype(np.float32)


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
