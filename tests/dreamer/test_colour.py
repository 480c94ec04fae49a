"""Colour: the decorrelated step, steps without drift, and a photograph's own colours."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from dreamer.engine import colour


def noise(height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 30, (3, height, width)).astype(np.float32)


def test_decorrelated_colour_is_two_steps_of_the_chain_rule() -> None:
    """Ascent of f(M y) in y moves rgb = M y by M Mᵀ ∇f: checked against the definition, not against the constant."""
    gradient = noise(4, 5)
    expected = np.einsum("ij,kj,khw->ihw", colour.CORRELATION_ROOT, colour.CORRELATION_ROOT, gradient)
    colour.mix(gradient, "decorrelated")
    np.testing.assert_allclose(gradient, expected, rtol=1e-4, atol=1e-4)


def test_decorrelated_colour_is_an_ascent_and_prefers_brightness() -> None:
    assert np.all(np.linalg.eigvalsh(colour.DECORRELATE) > 0)
    grey, green_magenta = np.ones(3) / np.sqrt(3), np.array([1, -2, 1]) / np.sqrt(6)
    assert np.linalg.norm(colour.DECORRELATE @ grey) > 10 * np.linalg.norm(colour.DECORRELATE @ green_magenta)


def test_luminance_moves_all_channels_alike() -> None:
    gradient = noise(6, 7)
    expected = np.tensordot(colour.LUMA, gradient, axes=1)
    colour.mix(gradient, "luminance")
    for channel in gradient:
        np.testing.assert_allclose(channel, expected, rtol=1e-5, atol=1e-4)


def test_rgb_is_left_alone() -> None:
    gradient = noise(6, 7)
    before = gradient.copy()
    colour.mix(gradient, "rgb")
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


def test_unknown_mode() -> None:
    with pytest.raises(KeyError):
        colour.mix(noise(2, 2), "sepia")
