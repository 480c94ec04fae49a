"""The steps of one octave in numpy: the gradient of a picture as it is seen, shaped, and the move along it.

x += step * g / mean|g|, as in Google's "Inceptionism" of 2015, the mean being that of the whole gradient, so that no
tile is dreamed harder than another. ``device.py`` takes the same steps where the picture lies on a GPU.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Protocol

import numpy as np

from . import bands
from .bands import Bytes, Floats, rows_of
from .colour import MODES, hold_colours, mean_free
from .gradient_options import GradientOptions
from .hold import hold_all
from .network import Network
from .octaves import Size
from .recipe import Recipe
from .smooth import normalise_bands
from .target import Target
from .tiles import Roll, paste
from .warp import unwarp, warp

# Octaves whose shorter side has at most so many pixels are coarse: the network sees them nearly whole, for little time.
COARSE = 240


def samples(recipe: Recipe, size: Size) -> int:
    """How many gradients are averaged in a step of an octave of this size."""
    return recipe.samples if min(size) <= COARSE else 1


class Ascent(Protocol):
    """An octave's steps, from a picture float32 [3,h,w], 0..255, which is changed."""

    def step(
        self,
        target: Target,
        roll: Roll,
        turn: tuple[float, float],
        floor: Callable[[], float],
        options: GradientOptions,
    ) -> None:
        """Take one.

        target  what to dream of, its places shifted along
        roll    how far the picture is shifted before the network sees it, down and right
        turn    by how many degrees and by what factor it is turned and scaled then (``warp``)
        floor   asked once for the mean |gradient| below which a step gets weaker in proportion
        options how the network looks at the picture
        """

    def fetch(self) -> Floats:
        """The picture so far, the array that was given."""


class HostAscent:
    """The picture and its gradient are arrays; everything else is as large as a tile or a band of rows."""

    def __init__(
        self,
        network: Network,
        recipe: Recipe,
        picture: Floats,
        base: Bytes,
        mask: Bytes | None,
        held: Floats | None,
    ) -> None:
        self.network, self.recipe, self.picture, self.base, self.mask = network, recipe, picture, base, mask
        self.held = held
        self.gradient = np.empty_like(picture)
        self.samples = samples(recipe, (picture.shape[1], picture.shape[2]))
        self.random = np.random.default_rng((recipe.seed, *picture.shape))
        self.part = 1.0 if mask is None else max(float(mask.mean(dtype=np.float64)) / 255, 1e-9)

    def step(
        self,
        target: Target,
        roll: Roll,
        turn: tuple[float, float],
        floor: Callable[[], float],
        options: GradientOptions,
    ) -> None:
        picture, gradient = self.picture, self.gradient
        if self.recipe.rotate or self.recipe.rescale:
            warped = warp(np.roll(picture, roll, (1, 2)), *turn)
            self._look(warped, target, options)
            height, width = picture.shape[1:]
            paste(unwarp(gradient, *turn), gradient, roll, (slice(0, height), slice(0, width)))
        else:
            self._look(picture, target, options, roll=roll, wanted=self.mask)
        self._move(floor)

    def _look(self, picture: Floats, target: Target, options: GradientOptions, **how: Any) -> None:
        """The gradient: of one picture, or the mean of a few with other noise on them (Smilkov et al., "SmoothGrad:
        removing noise by adding noise", 2017)."""
        self.network.gradient(picture, target, options, **how, out=self.gradient)
        silent = replace(options, on_tile=None)
        for _ in range(self.samples - 1):
            noise = self.random.standard_normal(picture.shape, np.float32) * np.float32(self.recipe.sigma)
            self.gradient += self.network.gradient(picture + noise, target, silent, **how)[0]
        if self.samples > 1:
            self.gradient /= np.float32(self.samples)

    def _move(self, floor: Callable[[], float]) -> None:
        """Shape the gradient and move the picture by it, both in place."""
        recipe, picture, gradient, base, mask = self.recipe, self.picture, self.gradient, self.base, self.mask
        force, least = bands.mean_abs(gradient, mask), floor()

        def mask_rows(rows: slice) -> None:
            assert mask is not None
            gradient[:, rows] *= bands.share(mask[rows])

        strength = force / least if force < least else 1.0
        if mask is not None:
            bands.each(mask_rows, rows_of(gradient))
        if recipe.smooth:
            normalise_bands(gradient, recipe.smooth)
        MODES[recipe.colour](gradient)
        if recipe.mean_free:
            mean_free(gradient, self.part)
        shaped = recipe.smooth or recipe.colour != "rgb" or recipe.mean_free or mask is not None
        size = bands.mean_abs(gradient, mask) if shaped else force
        gain = np.float32(recipe.step * strength / size if size > 0 else 0.0)
        if self.held is not None:
            hold_all(gradient, self.held)

        def go(rows: slice) -> None:
            move = gradient[:, rows] * gain
            if mask is not None:
                move *= bands.share(mask[rows])
            if recipe.near:
                move -= np.float32(recipe.near) * (picture[:, rows] - base[rows].transpose(2, 0, 1))
            if recipe.chroma:
                hold_colours(move, picture[:, rows], recipe.chroma)
            move += picture[:, rows]
            np.clip(move, 0, 255, out=picture[:, rows])

        bands.each(go, rows_of(picture))

    def fetch(self) -> Floats:
        return self.picture
