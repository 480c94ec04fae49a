"""Channels shuffled or taken apart and put together again, as the 1x1 convolutions they are.

Exporters write these as reshapes of a fixed size, or as gathers that no gradient rule should need to know.
"""

from __future__ import annotations

import numpy as np

from ..graph import Graph, Node
from ..graph.fold import fold_constants, shapes_at


def fold_channel_counts(graph: Graph) -> None:
    """Where a channel count is asked of a tensor's Shape, it is a constant, and so is what is computed of it: exporters
    halve channels so. So is how many axes it has, which definitions of norms ask. Each found count may make the next
    shape known."""
    height, width = graph.inputs[graph.picture][2:]
    assert isinstance(height, int) and isinstance(width, int)
    while True:
        here, there, makers = shapes_at(graph), shapes_at(graph, (height + 64, width + 96)), graph.producers()
        found = []
        for node in [node for node in graph.nodes if node.op == "Size"]:
            measured = makers.get(node.inputs[0])
            if measured is not None and measured.op == "Shape" and measured.inputs[0] in here and not measured.attrs:
                graph.constants[node.outputs[0]] = np.array(len(here[measured.inputs[0]]), np.int64)
                found.append(node)
        for node in graph.nodes:
            measured = makers.get(node.inputs[0]) if node.op == "Gather" and not node.attrs.get("axis", 0) else None
            index = graph.constants.get(node.inputs[1]) if measured is not None and measured.op == "Shape" else None
            if measured is None or index is None or "start" in measured.attrs or "end" in measured.attrs:
                continue
            one, other = (shapes.get(measured.inputs[0]) for shapes in (here, there))
            if one is None or other is None or len(one) != len(other):
                continue
            axes = [int(i) % len(one) for i in index.reshape(-1)]
            if all(axis and one[axis] == other[axis] for axis in axes):  # the batch stays free, as height and width do
                graph.constants[node.outputs[0]] = np.array([one[axis] for axis in axes], np.int64).reshape(index.shape)
                found.append(node)
        if not found:
            return
        graph.drop(*found)
        fold_constants(graph)


def shuffles_to_convolutions(graph: Graph) -> None:
    """[n,c,h,w] -> [n,g,c/g,h,w] -> transposed -> [n,c,h,w] only permutes channels: a 1x1 convolution."""
    shapes, producers, consumers = shapes_at(graph), graph.producers(), graph.consumers()
    for last in [n for n in graph.nodes if n.op == "Reshape"]:
        turn = producers.get(last.inputs[0])
        if turn is None or turn.op != "Transpose" or turn.attrs.get("perm") != [0, 2, 1, 3, 4]:
            continue
        first = producers.get(turn.inputs[0])
        if first is None or first.op != "Reshape":
            continue
        source, split, whole = (shapes.get(n) for n in (first.inputs[0], first.outputs[0], last.outputs[0]))
        if source is None or source != whole or split is None or len(source) != 4 or split[3:] != source[2:]:
            continue
        if len(consumers[first.outputs[0]]) > 1 or len(consumers[turn.outputs[0]]) > 1:
            continue
        channels = source[1]
        order = np.arange(channels).reshape(split[1], split[2]).T.reshape(-1)
        weight = np.eye(channels, dtype=np.float32)[order].reshape(channels, channels, 1, 1)
        name = graph.constant_named(f"{last.outputs[0]}_shuffle", weight)
        conv = Node("Conv", [first.inputs[0], name], last.outputs, {"kernel_shape": [1, 1]})
        graph.insert_before(first, conv)
        graph.drop(first, turn, last)


def planes_to_convolutions(graph: Graph) -> None:
    """x[:, i] * a + b for some channels i, concatenated: torchvision's way to feed a network of another convention."""
    shapes, producers = shapes_at(graph), graph.producers()
    for node in [n for n in graph.nodes if n.op == "Concat" and n.attrs.get("axis") == 1]:
        planes = [_plane(graph, name, producers) for name in node.inputs]
        found = [plane for plane in planes if plane is not None]
        sources = {source for source, *_ in found}
        source = next(iter(sources), "")
        if len(found) < len(planes) or len(sources) != 1 or len(shapes.get(source, ())) != 4:
            continue
        channels = shapes[source][1]
        weight = np.zeros((len(found), channels, 1, 1), np.float32)
        for row, (_, channel, factor, _offset) in enumerate(found):
            weight[row, channel] = factor
        bias = np.array([offset for *_, offset in found], np.float32)
        names = [graph.constant_named(f"{node.outputs[0]}_{key}", value) for key, value in (("w", weight), ("b", bias))]
        conv = Node("Conv", [source, *names], node.outputs, {"kernel_shape": [1, 1]}, node.name)
        graph.insert_before(node, conv)
        graph.drop(node)
    graph.cut(graph.outputs)


def _plane(graph: Graph, name: str, producers: dict[str, Node]) -> tuple[str, int, float, float] | None:
    """(source, channel, factor, offset) when the tensor is one channel of another, scaled and shifted."""
    factor, offset = 1.0, 0.0
    while (node := producers.get(name)) is not None:
        values = [graph.constants.get(i) for i in node.inputs]
        if node.op in ("Mul", "Add") and len(values) == 2:
            at = 0 if values[0] is not None else 1
            value = values[at]
            if value is None or value.size != 1:
                return None
            if node.op == "Mul":
                factor *= float(value.reshape(-1)[0])
            else:
                offset += factor * float(value.reshape(-1)[0])
            name = node.inputs[1 - at]
        elif node.op == "Unsqueeze" and values[1] is not None and values[1].tolist() == [1]:
            name = node.inputs[0]
        elif node.op == "Gather" and node.attrs.get("axis", 0) == 1 and values[1] is not None:
            return (node.inputs[0], int(values[1].reshape(-1)[0]), factor, offset) if values[1].size == 1 else None
        elif node.op == "Slice":
            return _sliced(node, [None if v is None else v.tolist() for v in values], factor, offset)
        else:
            return None
    return None


def _sliced(
    node: Node, values: list[list[int] | None], factor: float, offset: float
) -> tuple[str, int, float, float] | None:
    starts, ends, axes = (values[i] if i < len(values) else None for i in (1, 2, 3))
    if starts is None or ends is None or axes != [1] or starts[0] < 0 or ends[0] != starts[0] + 1:
        return None
    return node.inputs[0], int(starts[0]), factor, offset
