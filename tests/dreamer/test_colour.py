"""Colour: the decorrelated step, steps without drift, and a photograph's own colours."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from dreamer.engine import colour


def noise(height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 30, (3, height, width)).astype(np.float32)


def test_decorrelated_colour_is_a_step_in_y_brought_back() -> None:
    gradient = noise(40, 50)
    y = np.einsum("ki,khw->ihw", colour.CORRELATION_ROOT.astype(float), gradient)
    y /= np.sqrt(np.square(y).mean(axis=(1, 2), keepdims=True))
    expected = np.einsum("ij,jhw->ihw", colour.CORRELATION_ROOT, y)
    colour.decorrelate(gradient)
    np.testing.assert_allclose(gradient, expected, rtol=1e-3, atol=1e-3)


def test_decorrelated_steps_still_climb_and_have_natural_colours() -> None:
    gradient = noise(40, 50)
    step = gradient.copy()
    colour.decorrelate(step)
    assert np.vdot(step, gradient) > 0
    # Whatever the gradient's colours, the step's covariance is that of natural pictures.
    gradient[0] *= 30
    colour.decorrelate(gradient)
    natural = colour.CORRELATION_ROOT @ colour.CORRELATION_ROOT.T
    assert np.trace(np.cov(gradient.reshape(3, -1))) == pytest.approx(np.trace(natural), rel=0.05)


def test_vivid_steps_climb_and_are_the_more_colourful() -> None:
    gradient = noise(40, 50)
    calm, vivid = gradient.copy(), gradient.copy()
    colour.MODES["decorrelated"](calm)
    colour.MODES["vivid"](vivid)
    assert np.vdot(vivid, gradient) > 0
    calmly, vividly = (float(np.var(step - step.mean(axis=0)) / np.var(step)) for step in (calm, vivid))
    assert vividly > 1.5 * calmly > 0


@pytest.mark.parametrize("mode", list(colour.MODES))
def test_nothing_stays_nothing(mode: str) -> None:
    gradient = np.zeros((3, 4, 5), np.float32)
    colour.MODES[mode](gradient)
    assert not gradient.any()


def test_luminance_moves_all_channels_alike() -> None:
    gradient = noise(6, 7)
    expected = np.tensordot(colour.LUMA, gradient, axes=1)
    colour.to_luminance(gradient)
    for channel in gradient:
        np.testing.assert_allclose(channel, expected, rtol=1e-5, atol=1e-4)


def test_rgb_is_left_alone() -> None:
    gradient = noise(6, 7)
    before = gradient.copy()
    colour.MODES["rgb"](gradient)
    np.testing.assert_array_equal(gradient, before)


def test_mean_free() -> None:
    gradient = noise(60, 70) + np.array([5, -80, 1000], np.float32)[:, None, None]
    colour.mean_free(gradient)
    np.testing.assert_allclose(gradient.mean(axis=(1, 2)), 0, atol=1e-3)


def test_keep_colours_is_the_photos_chroma_under_the_dreams_brightness() -> None:
    rng = np.random.default_rng(5)
    photo = rng.integers(90, 160, (40, 50, 3), dtype=np.uint8)
    dreamed = rng.integers(90, 160, (40, 50, 3), dtype=np.uint8)
    wanted_y = np.asarray(Image.fromarray(dreamed).convert("YCbCr")).astype(int)[..., 0]
    chroma = np.asarray(Image.fromarray(photo).convert("YCbCr")).astype(int)[..., 1:]
    colour.keep_colours(dreamed, photo)
    result = np.asarray(Image.fromarray(dreamed).convert("YCbCr")).astype(int)
    assert np.abs(result[..., 0] - wanted_y).max() <= 2
    assert np.abs(result[..., 1:] - chroma).max() <= 2


def test_keep_colours_of_an_unchanged_photo_changes_nothing() -> None:
    photo = np.random.default_rng(6).integers(0, 256, (30, 20, 3), dtype=np.uint8)
    dreamed = photo.copy()
    colour.keep_colours(dreamed, photo)
    np.testing.assert_array_equal(dreamed, photo)


def test_colour_is_held_at_its_limit_and_may_turn_and_fade_there() -> None:
    here = np.float32([[200, 100, 120]]).T[..., None]  # [3, 1, 1]
    chroma = here - here.mean()
    size, aside = np.linalg.norm(chroma), np.float32([0, 1, -1])[:, None, None]
    aside -= chroma * (aside * chroma).sum() / size**2

    def held(move: np.ndarray, limit: float) -> np.ndarray:
        move = move.astype(np.float32)
        colour.hold_colours(move, here, limit)
        return move

    np.testing.assert_allclose(held(chroma, size), 0, atol=1e-4)
    np.testing.assert_allclose(held(chroma, size / 3), 0, atol=1e-4)
    np.testing.assert_allclose(held(chroma / 100, 2 * size), 0.75 * chroma / 100, rtol=0.02)
    for free in (-chroma, aside / 100, np.ones_like(here), -5 * np.ones_like(here)):
        np.testing.assert_allclose(held(free, size), free, atol=1e-4)
    grey, move = np.full((3, 2, 2), 90, np.float32), np.random.default_rng(0).normal(0, 9, (3, 2, 2)).astype(np.float32)
    before = move.copy()
    colour.hold_colours(move, grey, 80.0)
    np.testing.assert_allclose(move, before, rtol=0.05, atol=0.05)


def test_moves_across_do_not_leave_the_circle() -> None:
    here = np.float32([[200, 100, 120]]).T[..., None]
    limit = float(np.linalg.norm(here - here.mean()))
    for _ in range(500):
        red, green, blue = (here - here.mean())[:, 0, 0]
        move = np.float32([[green - blue, blue - red, red - green]]).T[..., None]
        move *= 9.6 / np.linalg.norm(move)
        colour.hold_colours(move, here, limit)
        here = here + move
        assert np.linalg.norm(here - here.mean()) < 1.02 * limit


@given(st.integers(0, 2**32 - 1), st.floats(20, 150))
def test_steps_without_end_do_not_end_in_neon(seed: int, limit: float) -> None:
    random = np.random.default_rng(seed)
    here, always = np.full((3, 1, 4), 128, np.float32), random.normal(0, 3, (3, 1, 4)).astype(np.float32)
    for _ in range(300):
        move = always.copy()
        colour.hold_colours(move, here, limit)
        here = np.clip(here + move, 0, 255)
    assert (np.linalg.norm(here - here.mean(axis=0), axis=0) < limit + 5).all()
