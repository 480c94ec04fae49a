"""The table of gradients, keyed by op name.

A rule is called as ``rule(tape, node, *dys)`` with the names of the objective's gradients with respect to the node's
outputs. It emits nodes and returns exactly one gradient (or None) for each of the node's inputs.
"""

from __future__ import annotations

from collections.abc import Callable

from ...graph import Node
from ..tape import Gradients

Rule = Callable[..., Gradients]

RULES: dict[str, Rule] = {}


def rule(*ops: str) -> Callable[[Rule], Rule]:
    """Enter a rule into the table for these ops."""

    def enter(function: Rule) -> Rule:
        for op in ops:
            if op in RULES:
                raise AssertionError(f"two rules for {op}")
            RULES[op] = function
        return function

    return enter


def only_first(node: Node, gradient: str) -> Gradients:
    """The gradient goes to the first input; the others are parameters."""
    return [gradient, *[None] * (len(node.inputs) - 1)]
