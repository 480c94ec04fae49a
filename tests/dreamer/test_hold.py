"""What a dream holds on to: the coarse colour of what is drawn."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from dreamer.engine import Network, Recipe, Target, dream
from dreamer.engine.bands import Bytes
from dreamer.engine.hold import hold_hue, inked
from dreamer.engine.noise import noise_picture
from tests.dreamer import nets


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Network:
    return Network.open(nets.register_tiny(tmp_path_factory.mktemp("models")), threads=1)


def colours(picture: Bytes) -> Bytes:
    """How far each channel is from grey, float32 [3, H, W]."""
    channels = picture.transpose(2, 0, 1).astype(np.float32)
    return channels - channels.mean(axis=0)


def test_ink_is_found_where_it_lies_and_nowhere_on_flat_paper() -> None:
    paper = np.full((256, 320, 3), 255, np.uint8)
    assert inked(paper).max() < 0.01
    paper[100:116, 60:260] = (200, 30, 40)
    found = inked(paper)
    assert found.shape == (256, 320)
    assert found[100:102, 80:240].min() > 0.9 and found[180:].max() < 0.01


def test_coarse_colour_goes_and_brightness_and_detail_stay() -> None:
    coarse = np.ones((3, 128, 128), np.float32) * np.array([30, -10, -20], np.float32)[:, None, None]
    bright = np.full((3, 128, 128), 25, np.float32)
    fine = np.tile(np.array([[8, -8], [-8, 8]], np.float32), (3, 64, 64)) * np.array([1, -1, 0.5])[:, None, None]
    held = (coarse + bright + fine).astype(np.float32)
    hold_hue(held, np.ones((128, 128), np.float32), 0.75)
    inner = np.s_[:, 16:-16, 16:-16]  # at the edge, where it repeats, the pattern is no longer without coarse parts
    np.testing.assert_allclose(held[inner], (coarse / 4 + bright + fine)[inner], atol=0.2)


def test_where_nothing_is_drawn_nothing_is_held() -> None:
    difference = np.random.default_rng(1).normal(0, 20, (3, 96, 96)).astype(np.float32)
    held = difference.copy()
    where = np.zeros((96, 96), np.float32)
    where[:, 48:] = 1
    hold_hue(held, where, 1.0)
    np.testing.assert_array_equal(held[:, :, :48], difference[:, :, :48])
    assert (held[:, :, 48:] != difference[:, :, 48:]).any()


@pytest.mark.parametrize("finest", [1.0, 0.6])
def test_a_dream_on_a_full_picture_keeps_its_hues(tiny: Network, finest: float) -> None:
    photo = noise_picture(160, 208, contrast=40, seed=4)
    free = Recipe(Target.layer("block/output"), octaves=3, min_size=32, iterations=3, step=6.0, smooth=3, finest=finest)
    moved = [
        np.abs(_blurred(colours(dream(photo, tiny, recipe)) - colours(photo))).mean()
        for recipe in (free, replace(free, hue=1.0))
    ]
    assert moved[1] < moved[0] / 2


def _blurred(field: Bytes) -> Bytes:
    """Means of 16 x 16 pixels."""
    return field.reshape(3, 10, 16, 13, 16).mean(axis=(2, 4))
