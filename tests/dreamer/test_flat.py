"""A white canvas with little on it: the dream follows the ink and leaves no grid where tiles and edges met."""

from __future__ import annotations

import numpy as np
import pytest

from dreamer.engine import Network, Target
from dreamer.engine.dream import _context
from tests.dreamer import nets


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Network:
    return Network.open(nets.register_tiny(tmp_path_factory.mktemp("models")), device="cpu")


def test_tile_edges_are_the_strongest_thing_on_a_flat_picture_and_a_border_silences_them(network: Network) -> None:
    flat = np.full((3, 384, 384), 255, np.float32)
    target = Target.layer("block/output")
    halo, border = _context(network.layers["block/output"].stride)

    def edge_to_inside(**options: int) -> float:
        """How much the gradient along the tiles' seams differs from that in a tile's middle."""
        gradient, _ = network.gradient(flat, target, tile=128, **options)
        seams = np.abs(np.concatenate([gradient[:, 120:136], gradient[:, 248:264]], axis=1)).mean()
        middle = np.abs(gradient[:, 176:208, 176:208]).mean()
        return float(abs(seams - middle) / middle)

    assert edge_to_inside(halo=4) > 0.02  # what the border is for: the seams show
    assert edge_to_inside(halo=halo, border=border) < 0.5 * edge_to_inside(halo=4)


def test_a_border_leaves_the_gradient_inside_as_it_is(network: Network) -> None:
    picture = np.random.default_rng(0).uniform(0, 255, (3, 256, 256)).astype(np.float32)
    target = Target.layer("block/output")
    exact, _ = network.gradient(picture, target)
    bordered, _ = network.gradient(picture, target, border=16)
    inside = (slice(None), slice(80, -80), slice(80, -80))
    assert np.allclose(exact[inside], bordered[inside], rtol=1e-4, atol=1e-6 * np.abs(exact).max())
    assert not np.allclose(exact[:, :8], bordered[:, :8])


def test_halo_and_border_grow_with_the_stride() -> None:
    assert [_context(stride) for stride in (4, 8, 16, 32)] == [(24, 8), (32, 16), (48, 32), (64, 32)]
