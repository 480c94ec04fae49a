"""The Laplacian pyramid: exact reconstruction, equal bands, and no dependence on the size of the bands of rows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dreamer.engine import smooth
from dreamer.engine.smooth import add_doubled, halve, normalise_bands


def noise(height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 30, (3, height, width)).astype(np.float32)


def rms(a: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(a, dtype=np.float64))))


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 60), st.integers(2, 60))
def test_a_band_and_what_is_below_it_make_the_picture(h: int, w: int) -> None:
    picture = noise(h, w, h * 100 + w)
    low = halve(picture)
    assert low.shape == (3, (h + 1) // 2, (w + 1) // 2)
    detail = picture.copy()
    add_doubled(-low, detail, 1.0)
    add_doubled(low, detail, 1.0)
    np.testing.assert_allclose(detail, picture, atol=1e-4)


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 60), st.integers(2, 60), st.floats(-200, 200, width=32))
def test_flat_pictures_have_no_detail(h: int, w: int, grey: float) -> None:
    flat = np.full((3, h, w), grey, np.float32)
    low = halve(flat)
    np.testing.assert_allclose(low, grey, rtol=1e-5, atol=1e-5)
    add_doubled(-low, flat, 1.0)
    np.testing.assert_allclose(flat, 0, atol=1e-3)


def test_halve_is_the_binomial_blur() -> None:
    picture = np.zeros((3, 17, 17), np.float32)
    picture[:, 8, 8] = 256
    expected = np.zeros((9, 9))
    expected[3:6, 3:6] = np.outer([1, 6, 1], [1, 6, 1])
    np.testing.assert_allclose(halve(picture)[0], expected, atol=1e-4)


def test_doubling_is_the_adjoint_of_halving_times_four() -> None:
    a, b = noise(32, 32, 1), np.zeros((3, 16, 16), np.float32)
    b[:, 4:12, 4:12] = noise(8, 8, 2)  # away from the edges
    up = np.zeros_like(a)
    add_doubled(b, up, 1.0)
    assert float(np.vdot(up, a)) == pytest.approx(4 * float(np.vdot(b, halve(a))), rel=1e-4)


def test_every_band_gets_the_same_force() -> None:
    y, x = np.mgrid[0:128, 0:128]
    fine, coarse = np.sin(x * 2 * np.pi * 60 / 128) * 100, np.sin(y * 2 * np.pi / 64)
    gradient = np.stack([fine + coarse] * 3).astype(np.float32)
    normalise_bands(gradient, 4)
    spectrum = np.abs(np.fft.fft2(gradient[0]))
    assert spectrum[2, 0] > 0.5 * spectrum[0].max()  # a hundred times weaker before


@pytest.mark.parametrize("levels", [0, 1, 4, 12])
def test_scale_does_not_matter_and_zero_stays_zero(levels: int) -> None:
    gradient = noise(45, 70)
    other = gradient * np.float32(1e-4)
    normalise_bands(gradient, levels)
    normalise_bands(other, levels)
    np.testing.assert_allclose(other, gradient, rtol=1e-3, atol=1e-3)
    assert rms(gradient) > 0.9
    nothing = np.zeros((3, 20, 20), np.float32)
    normalise_bands(nothing, levels)
    assert not nothing.any()


def test_strips_change_no_result(monkeypatch: pytest.MonkeyPatch) -> None:
    whole, banded = noise(61, 43), noise(61, 43)
    normalise_bands(whole, 3)
    monkeypatch.setattr(smooth, "STRIP", 2)
    normalise_bands(banded, 3)
    np.testing.assert_allclose(banded, whole, rtol=1e-4, atol=1e-4)


def test_what_lives_in_one_place_is_measured_there() -> None:
    gradient = np.zeros((3, 1024, 256), np.float32)
    gradient[:, 40:100, 60:160] = noise(60, 100)
    normalise_bands(gradient, 4)
    assert np.abs(gradient).max() < 1000
