"""Dreams with the real GoogLeNet: what must grow does grow."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from dreamer.engine import PRESETS, Network, Recipe, Target, dream
from dreamer.engine.noise import noise_picture
from dreamer.sheets.drawings import draw
from dreamer.sheets.likeness import chance, kept
from tests.dreamer import nets

pytestmark = [pytest.mark.googlenet, pytest.mark.slow]


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Network:
    return Network.open(nets.register_googlenet(tmp_path_factory.mktemp("models")), device="cpu")


def best(network: Network, picture: Any) -> str:
    assert network.logits
    scores = network.activations(picture.transpose(2, 0, 1).astype(np.float32), network.logits)
    return network.labels[int(scores.argmax())]


@pytest.mark.parametrize("label", ["banana", "jellyfish"])
def test_static_becomes_things(network: Network, label: str) -> None:
    """And holds, as a thing does, when it is mirrored, shrunk and moved."""
    recipe = Recipe(
        target=network.class_target(label), **PRESETS["noise"] | {"iterations": 24}, noise=(176, 176), seed=3
    )
    start = noise_picture(176, 176, contrast=recipe.contrast, seed=3)
    dreamed = dream(None, network, recipe)
    assert best(network, start) != label
    assert best(network, dreamed) == label
    assert best(network, dreamed[:, ::-1]) == label
    assert best(network, np.asarray(Image.fromarray(dreamed).resize((140, 140)))) == label
    assert best(network, np.roll(dreamed, (20, -30), axis=(0, 1))) == label


def test_animals_and_towers_grow_out_of_clouds(network: Network, images: Path) -> None:
    """The layer's activations grow many times over, most of all where there was most to see something in."""
    sky = np.asarray(Image.open(images / "sky.jpg").convert("RGB").resize((320, 180)))
    recipe = Recipe(target=Target.layer("inception_4c/output"), **PRESETS["photo"] | {"iterations": 5}, seed=7)
    dreamed = dream(sky, network, recipe)
    before, after = (
        network.activations(p.transpose(2, 0, 1).astype(np.float32), "inception_4c/output") for p in (sky, dreamed)
    )
    assert np.square(after).sum() > 5 * np.square(before).sum()
    # And it is still that sky.
    assert np.abs(dreamed.astype(float) - sky).mean() < 20
    assert np.corrcoef(dreamed.mean(axis=2).ravel(), sky.mean(axis=2).ravel())[0, 1] > 0.9
    again = dream(sky, network, replace(recipe))
    np.testing.assert_array_equal(again, dreamed)


@pytest.mark.parametrize("style", [("inception_4c/output", None), ("inception_4c/3x3_reduce_pre", 66)])
def test_a_drawing_comes_alive_and_stays_itself(network: Network, style: tuple[str, int | None]) -> None:
    """On white paper something has grown after one dream, and after three the drawing is still to be found in it."""
    first = dreamed = draw("child", 512)
    paper = (first == 255).all(axis=2)
    for number in (1, 2, 3):
        dreamed = dream(dreamed, network, Recipe(Target.layer(*style), seed=number, **PRESETS["live"]))
        if number == 1:
            assert np.abs(dreamed[paper].astype(int) - 255).mean() > 25
    assert kept(first, dreamed) > 0.5 > 2 * chance(first, dreamed)
    assert 60 < dreamed.mean() < 225 and np.ptp(dreamed.reshape(-1, 3).astype(int), axis=1).mean() > 10
