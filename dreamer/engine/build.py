"""The ONNX models that answer questions about a network: a gradient, the norms of seeds, a layer's values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import onnx

from ..gradient import append_gradient
from ..gradient.fast.lrn import expand_lrn
from ..gradient.fast.padding import even_out, fix_padding
from ..graph import IMAGE, Graph, ours
from ..graph.fold import fold_sizes
from ..library.layers import known_size
from .forward import seen_as
from .target import append_seed


@dataclass(frozen=True)
class Question:
    """What needs a model of its own. Channels, squares, weights, masks and guides do not: they are inputs.

    layers       the terms' layers, in order
    match        which terms have a matching guide
    window       None: the picture's size is known at run time (CPU). Else (height, width): the model takes a
                 whole picture, which may stay on the GPU, and takes this window out of it, so that every size
                 after that is fixed
    fixed        None, or the only size (height, width) of the picture that these layers know
    """

    purpose: Literal["gradient", "norms", "features"]
    layers: tuple[str, ...]
    match: tuple[bool, ...] = ()
    smooth_pool: bool = False
    window: tuple[int, int] | None = None
    fixed: tuple[int, int] | None = None


def build(forward: Graph, question: Question) -> onnx.ModelProto:
    """The model. Inputs, each under the name that ``ours`` gives it: ``image`` and per term what
    ``append_seed`` says (and with a window ``picture`` [1,3,h,w] and what ``gather_window`` takes of it, ``rows`` and
    ``columns``, instead of ``image``). Outputs: the gradient [1,3,h,w] and the score; or each seed's sum of squares; or
    the layers' values.
    """
    graph = forward.copy()
    layers = [seen_as(forward, layer) for layer in question.layers]
    graph.cut(list(dict.fromkeys(layers)))
    size = question.window or question.fixed
    if size:
        graph.inputs = {IMAGE: (1, 3, *size)}
    graph.infer_shapes()
    if question.fixed:
        fold_sizes(graph)
    fix_padding(graph)
    expand_lrn(graph)
    if question.purpose == "gradient":
        even_out(graph)
    if question.purpose == "features":
        return _finished(graph, question, layers)
    seeds: dict[str, list[str]] = {}
    scores, norms = [], []
    for i, (layer, match) in enumerate(zip(layers, question.match, strict=True)):
        room = known_size(graph.shapes[layer], layer) if size and len(graph.shapes[layer]) == 4 else None
        seed, score = append_seed(graph, i, layer, match=match, size=room)
        seeds.setdefault(layer, []).append(seed)
        scores.append(score)
        norms.append(graph.emit("ReduceSumSquare", seed, keepdims=0))
    if question.purpose == "norms":
        return _finished(graph, question, norms)
    summed = {layer: s[0] if len(s) == 1 else graph.emit("Sum", *s) for layer, s in seeds.items()}
    gradient = append_gradient(graph, summed, IMAGE, smooth_pool=question.smooth_pool, blocked=question.window is None)
    return _finished(graph, question, [gradient, graph.emit("Sum", *scores, hint="score")])


def _finished(graph: Graph, question: Question, outputs: list[str]) -> onnx.ModelProto:
    graph.outputs = outputs
    if question.window:
        graph.gather_window(ours("picture"), ours("rows"), ours("columns"), IMAGE)
    return graph.write()
