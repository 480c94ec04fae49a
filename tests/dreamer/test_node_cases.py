"""Every single-node case of the onnx package whose op has a gradient comes out right, or is refused in known words."""

from __future__ import annotations

from collections import Counter

import pytest

from .node_cases import REFUSED, cases, outcome

CASES = cases()
SLOW = {"test_maxpool_3d_default"}  # half a minute


@pytest.mark.parametrize("name", sorted(CASES.keys() - SLOW))
def test_gradient_of_a_node(name: str) -> None:
    result, error = outcome(CASES[name])
    if result.startswith("refused"):
        assert any(reason in result for reason in REFUSED), result
        return
    assert result != "wrong", error


def test_few_are_refused() -> None:
    ops = Counter(case.model.graph.node[0].op_type for case in CASES.values())
    assert len(ops) > 80 and sum(ops.values()) > 550
