"""What does not depend on an input, computed beforehand."""

from __future__ import annotations

import numpy as np
from onnx import helper
from onnx.reference import ReferenceEvaluator

from .graph import Graph
from .node import OPSET, Array, GraphError, Node

RANDOM = {"RandomNormal", "RandomUniform", "RandomNormalLike", "RandomUniformLike", "Multinomial", "Bernoulli"}
MOST = 2**28  # values of a constant; whoever asks for more by arithmetic means no network


def fold_constants(graph: Graph) -> None:
    """Compute what does not depend on an input, so that rules find weights and shapes as constants.

    Files made by exporters hold such arithmetic (Unsqueeze of a weight, ConstantOfShape) all over. By ONNX's own
    reference, node by node: it knows every op.
    """
    kept = []
    for node in graph.nodes:
        if node.op in RANDOM or not all(not name or name in graph.constants for name in node.inputs):
            kept.append(node)
            continue
        for name, value in zip(node.outputs, _values(node, graph.constants), strict=False):
            if name:
                graph.constants[name] = np.asarray(value)
    graph.nodes = kept


def _values(node: Node, constants: dict[str, Array]) -> list[Array]:
    """A node's outputs, of constant inputs. Raises GraphError where it cannot be computed."""
    names = [name for name in dict.fromkeys(node.inputs) if name]
    if node.op in ("ConstantOfShape", "Expand", "Tile") and names:
        sizes = constants[node.inputs[-1]].astype(np.float64)
        grown = constants[node.inputs[0]].size if node.op == "Tile" else 1
        if sizes.prod() * grown > MOST:
            raise GraphError(f"{node} makes a constant of {sizes.prod() * grown:.0f} values")
    inputs = [
        helper.make_tensor_value_info(n, helper.np_dtype_to_tensor_dtype(constants[n].dtype), constants[n].shape)
        for n in names
    ]
    proto = helper.make_node(node.op, node.inputs, node.outputs, domain=node.domain, **node.attrs)
    outputs = [helper.make_empty_tensor_value_info(name) for name in node.outputs if name]
    alone = helper.make_model(
        helper.make_graph([proto], "constant", inputs, outputs), opset_imports=[helper.make_opsetid("", OPSET)]
    )
    try:
        found = iter(ReferenceEvaluator(alone).run(None, {n: constants[n] for n in names}))
    except Exception as error:
        raise GraphError(f"{node} cannot be computed from its constants: {error}") from error
    return [next(found) if name else np.zeros(0) for name in node.outputs]
