"""Zooms: each picture grows out of the one before."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from dreamer.engine import Network, Progress, Recipe, Target, dream
from dreamer.engine.noise import noise_picture
from dreamer.engine.studio import Job, run
from dreamer.engine.zoom import Journey, travel
from tests.dreamer import nets

RECIPE = Recipe(target=Target.layer("block/output"), octaves=1, min_size=32, mean_free=True, seed=3)
STILL = Recipe(target=Target.layer("block/output"), octaves=1, iterations=0)


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Network:
    return Network.open(nets.register_tiny(tmp_path_factory.mktemp("models")), threads=1)


def target_disc() -> Any:
    """A white disc of radius 10 on grey, 80 x 64."""
    y, x = np.mgrid[0:64, 0:80]
    return np.where(np.hypot(y - 31.5, x - 39.5)[..., None] < 10, 250, 100).astype(np.uint8).repeat(3, axis=2)


def radius(picture: Any) -> float:
    return float(np.sqrt((picture[..., 0].astype(float) - 100).sum() / 150 / np.pi))


def test_without_dreaming_it_is_a_plain_zoom_and_those_between_lie_between(network: Network) -> None:
    pictures = list(travel(target_disc(), network, STILL, Journey(3, zoom=1.2, between=2)))
    assert len(pictures) == 3 + 2 * 2
    radii = [radius(p) for p in pictures]
    np.testing.assert_allclose(radii, [10 * 1.2 ** (i / 3) for i in range(7)], rtol=0.02)


def test_each_dream_starts_from_the_one_before_with_its_own_seed(network: Network) -> None:
    photo = noise_picture(64, 80, contrast=25, seed=1)
    first, second = travel(photo, network, RECIPE, Journey(2, zoom=1.0))
    np.testing.assert_array_equal(first, dream(photo, network, RECIPE))
    np.testing.assert_array_equal(second, dream(first, network, Recipe(**{**vars(RECIPE), "seed": 4})))


def test_progress_is_over_the_whole_journey(network: Network) -> None:
    seen: list[Progress] = []
    list(travel(noise_picture(64, 80, contrast=25, seed=1), network, RECIPE, Journey(4), progress=seen.append))
    assert [p.fraction for p in seen] == pytest.approx([0.25, 0.5, 0.75, 1.0])


def test_a_job_makes_a_film_of_it(network: Network, tmp_path: Path) -> None:
    job = Job(tmp_path / "last.png", films=(tmp_path / "zoom.gif",), journey=Journey(3, between=1))
    assert run(job, network, Recipe(**{**vars(RECIPE), "noise": (64, 48)}))
    with Image.open(tmp_path / "zoom.gif") as image:
        assert image.n_frames == 1 + 3 + 2
    answers = iter([False, False])  # stopped in the third dream
    assert not run(job, network, Recipe(**{**vars(RECIPE), "noise": (64, 48)}), cancelled=lambda: next(answers, True))


@pytest.mark.parametrize(("field", "value"), [("dreams", 0), ("zoom", 3.0), ("turn", 90.0), ("between", -1)])
def test_limits(field: str, value: float) -> None:
    with pytest.raises(ValueError, match=f"{field}: received {value}"):
        Journey(**{"dreams": 3, field: value})
