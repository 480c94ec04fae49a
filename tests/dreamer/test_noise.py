"""Starts from noise: natural spectrum and colours; turning and scaling, and the way back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dreamer.engine.noise import GREY, clouds, noise_picture
from dreamer.engine.warp import unwarp, warp


def test_noise_has_the_contrast_asked_for_around_grey() -> None:
    picture = noise_picture(160, 200, contrast=25, seed=1).astype(float)
    deviation = np.sqrt(np.mean((picture - picture.mean(axis=(0, 1))) ** 2))
    assert deviation == pytest.approx(25, rel=0.1)
    assert np.abs(picture.mean() - GREY) < 15


def test_noise_is_as_strong_at_every_scale() -> None:
    """Shrunk to a quarter, white noise would lose three quarters of its contrast; this keeps most."""
    picture = noise_picture(256, 256, contrast=30, seed=2).astype(float)
    quarter = picture.reshape(64, 4, 64, 4, 3).mean(axis=(1, 3))
    assert quarter.std() > 0.6 * picture.std()


def test_noise_is_mostly_brightness() -> None:
    picture = noise_picture(128, 128, contrast=30, seed=3).astype(float)
    correlation = np.corrcoef(picture.reshape(-1, 3).T)
    assert correlation.min() > 0.7


def test_noise_follows_its_seed() -> None:
    one, same, other = (noise_picture(33, 47, contrast=12, seed=s) for s in (5, 5, 6))
    np.testing.assert_array_equal(one, same)
    assert (one != other).any()
    assert noise_picture(1, 1, contrast=12, seed=0).shape == (1, 1, 3)
    assert (noise_picture(20, 20, contrast=0, seed=0) == round(GREY)).all()


def smooth_field(height: int, width: int, seed: int) -> np.ndarray:
    picture = noise_picture(height // 4 + 1, width // 4 + 1, contrast=40, seed=seed).astype(np.float32)
    from dreamer.engine.octaves import add_enlarged

    field = np.zeros((3, height, width), np.float32)
    add_enlarged(np.ascontiguousarray(picture.transpose(2, 0, 1)) - 117, field)
    return field


def test_no_warp_is_no_change() -> None:
    field = smooth_field(40, 56, 1)
    np.testing.assert_allclose(warp(field, 0.0, 1.0), field, atol=1e-3)
    np.testing.assert_allclose(unwarp(field, 0.0, 1.0), field, atol=1e-3)


def test_a_quarter_turn_is_numpys() -> None:
    field = smooth_field(48, 48, 2)
    np.testing.assert_allclose(warp(field, 90.0, 1.0), np.rot90(field, axes=(1, 2)), atol=1e-2)


@settings(max_examples=20, deadline=None)
@given(st.floats(-15, 15), st.floats(0.8, 1.25))
def test_unwarp_is_the_way_back_and_the_adjoint(degrees: float, scale: float) -> None:
    field = smooth_field(64, 80, 3)
    there_and_back = unwarp(warp(field, degrees, scale), degrees, scale) / scale**2
    middle = (slice(None), slice(24, 40), slice(28, 52))
    assert np.abs(there_and_back[middle] - field[middle]).mean() < 0.05 * np.abs(field).mean() + 0.5

    gradient = np.zeros_like(field)
    gradient[middle] = smooth_field(16, 24, 4)
    left = float(np.vdot(warp(field, degrees, scale), gradient))
    right = float(np.vdot(field, unwarp(gradient, degrees, scale)))
    size = float(np.linalg.norm(field[middle]) * np.linalg.norm(gradient))
    assert abs(left - right) < 0.1 * size


def test_the_edges_are_mirrored() -> None:
    field = np.full((3, 30, 40), 100, np.float32)
    for degrees, scale in ((10.0, 0.8), (-45.0, 0.5), (3.0, 1.3)):
        np.testing.assert_allclose(warp(field, degrees, scale), 100, atol=0.1)


class Still:
    """Chance that is always nothing: clouds without puffs are the light alone that a white place loses to them."""

    def standard_normal(self, size: tuple[int, int], dtype: type) -> np.ndarray:
        return np.zeros(size, dtype)


def test_clouds_end_softly_before_what_is_drawn() -> None:
    drawn = np.full((60, 80, 3), 255, np.uint8)
    drawn[20:24, 10:40] = drawn[20:40, 36:40] = (30, 20, 60)
    lost = -clouds(drawn, 20.0, Still())[0] / 30
    assert lost[20:24, 10:36].max() < 0.15 and lost[50:, 60:].min() > 0.99
    assert lost[32, :28].min() > 0.99, "as near as ten pixels a place is flat"
    assert max(np.abs(np.diff(lost, axis=axis)).max() for axis in (0, 1)) < 0.4, "no edge"
