"""Octaves and banded work: sizes, the exact way back, shifts and means that do not depend on the bands."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dreamer.engine import bands
from dreamer.engine.octaves import MOST_STEPS, add_enlarged, add_photo, octave_sizes, shrink, soften, steps_of


def noise(height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 30, (3, height, width)).astype(np.float32)


def test_dreamcanvas_octaves() -> None:
    sizes = octave_sizes(1536, 1536, 6, 1.31415, 64)
    assert [height for height, _ in sizes] == [390, 513, 675, 888, 1168, 1536]


@given(st.integers(1, 5000), st.integers(1, 5000), st.integers(1, 12), st.floats(1.05, 4), st.integers(1, 400))
def test_octaves_end_at_the_picture_and_respect_the_minimum(h: int, w: int, n: int, scale: float, least: int) -> None:
    sizes = octave_sizes(h, w, n, scale, least)
    assert sizes[-1] == (h, w)
    assert 1 <= len(sizes) <= n
    assert sizes == sorted(sizes)
    assert all(min(size) >= least for size in sizes[:-1])
    if len(sizes) < n:  # one more would have been too small
        assert int(min(sizes[0]) / scale) < least


@given(st.integers(1, 3000), st.integers(1, 3000), st.floats(0.1, 1), st.integers(1, 400))
def test_the_finest_octave_is_a_share_of_the_picture_but_no_smaller_than_the_least(
    h: int, w: int, finest: float, least: int
) -> None:
    *_, (height, width) = octave_sizes(h, w, 3, 1.5, least, finest)
    assert height <= h and width <= w
    assert min(height, width) >= min(least, min(h, w))
    if min(h, w) * finest >= least:
        assert abs(height - h * finest) <= 0.5 and abs(width - w * finest) <= 0.5


def test_softening_takes_out_what_is_as_fine_as_the_pixels_and_nothing_coarse() -> None:
    checkers = np.indices((12, 17)).sum(axis=0) % 2 * np.float32(20)
    picture = np.stack([checkers, np.full_like(checkers, 7), np.zeros_like(checkers)]).astype(np.float32)
    soften(picture)
    np.testing.assert_allclose(picture[0, 1:-1, 1:-1], 10, atol=1e-4)
    np.testing.assert_allclose(picture[1], 7, atol=1e-5)
    assert not picture[2].any()
    dot = np.zeros((3, 5, 6), np.float32)
    dot[1, 2, 3] = 16
    soften(dot)
    np.testing.assert_allclose(dot[1, 1:4, 2:5], np.outer([1, 2, 1], [1, 2, 1]), atol=1e-5)
    assert dot.sum() == pytest.approx(16)


def test_smaller_octaves_take_more_steps_up_to_a_limit() -> None:
    assert steps_of(4, 3, 1.0) == [3, 3, 3, 3]
    assert steps_of(4, 1, 1.3) == [2, 2, 1, 1]
    assert steps_of(3, 2, 2.0) == [8, 4, 2]
    assert steps_of(32, 5, 8.0)[0] == 5 * MOST_STEPS
    assert steps_of(5, 0, 2.0) == [0] * 5


@pytest.fixture
def narrow_bands(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two rows to a band, as if the pictures here were very large."""
    monkeypatch.setattr(bands, "BAND_BYTES", 1)


def test_bands_change_no_result(narrow_bands: None) -> None:
    picture = noise(37, 53)
    assert bands.mean_abs(picture) == pytest.approx(np.abs(picture).mean(), rel=1e-6)
    assert [s.start for s in bands.bands(5, 4)] == [0, 2, 4]


def test_enlarging_in_bands_matches_enlarging_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    small, whole, banded = noise(60, 45), noise(97, 83, 1), noise(97, 83, 1)
    add_enlarged(small, whole)
    monkeypatch.setattr(bands, "BAND_BYTES", 83 * 12 * 10)
    add_enlarged(small, banded)
    np.testing.assert_allclose(banded, whole, atol=2e-3)


def test_mean_abs_weighs_by_the_mask() -> None:
    picture, mask = noise(20, 30), np.zeros((20, 30), np.uint8)
    mask[:5] = 255
    assert bands.mean_abs(picture, mask) == pytest.approx(np.abs(picture[:, :5]).mean(), rel=1e-5)
    assert bands.mean_abs(picture, np.zeros_like(mask)) == 0.0


def test_enlarging_keeps_flat_pictures_flat_and_smooth_ones_in_place() -> None:
    flat = np.full((3, 31, 22), 7.0, np.float32)
    out = np.zeros((3, 44, 31), np.float32)
    add_enlarged(flat, out)
    np.testing.assert_allclose(out, 7.0, atol=1e-5)

    y, x = np.mgrid[0:40, 0:40].astype(np.float32) / 40
    hill = np.exp(-((y - 0.5) ** 2 + (x - 0.3) ** 2) / 0.02).astype(np.float32)
    large = np.zeros((3, 80, 80), np.float32)
    add_enlarged(np.stack([hill] * 3), large)
    top = np.unravel_index(large[0].argmax(), large[0].shape)
    assert abs(top[0] - 40) <= 1 and abs(top[1] - 24) <= 1


def test_the_photograph_comes_back_to_the_bit_through_its_difference() -> None:
    photo = np.random.default_rng(3).integers(0, 256, (33, 47, 3), dtype=np.uint8)
    picture = np.zeros((3, 33, 47), np.float32)
    add_enlarged(np.zeros((3, 20, 30), np.float32), picture)
    add_photo(photo, picture)
    np.testing.assert_array_equal(picture.transpose(1, 2, 0).astype(np.uint8), photo)
    add_photo(photo, picture, -1.0)
    assert not picture.any()


def test_shrink_keeps_size_mean_and_identity() -> None:
    photo = np.random.default_rng(3).integers(0, 256, (64, 96, 3), dtype=np.uint8)
    assert shrink(photo, (64, 96)) is photo
    small = shrink(photo, (32, 48))
    assert small.shape == (32, 48, 3) and small.dtype == np.uint8
    assert abs(small.mean() - photo.mean()) < 1.0


def test_a_small_mask_is_enlarged_without_steps() -> None:
    front = np.tile(np.linspace(0, 255, 8).astype(np.uint8), (8, 1))
    enlarged = shrink(front, (128, 128)).astype(int)
    assert np.diff(enlarged, axis=1).max() <= 3  # 255 over 7 of 8 cells of 16 px is 2.3
    np.testing.assert_array_equal(shrink(np.zeros((8, 8), np.uint8), (100, 90)), 0)
