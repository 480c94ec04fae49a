"""Rewrites leave the function a graph computes as it was."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dreamer.engine.forward import CENTRED, prepare
from dreamer.gradient.fast.lrn import band_sum, expand_lrn
from dreamer.gradient.fast.padding import even_out, fix_padding
from dreamer.gradient.rules.normalisation import channel_band
from dreamer.graph import IMAGE, Graph
from dreamer.graph.fold import fold_constants
from dreamer.library.files import ModelFiles

from .gradients import forward, relative_error, session
from .nets import INPUT, model, node, register, register_tiny, tiny_inception

Pair = tuple[int, int]


@pytest.mark.parametrize("size, alpha, beta, bias", [(5, 1e-1, 0.75, 1.0), (11, 0.2, 0.5, 2.0), (4, 0.3, 0.6, 1.0)])
@pytest.mark.parametrize("channels", [3, 7, 64, 192])
def test_lrn_written_out_is_lrn(channels: int, size: int, alpha: float, beta: float, bias: float) -> None:
    net = model(
        [node("LRN", [INPUT], "y", size=size, alpha=alpha, beta=beta, bias=bias)], {}, ["y"], shape=(1, channels, 3, 2)
    )
    x = np.random.default_rng(0).normal(0, 3, (1, channels, 3, 2)).astype(np.float32)
    graph = Graph.read(net)
    graph.infer_shapes()
    expand_lrn(graph)
    assert "LRN" not in {n.op for n in graph.nodes}
    got = session(graph.write()).run(None, {INPUT: x})[0]
    expected = np.empty(x.shape)
    for c in range(channels):  # as the specification says it (its reference evaluator does one channel only)
        first, last = max(0, c - math.floor((size - 1) / 2)), min(channels - 1, c + math.ceil((size - 1) / 2))
        squares = (x[:, first : last + 1].astype(np.float64) ** 2).sum(axis=1)
        expected[:, c] = x[:, c] / (bias + alpha / size * squares) ** beta
    assert relative_error(got, expected) < 1e-6
    if size % 2:  # the runtime's own kernel takes no other
        assert relative_error(got, forward(net, x, "y")) < 1e-5


@pytest.mark.parametrize("channels, size", [(1, 5), (13, 5), (48, 3), (192, 5), (192, 6)])
def test_a_band_in_blocks_is_the_whole_matrix(channels: int, size: int) -> None:
    band = channel_band(channels, size) * np.random.default_rng(1).normal(1, 0.1, (channels, channels))
    band = band.astype(np.float32)
    graph = Graph()
    graph.inputs = {"x": (1, channels, 2, 3)}
    graph.outputs = [band_sum(graph, "x", band, "x")]
    x = np.random.default_rng(0).normal(0, 1, (1, channels, 2, 3)).astype(np.float32)
    got = session(graph.write()).run(None, {"x": x})[0]
    assert relative_error(got, np.einsum("dc,nchw->ndhw", band, x)) < 1e-6


def test_constants_are_folded() -> None:
    fill = onnx.helper.make_tensor("value", onnx.TensorProto.FLOAT, [1], [0.25])
    net = model(
        [
            node("ConstantOfShape", ["shape"], "w", value=fill),
            node("Unsqueeze", ["b", "axes"], "b2"),
            node("Conv", [INPUT, "w"], "c"),
            node("Add", ["c", "b2"], "y"),
        ],
        {"shape": np.array([4, 3, 1, 1]), "b": np.arange(4.0), "axes": np.array([1, 2])},
        ["y"],
    )
    x = np.random.default_rng(0).normal(0, 1, (1, 3, 5, 4)).astype(np.float32)
    graph = Graph.read(net)
    before = forward(net, x, "y")
    fold_constants(graph)
    assert [n.op for n in graph.nodes] == ["Conv", "Add"] and graph.constants["b2"].shape == (4, 1, 1)
    np.testing.assert_array_equal(session(graph.write()).run(None, {INPUT: x})[0], before)


@pytest.mark.parametrize("order", ["RGB", "BGR"])
@pytest.mark.parametrize("readable", [True, False])
def test_preprocessing_moves_into_the_first_convolution(tmp_path: Path, order: str, readable: bool) -> None:
    """Unless somebody else reads the network's input too."""
    net = tiny_inception()
    if not readable:
        net.graph.node.append(node("Relu", [INPUT], "other"))
    mean = np.array([104.0, 117.0, 123.0], np.float32)
    graph = prepare(ModelFiles.read(register(tmp_path / "net", net, channel_order=order, scale=0.02)))
    assert (CENTRED in {n.outputs[0] for n in graph.nodes}) == readable
    picture = np.random.default_rng(0).uniform(0, 255, (1, 3, 40, 37)).astype(np.float32)
    fed = picture[:, :: 1 if order == "RGB" else -1]
    expected = forward(net, ((fed - mean[:, None, None]) * np.float32(0.02)).astype(np.float32), "conv2")
    graph.cut(["conv2"])
    assert relative_error(session(graph.write()).run(None, {IMAGE: picture})[0], expected) < 1e-5


PAIRS = [st.tuples(st.integers(low, high), st.integers(low, high)) for low, high in ((1, 5), (1, 3), (6, 15))]


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(["Conv", "MaxPool", "AveragePool"]), st.sampled_from(["SAME_UPPER", "SAME_LOWER"]), *PAIRS)
def test_padding_that_depends_on_the_size(op: str, auto_pad: str, kernel: Pair, strides: Pair, size: Pair) -> None:
    """Written as numbers where the size is known, or does not matter; else with odd sizes made even, or as it was."""
    strides = min(strides[0], kernel[0]), min(strides[1], kernel[1])  # or the runtime's pools fail
    attrs: dict[str, Any] = {"auto_pad": auto_pad, "strides": strides, "kernel_shape": kernel}
    weights = np.random.default_rng(0).normal(0, 1, (2, 3, *kernel))
    inputs, constants = (["r", "w"], {"w": weights}) if op == "Conv" else (["r"], {})
    x = np.random.default_rng(1).normal(0, 1, (1, 3, *size)).astype(np.float32)
    odd_windows = all(k % 2 and k > 1 for k in kernel)
    for shape in ((1, 3, *size), (1, 3, "height", "width")):
        net = model([node("Relu", [INPUT], "r"), node(op, inputs, "y", **attrs)], constants, ["y"], shape=shape)
        graph = Graph.read(net)
        if shape != x.shape:
            graph.inputs = {IMAGE: shape}
            graph.nodes[0].inputs = [IMAGE]
        graph.infer_shapes()
        fix_padding(graph)
        even_out(graph)
        known = shape == x.shape or strides == (1, 1)
        evened = strides == (2, 2) and auto_pad == "SAME_UPPER" and odd_windows and op != "AveragePool"
        assert ("auto_pad" not in graph.nodes[-1].attrs) == (known or evened)
        got = session(graph.write()).run(None, {next(iter(graph.inputs)): x})[0]
        np.testing.assert_allclose(got, forward(net, x, "y"), atol=1e-5)


def test_reading_and_writing_changes_nothing(tmp_path: Path) -> None:
    net = onnx.load(str(register_tiny(tmp_path) / "model.onnx"))
    x = np.random.default_rng(0).normal(0, 1, (1, 3, 64, 48)).astype(np.float32)
    again = Graph.read(Graph.read(net).write()).write()
    assert again.ir_version == 10
    want = session(net).run(None, {INPUT: x})[0]
    np.testing.assert_allclose(session(again).run(None, {INPUT: x})[0], want, rtol=1e-5)


def test_a_constant_without_axes_is_written_without_axes() -> None:
    """An index with an axis too many would give what it picks one, too."""
    graph = Graph.read(model([node("Gather", ["data", "i"], "y", axis=1)], {"i": np.array(1)}, ["y"], shape=(1, 3, 4)))
    assert list(graph.write().graph.initializer[0].dims) == []
    assert graph.shapes_at()["y"] == (1, 4)
