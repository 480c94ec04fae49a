"""Ink that soaks in: contrast that goes into the surroundings, and colour that goes out into flat places."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dreamer.engine import Network, Recipe, Target, dream
from dreamer.engine.bands import Bytes
from dreamer.engine.noise import noise_picture
from dreamer.engine.soak import LEVELS, halo, soaked
from tests.dreamer import nets

RED = (220, 30, 40)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Network:
    return Network.open(nets.register_tiny(tmp_path_factory.mktemp("models")), threads=1)


def paper(height: int = 192, width: int = 256, ground: int = 255) -> Bytes:
    """Flat, with a red stroke across the middle."""
    picture = np.full((height, width, 3), ground, np.uint8)
    picture[height // 2 - 2 : height // 2 + 2, width // 8 : -width // 8] = RED
    return picture


@given(
    height=st.integers(1, 90),
    width=st.integers(1, 90),
    share=st.floats(0.01, 1),
    colour=st.tuples(*[st.integers(0, 255)] * 3),
)
def test_one_colour_soaks_into_itself_at_any_size(
    height: int, width: int, share: float, colour: tuple[int, int, int]
) -> None:
    flat = np.full((height, width, 3), colour, np.uint8)
    np.testing.assert_array_equal(soaked(flat, share), flat)
    assert np.abs(halo(flat, share)).max() < 0.01


def test_some_of_a_strokes_contrast_goes_into_its_surroundings_and_all_else_stays() -> None:
    picture = paper()
    drawn, lost = picture[..., 1] == RED[1], []
    for share in (0.2, 0.5, 1.0):
        wet = soaked(picture, share).astype(float)
        lost.append((wet[drawn] - picture[drawn])[:, 1].mean() / (255 - RED[1]) / share)
        np.testing.assert_array_equal(wet[:40], picture[:40])
        assert abs(wet.mean() - picture.mean()) < 1, "what goes from the stroke is around it"
    assert np.ptp(lost) < 0.02 and 0.25 < lost[0] < 1


def test_what_a_mask_spares_keeps_its_ink() -> None:
    picture, mask = paper(), np.zeros((192, 256), np.uint8)
    mask[:, 128:] = 255
    wet = soaked(picture, 0.5, mask)
    np.testing.assert_array_equal(wet[:, :128], picture[:, :128])
    np.testing.assert_array_equal(wet[:, 128:], soaked(picture, 0.5)[:, 128:])


@pytest.mark.parametrize("ground", [255, 0])
def test_flat_places_take_the_colour_of_ink_more_the_nearer_and_the_ink_stays(ground: int) -> None:
    picture = paper(ground=ground)
    added = halo(picture, 0.2)
    ink = np.array(RED, np.float32) - ground
    along = np.tensordot(added, ink / np.linalg.norm(ink), axes=(0, 0))[:, 64:-64].mean(axis=1)
    near, further, far = along[84:88].mean(), along[76:80].mean(), along[:40]
    assert near > further > 50 and np.abs(far).max() < 1
    assert along[:88].min() > -1, "no ring of the opposite colour"
    assert np.abs(np.diff(added[:, :84], axis=1)).max() < 12, "and no edge"
    assert np.sqrt(np.square(added).mean(axis=0)).max() < LEVELS * 0.2**0.5
    assert np.abs(added[:, 94:98, 64:-64]).mean() < 3


def test_a_full_picture_gets_no_halo() -> None:
    full = noise_picture(120, 160, contrast=50, seed=2)
    assert np.abs(halo(full, 0.2)).max() < 2


def test_a_dream_of_a_soaking_recipe_starts_from_wet_ink_within_its_mask(tiny: Network) -> None:
    recipe = Recipe(Target.layer("block/output"), model="tiny", octaves=3, step=0.0, soak=0.2)
    picture, mask = paper(), np.zeros((96, 128), np.uint8)
    mask[:, 64:] = 255
    got = dream(picture, tiny, recipe, mask=mask)
    np.testing.assert_array_equal(got[:, :126], picture[:, :126])
    pink = got[78:84, 160:200].astype(int)
    assert (pink[..., 0] - pink[..., 1]).mean() > 15
    assert (got[96, 160:200, 1] > RED[1] + 10).all()
    np.testing.assert_array_equal(dream(picture, tiny, replace(recipe, soak=0.0)), picture)
