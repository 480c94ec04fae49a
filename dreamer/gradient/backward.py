"""The walk that appends a graph's gradient to it.

The gradient of an objective with respect to the picture is itself an ONNX graph: walk the forward nodes backwards and
let each node's rule emit the nodes of its vector-Jacobian product. Nothing is executed here and no framework with
automatic differentiation is needed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from ..graph import FLOATS, Graph, GraphError, Node
from ..graph.ops import properties
from .fast.strategies import STRATEGIES, Strategy
from .fast.workbench import Workbench
from .rules import RULES
from .tape import Gradients, Tape


def append_gradient(
    graph: Graph,
    seeds: Mapping[str, str],
    wrt: str,
    *,
    smooth_pool: bool = False,
    blocked: bool = True,
    strategies: Mapping[str, Sequence[Strategy]] = STRATEGIES,
) -> str:
    """Append nodes for the gradient with respect to ``wrt``; return the name of that gradient.

    ``seeds`` maps a tensor of the graph to the gradient of the objective with respect to it alone (the
    objective is the sum over seeds, so a tensor both seeded and used further on gets both parts).
    ``blocked`` chooses nodes that suit the CPU's blocked convolutions over those that suit a GPU. An empty
    ``strategies`` leaves the plain rules. Raises GraphError naming node and op where a rule is missing or does not
    cover the node.
    """
    active = differentiable(graph, wrt)
    for tensor in seeds:
        if tensor not in active:
            raise GraphError(f"{tensor!r} does not depend on {wrt!r}: nothing to differentiate")
    parts: dict[str, list[str]] = defaultdict(list)
    for tensor, seed in seeds.items():
        parts[tensor].append(seed)
        if tensor in graph.shapes:
            graph.shapes[seed] = graph.shapes[tensor]
    tape = Workbench(graph, active, smooth_pool, blocked)
    needed = graph.ancestors(seeds)
    for node in reversed([n for n in graph.nodes if any(o in needed and o in active for o in n.outputs)]):
        if not any(parts[o] for o in node.outputs):
            continue
        arrived = [tape.add(parts[o]) if parts[o] else "" for o in node.outputs]
        while not arrived[-1]:  # what nobody reads at the end (a pool's Indices); in between it is ''
            arrived.pop()
        gradients = _gradients(tape, node, arrived, strategies)
        if len(gradients) != len(node.inputs):
            raise AssertionError(f"{node}: rule gave {len(gradients)} gradients for {len(node.inputs)} inputs")
        for name, gradient in zip(node.inputs, gradients, strict=True):
            if gradient is not None and name in active:
                parts[name].append(gradient)
                if name in graph.shapes:
                    graph.shapes[gradient] = graph.shapes[name]
    if not parts[wrt]:
        raise GraphError(f"no gradient reaches {wrt!r}")
    return tape.add(parts[wrt])


def undifferentiable(graph: Graph, wrt: str) -> dict[str, str]:
    """Why nodes of a graph with known shapes have no gradient, by their first output, in order. Every rule is tried on
    nodes of its own, with made-up gradients of the outputs; nothing else in the graph changes."""
    active, found = differentiable(graph, wrt), {}
    for node in list(graph.nodes):
        if not any(o in active for o in node.outputs):
            continue
        arrived = [f"d {o}" for o in node.outputs[: None if node.op == "Split" else 1]]
        try:
            _by_rule(Tape(graph, active), node, arrived)
        except GraphError as error:
            found[node.outputs[0]] = str(error).partition("; there are rules")[0]
    return found


def differentiable(graph: Graph, wrt: str) -> set[str]:
    """The tensors through which a gradient can pass to ``wrt``."""
    found = {wrt}
    for node in graph.nodes:
        whole = node.op == "Cast" and node.attrs["to"] not in FLOATS
        if not whole and not properties(node.op).flat and any(i in found for i in node.inputs):
            found.update(node.outputs)
    return found


def _gradients(
    tape: Workbench, node: Node, arrived: list[str], strategies: Mapping[str, Sequence[Strategy]]
) -> Gradients:
    """By the first strategy that takes the node, or else by its op's rule."""
    for strategy in strategies.get(node.strategy or node.op, ()):
        gradients = strategy(tape, node, *arrived)
        if gradients is not None:
            return gradients
    return _by_rule(tape, node, arrived)


def _by_rule(tape: Tape, node: Node, arrived: list[str]) -> Gradients:
    if node.domain not in ("", "ai.onnx") or node.op not in RULES:
        raise GraphError(f"{node}: no gradient rule for op {node.op!r}; there are rules for {', '.join(RULES)}")
    return RULES[node.op](tape, node, *arrived)
