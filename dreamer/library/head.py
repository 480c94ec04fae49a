"""The classifying head, made independent of the picture's size.

A classifier sees one fixed map (7 x 7 for a 224 px picture). On larger pictures it is run at every place, as a
convolution, and the scores are averaged: the fully convolutional reading of the same weights (Long, Shelhamer
and Darrell, 2015). At the nominal size the result is exactly the file's.
"""

from __future__ import annotations

import numpy as np

from ..graph import Array, FixedShape, Graph, Node
from ..graph.fold import shapes_at
from ..graph.ops import properties


def pool_whole_map(graph: Graph) -> None:
    """AveragePool and ReduceMean over the whole map become GlobalAveragePool (and Flatten)."""
    shapes = shapes_at(graph)
    for node in list(graph.nodes):
        source, result = shapes.get(node.inputs[0] if node.inputs else ""), shapes.get(node.outputs[0])
        if source is None or result is None or len(source) != 4:
            continue
        flat = False
        if node.op == "AveragePool":
            if result[2:] != (1, 1) or source[2:] == (1, 1) or not _covers(node, source):
                continue
        elif node.op == "ReduceMean":
            if result[:2] != source[:2] or int(np.prod(result[2:])) != 1 or source[2:] == (1, 1):
                continue
            flat = len(result) == 2
        else:
            continue
        pooled = graph.free(f"{node.outputs[0]}_pool") if flat else node.outputs[0]
        new = [Node("GlobalAveragePool", node.inputs[:1], [pooled], name=node.name)]
        if flat:
            new.append(Node("Flatten", [pooled], node.outputs[:1], {"axis": 1}))
        graph.insert_before(node, *new)
        graph.drop(node)


def _covers(node: Node, source: FixedShape) -> bool:
    """True when the one window takes in the whole map and padding does not count in the average."""
    options = node.attrs
    pads = options.get("pads", [0, 0, 0, 0])
    if any(pads) and options.get("count_include_pad", 0):
        return False
    before = pads[:2]
    return all(k - b >= size for k, b, size in zip(options["kernel_shape"], before, source[2:], strict=True))


def convolve_classifier(graph: Graph) -> set[str]:
    """Fully connected layers over a map of more than one pixel become convolutions, to the end of the head.

    Returns the tensors of those layers: they need larger pictures than the layers before them.
    """
    shapes, producers = shapes_at(graph), graph.producers()
    maps: dict[str, str] = {}  # a flat tensor -> the [n, c, 1, 1] (or larger) map that now stands for it
    for node in list(graph.nodes):
        if node.op in ("Gemm", "MatMul"):
            data = _map_behind(graph, node.inputs[0], shapes, producers, maps)
            dense = _dense(graph, node)
            if data is None or dense is None:
                continue
            source, window, last = data
            weight, bias = dense
            count = weight.shape[0]
            # The values of a map were joined channels first, or (TensorFlow) channels last.
            kernel = (
                weight.reshape(count, *window, -1).transpose(0, 3, 1, 2) if last else weight.reshape(count, -1, *window)
            )
            inputs = [source, graph.constant_named(f"{node.outputs[0]}_w", kernel.astype(np.float32))]
            if bias is not None:
                inputs.append(graph.constant_named(f"{node.outputs[0]}_b", bias.astype(np.float32)))
            conv = Node("Conv", inputs, node.outputs[:1], {"kernel_shape": list(window)}, node.name)
            graph.insert_before(node, conv)
            graph.drop(node)
            maps[node.outputs[0]] = node.outputs[0]
        elif node.inputs and node.inputs[0] in maps and _each_score(graph, node):
            maps[node.outputs[0]] = node.outputs[0]
    return _average(graph, maps)


def _each_score(graph: Graph, node: Node) -> bool:
    """Whether a node does something to each value by itself; its numbers per class then become numbers per channel."""
    if node.op in ("Add", "Sub", "Mul", "Div", "PRelu"):
        value = graph.constants.get(node.inputs[1])
        if value is None:
            return False
        if value.size > 1:
            node.inputs[1] = graph.constant_named(f"{node.inputs[1]}_map", value.reshape(1, -1, 1, 1))
        return True
    return properties(node.op).elementwise


def _map_behind(
    graph: Graph,
    name: str,
    shapes: dict[str, FixedShape],
    producers: dict[str, Node],
    maps: dict[str, str],
) -> tuple[str, tuple[int, int], bool] | None:
    """(the map that `name` flattens, its size at the nominal picture, channels last?); None if it has one pixel."""
    if name in maps:
        return maps[name], (1, 1), False
    node = producers.get(name)
    if node is None or node.op not in ("Reshape", "Flatten"):
        return None
    turn = producers.get(node.inputs[0])
    last = turn is not None and turn.op == "Transpose" and turn.attrs.get("perm") == [0, 2, 3, 1]
    picture = turn.inputs[0] if turn is not None and last else node.inputs[0]
    source, result = shapes.get(picture), shapes.get(name)
    if source is None or result is None or len(source) != 4 or len(result) != 2 or source[2:] == (1, 1):
        return None
    if result != (source[0], int(np.prod(source[1:]))):
        return None
    return picture, (source[2], source[3]), last


def _dense(graph: Graph, node: Node) -> tuple[Array, Array | None] | None:
    """([out, in], [out] or None) of a Gemm or MatMul with constant weights."""
    weight = graph.constants.get(node.inputs[1])
    if weight is None or weight.ndim != 2:
        return None
    if node.op == "MatMul":
        return weight.T, None
    options = node.attrs
    if options.get("transA", 0):
        return None
    weight = (weight if options.get("transB", 0) else weight.T) * options.get("alpha", 1.0)
    if len(node.inputs) < 3:
        return weight, None
    bias = graph.constants.get(node.inputs[2])
    if bias is None:
        return None
    return weight, np.broadcast_to(bias.reshape(-1) * options.get("beta", 1.0), (weight.shape[0],))


def _average(graph: Graph, maps: dict[str, str]) -> set[str]:
    """Where the head leaves the convolutions (softmax, output), average the scores over all places."""
    head = set(maps)
    for name in maps:
        readers = [n for n in graph.consumers().get(name, []) if n.outputs[0] not in maps]
        if not readers and name not in graph.outputs:
            continue
        producer = graph.producers()[name]
        inner = graph.free(f"{name}_map")
        producer.outputs[0] = inner
        head.add(inner)
        for node in graph.nodes:
            if node.outputs[0] in maps or node is producer:
                for i, read in enumerate(node.inputs):
                    if read == name:
                        node.inputs[i] = inner
        pooled = graph.free(f"{name}_mean")
        at = graph.nodes.index(producer) + 1
        graph.nodes[at:at] = [
            Node("GlobalAveragePool", [inner], [pooled]),
            Node("Flatten", [pooled], [name], {"axis": 1}),
        ]
    return head


def split_logits(graph: Graph) -> str | None:
    """The tensor of class scores before the last softmax, made [n, classes]; None for a net without a head."""
    shapes, producers = shapes_at(graph), graph.producers()
    depth: dict[str, int] = {}
    for node in graph.nodes:
        depth.update(dict.fromkeys(node.outputs, 1 + max((depth.get(n, 0) for n in node.inputs), default=0)))
    # The main head lies deepest; auxiliary ones branch off before.
    for output in sorted((n for n in graph.outputs if n in depth), key=lambda n: -depth[n]):
        end = producers[output]
        while end.op in ("Reshape", "Flatten", "Squeeze", "Unsqueeze") and end.inputs[0] in producers:
            if producers[end.inputs[0]].op not in (
                "Softmax",
                "LogSoftmax",
                "Reshape",
                "Flatten",
                "Squeeze",
            ):
                break
            end = producers[end.inputs[0]]
        softmax = end.op in ("Softmax", "LogSoftmax")
        scores = end.inputs[0] if softmax else output
        shape = shapes.get(scores)
        if shape is None or shape[0] != 1 or len(shape) not in (2, 4) or shape[1] < 2:
            continue
        if len(shape) == 4 and shape[2:] != (1, 1):
            continue
        if softmax:
            # Whatever reshaping an exporter wrapped around the softmax, it works on [n, classes] here.
            graph.rename(output, end.outputs[0])
            end.attrs = {"axis": -1}
        if len(shape) == 4:
            return _flat_scores(graph, scores, end if softmax else None)
        return scores
    return None


def _flat_scores(graph: Graph, scores: str, softmax: Node | None) -> str:
    """Scores of shape [n, k, 1, 1], as fully convolutional nets end: averaged over a larger picture's places, and
    flattened."""
    flat = graph.free(f"{scores}_flat")
    height, width = graph.inputs[graph.picture][2:]
    assert isinstance(height, int) and isinstance(width, int)
    if shapes_at(graph, (2 * height + 64, 2 * width + 64)).get(scores, ())[2:] != (1, 1):
        pooled = graph.free(f"{scores}_mean")
        pool = Node("GlobalAveragePool", [scores], [pooled])
        graph.nodes.insert(graph.nodes.index(graph.producers()[scores]) + 1, pool)
        scores_read = pooled
    else:
        scores_read = scores
    flatten = Node("Flatten", [scores_read], [flat], {"axis": 1})
    if softmax is None:
        graph.nodes.insert(graph.nodes.index(graph.producers()[scores_read]) + 1, flatten)
        graph.outputs = [flat if name == scores else name for name in graph.outputs]
    else:
        graph.insert_before(softmax, flatten)
        softmax.inputs[0] = flat
    return flat
