"""Where a channel comes from: the tensor before its rectifier, in which it has a gradient even while it is silent."""

from __future__ import annotations

from dataclasses import replace

from ..graph.ops import properties
from .network import Network
from .target import Target, Term


def before_relu(network: Network, layer: str, channel: int) -> tuple[str, int]:
    """(layer, channel) of the value that a rectified channel is made of; the channel itself where there is none.

    A unit that noise does not wake has no gradient behind its ReLU, and a dream of it stays noise. Before the ReLU it
    has one. Concatenations are followed to the branch that the channel belongs to.
    """
    graph = network.forward
    makers = {node.outputs[0]: node for node in graph.nodes}
    while (node := makers.get(layer)) is not None:
        if node.op == "Concat":
            for source in node.inputs:
                width = graph.shapes[source][1]
                if not isinstance(width, int):
                    return layer, channel
                if channel < width:
                    layer = source
                    break
                channel -= width
        elif properties(node.op).passes and node.inputs[0] in network.layers:
            layer = node.inputs[0]
        else:
            break
    return layer, channel


def awake(network: Network, target: Target) -> Target:
    """The target with its single channels taken before their rectifiers, for dreams that begin as noise."""
    return Target(tuple(_awake(network, term) for term in target.terms))


def _awake(network: Network, term: Term) -> Term:
    if term.channels is None or len(term.channels) != 1 or term.wants_squares:
        return term
    ((number, weight),) = term.channels
    layer, channel = before_relu(network, term.layer, number)
    return replace(term, layer=layer, channels=((channel, weight),))
