"""What does not depend on an input, computed beforehand."""

from __future__ import annotations

import numpy as np
from onnx import helper
from onnx.reference import ReferenceEvaluator

from .graph import Graph
from .node import OPSET, Array, FixedShape, GraphError, Node

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


def fold_sizes(graph: Graph) -> None:
    """Compute what follows from shapes, in a graph whose input is of a fixed size; ``graph.shapes`` are known after it.
    Each size may make the next shape known."""
    while True:
        graph.infer_shapes()
        queries = [node for node in graph.nodes if node.op in ("Shape", "Size") and _size_of(graph, node) is not None]
        if not queries:
            return
        for node in queries:
            shape = _size_of(graph, node)
            graph.constants[node.outputs[0]] = np.array(
                shape if node.op == "Shape" else np.prod(shape or [1]), np.int64
            )
        graph.drop(*queries)
        fold_constants(graph)


def _size_of(graph: Graph, node: Node) -> FixedShape | None:
    """What a Shape answers, where it is known."""
    shape = graph.shapes.get(node.inputs[0])
    if shape is None or not all(isinstance(n, int) for n in shape):
        return None
    return tuple(int(n or 0) for n in shape[node.attrs.get("start", 0) : node.attrs.get("end", len(shape))])


def settled(graph: Graph, size: tuple[int, int] | None = None) -> Graph:
    """A copy for pictures of one height and width, or of the nominal ones, in which nothing is computed from sizes."""
    copy, shape = graph.copy(), graph.inputs[graph.picture]
    copy.inputs = {
        graph.picture: tuple(n if isinstance(n, int) else 1 for n in (shape if size is None else (1, shape[1], *size)))
    }
    fold_sizes(copy)
    return copy


def shapes_at(graph: Graph, size: tuple[int, int] | None = None) -> dict[str, FixedShape]:
    """The shapes that are known when the picture has this height and width, or its nominal ones."""
    known = graph.shapes_at(size)
    asks = any(node.op == "Shape" for node in graph.nodes)
    if not asks or all(o in known for node in graph.nodes for o in node.outputs if o):
        return known
    copy = settled(graph, size)
    found = {k: v.shape for k, v in copy.constants.items()}
    for name, shape in copy.shapes.items():
        if all(isinstance(n, int) for n in shape):
            found[name] = tuple(int(n or 0) for n in shape)
    return found


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
