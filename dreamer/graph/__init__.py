"""Networks as ONNX graphs: read, asked, edited, written. Knows nobody; library, gradient and engine build on it."""

from __future__ import annotations

from .graph import Graph, attributes
from .node import FLOATS, IMAGE, IR_VERSION, OPSET, Array, FixedShape, GraphError, Node, Shape, ours

__all__ = [
    "FLOATS",
    "IMAGE",
    "IR_VERSION",
    "OPSET",
    "Array",
    "FixedShape",
    "Graph",
    "GraphError",
    "Node",
    "Shape",
    "attributes",
    "ours",
]
