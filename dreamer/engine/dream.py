"""The dream: gradient ascent on a picture, octave by octave.

For each octave the picture is the photograph at that size plus what has been dreamed so far (octaves.py). Each step
shifts it at random, asks the network for the gradient, shapes that, and moves the picture by `step` grey levels on
average (ascent.py, and device.py where the picture stays on a GPU through an octave).

Beside the photograph (uint8) it holds two float32 arrays of the picture's size, the picture and its gradient;
everything else is as large as a tile or a band of rows.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Protocol
from weakref import WeakKeyDictionary

import numpy as np

from . import bands, growth
from .ascent import Ascent, HostAscent
from .bands import Bytes, Floats
from .colour import keep_colours
from .device import DeviceAscent, stays
from .gradient_options import GradientOptions
from .hold import hold_hue, inked
from .network import Network
from .noise import clouds, noise_picture
from .octaves import Size, add_enlarged, add_photo, enlarged, octave_sizes, shrink, soften, steps_of
from .recipe import Recipe
from .soak import halo, soaked
from .target import Target
from .work import Cancelled

# On a flat picture (a white canvas) the gradient all but vanishes and dividing by its mean would blow up noise. Below
# this share of what the same target does on coloured noise, a step gets weaker in proportion instead.
FLOOR = 0.02

# Four steps' places in a layer's stride, in halves of it, down and right: two already differ in both.
PHASES = ((0, 0), (1, 1), (1, 0), (0, 1))

# From this size on the picture and its gradient alone take most of 2 GB, and the network gets smaller tiles: in every
# octave, since what a tile has taken is kept.
HUGE_PIXELS, HUGE_TILE = 24_000_000, 160

# Clouds are coarse: they are made at this many pixels at most.
CLOUDED = 2**20

# Where a mask is weaker than this share, what is enlarged fades out.
RIM = 0.1

# The network sees a guide whole and in every step: its longer side in pixels is this at most.
GUIDE_SIDE = 384


@dataclass(frozen=True)
class Progress:
    """How far a dream is. Octaves, iterations and tiles count from 1; `tile` of `tiles` is done."""

    octave: int
    octaves: int
    iteration: int
    iterations: int
    tile: int
    tiles: int
    fraction: float  # of the whole work, 0 to 1
    seconds_left: float | None  # None until there is something to judge by


class Snapshot(Protocol):
    """The dream as far as it has come, composed only when called."""

    def __call__(self, size: Size | None = None) -> Bytes:
        """uint8 [H, W, 3] at (height, width), or at the photograph's size: sharp, with what has grown so far."""


Preview = Callable[[Progress, Snapshot], None]


class Interrupted(Cancelled):
    """Cancelled between two tiles; `picture` is the dream as far as it came, uint8 [H, W, 3]."""

    def __init__(self, picture: Bytes) -> None:
        super().__init__("the dream was cancelled")
        self.picture = picture


def dream(
    photo: Bytes | None,
    network: Network,
    recipe: Recipe,
    *,
    mask: Bytes | None = None,
    ages: Bytes | None = None,
    guide: Bytes | None = None,
    progress: Callable[[Progress], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
    preview: Preview | None = None,
) -> Bytes:
    """Dream on a photograph. The same arguments give the same bytes on the same CPU, with as many threads of the
    network: how a picture is cut into tiles depends on their number.

    photo      uint8 [H, W, 3] RGB; None with a recipe that starts from noise
    mask       uint8 [H, W] of any size: 255 where the dream may work, 0 where the photograph stays to the bit. With a
               recipe that has a front or a hold, and no ages: where new ink is
    ages       uint8 [H, W] of any size: how many dreams have seen the ink of each place (``growth.py``)
    guide      uint8 [h, w, 3] RGB, for a target that is guided by a picture; seen at GUIDE_SIDE pixels at most
    progress   called after each tile
    cancelled  asked between tiles; when it answers True, Interrupted (a Cancelled) is raised with the picture so far
    preview    called after each step with the progress and a Snapshot, valid during the call

    Returns uint8 [H, W, 3]. Raises ValueError where the pictures or the target do not fit the network.
    """
    start = photo if photo is not None else noise_start(recipe)
    if start.ndim != 3 or start.shape[2] != 3 or start.dtype != np.uint8:
        raise ValueError(f"photo: received {start.dtype} {start.shape}, expected uint8 [height, width, 3]")
    if mask is not None and (mask.ndim != 2 or mask.dtype != np.uint8):
        raise ValueError(f"mask: received {mask.dtype} {mask.shape}, expected uint8 [height, width]")
    if ages is not None and (ages.ndim != 2 or ages.dtype != np.uint8):
        raise ValueError(f"ages: received {ages.dtype} {ages.shape}, expected uint8 [height, width]")
    if ages is None and mask is not None and (recipe.front or recipe.hold):
        ages, mask = growth.of_mask(mask), None if recipe.front else mask
    return _Dream(start, network, recipe, mask, ages, guide, progress, cancelled, preview).run()


def noise_start(recipe: Recipe) -> Bytes:
    """What a recipe without a photograph starts from: uint8 [H, W, 3]. ValueError where it needs a photograph."""
    if recipe.noise is None:
        raise ValueError(
            "photo: received none, expected one, or a recipe with `noise` that says the size to start from"
        )
    width, height = recipe.noise
    return noise_picture(height, width, contrast=recipe.contrast, seed=recipe.seed)


class _Dream:
    """One run of `dream`, with what its parts share."""

    def __init__(
        self,
        photo: Bytes,
        network: Network,
        recipe: Recipe,
        mask: Bytes | None,
        ages: Bytes | None,
        guide: Bytes | None,
        progress: Callable[[Progress], None] | None,
        cancelled: Callable[[], bool] | None,
        preview: Preview | None,
    ) -> None:
        self.photo, self.network, self.recipe, self.mask = photo, network, recipe, mask
        self.report, self.preview = progress, preview
        self.random = np.random.default_rng(recipe.seed)
        self.size = (photo.shape[0], photo.shape[1])
        if ages is not None and recipe.front:
            came = growth.front(ages, recipe.front, recipe.growth)
            both = came if mask is None else np.minimum(shrink(came, mask.shape), mask)
            self.mask = mask = None if both.min() == 255 else both
        if recipe.soak:
            self.photo = soaked(photo, recipe.soak, None if mask is None else shrink(mask, self.size))
        self.inked = inked(photo) if recipe.hue else None
        self.held = growth.held(ages, recipe.hold, recipe.fade) if ages is not None and recipe.hold else None
        least = max(recipe.min_size, network.min_size)
        self.sizes = octave_sizes(*self.size, recipe.octaves, recipe.octave_scale, least, recipe.finest)
        self.steps = steps_of(len(self.sizes), recipe.iterations, recipe.taper)
        work = np.cumsum([0] + [h * w * steps for (h, w), steps in zip(self.sizes, self.steps, strict=True)])
        self.done_before = (work / max(work[-1], 1)).tolist()
        self.clock = _Clock()
        self.stride = max(network.layer(term.layer).stride for term in recipe.target.terms)
        self.phase = [0, 0]
        halo, border = _context(self.stride)
        huge = self.size[0] * self.size[1] >= HUGE_PIXELS
        self.options = GradientOptions(
            min(recipe.tile, HUGE_TILE) if huge else recipe.tile,
            halo,
            border if recipe.roll else 0,  # unmoved edges stay edges: without their units they would never be dreamed
            recipe.smooth_pool,
            None if guide is None else _guide(guide),
            self._tile_done,
            cancelled,
        )
        self.octave = self.iteration = 0

    def run(self) -> Bytes:
        difference: Floats | None = None  # between dream and photograph, at the octave before
        for octave, size in enumerate(self.sizes):
            self.octave = octave
            base = shrink(self.photo, size)
            picture = np.zeros((3, *size), dtype=np.float32)
            if difference is not None:
                add_enlarged(difference, picture)
                difference = None
            add_photo(base, picture)
            try:
                self._ascend(picture, base)
            except Cancelled:
                raise Interrupted(self._compose(picture, base, self.size)) from None
            self._hold_hue(picture, base)
            if octave == len(self.sizes) - 1:
                return self._compose(picture, base, self.size, last=True)
            add_photo(base, picture, -1.0)
            difference = picture
        raise AssertionError("there is always an octave")

    def _hold_hue(self, picture: Floats, base: Bytes) -> None:
        """Give its hues back to what is drawn, in place."""
        if self.inked is not None:
            add_photo(base, picture, -1.0)
            hold_hue(picture, _resized(self.inked, base), self.recipe.hue)
            add_photo(base, picture)

    def _ascend(self, picture: Floats, base: Bytes) -> None:
        """All steps of one octave, in place."""
        size = base.shape[0], base.shape[1]
        mask = None if self.mask is None else shrink(self.mask, size)
        if self.octave == 0 and (self.recipe.wash or self.recipe.soak):
            small = _within(base, CLOUDED)
            ground = np.zeros((3, *small.shape[:2]), np.float32)
            if self.recipe.soak:
                ground += halo(small, self.recipe.soak)
            if self.recipe.wash:
                ground += clouds(small, self.recipe.wash, self.random)
            if self.held is not None:
                ground *= 1 - _resized(self.held, small)
            if mask is not None:
                ground *= bands.share(shrink(mask, small.shape[:2]))
            add_enlarged(ground, picture)
        held = None if self.held is None else _resized(self.held, base)
        kind = DeviceAscent if stays(self.network, self.recipe, size) else HostAscent
        ascent: Ascent = kind(self.network, self.recipe, picture, base, mask, held)
        try:
            for iteration in range(self.steps[self.octave]):
                self.iteration = iteration
                self._step(ascent, base.shape[0], base.shape[1])
                if self.preview is not None:
                    self.preview(
                        self._progress(1, 1),
                        lambda size=None: self._compose(ascent.fetch(), base, size or self.size),
                    )
        finally:
            ascent.fetch()

    def _step(self, ascent: Ascent, height: int, width: int) -> None:
        """One step at the picture, seen shifted, turned and scaled at random."""
        recipe = self.recipe
        down, right = self._shift()
        degrees, scale = self.random.uniform(-1, 1, 2) * (recipe.rotate, recipe.rescale) + (0, 1)
        ascent.step(
            _moved(recipe.target, down / height, right / width),
            (down, right),
            (degrees, scale),
            lambda: FLOOR * self._usual_force(),
            self.options,
        )

    def _shift(self) -> tuple[int, int]:
        """How far the picture is shifted before a step, down and right: at random, but of four steps one after
        the other each sees it at another half of the layer's stride.

        What a layer sees repeats with its stride, and so does a step's grid. Four at these places cancel it; of shifts
        that are all random it takes dozens, and an octave has eight steps at most.
        """
        most, stride = self.recipe.roll, self.stride
        shift = [int(n) for n in self.random.integers(0, most + 1, 2)]
        if most < 2 * stride:
            return shift[0], shift[1]
        if self.iteration % 4 == 0:
            self.phase = [n % stride for n in shift]
        half = PHASES[self.iteration % 4]
        for axis in (0, 1):
            phase = (self.phase[axis] + half[axis] * stride // 2) % stride
            shift[axis] += phase - shift[axis] % stride
            if shift[axis] > most:
                shift[axis] -= stride
        return shift[0], shift[1]

    def _usual_force(self) -> float:
        """Mean |gradient| of this target on coloured noise: what FLOOR is a share of. Remembered with the network."""
        known = _usual_forces.setdefault(self.network, {})
        guide = None if self.options.guide is None else sha256(self.options.guide.tobytes()).digest()
        key = (self.recipe.target, self.recipe.smooth_pool, guide)
        if key not in known:
            side = max(224, self.network.min_size)
            noise = noise_picture(side, side, contrast=50.0, seed=0).transpose(2, 0, 1).astype(np.float32)
            options = GradientOptions(smooth_pool=self.options.smooth_pool, guide=self.options.guide)
            gradient, _ = self.network.gradient(noise, self.recipe.target, options)
            known[key] = bands.mean_abs(gradient)
        return known[key]

    def _compose(self, picture: Floats, base: Bytes, size: Size, *, last: bool = False) -> Bytes:
        """What an octave's picture makes of the photograph at `size`: uint8 [H, W, 3]. The last one to be composed is
        used up, since it may be large."""
        own = picture.shape[1], picture.shape[2]
        if size < own:
            whole = self._compose(picture, base, own)  # a channel at a time: Pillow has a copy of what it shrinks
            return np.stack([shrink(channel, size) for channel in whole.transpose(2, 0, 1)], axis=2)
        photo = shrink(self.photo, size)
        # At the same size no arithmetic comes between: what has not moved is the photograph's very bytes.
        same = size == own
        difference = picture if same or last else picture.copy()
        if not same:
            add_photo(base, difference, -1.0)
            soften(difference)
        out, part = np.empty_like(photo), enlarged(difference, size)
        mask = None if self.mask is None else shrink(self.mask, size)

        def fill(rows: slice) -> None:
            band = part(rows)
            if not same:
                if mask is not None:
                    # Enlarged, it reaches beyond the mask. Cut off there it would leave a jagged edge where dream after
                    # dream ends at the same place.
                    band *= np.minimum(bands.share(mask[rows]) / RIM, 1)
                band += photo[rows].transpose(2, 0, 1)
            np.clip(np.rint(band, out=band), 0, 255, out=band)
            out[rows] = band.transpose(1, 2, 0)  # to whole numbers by the assignment

        bands.each(fill, bands.bands(size[0], size[1] * 12))
        if self.recipe.keep_colours:
            keep_colours(out, photo)
        if mask is not None:
            untouched = mask == 0
            out[untouched] = photo[untouched]
        return out

    def _tile_done(self, tile: int, tiles: int) -> None:
        if self.report is not None:
            self.report(self._progress(tile, tiles))

    def _progress(self, tile: int, tiles: int) -> Progress:
        steps, first, last = self.steps[self.octave], self.done_before[self.octave], self.done_before[self.octave + 1]
        fraction = first + (last - first) * (self.iteration + tile / tiles) / steps
        return Progress(
            self.octave + 1,
            len(self.sizes),
            self.iteration + 1,
            steps,
            tile,
            tiles,
            fraction,
            self.clock.left(fraction),
        )


def _context(stride: int) -> tuple[int, int]:
    """(halo, border) in pixels for a layer of this stride; see `Network.gradient`.

    Two units next to a window's edge are left out, one where a unit is as wide as 32 pixels; the halo reaches a unit
    further, so that the core has its neighbours. Without this a white canvas grows a grid along the tiles' edges.
    """
    border = max(stride, min(2 * stride, 32))
    return border + max(stride, 16), border


_usual_forces: WeakKeyDictionary[Network, dict[object, float]] = WeakKeyDictionary()


class _Clock:
    """Seconds left, judged by the pace since the first report; the time before it opened the network's session."""

    def __init__(self) -> None:
        self.start: tuple[float, float] | None = None

    def left(self, fraction: float) -> float | None:
        now = time.monotonic()
        if self.start is None:
            self.start = (now, fraction)
        then, before = self.start
        return (now - then) / (fraction - before) * (1 - fraction) if fraction > before else None


def _guide(picture: Bytes) -> Floats:
    """A guide as the network takes it: float32 [3, h, w]."""
    height, width = picture.shape[:2]
    scale = min(1.0, GUIDE_SIDE / max(height, width))
    small = shrink(picture, (max(1, round(height * scale)), max(1, round(width * scale))))
    return np.ascontiguousarray(small.transpose(2, 0, 1), dtype=np.float32)


def _within(picture: Bytes, pixels: int) -> Bytes:
    """A picture, shrunk where it has more pixels."""
    height, width = picture.shape[:2]
    scale = min(1.0, (pixels / (height * width)) ** 0.5)
    return shrink(picture, (max(1, round(height * scale)), max(1, round(width * scale))))


def _resized(shares: Floats, base: Bytes) -> Floats:
    """Shares [h, w], 0 to 1, at the size of a picture."""
    out = np.zeros((1, *base.shape[:2]), np.float32)
    add_enlarged(shares[None], out)
    return np.asarray(np.clip(out[0], 0, 1), np.float32)


def _moved(target: Target, down: float, right: float) -> Target:
    """The target with its positions moved along with the picture, by shares of its size, around the edge."""
    if all(term.position is None for term in target.terms):
        return target
    return Target(
        tuple(
            term
            if term.position is None
            else replace(term, position=((term.position[0] + right) % 1, (term.position[1] + down) % 1))
            for term in target.terms
        )
    )
