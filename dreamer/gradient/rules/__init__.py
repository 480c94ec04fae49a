"""What the gradient of each op is: with y = f(x) and dy the objective's gradient with respect to y, a rule says dx."""

from __future__ import annotations

from . import dense, elementwise, normalisation, reduction, resize, shape, window
from .table import RULES

__all__ = ["RULES", "dense", "elementwise", "normalisation", "reduction", "resize", "shape", "window"]
