"""Files that ask for more memory than any machine has are refused by their shapes, before anything is computed."""

from __future__ import annotations

import resource
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper

from dreamer.library import LibraryError
from dreamer.library.normal import normal_form
from tests.dreamer.test_library_onnx import model, node, weights

CONV = node("Conv", "picture w", "a", kernel_shape=[3, 3], pads=[1, 1, 1, 1])
W = weights(8, 3, 3, 3)
GREEDY: dict[str, onnx.ModelProto] = {
    "a constant of 64 GiB": model(
        [CONV, node("ConstantOfShape", "big", "c"), node("ReduceSum", "c", "s", keepdims=0), node("Add", "a s", "out")],
        {"w": W, "big": np.array([1 << 17, 1 << 17], np.int64)},
    ),
    "a map spread out": model(
        [CONV, node("Expand", "a big", "out")], {"w": W, "big": np.array([1 << 18, 8, 32, 32], np.int64)}
    ),
    "a map repeated": model(
        [CONV, node("Tile", "a big", "out")], {"w": W, "big": np.array([1, 1, 1 << 10, 1 << 10], np.int64)}
    ),
    "a map made larger": model(
        [CONV, helper.make_node("Resize", ["a", "", "by"], ["out"], mode="nearest")],
        {"w": W, "by": np.array([1, 1, 4000, 4000], np.float32)},
    ),
    "a picture of its own": model([CONV], {"w": W}, shape=(1, 3, 1 << 16, 1 << 16), outputs="a"),
}


@pytest.mark.parametrize("name", GREEDY)
def test_what_asks_for_too_much_is_refused_by_its_shape(name: str) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(LibraryError, match=r"GiB, expected at most 2"):
        normal_form(GREEDY[name])
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 512 * 1024, "KiB"


def test_what_asks_for_little_is_not() -> None:
    small: Any = model([CONV, node("Relu", "a", "out")], {"w": W})
    assert normal_form(small).model.graph.node
