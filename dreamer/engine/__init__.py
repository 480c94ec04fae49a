"""The dream engine: numpy in, numpy out; it knows no Django."""

from __future__ import annotations

from .graph import GraphError
from .network import Cancelled, Layer, Network
from .target import Target, Term

__all__ = ["Cancelled", "GraphError", "Layer", "Network", "Target", "Term"]
