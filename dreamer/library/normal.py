"""The normal form every imported network is brought into, whatever file it came from.

Old and new exporters fix things a dream must not have fixed: the batch, the picture's size, the shape of the
tensor before the classifier. Here each of them is replaced by its general twin, so that the network runs on any
picture and still classifies: fully connected layers over a map become convolutions, the average over the whole
map becomes GlobalAveragePool, channel shuffles become 1x1 convolutions.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import onnx
from onnx import helper

from ..gradient import undifferentiable
from ..graph import Array, FixedShape, Graph, Node
from ..graph.fold import fold_constants, settled, shapes_at
from .channels import fold_channel_counts, planes_to_convolutions, shuffles_to_convolutions
from .fixed import fixing
from .head import convolve_classifier, pool_whole_map, split_logits
from .layers import descendants
from .names import LibraryError
from .reading import read_graph

LEAST_KEPT = 0.1  # of a network's operations; with fewer it is not that network any more


@dataclass(frozen=True)
class Normal:
    """A network in normal form."""

    model: onnx.ModelProto
    input: str
    logits: str | None
    min_size: int  # px
    logits_min_size: int  # px, 0 without a head
    size_multiple: int  # px
    size_remainder: int  # px
    size: tuple[int, int]  # px, height and width that it was made for
    fixed_by: tuple[str, ...]  # the tensors from which on the picture must have that size
    notes: tuple[str, ...]


def normal_form(model: onnx.ModelProto, input_name: str | None = None, size: int = 224) -> Normal:
    """Bring `model` into normal form (see the module); the file's own tensor names are kept.

    `size` (px) is the side the network was made for, where the file leaves it open.
    """
    graph = read_graph(model, input_name, size)
    notes: list[str] = []
    _drop_training(graph)
    graph.cut(graph.outputs)
    if not graph.nodes:
        raise LibraryError("the model computes nothing from its input")
    fold_channel_counts(graph)
    _drop_empty(graph)
    _sums_and_products(graph)
    planes_to_convolutions(graph)
    shuffles_to_convolutions(graph)
    pool_whole_map(graph)
    classifier = convolve_classifier(graph)
    _free_reshapes(graph)
    _fold_batch_norms(graph)
    fold_constants(graph)
    logits = split_logits(graph)
    graph.cut(graph.outputs)
    whole = len(graph.nodes)
    fixed_by = fixing(graph)
    notes += _cut_flat(graph, fixed_by)
    producers = graph.producers()
    fixed_by = [name for name in fixed_by if name in producers]
    if fixed_by:
        height, width = _nominal(graph)
        notes.append(f"from {fixed_by[0]} on the whole picture is seen at {width} x {height}: it fixes that size")
    if len(graph.nodes) < LEAST_KEPT * whole:
        raise LibraryError(f"of {whole} operations {len(graph.nodes)} would be left: {'; '.join(notes)}")
    if logits is not None and logits not in graph.producers():
        logits = None
    layers, head = _layers_and_head(graph, logits, classifier)
    if not layers:
        raise LibraryError("the network has no layer to dream of: nothing in it has channels")
    fixed = descendants(graph, fixed_by)
    free = [name for name in layers if name not in fixed]
    _alive_at_home(graph, free)
    multiple, remainder = _size_steps(graph, free)
    scores = [] if logits in fixed else head
    min_size = _min_size(graph, free, multiple, remainder) or min(32, *_nominal(graph))
    logits_min_size = _min_size(graph, scores, multiple, remainder)
    done = _written(graph)
    try:
        onnx.checker.check_model(done)
    except onnx.checker.ValidationError as error:
        raise LibraryError(f"the network could not be brought into normal form: {error}") from None
    sizes = (min_size, logits_min_size, multiple, remainder, _nominal(graph))
    return Normal(done, graph.picture, logits, *sizes, tuple(fixed_by), tuple(notes))


def _written(graph: Graph) -> onnx.ModelProto:
    """The network for pictures of every size."""
    shapes = shapes_at(graph)
    nominal = graph.inputs[graph.picture]
    graph.inputs, graph.shapes = {graph.picture: ("n", 3, "h", "w")}, {}
    done = graph.write()
    graph.inputs = {graph.picture: nominal}
    for output in done.graph.output:
        # The checker wants a rank; only batch and channels can be said for every picture.
        shape = shapes.get(output.name, (1,))
        free = ["n", *shape[1:2], *[None] * (len(shape) - 2)]
        output.CopyFrom(helper.make_tensor_value_info(output.name, onnx.TensorProto.FLOAT, free))
    return done


def _nominal(graph: Graph) -> tuple[int, int]:
    """Height and width of the picture that the network was made for."""
    height, width = graph.inputs[graph.picture][2:]
    assert isinstance(height, int) and isinstance(width, int)
    return height, width


def _drop_training(graph: Graph) -> None:
    for node in list(graph.nodes):
        if node.op in ("Dropout", "Identity"):
            source, name = node.inputs[0], node.outputs[0]
            graph.drop(node)
            graph.rename(name, source)
    # An output that was its own source twice would be declared twice.
    graph.outputs = list(dict.fromkeys(graph.outputs))


def _drop_empty(graph: Graph) -> None:
    """Take out of a Concat what has no values at any size: a roll by nothing is written so."""
    height, width = _nominal(graph)
    first = shapes_at(graph)
    if not any(0 in shape for shape in first.values()):
        return
    other = shapes_at(graph, (height + 64, width + 96))
    for node in [node for node in graph.nodes if node.op == "Concat"]:
        empty = [n for n in node.inputs if 0 in first.get(n, ()) and 0 in other.get(n, first[n])]
        if not empty or len(empty) == len(node.inputs):
            continue
        node.inputs = [n for n in node.inputs if n not in empty]
        if len(node.inputs) == 1 and node.outputs[0] not in graph.outputs:
            graph.drop(node)
            graph.rename(node.outputs[0], node.inputs[0])
    graph.cut(graph.outputs)


def _sums_and_products(graph: Graph) -> None:
    """Write x - c as x + (-c) and x / c as x * (1 / c), so that everything after knows two operators, not four."""
    for node in graph.nodes:
        value = graph.constants.get(node.inputs[1]) if node.op in ("Sub", "Div") else None
        if value is not None and value.dtype.kind == "f":
            node.op, turned = ("Add", -value) if node.op == "Sub" else ("Mul", 1 / value)
            node.inputs[1] = graph.constant_named(f"{node.inputs[1]}_turned", turned)


def _fold_batch_norms(graph: Graph) -> None:
    """Fold BatchNormalization, and Mul or Add by a constant per channel, into the Conv (or norm) before it."""
    for node in [n for n in graph.nodes if n.inputs]:
        affine = _affine(graph, node)
        conv = graph.producers().get(node.inputs[0])
        if affine is None and node.op in ("Mul", "Add"):
            conv = graph.producers().get(node.inputs[1])
            affine = _affine(graph, node, data=1)
        if affine is None or conv is None or conv.op not in ("Conv", "BatchNormalization"):
            continue
        if len(graph.consumers()[conv.outputs[0]]) > 1 or conv.outputs[0] in graph.outputs:
            continue
        if conv.inputs[1] not in graph.constants:
            continue
        weight = graph.constants[conv.inputs[1]]
        count = weight.shape[0]
        factor, offset = (np.broadcast_to(v, (count,)) for v in affine)
        bias = graph.constants[conv.inputs[2]] if len(conv.inputs) > 2 else np.zeros(count, weight.dtype)
        new_weight = (weight * factor.reshape(-1, *(1,) * (weight.ndim - 1))).astype(np.float32)
        new_bias = (bias * factor + offset).astype(np.float32)
        names = [
            graph.constant_named(f"{conv.inputs[1]}_folded", new_weight),
            graph.constant_named(f"{conv.outputs[0]}_b", new_bias),
        ]
        conv.inputs = [conv.inputs[0], *names, *conv.inputs[3:]]
        conv.outputs[0] = node.outputs[0]
        graph.drop(node)


def _affine(graph: Graph, node: Node, data: int = 0) -> tuple[Array, Array] | None:
    """(factor, offset) per channel in float64 when the node is `factor * x + offset` with constants."""
    if node.op == "BatchNormalization":
        if any(name not in graph.constants for name in node.inputs[1:5]):
            return None
        scale, offset, mean, var = (graph.constants[n].astype(np.float64) for n in node.inputs[1:5])
        factor = scale / np.sqrt(var + node.attrs.get("epsilon", 1e-5))
        return factor, offset - mean * factor
    if node.op not in ("Mul", "Add") or len(node.inputs) != 2:
        return None
    value = graph.constants.get(node.inputs[1 - data])
    if value is None or (value.ndim < 3 and value.size > 1) or value.ndim > 4:
        return None
    if value.size > 1 and (value.shape[-2:] != (1, 1) or (value.ndim == 4 and value.shape[0] != 1)):
        return None
    flat = value.reshape(-1).astype(np.float64)
    return (flat, np.zeros(1)) if node.op == "Mul" else (np.ones(1), flat)


def _free_reshapes(graph: Graph) -> None:
    """Give every Reshape its batch-free twin; Flatten where it only joins all of one sample."""
    shapes = shapes_at(graph)
    for node in [n for n in graph.nodes if n.op in ("Reshape", "Squeeze", "Flatten")]:
        source, result = shapes.get(node.inputs[0]), shapes.get(node.outputs[0])
        if not source or not result:  # unknown, or one number
            continue
        if source == result:
            graph.drop(node)
            graph.rename(node.outputs[0], node.inputs[0])
        elif len(result) == 2 and result[0] == source[0]:
            turn = graph.producers().get(node.inputs[0])
            if turn is not None and turn.op == "Transpose" and shapes.get(turn.inputs[0], ())[2:] == (1, 1):
                node.inputs[0] = turn.inputs[0]  # with one pixel, turning it changes nothing
            graph.replace(node, Node("Flatten", node.inputs[:1], node.outputs, {"axis": 1}))
        elif node.op == "Reshape" and result[0] == source[0] and _spatial_free(source, result):
            name = graph.constant_named(f"{node.outputs[0]}_shape", np.array([0, *result[1:]], np.int64))
            graph.replace(node, Node("Reshape", [node.inputs[0], name], node.outputs))


def _spatial_free(source: FixedShape, result: FixedShape) -> bool:
    """True when the tensor has no pixels left, so that its shape does not depend on the picture's size."""
    return int(np.prod(source[2:])) == 1 and int(np.prod(result[2:])) == 1


def _end_at(graph: Graph, known: set[str]) -> None:
    """Keep the tensors that are `known`, and make the last of them the outputs."""
    consumers = graph.consumers()
    ends = {n for n in known if not any(o in known for c in consumers.get(n, []) for o in c.outputs)}
    graph.cut([o for node in graph.nodes for o in node.outputs if o in ends])


def _cut_flat(graph: Graph, fixed_by: list[str]) -> list[str]:
    """Cut off what no gradient comes back from, so that every layer that is left can be dreamed of. What has one at
    its own size only joins what is ``fixed_by`` something."""
    shapes = shapes_at(graph)
    reasons = undifferentiable(settled(graph), graph.picture)
    trial = graph.copy()
    trial.inputs = {graph.picture: (1, 3, "height", "width")}
    trial.infer_shapes()
    fixed = descendants(graph, fixed_by)
    for name in undifferentiable(trial, graph.picture):
        if name not in reasons and name not in fixed:
            fixed_by.append(name)
            fixed = descendants(graph, fixed_by)
    if not reasons:
        return []
    lost: set[str] = set()
    for node in graph.nodes:
        if node.outputs[0] in reasons or any(name in lost for name in node.inputs):
            lost.update(node.outputs)
    known = {o for n in graph.nodes for o in n.outputs if o and o not in lost and len(shapes.get(o, ())) in (2, 3, 4)}
    total, first = sum(len(n.outputs) for n in graph.nodes), next(iter(reasons.values()))
    if not known:
        raise LibraryError(f"there is nothing to dream of: {first}")
    _end_at(graph, known)
    ops = f", and {len(reasons) - 1} more like it" if len(reasons) > 1 else ""
    return [f"cut where no gradient comes back, {len(lost)} of {total} layers lost: {first}{ops}"]


def _has_no_map(shape: FixedShape) -> bool:
    return len(shape) == 4 and shape[2:] == (1, 1)


def _layers_and_head(graph: Graph, logits: str | None, classifier: set[str]) -> tuple[list[str], list[str]]:
    """The tensors up to the first fully connected one, and all up to the logits (none without a head).

    An auxiliary head or a classifier that was made for 224 px must not forbid small octaves to the layers.
    """
    known = shapes_at(graph)
    path = _ancestors(graph, logits) if logits else {n for node in graph.nodes for n in node.outputs}
    head: set[str] = set()
    for node in graph.nodes:
        if node.outputs[0] in classifier or any(name in head for name in node.inputs):
            head.update(node.outputs)
    return [n for n in path - head if n in known], [n for n in path if n in known] if logits else []


def _alive_at_home(graph: Graph, layers: list[str]) -> None:
    """LibraryError where some layer has no pixels at the size that the network was made for."""
    height, width = _nominal(graph)
    shapes = shapes_at(graph)
    for name in layers:
        if min(shapes[name], default=1) < 1:
            raise LibraryError(
                f"layer {name!r} has no pixels where the picture has {width} x {height}; "
                "give the size that the network was made for with --size"
            )


def _size_steps(graph: Graph, layers: list[str]) -> tuple[int, int]:
    """(m, r): sides must be r more than a multiple of m. (1, 0) for most; others where branches halve a map in
    different ways and meet again, which they do at sides like the one the network was made for."""
    if not layers:
        return 1, 0
    home = max(_nominal(graph))
    start = home // 32 * 32 if home >= 64 else home
    dead = [size for size in range(start, start + 32) if not _alive(graph, layers, size)]
    fitting = (m for m in (1, 2, 4, 8, 16) if all((size - home) % m for size in dead))
    multiple = next(fitting, 32)
    return multiple, home % multiple


def _min_size(graph: Graph, names: list[str], multiple: int, remainder: int) -> int:
    """The smallest side, in steps of 16 px from 32 or from what the network was made for, at which all of `names` have
    pixels; 0 without names."""
    home = max(_nominal(graph))
    least = min(32, home)
    first = least + (remainder - least) % multiple
    step = max(16, multiple)
    sizes = [*range(first, 256, step), *range(256 + remainder % multiple, 1025, 64)]
    return next((size for size in sizes if _alive(graph, names, size)), home) if names else 0


def _ancestors(graph: Graph, name: str) -> set[str]:
    """The tensors computed on the way to `name`, and itself."""
    needed = {name}
    for node in reversed(graph.nodes):
        if any(output in needed for output in node.outputs):
            needed.update(node.inputs)
    return needed & set(graph.producers())


def _alive(graph: Graph, names: list[str], size: int) -> bool:
    try:
        shapes = shapes_at(graph, (size, size))
    except Exception:
        return False
    for node in graph.nodes:  # windows that do not divide the map: inference believes them
        if node.op == "Reshape" and node.outputs[0] in names:
            before, after = (shapes.get(name) for name in (node.inputs[0], node.outputs[0]))
            if before is not None and after is not None and np.prod(before) != np.prod(after):
                return False
    return all(name in shapes and min(shapes[name], default=1) > 0 for name in names)
