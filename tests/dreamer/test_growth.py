"""A dream that grows out of ink: how far it has come, what holds, and that the rest stays to the bit."""

from __future__ import annotations

import os
from dataclasses import replace
from importlib import import_module
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dreamer.engine import Network, Recipe, Target, dream
from dreamer.engine.bands import Bytes
from dreamer.engine.growth import NEVER, OLDEST, distance, front, held, of_mask
from dreamer.engine.noise import noise_picture
from dreamer.engine.octaves import shrink
from tests.dreamer import nets

CANVASES = int(os.environ.get("CANVASES", "200"))  # random ones; docs/dreams/README.md says when it was a thousand

GROWING = Recipe(
    Target.layer("block/output"),
    model="tiny",
    octaves=2,
    min_size=32,
    tile=64,
    step=8.0,
    smooth=2,
    colour="vivid",
    wash=30.0,
    soak=0.2,
    hue=0.5,
    chroma=80.0,
    mean_free=True,
    front=0.2,
    growth=0.1,
    hold=0.5,
    finest=0.8,
)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Network:
    return Network.open(nets.register_tiny(tmp_path_factory.mktemp("models")), threads=1)


def ages_of(*ink: tuple[int, int, int], size: tuple[int, int] = (24, 32)) -> Bytes:
    """Cells of an age each (row, column, age), the others NEVER."""
    ages = np.full(size, NEVER, np.uint8)
    for row, column, age in ink:
        ages[row, column] = age
    return ages


@given(st.integers(1, 12), st.integers(1, 12), st.integers(0, 2**32 - 1))
def test_distances_are_those_of_every_pair(height: int, width: int, seed: int) -> None:
    inside = np.random.default_rng(seed).random((height, width)) < 0.2
    found = distance(inside)
    places = np.argwhere(inside)
    for row in range(height):
        for column in range(width):
            expected = min((np.hypot(row - y, column - x) for y, x in places), default=np.inf)
            assert found[row, column] == pytest.approx(expected, rel=1e-5)


def test_the_front_is_soft_and_comes_further_with_each_dream() -> None:
    before = np.zeros((24, 32))
    for age in range(6):
        came = front(ages_of((12, 6, age)), 0.25, 0.1).astype(int)
        assert came[12, 6] == 255 and (came >= before).all()
        reach = (0.25 + 0.1 * age) * 24
        far = distance(ages_of((12, 6, 0)) == 0)
        assert (came[far >= reach] == 0).all() and (came[far < reach - 3.01] == 255).all()
        assert ((came > 0) & (came < 255)).any()
        before = came


def test_old_ink_has_filled_the_canvas_and_without_ink_nothing_grows() -> None:
    assert (front(ages_of((3, 3, OLDEST), (20, 20, 0)), 0.125, 0.08) == 255).all()
    assert (front(ages_of(), 0.125, 0.08) == 0).all()


def test_an_empty_canvas_is_full_within_some_ten_dreams() -> None:
    corner, middle = ((0, 0), (96, 96))
    filled = [
        next(age for age in range(40) if front(ages_of((*at, age), size=(192, 192)), 0.125, 0.08).min() == 255)
        for at in (middle, corner)
    ]
    assert 5 <= filled[0] <= 10 and filled[1] <= 20


def test_large_grids_are_measured_coarsely_and_alike() -> None:
    ages = ages_of((50, 80, 2), (150, 30, 0), size=(192, 160))
    fine = front(np.repeat(np.repeat(ages, 1, 0), 1, 1)[::2, ::2], 0.2, 0.05)
    assert np.abs(shrink(front(ages, 0.2, 0.05), fine.shape).astype(int) - fine).mean() < 12


def test_the_hold_fades_with_the_inks_age() -> None:
    for age in (0, 1, 5):
        share = held(ages_of((5, 5, age)), 0.8, 0.75)
        assert share[5, 5] == pytest.approx(0.8 * 0.75**age)
        assert np.count_nonzero(share) == 1


@settings(max_examples=CANVASES)
@given(seed=st.integers(0, 2**32 - 1), height=st.integers(34, 90), width=st.integers(34, 90), ink=st.integers(0, 4))
def test_what_the_front_has_not_reached_stays_to_the_bit(
    tiny: Network, seed: int, height: int, width: int, ink: int
) -> None:
    random = np.random.default_rng(seed)
    rows, columns = -(-height // 8), -(-width // 8)
    ages = ages_of(
        *((int(random.integers(rows)), int(random.integers(columns)), int(random.integers(4))) for _ in range(ink)),
        size=(rows, columns),
    )
    photo = noise_picture(height, width, contrast=50, seed=seed % 1000)
    photo[: height // 2] = 255
    dreamed = dream(photo, tiny, replace(GROWING, seed=seed % 77), ages=ages)
    came = shrink(front(ages, GROWING.front, GROWING.growth), (height, width))
    np.testing.assert_array_equal(dreamed[came == 0], photo[came == 0])
    assert ink == 0 or (dreamed[came > 0] != photo[came > 0]).any()


def test_tiles_without_a_mask_are_not_computed_and_change_nothing(
    tiny: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mask's corner costs its own tiles; computed all the same, the rest would change no byte."""
    photo = noise_picture(320, 320, contrast=40, seed=2)
    ages = ages_of((2, 2, 0), size=(40, 40))
    recipe = replace(GROWING, octaves=1, finest=1.0, roll=0)
    counts: list[int] = []

    def counted(done: Any) -> None:
        counts[-1] = done.tiles

    counts.append(0)
    few = dream(photo, tiny, recipe, ages=ages, progress=counted)
    plain = Network.gradient
    monkeypatch.setattr(Network, "gradient", lambda self, *seen, wanted=None, **options: plain(self, *seen, **options))
    counts.append(0)
    whole = dream(photo, tiny, recipe, ages=ages, progress=counted)
    assert counts[0] < counts[1] / 2
    np.testing.assert_array_equal(few, whole)


def test_at_its_rim_what_is_enlarged_of_a_dream_fades_and_is_not_cut_off(
    tiny: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dream after dream ends at the same place; a cut there would be seen."""
    photo = noise_picture(160, 320, contrast=40, seed=2)
    ages = ages_of((10, 12, 0), size=(20, 40))
    recipe = replace(GROWING, front=0.5, finest=0.3, hold=0.0)
    came = shrink(front(ages, recipe.front, recipe.growth), (160, 320))
    module = import_module("dreamer.engine.dream")
    faded = dream(photo, tiny, recipe, ages=ages)
    monkeypatch.setattr(module, "RIM", 1e-9)
    cut = dream(photo, tiny, recipe, ages=ages)
    inside, rim = came >= 255 * 0.1, (came > 0) & (came <= 255 * 0.1 / 4)
    np.testing.assert_array_equal(faded[inside], cut[inside])

    def moved(dreamed: Bytes) -> float:
        return float(np.abs(dreamed.astype(float) - photo)[rim].mean())

    assert rim.sum() > 100 and moved(faded) < moved(cut) / 2


def test_a_front_enlarged_to_the_canvas_has_no_steps() -> None:
    """A cell is 8 px: repeated, or enlarged by a filter that keeps their corners, they would be seen in every dream."""
    came = shrink(front(ages_of((12, 16, 0)), 0.5, 0.1), (24 * 8, 32 * 8)).astype(int)
    steepest = 1.5 * 255 / (0.5 / 2 * 24 * 8)  # of a smoothstep so wide
    assert max(np.abs(np.diff(came, axis=axis)).max() for axis in (0, 1)) <= 2 * steepest


def test_ink_that_holds_moves_less_at_a_strokes_scale_and_more_each_dream(tiny: Network) -> None:
    photo = noise_picture(128, 160, contrast=40, seed=3)
    recipe = replace(GROWING, front=0.0, hue=0.0, soak=0.0, wash=0.0, hold=0.9, iterations=3)

    def moved(age: int) -> float:
        dreamed = dream(photo, tiny, recipe, ages=np.full((16, 20), age, np.uint8))
        difference = dreamed.astype(float) - photo
        return float(np.abs(difference.reshape(16, 8, 20, 8, 3).mean(axis=(1, 3))).mean())

    new, old, older = moved(0), moved(3), moved(OLDEST)
    assert new < old < older and new < older / 2


def test_on_a_photograph_a_drawn_mask_plays_the_ink(tiny: Network) -> None:
    photo = noise_picture(128, 160, contrast=40, seed=3)
    mask = np.zeros((128, 160), np.uint8)
    mask[60:68, 76:84] = 255
    painted = dream(photo, tiny, GROWING, mask=mask)
    np.testing.assert_array_equal(painted, dream(photo, tiny, GROWING, ages=of_mask(mask)))
    moved = (painted != photo).any(axis=2)
    assert moved[64, 64] and not moved[:, :40].any()  # it goes beyond the mask, and not everywhere
    plain = dream(photo, tiny, replace(GROWING, front=0.0, hold=0.0), mask=mask)
    assert not (plain != photo).any(axis=2)[:, :70].any()


@pytest.mark.parametrize("ages", [np.zeros((4, 4), np.int16), np.zeros((4, 4, 3), np.uint8)])
def test_ages_that_are_none_are_refused(tiny: Network, ages: Any) -> None:
    with pytest.raises(ValueError, match=r"ages: received .* expected uint8"):
        dream(noise_picture(48, 48, contrast=40, seed=3), tiny, GROWING, ages=ages)
