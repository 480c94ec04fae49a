"""The recipe of a dream: all that decides, besides the pictures put in, every byte of the picture that comes out.

A recipe is stored with each frame and inside each picture file, and `manage.py dream --recipe` dreams by it again.
Each field says its own meaning, default and limits once, here: the checks and the command's options are made of that.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields
from typing import Any

from .colour import MODES
from .target import Target


def _field(default: Any, meaning: str, *, low: float | None = None, high: float | None = None, **more: Any) -> Any:
    return field(default=default, metadata={"help": meaning, "low": low, "high": high, **more})


@dataclass(frozen=True)
class Recipe:
    """The defaults are DreamCanvas'; PRESETS holds what suits the live canvas, a photograph or a start from noise.

    Raises ValueError or TypeError naming the field, what was received and what is expected.
    """

    target: Target
    model: str = _field("googlenet", "name of the network, as `manage.py model list` shows it")
    octaves: int = _field(6, "sizes the picture is dreamed at; more give larger forms", low=1, high=32)
    octave_scale: float = _field(1.31415, "how many times larger each octave is than the one before", low=1.01, high=8)
    min_size: int = _field(64, "no octave's shorter side is smaller than this, in pixels", low=1, high=8192)
    finest: float = _field(
        1.0,
        "the largest octave's size as a share of the picture's; less leaves out the finest grain and its time",
        low=0.001,
        high=1,
    )
    iterations: int = _field(1, "steps in each octave; more give a stronger dream", low=0, high=10_000)
    taper: float = _field(
        1.0,
        "how many times as many steps each octave takes as the next larger one, up to eight times `iterations`: "
        "large forms for little time",
        low=1,
        high=8,
    )
    step: float = _field(1.5, "how far a step moves the average pixel, in grey levels of 255", low=0, high=255)
    tile: int = _field(
        512,
        "the network sees tiles of this many pixels by this many, or longer ones of the same area: bounds its memory",
        low=64,
        high=8192,
    )
    roll: int = _field(
        512,
        "the picture is shifted by up to this many pixels at random before each step and back "
        "after it, which hides the tiles' edges; 0 shifts nothing",
        low=0,
        high=65_535,
    )
    seed: int = _field(
        0,
        "the random numbers' seed: the same seed gives the same picture, on the same processor with as many threads",
        low=0,
        high=2**63 - 1,
    )
    smooth: int = _field(
        0,
        "levels of the pyramid that gives coarse forms as much force as fine grain; 0 is off, "
        "4 makes large calm shapes",
        low=0,
        high=12,
    )
    smooth_pool: bool = _field(
        False,
        "pass gradients through the network's pools as if they averaged: "
        "less checkerboard, a slightly different look, and faster",
    )
    colour: str = _field(
        "rgb",
        "what a step may do to colours: as the gradient says, decorrelated (calmer, more natural), vivid (between the "
        "two), or luminance alone",
        choices=tuple(MODES),
    )
    chroma: float = _field(
        0.0,
        "how colourful a dream may make a pixel: its distance from grey, in grey levels (pure red: 208), so that dream "
        "upon dream does not end in neon; 0 sets no end",
        low=0,
        high=255,
    )
    mean_free: bool = _field(False, "take the mean out of each step, so that long loops do not drift in colour")
    near: float = _field(
        0.0, "pull towards the photograph at each step, as a share of the distance to it", low=0, high=1
    )
    keep_colours: bool = _field(False, "give the dream the photograph's colours in the end")
    rotate: float = _field(
        0.0,
        "before each step turn the picture by up to this many degrees at random, and back after "
        "it; for dreams from noise",
        low=0,
        high=45,
    )
    rescale: float = _field(
        0.0, "likewise scale it by up to this factor more or less; 0.1 is 0.9 to 1.1", low=0, high=0.5
    )
    noise: tuple[int, int] | None = _field(
        None, "start from noise of this size, WIDTHxHEIGHT in pixels, instead of from a photograph"
    )
    wash: float = _field(
        0.0,
        "grey levels of coloured clouds that flat places get first: where a picture is the same everywhere "
        "the network has nothing to tell one place from another by, and dreams of grids",
        low=0,
        high=64,
    )
    soak: float = _field(
        0.0,
        "share of its contrast that what is drawn loses to its surroundings first, as wet ink does on paper; flat "
        "places around it take its colour, and forms grow along it",
        low=0,
        high=1,
    )
    hue: float = _field(
        0.0,
        "share of their coarse colour that drawn places keep: detail is dreamed in the ink's own hue; "
        "flat places are free",
        low=0,
        high=1,
    )
    front: float = _field(
        0.0,
        "how far from new ink the dream works, as a share of the shorter side: elsewhere the picture stays to the bit; "
        "0 is everywhere. On a photograph a drawn mask plays the ink",
        low=0,
        high=2,
    )
    growth: float = _field(0.08, "how much further the front comes with each dream", low=0, high=2)
    hold: float = _field(
        0.0,
        "how much less each step changes, on new ink, of all that is coarser than a stroke, as a share: lines stay "
        "where they are, and are elaborated",
        low=0,
        high=1,
    )
    fade: float = _field(0.75, "share of the hold that is left after each dream", low=0, high=1)
    samples: int = _field(
        1,
        "gradients averaged in each step of the coarse octaves: the picture's own, and others of it with noise on it, "
        "since most of a single one is chance",
        low=1,
        high=32,
    )
    sigma: float = _field(15.0, "standard deviation of that noise, in grey levels of 255", low=0, high=128)
    contrast: float = _field(12.0, "standard deviation of a start's noise, in grey levels of 255", low=0, high=128)

    def __post_init__(self) -> None:
        if not isinstance(self.target, Target):
            raise TypeError(f"target: received {self.target!r}, expected a Target")
        for f in fields(self):
            if f.name == "noise":
                object.__setattr__(self, "noise", _size(self.noise))
            elif f.metadata:
                object.__setattr__(self, f.name, _checked(f.name, getattr(self, f.name), f.default, f.metadata))

    def to_json(self) -> dict[str, Any]:
        """Plain data for json.dumps, every field with its value; from_json gives an equal recipe."""
        plain = {f.name: getattr(self, f.name) for f in fields(self)}
        return {**plain, "target": self.target.to_json(), "noise": list(self.noise) if self.noise else None}

    @classmethod
    def from_json(cls, data: object) -> Recipe:
        """The recipe of to_json; fields left out take their defaults. ValueError on a field that does not exist."""
        if not isinstance(data, dict):
            raise ValueError(f"recipe: received {_short(data)}, expected an object with a recipe's fields")
        unknown = sorted(set(data) - {f.name for f in fields(cls)})
        if unknown:
            known = ", ".join(f.name for f in fields(cls))
            raise ValueError(f"recipe: received unknown fields {', '.join(map(repr, unknown))}, expected only {known}")
        if "target" not in data:
            raise ValueError("recipe: received no target, expected what to dream of under 'target'")
        return cls(**{**data, "target": Target.from_json(data["target"])})


# What suits each start; the fields not named keep their defaults.
PRESETS: dict[str, dict[str, Any]] = {
    # What suits the networks of 2014, found by looking at dreams upon dreams at 1536 px (docs/dreams). Forms begin in
    # the small octaves, where steps cost little; the finest octave costs more than it adds. Mean-free, even colours, an
    # end to chroma: without them hours of dreams drift to one colour, or to neon. White paper needs clouds to see
    # something in, ink that soaks in gives what grows beside it its colour, and a drawing lives on in its own hues.
    # Forms grow out of ink, dream by dream, until some ten have filled the canvas.
    "live": {
        "octaves": 8,
        "finest": 0.6,
        "taper": 1.4,
        "step": 3.5,
        "smooth": 4,
        "colour": "vivid",
        "chroma": 80.0,
        "mean_free": True,
        "wash": 40.0,
        "soak": 0.12,
        "hue": 0.5,
        "front": 0.125,
        "growth": 0.08,
        "hold": 0.9,
        "samples": 3,
    },
    "photo": {"octaves": 4, "octave_scale": 1.4, "iterations": 10},
    # Towards a class or a channel from nothing: forms must hold at any angle, size and place, and be coarse before
    # they are fine. As many octaves as fit between min_size and the picture.
    "noise": {
        "octaves": 12,
        "octave_scale": 1.3,
        "min_size": 96,
        "iterations": 32,
        "roll": 32,
        "rotate": 8.0,
        "rescale": 0.1,
        "smooth": 5,
        "smooth_pool": True,
    },
}


def _checked(name: str, value: Any, default: Any, limits: Any) -> Any:
    kind = type(default)
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if type(value) is not kind:
        raise TypeError(f"{name}: received {_short(value)}, expected {_KINDS[kind]}")
    choices = limits.get("choices")
    if choices and value not in choices:
        raise ValueError(f"{name}: received {value!r}, expected one of {', '.join(choices)}")
    if kind is str and not value:
        raise ValueError(f"{name}: received an empty text, expected {limits['help']}")
    low, high = limits["low"], limits["high"]
    if low is not None and not (low <= value <= high and math.isfinite(value)):
        raise ValueError(f"{name}: received {value}, expected {low} to {high}")
    return value


def _size(value: Any) -> tuple[int, int] | None:
    if value is None:
        return None
    sizes = tuple(value) if isinstance(value, list | tuple) else ()
    if len(sizes) != 2 or any(type(n) is not int or not 1 <= n <= 65_535 for n in sizes):
        raise ValueError(f"noise: received {_short(value)}, expected width and height in pixels, 1 to 65535 each")
    return sizes


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


_KINDS: dict[type, str] = {int: "a whole number", float: "a number", str: "a text", bool: "true or false"}
