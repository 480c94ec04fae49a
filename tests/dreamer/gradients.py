"""Running gradient graphs in tests."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import onnxruntime as ort

from dreamer.gradient import append_gradient
from dreamer.gradient.fast.lrn import expand_lrn
from dreamer.gradient.fast.padding import even_out, fix_padding
from dreamer.graph import Graph

from .nets import INPUT


def session(model: onnx.ModelProto) -> ort.InferenceSession:
    """A quiet session on one core."""
    options = ort.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 3
    return ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def forward(model: onnx.ModelProto, x: np.ndarray, output: str) -> np.ndarray:
    """A tensor of the untouched model."""
    graph = Graph.read(model)
    graph.cut([output])
    return np.asarray(session(graph.write()).run(None, {INPUT: x})[0])


def seeded_gradient(
    model: onnx.ModelProto, x: np.ndarray, output: str, seed: np.ndarray, *, even: bool = True, **options: Any
) -> np.ndarray:
    """The gradient of sum(seed * output) with respect to the input, by the engine. Padding that depends on the
    size takes the general way without ``even``, and LRN the plain one."""
    graph = Graph.read(model)
    graph.inputs = {INPUT: tuple(d if isinstance(d, int) else f"axis{i}" for i, d in enumerate(graph.inputs[INPUT]))}
    if x.ndim == 4:
        graph.inputs = {INPUT: (1, x.shape[1], "height", "width")}
    graph.cut([output])
    graph.infer_shapes()
    fix_padding(graph)
    if even:
        expand_lrn(graph)
        even_out(graph)
    graph.inputs["seed"] = seed.shape
    graph.outputs = [append_gradient(graph, {output: "seed"}, INPUT, **options)]
    return np.asarray(session(graph.write()).run(None, {INPUT: x, "seed": seed})[0])


def finite_differences(model: onnx.ModelProto, x: np.ndarray, output: str, seed: np.ndarray, step: float) -> np.ndarray:
    """The same gradient by central differences, one input value at a time."""
    graph = Graph.read(model)
    graph.cut([output])
    run = session(graph.write())
    result = np.zeros(x.shape, np.float64)
    weights = seed.astype(np.float64)
    for index in np.ndindex(*x.shape):
        values = []
        for sign in (1, -1):
            moved = x.copy()
            moved[index] += sign * step
            values.append(float((run.run(None, {INPUT: moved})[0].astype(np.float64) * weights).sum()))
        result[index] = (values[0] - values[1]) / (2 * step)
    return result


def relative_error(got: np.ndarray, expected: np.ndarray) -> float:
    """The norm of the difference over the norm of what was expected."""
    return float(np.linalg.norm(got - expected) / max(float(np.linalg.norm(expected)), 1e-30))
