"""What a GPU does, by the same code on the CPU: windows taken there, pictures that stay there."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dreamer.engine import Network, Target, Term

from .gradients import relative_error
from .nets import register_tiny

LAYER = "block/output"


@pytest.fixture(scope="module", params=[1, 48], ids=["any size", "multiples of 48"])
def networks(tmp_path_factory: pytest.TempPathFactory, request: Any) -> tuple[Network, Network]:
    """The same network on the CPU as ever, and as on a GPU."""
    folder = register_tiny(tmp_path_factory.mktemp("models"), size_multiple=request.param)
    return tuple(Network.open(folder, device="cpu", threads=1, resident=resident) for resident in (False, True))


@pytest.mark.parametrize(
    "target",
    [
        Target.layer(LAYER),
        Target.layer("logits", 2),
        Target((Term("conv2"), Term(LAYER, weight=0.5))),
        Target((Term(LAYER, guide="match"),)),
        Target((Term(LAYER, place=(0.2, 0.7)),)),
    ],
    ids=lambda target: " ".join(t.layer + str(t.guide or t.place or "") for t in target.terms),
)
def test_windows_of_fixed_size_give_the_same_gradient(networks: tuple[Network, Network], target: Target) -> None:
    picture = np.random.default_rng(0).uniform(0, 255, (3, 203, 167)).astype(np.float32)
    mask = np.tri(203, 167, 40, dtype=np.float32)
    (usual, value), (fixed, score) = (
        network.gradient(picture, target, tile=64, border=8, roll=(30, 100), mask=mask, guide=picture[:, :64, :80])
        for network in networks
    )
    assert relative_error(fixed, usual) < 1e-5
    assert score == pytest.approx(value, rel=1e-5)
