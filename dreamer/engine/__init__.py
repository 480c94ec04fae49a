"""The dream engine: numpy in, numpy out; it knows no Django."""

from __future__ import annotations

from ..graph import GraphError
from .dream import Interrupted, Progress, Snapshot, dream
from .forward import Layer
from .network import Network
from .recipe import PRESETS, Recipe
from .target import Target, Term
from .work import Cancelled

__all__ = [
    "PRESETS",
    "Cancelled",
    "GraphError",
    "Interrupted",
    "Layer",
    "Network",
    "Progress",
    "Recipe",
    "Snapshot",
    "Target",
    "Term",
    "dream",
]
