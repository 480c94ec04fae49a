"""What is dreamed at each key frame of a journey: one target all along, or several one after another."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from dreamer.engine import Network, Recipe, Target, dream
from dreamer.engine.atlas import chief_layers
from dreamer.engine.film import fit
from dreamer.journey.path import MOST_KEY_FRAMES, Waypoint

Pixels = NDArray[np.uint8]

KINDS = ("zoom", "layers", "classes")
ZOOMS = {"zoom": 2.0, "layers": 1.25, "classes": 1.25}  # from one key frame to the next, where nobody says
KEY_FRAMES = {"zoom": 8, "layers": 4, "classes": 6}  # of all, or of each layer or class
# Beside a photograph's recipe: dream upon dream would drift to one colour, or to neon.
CALM = {"mean_free": True, "chroma": 90.0}
LARGEST = 3840  # px, the longer side of a film: 4K


@dataclass(frozen=True)
class Plan:
    """The targets of a journey, each for `each` key frames; the recipe says how they are dreamed."""

    recipe: Recipe
    stages: tuple[Target, ...]
    each: int

    def __post_init__(self) -> None:
        if not self.stages:
            raise ValueError("received a journey without a target, expected at least one")
        if not 1 <= self.each * len(self.stages) <= MOST_KEY_FRAMES:
            raise ValueError(f"received {self.each * len(self.stages)} key frames, expected 1 to {MOST_KEY_FRAMES}")

    @property
    def key_frames(self) -> int:
        """How many are dreamed, beside the picture that it begins with."""
        return self.each * len(self.stages)

    def recipe_at(self, number: int, zoom: float) -> Recipe:
        """The recipe of key frame `number`, from 1. A small step takes few iterations: the next ones add to it."""
        steps = max(1, round(self.recipe.iterations * min(1.0, math.log2(zoom)))) if self.recipe.iterations else 0
        seed = (self.recipe.seed + number) % 2**63
        return replace(self.recipe, target=self.target_at(number), iterations=steps, seed=seed)

    def target_at(self, number: int) -> Target:
        """What key frame `number`, from 1, dreams of. In the first quarter of a stage the one before fades out."""
        stage, at = divmod(min(number, self.key_frames) - 1, self.each)
        now, mixed = self.stages[stage], self.each // 4
        if stage == 0 or at >= mixed:
            return now
        share = (at + 1) / (mixed + 1)
        old, new = (
            tuple(replace(term, weight=term.weight * part) for term in target.terms)
            for target, part in ((self.stages[stage - 1], 1 - share), (now, share))
        )
        return Target((*old, *new))


def layers_of(network: Network) -> list[str]:
    """The layers of a journey through them, from the first to the last that has places."""
    return [name for name in chief_layers(network) if network.layers[name].spatial]


def size_of(height: int, width: int, longest: int) -> tuple[int, int]:
    """(height, width) of a film whose longer side is `longest`, whatever the picture's: both even."""
    scale = longest / max(height, width)
    return fit(max(2, round(height * scale)), max(2, round(width * scale)), longest)


def scaled(picture: Pixels, height: int, width: int) -> Pixels:
    """A picture at another size, uint8 [height, width, 3]."""
    if picture.shape[:2] == (height, width):
        return picture
    return np.asarray(Image.fromarray(picture).resize((width, height), Image.Resampling.LANCZOS))


def ground(picture: Pixels, waypoint: Waypoint) -> Pixels:
    """The part of a key frame that the next one is dreamed on, enlarged to its size: uint8 [h, w, 3]."""
    height, width = picture.shape[:2]
    left, top, right, bottom = waypoint.box
    box = (
        max(0.0, left * width),
        max(0.0, top * height),
        min(float(width), right * width),
        min(float(height), bottom * height),
    )
    image = Image.fromarray(picture).resize((width, height), Image.Resampling.BICUBIC, box=box)
    return np.asarray(image)


def next_key_frame(
    picture: Pixels, waypoint: Waypoint, number: int, plan: Plan, network: Network, **options: Any
) -> Pixels:
    """Key frame `number`, from the one before it: uint8 [h, w, 3]. `options` are those of `dream`."""
    return dream(ground(picture, waypoint), network, plan.recipe_at(number, waypoint.zoom), **options)
