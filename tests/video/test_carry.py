"""Optical flow by both finders, the dream carried along it, and how little that flickers."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from dreamer import house
from dreamer.engine import Network, Recipe, dream
from dreamer.video import flow as flow_module
from dreamer.video.carry import Carried, carried, dreamed, flicker, short
from dreamer.video.cuts import Cuts
from dreamer.video.flow import flow, known, moved
from tests.video.films import scene


@pytest.fixture(scope="module")
def network() -> Network:
    return Network.open(house.BUILTIN / "house", threads=1)


@pytest.fixture(scope="module")
def recipe() -> Recipe:
    target = {"terms": [{"layer": "inception_4b/forms"}]}
    return Recipe.from_json({**house.PHOTO, "octaves": 3, "model": "house", "target": target})


def shifted(right: int, down: int) -> tuple[Any, Any]:
    """A picture, and the same ground seen from further right and down."""
    ground = scene(1, 220, 180, seed=5)[0]
    return ground[20:140, 20:180].copy(), ground[20 + down : 140 + down, 20 + right : 180 + right].copy()


@pytest.mark.parametrize("own", [False, True])
def test_flow_finds_what_moved(own: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """With OpenCV, and without it by our own."""
    if own:
        monkeypatch.setattr(flow_module, "_dis", lambda: None)
    else:
        assert flow_module._dis() is not None, "opencv-python-headless stands in requirements.txt"
    here, there = shifted(5, 3)
    found = flow(here, there)
    inside = found[20:-20, 20:-20]
    assert np.abs(np.median(inside, axis=(0, 1)) - [-5, -3]).max() < 0.3
    back = moved(there, found)[20:-20, 20:-20]
    assert np.abs(back - here[20:-20, 20:-20]).mean() < 4
    assert known(found, flow(there, here))[20:-20, 20:-20].mean() > 0.75


def test_what_is_newly_seen_is_not_known() -> None:
    """A wall in front moves away to the right: what was behind it cannot be known."""
    ground, wall = scene(1, 192, 128, seed=1)[0], scene(1, 192, 128, seed=2)[0]
    before, now = ground.copy(), ground.copy()
    before[:, 60:120], now[:, 68:128] = wall[:, 60:120], wall[:, 60:120]
    share = known(flow(now, before), flow(before, now))
    assert share[:, 62:66].mean() < 0.5 < share[:, 84:112].mean()
    assert share[:, 150:180].mean() > 0.8
    with pytest.raises(ValueError, match="expected two of one size"):
        flow(now, before[:32])


def test_moved_goes_beyond_no_edge() -> None:
    picture = np.arange(12, dtype=np.float32).reshape(3, 4, 1)
    there = np.zeros((3, 4, 2), np.float32)
    assert np.array_equal(moved(picture, there), picture)
    assert np.array_equal(moved(picture, there + np.float32(100))[:, :, 0], np.full((3, 4), 11, np.float32))
    assert np.allclose(moved(picture, there + np.array([0.5, 0], np.float32))[0, :, 0], [0.5, 1.5, 2.5, 3])


def test_a_carried_dream_flickers_at_most_half_as_much(network: Network, recipe: Recipe) -> None:
    """The issue's number: the mean change of the dream along the flow, against that of each picture dreamed alone."""
    pictures = scene(6)
    alone = [dream(picture, network, recipe) for picture in pictures]
    ours = [found.dreamed for found in dreamed(pictures, network, recipe)]
    (of_alone, film), (of_ours, _film) = flicker(pictures, alone), flicker(pictures, ours)
    print(f"flicker in grey levels: alone {of_alone:.1f}, carried {of_ours:.1f}, the film itself {film:.1f}")
    assert of_ours <= of_alone / 2
    strength = [np.abs(found.astype(float) - picture).mean() for found, picture in zip(ours, pictures, strict=True)]
    assert min(strength) > 0.4 * strength[0], "and it does not fade away"


def test_still_ground_comes_to_rest(network: Network, recipe: Recipe) -> None:
    still = scene(1)[0]
    ours = [found.dreamed.astype(float) for found in dreamed([still] * 8, network, recipe)]
    changes = [np.abs(now - before).mean() for before, now in pairwise(ours)]
    assert changes[-1] < 0.25 * np.abs(ours[-1] - still).mean()


def test_a_cut_begins_anew_and_a_film_goes_on_where_it_was_left(network: Network, recipe: Recipe) -> None:
    pictures = [*scene(2), *scene(2, seed=8)]
    whole = list(dreamed(pictures, network, recipe, cuts=[2]))
    anew = dream(pictures[2], network, replace(recipe, seed=recipe.seed + 2))
    assert np.array_equal(whole[2].dreamed, anew), "nothing of the shot before is in it"
    rest = list(dreamed(pictures[3:], network, recipe, cuts=[2], start=3, before=whole[2]))
    assert np.array_equal(rest[0].dreamed, whole[3].dreamed)
    assert not np.array_equal(whole[1].dreamed, dream(pictures[1], network, replace(recipe, seed=recipe.seed + 1)))


def test_nothing_dreamed_is_nothing_carried(recipe: Recipe) -> None:
    before, now = scene(2)
    assert np.array_equal(carried(Carried(before, before), now), now)
    assert short(replace(recipe, iterations=0)).iterations == 0
    assert short(recipe).iterations == 1


def test_cuts_are_jumps_and_flicker_is_none() -> None:
    cuts = Cuts()
    for picture in [*scene(3), *(p // 5 for p in scene(3, seed=4)), *scene(3, speed=0.2), *scene(3, seed=8)]:
        cuts.add(picture)
    assert cuts.found == [3, 6, 9], "also to a shot of the same brightness"
    flashing = Cuts()
    for number in range(8):
        flashing.add(np.full((8, 8, 3), 250 if number % 2 else 10, np.uint8))
    assert len(flashing.found) <= 1
