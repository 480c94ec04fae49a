"""Every rule against finite differences, on inputs whose values lie further apart than the step."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest
from onnx.reference import ReferenceEvaluator

from dreamer.gradient.rules import RULES
from dreamer.graph import Graph, GraphError, Node
from dreamer.graph.ops import OPS
from dreamer.graph.sizes import name_sizes

from .gradients import finite_differences, forward, relative_error, seeded_gradient
from .nets import INPUT, model, node, tiny_inception

X, Y = INPUT, "y"


def weights(*shape: int) -> np.ndarray:
    return np.random.default_rng(sum(shape)).normal(0, 0.5, shape)


def conv(out: int, depth: int, kernel: tuple[int, int], bias: bool = False, **attrs: Any) -> tuple[Any, ...]:
    group = attrs.get("group", 1)
    constants = {"w": weights(out, depth // group, *kernel)} | ({"b": weights(out)} if bias else {})
    return [node("Conv", [X, *constants], Y, kernel_shape=list(kernel), **attrs)], constants


def one(op: str, *constants: Any, **attrs: Any) -> tuple[Any, ...]:
    """One node with some constants; '' stands for an input that is absent."""
    names = ["" if isinstance(c, str) else f"c{i}" for i, c in enumerate(constants)]
    return [node(op, [X, *names], Y, **attrs)], {n: c for n, c in zip(names, constants, strict=True) if n}


def after(first: Any, second: Any) -> tuple[Any, ...]:
    """One node after another: makes both factors of a product depend on the input."""
    return [first, second], {}


def split(parts: list[str], sizes: list[int], axis: int) -> list[onnx.NodeProto]:
    """A Split, and its sizes as a Constant node."""
    value = onnx.numpy_helper.from_array(np.array(sizes))
    return [node("Constant", [], "n", value=value), onnx.helper.make_node("Split", [X, "n"], parts, axis=axis)]


POOL = {"kernel_shape": [3, 3]}
SMALL = (1, 2, 7, 6)
# name: (nodes and constants, shape of the input); names start with the op they test
CASES: dict[str, tuple[tuple[Any, ...], tuple[int, ...]]] = {
    "Conv plain": (conv(4, 2, (3, 3), bias=True, pads=[1, 1, 1, 1]), SMALL),
    "Conv 5x5 without padding": (conv(3, 2, (5, 5)), SMALL),
    "Conv 1x3": (conv(3, 2, (1, 3), pads=[0, 1, 0, 1]), SMALL),
    "Conv uneven padding": (conv(3, 2, (3, 2), pads=[0, 1, 2, 0]), SMALL),
    "Conv more padding than it reaches": (conv(3, 2, (3, 3), pads=[3, 4, 3, 4]), SMALL),
    "Conv dilated": (conv(3, 2, (3, 3), dilations=[2, 1], pads=[2, 1, 2, 1]), SMALL),
    "Conv grouped": (conv(6, 4, (3, 3), group=2, pads=[1, 1, 1, 1]), (1, 4, 5, 4)),
    "Conv depthwise": (conv(4, 4, (3, 3), group=4, pads=[1, 1, 1, 1]), (1, 4, 5, 4)),
    "Conv stride 2": (conv(3, 2, (3, 3), strides=[2, 2], pads=[1, 1, 1, 1]), SMALL),
    "Conv 7x7 stride 2": (conv(3, 3, (7, 7), strides=[2, 2], pads=[3, 3, 3, 3]), (1, 3, 9, 10)),
    "Conv stride 2, pixels left over": (conv(3, 2, (2, 3), strides=[2, 2]), (1, 2, 7, 8)),
    "Conv 1x1 stride 2": (conv(3, 2, (1, 1), strides=[2, 2]), SMALL),
    "Conv 1x1 stride 3, pixels left over": (conv(3, 5, (1, 1), strides=[3, 4]), (1, 5, 6, 8)),
    "Conv 1x4 stride 2, more padding than it reaches": (
        conv(3, 3, (1, 4), strides=[2, 2], pads=[1, 4, 0, 3]),
        (1, 3, 5, 6),
    ),
    "Conv stride 3 by 2": (conv(3, 2, (3, 3), strides=[3, 2], pads=[1, 1, 1, 1]), SMALL),
    "Conv stride 2 dilated grouped": (
        conv(4, 4, (3, 3), group=2, strides=[2, 2], dilations=[1, 2], pads=[1, 2, 1, 2]),
        (1, 4, 7, 6),
    ),
    "Conv SAME_UPPER": (conv(3, 2, (3, 2), auto_pad="SAME_UPPER"), SMALL),
    "Conv SAME_LOWER": (conv(3, 2, (2, 4), auto_pad="SAME_LOWER"), SMALL),
    "Conv SAME_UPPER stride 2, odd and even": (conv(3, 2, (7, 7), strides=[2, 2], auto_pad="SAME_UPPER"), SMALL),
    "Conv SAME_LOWER stride 2, odd and even": (conv(3, 2, (3, 3), strides=[2, 2], auto_pad="SAME_LOWER"), SMALL),
    "Conv VALID": (conv(3, 2, (3, 3), auto_pad="VALID"), SMALL),
    "Conv 16 channels": (conv(16, 16, (1, 1)), (1, 16, 3, 3)),
    "Relu": (one("Relu"), SMALL),
    "LeakyRelu": (one("LeakyRelu", alpha=0.3), SMALL),
    "PRelu": (one("PRelu", weights(2, 1, 1)), SMALL),
    "Clip both": (one("Clip", np.float32(-0.482), np.float32(1.012)), SMALL),
    "Clip low": (one("Clip", np.float32(0.0)), SMALL),
    "Sigmoid": (one("Sigmoid"), SMALL),
    "Tanh": (one("Tanh"), SMALL),
    "MaxPool overlapping": (one("MaxPool", **POOL, strides=[2, 2]), SMALL),
    "MaxPool ceil": (one("MaxPool", **POOL, strides=[2, 2], ceil_mode=1), (1, 2, 8, 7)),
    "MaxPool stride 1": (one("MaxPool", **POOL, pads=[1, 1, 1, 1]), SMALL),
    "MaxPool 2x2": (one("MaxPool", kernel_shape=[2, 2], strides=[2, 2]), SMALL),
    "MaxPool dilated": (one("MaxPool", kernel_shape=[2, 3], dilations=[2, 1]), SMALL),
    "MaxPool SAME_UPPER": (one("MaxPool", **POOL, strides=[2, 2], auto_pad="SAME_UPPER"), SMALL),
    "AveragePool": (one("AveragePool", **POOL), SMALL),
    "AveragePool stride 2": (one("AveragePool", **POOL, strides=[2, 2]), SMALL),
    "AveragePool 1x1 stride 3, pixels left over": (
        one("AveragePool", kernel_shape=[1, 1], strides=[3, 3]),
        (1, 2, 6, 8),
    ),
    "AveragePool padded": (one("AveragePool", **POOL, pads=[1, 1, 1, 1]), SMALL),
    "AveragePool counting the padding": (
        one("AveragePool", **POOL, strides=[2, 2], pads=[1, 1, 1, 1], count_include_pad=1),
        SMALL,
    ),
    "AveragePool ceil": (one("AveragePool", **POOL, strides=[2, 2], ceil_mode=1), (1, 2, 8, 7)),
    "AveragePool SAME_UPPER": (one("AveragePool", **POOL, strides=[2, 2], auto_pad="SAME_UPPER"), SMALL),
    "AveragePool pixels left over": (one("AveragePool", kernel_shape=[2, 2], strides=[2, 2]), (1, 2, 7, 7)),
    "GlobalAveragePool": (one("GlobalAveragePool"), SMALL),
    "GlobalMaxPool": (one("GlobalMaxPool"), SMALL),
    "LRN of GoogLeNet": (one("LRN", size=5, alpha=0.3, beta=0.75, bias=1.0), (1, 8, 3, 3)),
    "LRN of inception5h": (one("LRN", size=11, alpha=0.4, beta=0.5, bias=2.0), (1, 32, 2, 2)),
    "LRN in blocks": (one("LRN", size=5, alpha=0.4, beta=0.75, bias=2.0), (1, 64, 2, 1)),
    "LRN another exponent": (one("LRN", size=3, alpha=0.4, beta=0.6, bias=1.0), (1, 7, 3, 3)),
    "LRN beta 1": (one("LRN", size=3, alpha=0.4, beta=1.0, bias=1.0), (1, 7, 3, 3)),
    "BatchNormalization": (
        one("BatchNormalization", weights(2), weights(2), weights(2), np.abs(weights(2)) + 0.5, epsilon=1e-3),
        SMALL,
    ),
    "Concat": (([node("Concat", [X, X, X], Y, axis=1)], {}), SMALL),
    "Concat along the width": (([node("Relu", [X], "r"), node("Concat", [X, "r"], Y, axis=3)], {}), SMALL),
    "Concat of a constant": (([node("Concat", ["c", X], Y, axis=1)], {"c": weights(1, 3, 7, 6)}), SMALL),
    "Elu": (one("Elu", alpha=0.7), SMALL),
    "Pow": (one("Pow", np.float32(2)), SMALL),
    "Pow per channel, one of them 0": (one("Pow", np.array([3, 0]).reshape(2, 1, 1)), SMALL),
    "Pow repeated": (
        ([node("GlobalAveragePool", [X], "m"), node("Pow", ["m", "c"], Y)], {"c": np.array([2.0, 3.0])}),
        SMALL,
    ),
    "Max": (one("Max", np.array([0, 80 / 83]).reshape(2, 1, 1)), SMALL),
    "Max of three": (after(node("GlobalAveragePool", [X], "m"), node("Max", ["m", X, X], Y)), SMALL),
    "Min": (after(node("GlobalAveragePool", [X], "m"), node("Min", [X, "m"], Y)), SMALL),
    "Add": (after(node("Sigmoid", [X], "s"), node("Add", ["s", X], Y)), SMALL),
    "Add a constant per channel": (one("Add", weights(2, 1, 1)), SMALL),
    "Add repeated": (after(node("GlobalAveragePool", [X], "m"), node("Add", ["m", X], Y)), SMALL),
    "Sum": (after(node("Sigmoid", [X], "s"), node("Sum", ["s", X, "s"], Y)), SMALL),
    "Sub": (after(node("GlobalAveragePool", [X], "m"), node("Sub", [X, "m"], Y)), SMALL),
    "Sub from a constant": (([node("Sub", ["c", X], Y)], {"c": weights(2, 1, 1)}), SMALL),
    "Mul": (after(node("Sigmoid", [X], "s"), node("Mul", ["s", X], Y)), SMALL),
    "Mul repeated": (after(node("GlobalAveragePool", [X], "m"), node("Mul", ["m", X], Y)), SMALL),
    "Mul a constant": (one("Mul", weights(2, 1, 1)), SMALL),
    "Mul by itself": (([node("Mul", [X, X], Y)], {}), SMALL),
    "Div": (after(node("Sigmoid", [X], "s"), node("Div", [X, "s"], Y)), SMALL),
    "Gemm": (one("Gemm", weights(5, 3), weights(3), alpha=0.7, beta=0.5), (2, 5)),
    "Gemm transposed": (one("Gemm", weights(3, 5), weights(3), transB=1), (2, 5)),
    "Gemm transposed input": (one("Gemm", weights(3, 2), alpha=2.0, transA=1, transB=1), (2, 5)),
    "Gemm second factor": (([node("Gemm", ["a", X], Y, transA=1, transB=1)], {"a": weights(5, 4)}), (3, 5)),
    "Gemm second factor plain": (([node("Gemm", ["a", X], Y, alpha=0.5)], {"a": weights(4, 2)}), (2, 5)),
    "Gemm added": (([node("Gemm", ["a", "b", X], Y, beta=0.5)], {"a": weights(4, 2), "b": weights(2, 5)}), (1, 5)),
    "MatMul": (one("MatMul", weights(5, 3)), (2, 5)),
    "MatMul of stacks": (one("MatMul", weights(1, 2, 6, 3)), SMALL),
    "MatMul second factor": (([node("MatMul", ["a", X], Y)], {"a": weights(4, 7)}), SMALL),
    "MatMul repeated": (([node("MatMul", ["a", X], Y)], {"a": weights(3, 4, 2)}), (2, 5)),
    "Flatten": (([node("Flatten", [X], "f"), node("Sigmoid", ["f"], Y)], {}), SMALL),
    "Reshape": (one("Reshape", np.array([1, 0, -1])), (1, 2, 3, 4)),
    "Squeeze": (one("Squeeze", np.array([0])), SMALL),
    "Unsqueeze": (one("Unsqueeze", np.array([0])), SMALL),
    "Softmax": (one("Softmax", axis=1), (2, 5)),
    "Softmax over channels": (one("Softmax", axis=1), SMALL),
    "Dropout": (one("Dropout"), SMALL),
    "Identity": (one("Identity"), SMALL),
    "Pad": (one("Pad", np.array([0, 0, 1, 2, 0, 1, 0, 3])), SMALL),
    "Pad that cuts": (one("Pad", np.array([0, 0, -1, 2, 0, 0, 0, -2])), SMALL),
    "Slice": (one("Slice", np.array([1, -5]), np.array([2**31, -1]), np.array([2, 3])), SMALL),
    "Slice backwards in steps": (one("Slice", np.array([-1]), np.array([-99]), np.array([2]), np.array([-2])), SMALL),
    "Split": (([*split(["a", "b", "c"], [1, 4, 1], axis=-1), node("Mul", ["a", "c"], Y)], {}), SMALL),
    "Split with the last part unused": ((split([Y, "b"], [4, 3], axis=2), {}), SMALL),
    "Gather": (one("Gather", np.array([1, 0, 1, -1]), axis=1), SMALL),
    "Gather rows in a square": (one("Gather", np.array([[0, 6], [2, 2]]), axis=2), SMALL),
    "Transpose": (one("Transpose", perm=[0, 3, 1, 2]), SMALL),
    "Transpose reversed": (one("Transpose"), (3, 5)),
    "Abs": (one("Abs"), SMALL),
    "Cast": (one("Cast", to=1), SMALL),
    "Celu": (one("Celu", alpha=0.7), SMALL),
    "Cos": (one("Cos"), SMALL),
    "Sin": (one("Sin"), SMALL),
    "Erf": (one("Erf"), SMALL),
    "Exp": (one("Exp"), SMALL),
    "Neg": (one("Neg"), SMALL),
    "HardSigmoid": (one("HardSigmoid", alpha=83 / 120, beta=0.4), SMALL),
    "HardSwish": (([node("Mul", [X, "c"], "m"), node("HardSwish", ["m"], Y)], {"c": np.float32(2.075)}), SMALL),
    "Log": (after(node("Exp", [X], "e"), node("Log", ["e"], Y)), SMALL),
    "Sqrt": (after(node("Exp", [X], "e"), node("Sqrt", ["e"], Y)), SMALL),
    "Reciprocal": (after(node("Exp", [X], "e"), node("Reciprocal", ["e"], Y)), SMALL),
    "Softplus": (one("Softplus"), SMALL),
    "Softsign": (one("Softsign"), SMALL),
    "Mish": (one("Mish"), SMALL),
    "Selu": (one("Selu"), SMALL),
    "ThresholdedRelu": (one("ThresholdedRelu", alpha=80 / 83), SMALL),
    "Mean": (after(node("GlobalAveragePool", [X], "m"), node("Mean", ["m", X], Y)), SMALL),
    "Where": (([node("Sigmoid", [X], "s"), node("Where", ["g", "s", X], Y)], {"g": weights(7, 6) > 0}), SMALL),
    "Where repeated": (
        ([node("GlobalAveragePool", [X], "m"), node("Where", ["g", "m", X], Y)], {"g": weights(7, 6) > 0}),
        SMALL,
    ),
    "Tile": (one("Tile", np.array([1, 2, 1, 3])), SMALL),
    "Expand": (
        ([node("GlobalAveragePool", [X], "m"), node("Expand", ["m", "c"], Y)], {"c": np.array([1, 2, 3, 4])}),
        SMALL,
    ),
    "GatherElements": (one("GatherElements", np.array([[[[0, 1, 1], [1, 0, -1]]]]), axis=1), (1, 2, 2, 3)),
    "GatherND": (one("GatherND", np.array([[0, 1, 2], [0, 0, 1], [0, 1, 2]])), SMALL),
    "DepthToSpace": (one("DepthToSpace", blocksize=2), (1, 12, 2, 3)),
    "DepthToSpace channels first": (one("DepthToSpace", blocksize=2, mode="CRD"), (1, 12, 2, 3)),
    "SpaceToDepth": (one("SpaceToDepth", blocksize=2), (1, 2, 6, 4)),
    "Pad reflected": (one("Pad", np.array([0, 0, 2, 1, 0, 0, 0, 3]), mode="reflect"), SMALL),
    "Pad repeated": (one("Pad", np.array([0, 0, 2, 1, 0, 0, 0, 3]), mode="edge"), SMALL),
    "ReduceSum": (one("ReduceSum", np.array([2, -1]), keepdims=0), SMALL),
    "ReduceSum of all": (one("ReduceSum"), SMALL),
    "ReduceSum of nothing": (one("ReduceSum", noop_with_empty_axes=1), SMALL),
    "ReduceMean": (one("ReduceMean", np.array([1])), SMALL),
    "ReduceMax": (one("ReduceMax", np.array([2, 3]), keepdims=0), SMALL),
    "ReduceMin": (one("ReduceMin", np.array([1])), SMALL),
    "ReduceL1": (one("ReduceL1", np.array([1])), SMALL),
    "ReduceL2": (one("ReduceL2", np.array([2, 3]), keepdims=0), SMALL),
    "ReduceSumSquare": (one("ReduceSumSquare", np.array([3])), SMALL),
    "ReduceLogSumExp": (one("ReduceLogSumExp", np.array([1])), SMALL),
    "ReduceLogSum": (after(node("Exp", [X], "e"), node("ReduceLogSum", ["e"], Y, keepdims=0)), SMALL),
    "ReduceProd": (one("ReduceProd", np.array([1])), SMALL),
    "Resize nearest": (one("Resize", "", np.array([1, 1, 2.0, 1.5]), mode="nearest"), SMALL),
    "Resize linear to a size": (one("Resize", "", "", np.array([1, 2, 5, 11]), mode="linear"), SMALL),
    "Resize cubic": (one("Resize", "", np.array([1, 1, 1.5, 2.0]), mode="cubic"), SMALL),
    "Resize aligned": (
        one("Resize", "", "", np.array([1, 2, 13, 4]), mode="linear", coordinate_transformation_mode="align_corners"),
        SMALL,
    ),
    "Resize of some axes": (one("Resize", "", np.array([1.5, 2.0]), mode="linear", axes=[3, 2]), SMALL),
    "ConvTranspose": (one("ConvTranspose", weights(2, 3, 3, 3), strides=[2, 2], pads=[1, 1, 1, 1]), SMALL),
    "ConvTranspose grouped, with a bias": (
        one("ConvTranspose", weights(4, 2, 3, 2), weights(4), group=2, strides=[2, 1], output_padding=[1, 0]),
        (1, 4, 4, 5),
    ),
    "ConvTranspose SAME_UPPER": (
        one("ConvTranspose", weights(2, 3, 3, 3), strides=[2, 2], auto_pad="SAME_UPPER"),
        SMALL,
    ),
    "ConvTranspose dilated": (one("ConvTranspose", weights(2, 3, 2, 2), dilations=[2, 3]), SMALL),
    "LpPool": (one("LpPool", kernel_shape=[2, 2], strides=[2, 2]), SMALL),
    "LpPool of the third power": (one("LpPool", kernel_shape=[3, 2], p=3, pads=[1, 0, 1, 0]), SMALL),
    "LayerNormalization": (one("LayerNormalization", weights(6), weights(6)), SMALL),
    "LayerNormalization over two axes": (one("LayerNormalization", weights(7, 6), axis=2, epsilon=0.1), SMALL),
    "InstanceNormalization": (one("InstanceNormalization", weights(2), weights(2)), SMALL),
    "LogSoftmax": (one("LogSoftmax", axis=1), SMALL),
    "LpNormalization": (one("LpNormalization", axis=1), SMALL),
    "LpNormalization by absolute values": (one("LpNormalization", axis=2, p=1), SMALL),
    "Einsum": (([node("Einsum", [X, "w"], Y, equation="nchw,cd->ndhw")], {"w": weights(2, 3)}), SMALL),
    "Einsum of itself": (([node("Einsum", [X, X], Y, equation="ij,kj->ik")], {}), (3, 4)),
    "Einsum that sums": (([node("Einsum", [X], Y, equation="ijk->j")], {}), (3, 4, 2)),
    "MatMul with a vector": (one("MatMul", weights(6)), SMALL),
    "MatMul of a vector": (([node("MatMul", [X, "b"], Y)], {"b": weights(2, 5, 3)}), (5,)),
    "MatMul of two vectors": (([node("MatMul", [X, X], Y)], {}), (5,)),
    "MaxPool numbered by columns": (
        ([onnx.helper.make_node("MaxPool", [X], [Y, "i"], **POOL, strides=[2, 2], storage_order=1)], {}),
        SMALL,
    ),
}


def spread_out(shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    """Distinct values from -2 to 2, none near 0, in random order."""
    count = int(np.prod(shape))
    values = np.linspace(-2, 2, count + count % 2)[:count]
    return np.random.default_rng(seed).permutation(values).reshape(shape).astype(np.float32)


@pytest.mark.parametrize("name", CASES)
def test_rule_agrees_with_finite_differences(name: str) -> None:
    (nodes, constants), shape = CASES[name]
    net = model(nodes, constants, [Y], opset=18, shape=shape)
    onnx.checker.check_model(onnx.shape_inference.infer_shapes(net), full_check=False)
    x = spread_out(shape)
    y = forward(net, x, Y)
    seed = np.random.default_rng(1).normal(0, 1, y.shape).astype(np.float32)
    step = 1.6 / x.size if x.size > 60 else 0.02
    expected = finite_differences(net, x, Y, seed, step)
    for options in ({}, {"blocked": False}, {"strategies": {}, "even": False}):
        got = seeded_gradient(net, x, Y, seed, **options)
        assert got.shape == x.shape
        assert relative_error(got, expected) < 4e-3


def test_batch_norm_in_training_takes_the_pictures_own_statistics() -> None:
    """Which the runtime does not do, whatever the file says."""
    inputs, outputs = [X, "s", "b", "m", "v"], [Y, "rm", "rv"]
    norm = onnx.helper.make_node("BatchNormalization", inputs, outputs, training_mode=1, epsilon=1e-3)
    constants = {"s": weights(2), "b": weights(2), "m": weights(2), "v": np.abs(weights(2)) + 0.5}
    net = model([norm], constants, [Y], opset=18, shape=SMALL)
    x = spread_out(SMALL)
    expected = ReferenceEvaluator(net).run(None, {X: x})[0]
    assert relative_error(forward(net, x, Y), expected) < 1e-5
    seed = np.random.default_rng(1).normal(0, 1, SMALL).astype(np.float32)
    assert relative_error(seeded_gradient(net, x, Y, seed), finite_differences(net, x, Y, seed, 0.02)) < 4e-3


def test_every_rule_has_a_case_and_every_op_a_row() -> None:
    assert {name.split()[0] for name in CASES} == set(RULES)
    assert set(RULES) <= set(OPS)


def test_strategies_and_plain_rules_agree() -> None:
    """A whole small GoogLeNet, with all that is done to make it fast and with none of it."""
    net = tiny_inception(channels=16)
    x = np.random.default_rng(3).normal(0, 1, (1, 3, 67, 50)).astype(np.float32)
    for layer in ("pool1", "norm1", "block/output", "logits"):
        seed = np.random.default_rng(1).normal(0, 1, forward(net, x, layer).shape).astype(np.float32)
        fast, plain = (seeded_gradient(net, x, layer, seed, **o) for o in ({}, {"strategies": {}, "even": False}))
        assert relative_error(fast, plain) < 1e-5


@pytest.mark.parametrize("group", [1, 16])
@pytest.mark.parametrize("size", [(17, 20), (16, 13)])
@pytest.mark.parametrize(
    ("kernel", "pads"),
    [
        ((3, 3), (1, 1, 1, 1)),
        ((3, 3), (0, 0, 1, 1)),
        ((2, 2), (0, 0, 0, 0)),
        ((5, 4), (2, 0, 1, 2)),
        ((7, 3), (0,) * 4),
    ],
)
def test_strided_convolutions_by_phases(kernel: Any, pads: Any, size: Any, group: int) -> None:
    """Depthwise and whole, at even and odd sizes, also where windows leave pixels out."""
    random = np.random.default_rng(0)
    weights = random.normal(0, 1, (16 * (1 + (group == 1)), 16 // group, *kernel)).astype(np.float32)
    nodes = [node("Conv", [X, "w"], Y, strides=[2, 2], pads=list(pads), group=group)]
    net, x = model(nodes, {"w": weights}, [Y], shape=(1, 16, *size)), spread_out((1, 16, *size))
    seed = random.normal(0, 1, forward(net, x, Y).shape).astype(np.float32)
    fast, plain = (seeded_gradient(net, x, Y, seed, **o) for o in ({}, {"strategies": {}}))
    assert relative_error(fast, plain) < 1e-5


@pytest.mark.parametrize("size", [(17, 20), (16, 13)])
@pytest.mark.parametrize("window", [(3, [1, 1, 1, 1]), (5, [2, 2, 2, 2]), (3, "SAME_UPPER"), (3, "SAME_LOWER")])
@pytest.mark.parametrize("activation", ["none", "Relu", "Clip", "SiLU"])
@pytest.mark.parametrize("shared", [False, True])
def test_gradients_stay_apart_by_phases(activation: str, window: Any, size: Any, shared: bool) -> None:
    """From a depthwise convolution of stride 2 through what is before it, to where there are fewer channels; also where
    somebody else reads what is in between."""
    random, (kernel, pads) = np.random.default_rng(0), window
    padded = {"auto_pad": pads} if isinstance(pads, str) else {"pads": pads}
    before = {
        "none": [node("Identity", ["wide"], "a")],
        "Relu": [node("Relu", ["wide"], "a")],
        "Clip": [node("Clip", ["wide", "low", "high"], "a")],
        "SiLU": [node("Sigmoid", ["wide"], "s"), node("Mul", ["wide", "s"], "a")],
    }
    nodes = [
        node("Conv", [X, "w1"], "wide"),
        *before[activation],
        node("Conv", ["a", "w2"], "half", strides=[2, 2], group=32, kernel_shape=[kernel] * 2, **padded),
        node("GlobalAveragePool", ["a"], "mean"),
        node("Mul", ["half", "mean"] if shared else ["half", "two"], Y),
    ]
    constants = {
        "w1": random.normal(0, 1, (32, 16, 1, 1)),
        "w2": random.normal(0, 1, (32, 1, kernel, kernel)),
        **{name: np.asarray(value) for name, value in (("low", 0.0), ("high", 2.0), ("two", 2.0))},
    }
    constants = {name: np.asarray(value, np.float32) for name, value in constants.items()}
    net, x = model(nodes, constants, [Y], opset=18, shape=(1, 16, *size)), spread_out((1, 16, *size))
    seed = random.normal(0, 1, forward(net, x, Y).shape).astype(np.float32)
    fast, plain = (seeded_gradient(net, x, Y, seed, **o) for o in ({}, {"strategies": {}, "even": False}))
    assert relative_error(fast, plain) < 1e-5


@pytest.mark.parametrize("readers", [1, 2])
@pytest.mark.parametrize("turned", [False, True])
def test_channels_weighed_by_their_means(turned: bool, readers: int) -> None:
    """Squeeze and excitation, also where what is weighed is read once more."""
    nodes = [
        node("Conv", [X, "w"], "map"),
        node("GlobalAveragePool", ["map"], "mean"),
        node("Sigmoid", ["mean"], "gate"),
        node("Mul", ["gate", "map"] if turned else ["map", "gate"], "weighed"),
        node("Add", ["weighed", "map" if readers == 2 else "one"], Y),
    ]
    constants = {"w": np.random.default_rng(0).normal(0, 1, (16, 16, 1, 1)), "one": np.ones(1)}
    net = model(nodes, {k: v.astype(np.float32) for k, v in constants.items()}, [Y], opset=18, shape=(1, 16, 9, 7))
    x = spread_out((1, 16, 9, 7))
    seed = np.random.default_rng(1).normal(0, 1, x.shape).astype(np.float32)
    fast, plain = (seeded_gradient(net, x, Y, seed, **o) for o in ({}, {"strategies": {}}))
    assert relative_error(fast, plain) < 1e-5


@pytest.mark.parametrize("channels", [16, 5])
@pytest.mark.parametrize("turned", [False, True])
def test_activations_in_blocks(channels: int, turned: bool) -> None:
    """ReLU6, another Clip and SiLU, whose sigmoid is read once more."""
    nodes = [
        node("Clip", [X, "low", "six"], "a"),
        node("Clip", ["a", "minus", "half"], "b"),
        node("Sigmoid", [X], "s"),
        node("Mul", ["s", X] if turned else [X, "s"], "c"),
        node("Add", ["b", "c"], "d"),
        node("Add", ["d", "s"], Y),
    ]
    bounds = {"low": 0.0, "six": 6.0, "minus": -1.0, "half": 0.5}
    shape = (1, channels, 5, 6)
    net = model(nodes, {k: np.asarray(v, np.float32) for k, v in bounds.items()}, [Y], opset=18, shape=shape)
    x = spread_out(shape) * 4
    seed = np.random.default_rng(1).normal(0, 1, shape).astype(np.float32)
    fast, plain = (seeded_gradient(net, x, Y, seed, **o) for o in ({}, {"strategies": {}}))
    assert relative_error(fast, plain) < 1e-5


def test_a_missing_rule_names_node_and_op() -> None:
    net = model([node("Relu", [X], "r"), node("Asinh", ["r"], Y)], {}, [Y])
    with pytest.raises(GraphError, match=r"'y' \(Asinh\).*no gradient rule for op 'Asinh'"):
        seeded_gradient(net, spread_out(SMALL), Y, np.zeros(SMALL, np.float32))


def test_what_a_rule_does_not_cover_is_said() -> None:
    net = model([node("AveragePool", [X], Y, kernel_shape=[2])], {}, [Y], shape=(1, 2, 7))
    with pytest.raises(GraphError, match=r"'y' \(AveragePool\): only two spatial axes"):
        seeded_gradient(net, spread_out((1, 2, 7)), Y, np.zeros((1, 2, 6), np.float32))


@pytest.mark.parametrize("channels", [2, 16, 44])
@pytest.mark.parametrize("stride, pads", [(1, 1), (2, 0)])
def test_the_smoothed_pool_is_the_gradient_of_the_average_pool(channels: int, stride: int, pads: int) -> None:
    """Of one that counts its padding."""
    shape = (1, channels, 9, 7)
    window: dict[str, Any] = {**POOL, "strides": [stride] * 2, "pads": [pads] * 4}
    largest = model([node("MaxPool", [X], Y, **window, ceil_mode=stride - 1)], {}, [Y], opset=18, shape=shape)
    average = model([node("AveragePool", [X], Y, **window, count_include_pad=1)], {}, [Y], opset=18, shape=shape)
    x = spread_out(shape)
    seed = np.random.default_rng(1).normal(0, 1, forward(largest, x, Y).shape).astype(np.float32)
    smooth = seeded_gradient(largest, x, Y, seed, smooth_pool=True)
    assert relative_error(smooth, seeded_gradient(average, x, Y, seed)) < 1e-6
    assert relative_error(smooth, seeded_gradient(largest, x, Y, seed)) > 0.1


def test_ties_are_settled_as_in_pytorch() -> None:
    """Elementwise equals share; of a pool's equals the first gets it all."""
    x = np.array([[[[1, 3], [3, 2]], [[5, 5], [5, 5]]]], np.float32)
    ones = np.ones_like(x)
    largest = seeded_gradient(model(*one("Max", np.float32(3)), [Y], opset=18, shape=x.shape), x, Y, ones)
    np.testing.assert_array_equal(largest, [[[[0, 0.5], [0.5, 0]], [[1, 1], [1, 1]]]])
    pooled = model(*one("GlobalMaxPool"), [Y], opset=18, shape=x.shape)
    first = seeded_gradient(pooled, x, Y, ones[:, :, :1, :1])
    np.testing.assert_array_equal(first, [[[[0, 1], [0, 0]], [[1, 0], [0, 0]]]])


def test_sizes_that_nobody_knows_are_not_taken_for_equal() -> None:
    """Two strided convolutions behind maps with channels last, as in ConvNeXt: one is half of the other."""
    graph = Graph.read(model([node("Relu", [X], Y)], {}, [Y], opset=18))
    shapes = {"a": (1, 4, None, None), "b": (1, 4, None, None), "c": (1, 4, None, None), "d": (1, 4, None, None)}
    halves = [Node("Conv", [i, "w"], [o], {"kernel_shape": [2, 2], "strides": [2, 2]}) for i, o in ("ab", "cd")]
    name_sizes(halves, graph.constants, shapes)
    assert shapes["b"] == shapes["d"] == (1, 4, None, None)
