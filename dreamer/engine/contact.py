"""One picture dreamed in several ways, side by side on a sheet: styles of a network, or networks."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from .atlas import BRIGHT, DARK, GAP, MARGIN, PALE
from .bands import Bytes
from .dream import dream
from .film import fit
from .network import Network
from .octaves import shrink
from .recipe import Recipe

CAPTION = 40  # px below each picture


@dataclass(frozen=True)
class Way:
    """One way to dream, and what is written below it."""

    network: Network
    recipe: Recipe
    title: str
    words: str = ""


def side_by_side(
    photo: Bytes,
    ways: Sequence[Way],
    side: int,
    *,
    progress: Callable[[float, str], None] | None = None,
    **options: Any,
) -> Bytes:
    """The photograph, `side` px long, and a dream on it for each way, with captions.

    photo     uint8 [H, W, 3]
    progress  called with the share that is done and the title of what is being dreamed
    options   mask, guide and cancelled, as `dream` takes them; cancelled, it raises Cancelled

    Returns uint8 [h, w, 3]. Raises ValueError where a recipe does not fit its network.
    """
    height, width = fit(photo.shape[0], photo.shape[1], side)
    small = shrink(photo, (height, width))
    cells = [(small, "", "")]
    for number, way in enumerate(ways):

        def tell(now: Any, number: int = number, title: str = way.title) -> None:
            if progress is not None:
                progress((number + now.fraction) / len(ways), title)

        cells.append((dream(small, way.network, way.recipe, progress=tell, **options), way.title, way.words))
    return _laid_out(cells)


def _laid_out(cells: Sequence[tuple[Bytes, str, str]]) -> Bytes:
    """Pictures of one size in rows, as near to a square as they fill."""
    height, width = cells[0][0].shape[:2]
    columns = min(len(cells), max(1, round(math.sqrt(len(cells) * (height + CAPTION) / width))))
    rows = -(-len(cells) // columns)
    wide, high = width + GAP, height + CAPTION + GAP
    sheet = Image.new("RGB", (2 * MARGIN + columns * wide - GAP, 2 * MARGIN + rows * high - GAP), DARK)
    draw, large, small = ImageDraw.Draw(sheet), ImageFont.load_default(14), ImageFont.load_default(11)
    for number, (picture, title, words) in enumerate(cells):
        x, y = MARGIN + number % columns * wide, MARGIN + number // columns * high
        sheet.paste(Image.fromarray(picture), (x, y))
        draw.text((x, y + height + 3), _cut(draw, title, large, width), fill=BRIGHT, font=large)
        draw.text((x, y + height + 22), _cut(draw, words, small, width), fill=PALE, font=small)
    return np.asarray(sheet)


def _cut(draw: ImageDraw.ImageDraw, text: str, font: Any, width: int) -> str:
    """As much of a text as fits."""
    if draw.textlength(text, font=font) <= width:
        return text
    while text and draw.textlength(text + "…", font=font) > width:
        text = text[:-1]
    return text + "…"
