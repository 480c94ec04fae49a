"""Gradients of 3x3 convolutions with half the multiplications: what the plain convolution gives."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest

from dreamer.gradient import append_gradient
from dreamer.graph import Graph

from .gradients import relative_error, seeded_gradient
from .nets import INPUT, model, node


def net(depth: int, out: int, **attributes: Any) -> onnx.ModelProto:
    """A 3x3 convolution of ``depth`` channels in its middle, so that all of it stands in the blocked layout."""
    random = np.random.default_rng(depth)
    constants = {
        "a_w": random.normal(0, 0.5, (depth, 3, 1, 1)),
        "b_w": random.normal(0, depth**-0.5, (out, depth // attributes.get("group", 1), 3, 3)),
    }
    nodes = [
        node("Conv", [INPUT, "a_w"], "a"),
        node("Conv", ["a", "b_w"], "b", **({"pads": [1, 1, 1, 1]} | attributes)),
    ]
    return model(nodes, constants, ["b"])


def multiplications(depth: int, out: int, blocked: bool) -> int:
    """In the dense convolutions of the gradient, per pixel."""
    graph = Graph.read(net(depth, out))
    graph.inputs = {INPUT: (1, 3, "height", "width")}
    graph.infer_shapes()
    graph.inputs["seed"] = (1, out, "height", "width")
    graph.outputs = [append_gradient(graph, {"b": "seed"}, INPUT, blocked=blocked)]
    kernels = [graph.constants[n.inputs[1]] for n in graph.nodes if n.op == "Conv" and n.attrs.get("group", 1) == 1]
    return sum(k.size // (4 if k.shape[2:] == (1, 3) else 1) for k in kernels)


@pytest.mark.parametrize("height", [1, 3, 4, 6, 9, 16])
@pytest.mark.parametrize("width", [2, 7])
def test_it_gives_what_the_plain_convolution_gives(height: int, width: int) -> None:
    random = np.random.default_rng(height * width)
    x, seed = (random.normal(0, 1, (1, c, height, width)).astype(np.float32) for c in (3, 80))
    plain, halved = (seeded_gradient(net(64, 80), x, "b", seed, blocked=blocked) for blocked in (False, True))
    assert relative_error(halved, plain) < 2e-6


def test_it_halves_the_multiplications_where_there_are_many() -> None:
    both = 2 * 3 * 64  # the 1x1 convolution, forward and gradient
    dense = 64 * 64 * 9
    assert multiplications(64, 64, blocked=False) == both + 2 * dense
    assert multiplications(64, 64, blocked=True) == both + dense + dense // 2
    assert multiplications(48, 64, blocked=True) == 2 * 3 * 48 + 2 * 48 * 64 * 9


@pytest.mark.parametrize(
    ("attributes", "size"),
    [
        ({"group": 2}, (9, 7)),
        ({"dilations": [2, 2], "pads": [2, 2, 2, 2]}, (9, 7)),
        ({"dilations": [2, 2]}, (7, 5)),
        ({"pads": [0, 0, 0, 0]}, (7, 5)),
        ({"pads": [2, 2, 2, 2]}, (11, 9)),
        ({"pads": [1, 1, 0, 0]}, (8, 6)),
    ],
)
def test_other_convolutions_are_left_to_the_plain_way(attributes: dict[str, Any], size: tuple[int, int]) -> None:
    random = np.random.default_rng(1)
    x = random.normal(0, 1, (1, 3, 9, 7)).astype(np.float32)
    seed = random.normal(0, 1, (1, 128, *size)).astype(np.float32)
    plain, blocked = (seeded_gradient(net(128, 128, **attributes), x, "b", seed, blocked=b) for b in (False, True))
    assert relative_error(blocked, plain) < 2e-6
