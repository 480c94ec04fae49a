"""Prints: a dream that somebody likes, once more on the largest version of its picture.

The dream itself is the same, of the same octaves: it is enlarged onto the picture, whose own detail stays sharp
(the recipe's `finest`). So it costs little more than the dream did, and looks as it did.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from dreamer.engine import Recipe
from gallery.studio import cost
from gallery.studio.models import Work

DPI = (150, 200, 300)
FINEST = Recipe.__dataclass_fields__["finest"].metadata["low"]  # of any recipe


def sizes(width: int, height: int) -> list[tuple[int, str]]:
    """(dots an inch, centimetres) at which so many pixels can be printed."""
    return [(dpi, f"{2.54 * width / dpi:.1f} × {2.54 * height / dpi:.1f} cm") for dpi in DPI]


class Size(NamedTuple):
    height: int
    width: int


def largest(dream: Work) -> Size | None:
    """The size of the largest version of its picture; None where that is no larger than the dream."""
    original = dream.original
    if dream.kind != Work.Kind.DREAM or not dream.picture or original is None:
        return None
    found = Size(original.height, original.width)
    if original.large:
        found = Size(original.large_height, original.large_width)
    return found if max(found) > max(dream.height, dream.width) else None


def new(dream: Work, *, as_png: bool = False) -> Work:
    """The print of a dream, not saved yet. Raises ValueError where its picture is not there in large."""
    size = largest(dream)
    if size is None:
        raise ValueError("received a dream of a picture that is not larger than it, expected a larger one")
    recipe, (height, width) = Recipe.from_json(dream.recipe), size
    # The octaves that the dream had, whose largest one may have been held up by `min_size` (dreamer.engine.octaves).
    least = min(recipe.min_size, dream.height, dream.width)
    finest = max(recipe.finest, least / min(dream.height, dream.width))
    finest = max(FINEST, finest * max(dream.height, dream.width) / max(size))
    recipe = replace(recipe, finest=finest, min_size=least)
    return Work(
        owner=dream.owner,
        kind=Work.Kind.PRINT,
        of=dream,
        original=dream.original,
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
