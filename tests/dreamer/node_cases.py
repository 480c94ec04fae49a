"""The onnx package's own single-node cases, those whose op has a gradient, against finite differences in float64."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import onnx
from onnx.backend.test.case.node import collect_testcases
from onnx.reference import ReferenceEvaluator

from dreamer.gradient import append_gradient
from dreamer.gradient.rules import RULES
from dreamer.graph import Graph, GraphError
from dreamer.graph.fold import fold_constants, fold_sizes
from dreamer.graph.opset import DEFINED_BY_OTHERS

from .gradients import relative_error, session

ALL_VALUES = 60  # so many are moved one by one; of more, DIRECTIONS of all of them at once
DIRECTIONS = 12
MOST = 200_000  # values

# What is said not to be differentiated, and why: part of the error
REFUSED = {
    "only two spatial axes",
    "uses dilations",
    "uses mode",  # SpaceToDepth of opset 28
    "crops or keeps",
    "must not depend on the picture",
    "must be a constant",
    "cannot be written out",  # Attention with inputs left out in between
}
# Cases that mean something else here: one picture at a time, nothing dropped; and masks that leave nothing to attend to
OTHERWISE = ("batchnorm_.*_training_mode", "training_dropout", "attention_.*(mask|nonpad|window|negative_offset)")
# The runtime gives other results than the reference, whose scales are not those of the sizes that come out
DISAGREE = ("resize_downsample_scales_(linear|cubic)_align_corners",)
POSITIVE = {"Log", "Sqrt", "Pow", "ReduceProd", "ReduceLogSum", "ReduceLogSumExp", "LpPool", "LpNormalization"}
INTEGER = {"Cast"}  # to types that have no gradient
ROUNDED = DEFINED_BY_OTHERS | {"Erf"}  # definitions hold to float32, and so does the reference of this one
OLDER = {"Upsample"}  # what newer versions of ONNX say otherwise


def _cases() -> Iterator[Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of cases that overflow on purpose
        found = collect_testcases(None)
    for case in found:
        nodes = case.model.graph.node
        known = len(nodes) == 1 and nodes[0].op_type in (RULES.keys() | DEFINED_BY_OTHERS | OLDER) - INTEGER
        tensors = all(i.type.HasField("tensor_type") for i in case.model.graph.input)
        meant = not re.search("|".join((*OTHERWISE, *DISAGREE)), case.name)
        if known and meant and tensors and nodes[0].domain in ("", "ai.onnx"):
            yield case


def cases() -> dict[str, Any]:
    """By their names."""
    return {case.name: case for case in _cases()}


def outcome(case: Any) -> tuple[str, float]:
    """What becomes of a case: ("right" or "wrong", the error), ("refused: why", 0), or ("", 0) where it is of types
    that have no gradient."""
    known = _fixed(case)
    if known is None:
        return "", 0.0
    model, picture, x = known
    y = ReferenceEvaluator(model).run(None, {picture: x.astype(np.float32)})[0]
    if y.dtype != np.float32:
        return "", 0.0
    seed = np.random.default_rng(1).normal(0, 1, y.shape)
    try:
        got = _ours(model, picture, x, seed)
    except GraphError as error:
        return f"refused: {error}", 0.0
    few = x.size <= ALL_VALUES
    moves = np.eye(x.size) if few else np.random.default_rng(2).normal(0, 1, (DIRECTIONS, x.size))
    rounded = model.graph.node[0].op_type in ROUNDED
    expected = _expected(model, picture, x, seed, moves)
    error = relative_error(moves @ got.astype(np.float64).reshape(-1), expected)
    return ("right" if error < (2e-2 if rounded else 2e-3) else "wrong"), error


def _fixed(case: Any) -> tuple[onnx.ModelProto, str, np.ndarray] | None:
    """(the model with all inputs but one as constants, that one, a value of distinct numbers for it); None where no
    input is a float32 of a size that can be tried."""
    arrays = [np.asarray(a) for a in case.data_sets[0][0]]
    found = [k for k, a in enumerate(arrays) if a.dtype == np.float32 and 0 < a.size <= MOST]
    if not found or (arrays[0].dtype != np.float32 and case.model.graph.node[0].op_type != "Where"):
        return None
    model = onnx.ModelProto()
    model.CopyFrom(case.model)
    inputs = list(model.graph.input)
    del model.graph.input[:]
    model.graph.input.append(inputs[found[0]])
    for k, (info, array) in enumerate(zip(inputs, arrays, strict=False)):
        if k != found[0]:
            model.graph.initializer.append(onnx.numpy_helper.from_array(array, info.name))
    shape = arrays[found[0]].shape
    values = np.linspace(-2, 2, int(np.prod(shape)) + 1)[:-1] + 0.0037
    if model.graph.node[0].op_type in POSITIVE:
        values = np.abs(values) + 0.3
    return model, inputs[found[0]].name, np.random.default_rng(0).permutation(values).reshape(shape)


def _ours(model: onnx.ModelProto, picture: str, x: np.ndarray, seed: np.ndarray) -> np.ndarray:
    graph = Graph.read(model)
    out = graph.outputs[0]
    graph.inputs = {picture: x.shape}
    fold_constants(graph)
    graph.cut([out])
    fold_sizes(graph)
    graph.inputs["seed"] = seed.shape
    graph.outputs = [append_gradient(graph, {out: "seed"}, picture)]
    fed = {picture: x.astype(np.float32), "seed": seed.astype(np.float32)}
    return np.asarray(session(graph.write()).run(None, fed)[0])


def _expected(model: onnx.ModelProto, picture: str, x: np.ndarray, seed: np.ndarray, moves: np.ndarray) -> np.ndarray:
    """The derivative along each of ``moves`` [number, values]."""
    if model.graph.node[0].op_type in ROUNDED:
        return _differences(ReferenceEvaluator(model), picture, x, seed, moves, 1e-2)
    double = onnx.ModelProto()
    double.CopyFrom(model)
    for tensor in double.graph.initializer:
        if tensor.data_type == onnx.TensorProto.FLOAT:
            value = onnx.numpy_helper.to_array(tensor).astype(np.float64)
            tensor.CopyFrom(onnx.numpy_helper.from_array(value, tensor.name))
    step = 1e-5 if x.size <= ALL_VALUES else 1e-7  # values lie closer together where there are many
    return _differences(ReferenceEvaluator(double), picture, x, seed, moves, step)


def _differences(
    run: ReferenceEvaluator, picture: str, x: np.ndarray, seed: np.ndarray, moves: np.ndarray, step: float
) -> np.ndarray:
    kind, result = np.float64 if step < 1e-3 else np.float32, []
    for move in moves:
        values = []
        for sign in (1, -1):
            moved = (x + sign * step * move.reshape(x.shape)).astype(kind)
            values.append(float((run.run(None, {picture: moved})[0].astype(np.float64) * seed).sum()))
        result.append((values[0] - values[1]) / (2 * step))
    return np.asarray(result)
