"""The onnx package's own single-node cases, those whose op has a gradient, against finite differences in float64."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import onnx
import pytest
from onnx.backend.test.case.node import collect_testcases
from onnx.reference import ReferenceEvaluator

from dreamer.gradient import append_gradient
from dreamer.gradient.rules import RULES
from dreamer.graph import Graph, GraphError
from dreamer.graph.fold import fold_constants
from dreamer.graph.opset import DEFINED_BY_OTHERS

from .gradients import relative_error, session

MOST = 300  # values; each takes two runs

# What is said not to be differentiated, and why: part of the error
REFUSED = {
    "only two spatial axes",
    "uses dilations",
    "uses mode",  # SpaceToDepth of opset 28
    "only p = 2",
    "crops or keeps",
    "must not depend on the picture",
    "must be a constant",
    "is not known",  # shapes that the data decides
    "cannot be written out",  # Attention with inputs left out in between
}
# Cases that mean something else here: one picture at a time, nothing dropped; and masks that leave nothing to attend to
OTHERWISE = ("batchnorm_.*_training_mode", "training_dropout", "attention_.*(mask|nonpad|window|negative_offset)")
# The runtime gives other results than the reference, whose scales are not those of the sizes that come out
DISAGREE = ("resize_downsample_scales_(linear|cubic)_align_corners",)
POSITIVE = {"Log", "Sqrt", "Pow", "ReduceProd", "ReduceLogSumExp", "LpPool"}
RANDOM_OR_INTEGER = {"Cast"}  # to types that have no gradient


def cases() -> Iterator[Any]:
    for case in collect_testcases(None):
        nodes = case.model.graph.node
        known = len(nodes) == 1 and nodes[0].op_type in (RULES.keys() | DEFINED_BY_OTHERS) - RANDOM_OR_INTEGER
        tensors = all(i.type.HasField("tensor_type") for i in case.model.graph.input)
        meant = not re.search("|".join((*OTHERWISE, *DISAGREE)), case.name)
        if known and meant and tensors and nodes[0].domain in ("", "ai.onnx"):
            yield case


def fixed(case: Any) -> tuple[onnx.ModelProto, str, np.ndarray] | None:
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


def ours(model: onnx.ModelProto, picture: str, x: np.ndarray, seed: np.ndarray) -> np.ndarray:
    graph = Graph.read(model)
    out = graph.outputs[0]
    graph.inputs = {picture: x.shape}
    fold_constants(graph)
    graph.cut([out])
    graph.infer_shapes()
    graph.inputs["seed"] = seed.shape
    graph.outputs = [append_gradient(graph, {out: "seed"}, picture)]
    fed = {picture: x.astype(np.float32), "seed": seed.astype(np.float32)}
    return np.asarray(session(graph.write()).run(None, fed)[0])


def expected(model: onnx.ModelProto, picture: str, x: np.ndarray, seed: np.ndarray) -> np.ndarray:
    if model.graph.node[0].op_type in DEFINED_BY_OTHERS:  # definitions hold to float32
        return differences(ReferenceEvaluator(model), picture, x, seed, 1e-2)
    double = onnx.ModelProto()
    double.CopyFrom(model)
    for tensor in double.graph.initializer:
        if tensor.data_type == onnx.TensorProto.FLOAT:
            value = onnx.numpy_helper.to_array(tensor).astype(np.float64)
            tensor.CopyFrom(onnx.numpy_helper.from_array(value, tensor.name))
    return differences(ReferenceEvaluator(double), picture, x, seed, 1e-5)


def differences(run: ReferenceEvaluator, picture: str, x: np.ndarray, seed: np.ndarray, step: float) -> np.ndarray:
    result, kind = np.zeros(x.shape), np.float64 if step < 1e-3 else np.float32
    for index in np.ndindex(*x.shape):
        values = []
        for sign in (1, -1):
            moved = x.copy()
            moved[index] += sign * step
            values.append(float((run.run(None, {picture: moved.astype(kind)})[0] * seed).sum()))
        result[index] = (values[0] - values[1]) / (2 * step)
    return result


CASES = {case.name: case for case in cases()}


@pytest.mark.parametrize("name", CASES)
def test_gradient_of_a_node(name: str) -> None:
    known = fixed(CASES[name])
    if known is None:
        return  # of other types, or too large
    model, picture, x = known
    y = ReferenceEvaluator(model).run(None, {picture: x.astype(np.float32)})[0]
    if y.dtype != np.float32:
        return
    seed = np.random.default_rng(1).normal(0, 1, y.shape)
    try:
        got = ours(model, picture, x, seed)
    except GraphError as error:
        assert any(reason in str(error) for reason in REFUSED), error
        return
    rounded = model.graph.node[0].op_type in DEFINED_BY_OTHERS
    assert relative_error(got, expected(model, picture, x, seed)) < (2e-2 if rounded else 2e-3)
