"""Prints: a dream that somebody likes, once more on the picture as large as it came.

The dream itself is the same, of the same octaves: it is enlarged onto the picture, whose own detail stays sharp
(the recipe's `finest`). So it costs little more than the dream did, and looks as it did.
"""

from __future__ import annotations

from dataclasses import replace

from dreamer.engine import Recipe
from gallery.studio import cost
from gallery.studio.models import Work

DPI = (150, 200, 300)


def sizes(width: int, height: int) -> list[tuple[int, str]]:
    """(dots an inch, centimetres) at which so many pixels can be printed."""
    return [(dpi, f"{2.54 * width / dpi:.1f} × {2.54 * height / dpi:.1f} cm") for dpi in DPI]


def possible(dream: Work) -> bool:
    """Whether there is more of its picture than it shows."""
    original = dream.original
    return bool(dream.kind == Work.Kind.DREAM and dream.picture and original and original.large)


def new(dream: Work, *, as_png: bool = False) -> Work:
    """The print of a dream, not saved yet. Raises ValueError where its picture is not there in large."""
    original = dream.original
    if original is None or not original.large:
        raise ValueError("received a dream of a picture that is not larger than it, expected a larger one")
    recipe = Recipe.from_json(dream.recipe)
    recipe = replace(recipe, finest=recipe.finest * original.width / original.large_width)
    height, width = original.large_height, original.large_width
    return Work(
        owner=dream.owner,
        kind=Work.Kind.PRINT,
        of=dream,
        original=original,
        mask=dream.mask,
        guide=dream.guide,
        network=dream.network,
        title=dream.title,
        recipe=recipe.to_json(),
        units=cost.units(recipe, height, width) + cost.LARGE * height * width / 1e6,
        width=width,
        height=height,
        as_png=as_png,
    )
