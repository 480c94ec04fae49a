"""A white canvas with little on it: the dream follows the ink and leaves no grid where tiles and edges met."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dreamer.engine import Network, Target
from dreamer.engine.dream import _context
from dreamer.engine.gradient_options import GradientOptions
from tests.dreamer import nets


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Network:
    return Network.open(nets.register_tiny(tmp_path_factory.mktemp("models")), device="cpu")


def test_edges_are_the_strongest_thing_on_a_flat_picture_and_a_border_silences_them(tmp_path: Path) -> None:
    """A layer that answers to edges alone: on white it sees nothing but the zeros around each window."""
    kernel = np.zeros((1, 3, 3, 3))
    kernel[:] = [[-1, -1, -1], [-1, 8, -1], [-1, -1, -1]]
    edges = nets.node("Conv", [nets.INPUT, "kernel"], "edges", kernel_shape=[3, 3], pads=[1, 1, 1, 1])
    folder = nets.register(tmp_path / "edges", nets.model([edges], {"kernel": kernel}, ["edges"]))
    network, white = Network.open(folder, device="cpu"), np.full((3, 96, 96), 255, np.float32)
    exact, _ = network.gradient(white, Target.layer("edges"), GradientOptions(tile=32, halo=8))
    assert np.abs(exact[:, :2]).max() > 100
    quiet, _ = network.gradient(white, Target.layer("edges"), GradientOptions(tile=32, halo=8, border=2))
    assert np.abs(quiet).max() < 1e-3


def test_a_border_leaves_the_gradient_inside_as_it_is(network: Network) -> None:
    picture = np.random.default_rng(0).uniform(0, 255, (3, 256, 256)).astype(np.float32)
    target = Target.layer("block/output")
    exact, _ = network.gradient(picture, target)
    bordered, _ = network.gradient(picture, target, GradientOptions(border=16))
    inside = (slice(None), slice(80, -80), slice(80, -80))
    assert np.allclose(exact[inside], bordered[inside], rtol=1e-4, atol=1e-6 * np.abs(exact).max())
    assert not np.allclose(exact[:, :8], bordered[:, :8])


def test_halo_and_border_grow_with_the_stride() -> None:
    assert [_context(stride) for stride in (4, 8, 16, 32)] == [(24, 8), (32, 16), (48, 32), (64, 32)]
