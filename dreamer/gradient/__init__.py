"""The gradient of a network with respect to its picture, as an ONNX graph beside the network's own.

`backward.py` walks the nodes backwards. `rules/` says what the gradient of each op is, and reads like mathematics.
`fast/` holds what makes it fast on a CPU: strategies that stand in for a rule where they apply, and rewrites of the
forward graph. Without them the same gradient comes out, only later.
"""

from __future__ import annotations

from .backward import append_gradient, differentiable, undifferentiable

__all__ = ["append_gradient", "differentiable", "undifferentiable"]
