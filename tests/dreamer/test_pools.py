"""The pool gradient built from convolutions: exactly PyTorch's, ties included."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from .gradients import relative_error, seeded_gradient
from .nets import INPUT, model, node

CHANNELS = 16


def net(stride: int, pads: list[int], ceil: int, **attrs: str) -> onnx.ModelProto:
    pool = node(
        "MaxPool",
        ["r"],
        "y",
        kernel_shape=[3, 3],
        strides=[stride] * 2,
        ceil_mode=ceil,
        **({"pads": pads} if pads else {}),
        **attrs,
    )
    return model([node("Relu", [INPUT], "r"), pool], {}, ["y"], opset=18)


# (model, the same for PyTorch)
KINDS: dict[str, tuple[onnx.ModelProto, dict[str, Any]]] = {
    "stride 1": (net(1, [1, 1, 1, 1], 0), {"stride": 1, "padding": 1}),
    "SAME, stride 1": (net(1, [], 0, auto_pad="SAME_UPPER"), {"stride": 1, "padding": 1}),
    "stride 2, rounding up": (net(2, [0, 0, 0, 0], 1), {"stride": 2, "ceil_mode": True}),
    "stride 2, padded at the end": (net(2, [0, 0, 1, 1], 0), {"stride": 2, "ceil_mode": True}),
}


def check(kind: str, x: np.ndarray, seed: int) -> None:
    network, options = KINDS[kind]
    reference = torch.from_numpy(x).requires_grad_()
    y = F.max_pool2d(F.relu(reference), 3, **options)
    weights = np.random.default_rng(seed).integers(-8, 9, y.shape).astype(np.float32)
    y.backward(torch.from_numpy(weights))
    assert reference.grad is not None
    # sums of small whole numbers are exact: no tolerance
    np.testing.assert_array_equal(seeded_gradient(network, x, "y", weights), reference.grad.numpy())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("height", [3, 8, 9])
@pytest.mark.parametrize("width", [4, 7])
def test_ties_go_to_the_first_maximum(kind: str, height: int, width: int) -> None:
    # three different values: nearly every window is tied
    x = np.random.default_rng(height * width).integers(-1, 3, (1, CHANNELS, height, width)).astype(np.float32)
    check(kind, x, 0)


@settings(max_examples=25, deadline=None)
@given(
    st.sampled_from(list(KINDS)),
    st.integers(3, 12),
    st.integers(3, 12),
    st.integers(0, 10**6),
    st.sampled_from([1e-6, 1.0, 1e6]),
)
def test_any_picture(kind: str, height: int, width: int, seed: int, scale: float) -> None:
    random = np.random.default_rng(seed)
    x = random.normal(0.3, 1, (1, CHANNELS, height, width)).astype(np.float32) * np.float32(scale)
    x[random.random(x.shape) < 0.3] = np.float32(scale)  # some ties
    close = np.nextafter(x, np.float32(np.inf))  # and the closest call there is
    check(kind, np.where(random.random(x.shape) < 0.3, close, x), seed)


@pytest.mark.parametrize("kind", KINDS)
def test_a_flat_picture(kind: str) -> None:
    check(kind, np.full((1, CHANNELS, 9, 10), 2.5, np.float32), 1)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("channels", [20, 44, 100])
def test_channels_that_fill_no_blocks(kind: str, channels: int) -> None:
    check(kind, np.random.default_rng(channels).integers(-1, 3, (1, channels, 9, 8)).astype(np.float32), 2)


def test_a_pool_of_something_not_rectified_takes_the_general_way() -> None:
    # here padding with zeros would win against negative values
    pool = node("MaxPool", [INPUT], "y", kernel_shape=[3, 3], strides=[1, 1], pads=[1, 1, 1, 1])
    x = np.random.default_rng(0).normal(-3, 1, (1, CHANNELS, 6, 5)).astype(np.float32)
    reference = torch.from_numpy(x).requires_grad_()
    y = F.max_pool2d(reference, 3, stride=1, padding=1)
    y.backward(torch.ones_like(y))
    assert reference.grad is not None
    got = seeded_gradient(model([pool], {}, ["y"], opset=18), x, "y", np.ones(y.shape, np.float32))
    assert relative_error(got, reference.grad.numpy()) < 1e-6


@pytest.mark.parametrize(("kernel", "pad"), [(7, 3), (5, 2), (3, 1), (3, 0), (5, 1), (5, 0), (7, 0)])
@pytest.mark.parametrize("size", [(24, 25), (26, 27), (29, 28), (31, 30)])
def test_a_pool_after_a_strided_convolution(kernel: int, pad: int, size: tuple[int, int]) -> None:
    """Its gradient's even and odd rows may go into the convolution's without being interleaved."""
    random = np.random.default_rng(kernel)
    weights = random.integers(-2, 3, (CHANNELS, 3, kernel, kernel)).astype(np.float32)
    x = random.integers(-3, 4, (1, 3, *size)).astype(np.float32)
    reference = torch.from_numpy(x).requires_grad_()
    y = F.max_pool2d(
        F.relu(F.conv2d(reference, torch.from_numpy(weights), stride=2, padding=pad)), 3, stride=2, ceil_mode=True
    )
    seed = random.integers(-4, 5, y.shape).astype(np.float32)
    y.backward(torch.from_numpy(seed))
    assert reference.grad is not None
    nodes = [
        node("Conv", [INPUT, "w"], "c", strides=[2, 2], pads=[pad] * 4),
        node("Relu", ["c"], "r"),
        node("MaxPool", ["r"], "y", kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1),
    ]
    got = seeded_gradient(model(nodes, {"w": weights}, ["y"], opset=18), x, "y", seed)
    np.testing.assert_array_equal(got, reference.grad.numpy())


@pytest.mark.parametrize("auto_pad", ["SAME_UPPER", "SAME_LOWER"])
@pytest.mark.parametrize("kernel", [7, 5, 3, 2])
@pytest.mark.parametrize("size", [(24, 32), (24, 30), (25, 31), (26, 27), (27, 26), (7, 5)])
def test_padding_that_depends_on_the_size(kernel: int, auto_pad: str, size: tuple[int, int]) -> None:
    """With odd sizes made even, and by the general way."""
    random = np.random.default_rng(kernel)
    weights = random.integers(-2, 3, (CHANNELS, 3, kernel, kernel)).astype(np.float32)
    x = random.integers(-3, 4, (1, 3, *size)).astype(np.float32)

    def same(values: torch.Tensor, reach: int) -> torch.Tensor:
        pads = []
        for n in values.shape[:1:-1]:
            total = max(reach - (2 - n % 2), 0)
            pads += [total // 2, total - total // 2][:: 1 if auto_pad == "SAME_UPPER" else -1]
        return F.pad(values, pads)

    reference = torch.from_numpy(x).requires_grad_()
    r = F.relu(F.conv2d(same(reference, kernel), torch.from_numpy(weights), stride=2))
    y = F.max_pool2d(same(r, 3), 3, stride=2)
    seed = random.integers(-4, 5, y.shape).astype(np.float32)
    y.backward(torch.from_numpy(seed))
    assert reference.grad is not None
    attrs: dict[str, Any] = {"strides": [2, 2], "auto_pad": auto_pad}
    nodes = [
        node("Conv", [INPUT, "w"], "c", **attrs),
        node("Relu", ["c"], "r"),
        node("MaxPool", ["r"], "y", kernel_shape=[3, 3], **attrs),
    ]
    network = model(nodes, {"w": weights}, ["y"], opset=18)
    for even in (True, False):
        got = seeded_gradient(network, x, "y", seed, even=even)
        np.testing.assert_array_equal(got, reference.grad.numpy())
