"""The steps of one octave in numpy: the gradient of a picture as it is seen, shaped, and the move along it.

x += step * g / mean|g|, as in Google's "Inceptionism" of 2015, the mean being that of the whole gradient, so that no
tile is dreamed harder than another. ``device.py`` takes the same steps where the picture lies on a GPU.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np

from . import bands
from .bands import Bytes, Floats, rows_of
from .colour import MODES, hold_colours, mean_free
from .gradient_options import GradientOptions
from .network import Network
from .recipe import Recipe
from .smooth import normalise_bands
from .target import Target
from .tiles import Roll, paste
from .warp import unwarp, warp


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

    def __init__(self, network: Network, recipe: Recipe, picture: Floats, base: Bytes, mask: Bytes | None) -> None:
        self.network, self.recipe, self.picture, self.base, self.mask = network, recipe, picture, base, mask
        self.gradient = np.empty_like(picture)
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
            self.network.gradient(warped, target, options, out=gradient)
            height, width = picture.shape[1:]
            paste(unwarp(gradient, *turn), gradient, roll, (slice(0, height), slice(0, width)))
        else:
            self.network.gradient(picture, target, options, roll=roll, wanted=self.mask, out=gradient)
        self._move(floor)

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
