"""Teaches the eye: drawings by the canvas' own brush of things as an emoji font has them, and as others drew them
(`sets.py`).

Nothing of what it is judged by (`judging.HELD_BACK`) is among them, in anybody's drawing.
`python -m dreamer.guesses --teach --drawings FOLDER ...` does it, on a processor of the same kind to the same file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFont

from dreamer.house.classes import OBJECTS
from dreamer.house.samples import scribble
from dreamer.house.sprites import FONT, FONT_SIZE, glyph

from .eye import NOTHING, Bytes, Floats, sheet
from .judging import PAPER, drawn
from .lesson_names import MORE_EMOJI
from .sets import DrawnSet

SCALE = 0.5  # of the sketches that are judged: drawn sooner, seen alike
SCRIBBLES = 500

LABELS = (*OBJECTS, NOTHING)


def drawn_lessons(
    sets: Sequence[DrawnSet], work: Path, say: Callable[[str], object], each: int = 2, seed: int = 1
) -> tuple[NDArray[np.int8], NDArray[np.int_]]:
    """Sheets int8 [n, 3, SHEET, SHEET] in 127ths, and the places of their words in LABELS. What was drawn lies in the
    folder `work`, a file for each set, and is not drawn again.

    The font's emoji are drawn `each` times by their outlines, others' drawings half as often, and once as they are.
    """
    work.mkdir(parents=True, exist_ok=True)
    of_font = DrawnSet("font", "OFL-1.1", True, ())
    parts = []
    for one in (of_font, *sets):
        path = work / f"{one.name}.npz"
        if not path.is_file():
            random = np.random.default_rng([seed, *one.name.encode()])
            made = list(_of_font(random, each) if one is of_font else _of_set(random, one, max(1, each // 2)))
            say(f"{one.name}: {len(made)} lessons, {one.licence}")
            whole = path.with_suffix(".part")
            with whole.open("wb") as file:
                sheets = np.stack([np.clip(np.rint(127 * shown), -127, 127).astype(np.int8) for _, shown in made])
                np.savez(file, sheets=sheets, labels=[LABELS.index(label) for label, _ in made])
            whole.rename(path)
        with np.load(path) as kept:
            parts.append((kept["sheets"], kept["labels"]))
    sheets, labels = (np.concatenate(several) for several in zip(*parts, strict=True))
    return sheets, labels


def _of_font(random: np.random.Generator, each: int) -> Iterator[tuple[str, Floats]]:
    """The font's emoji, and scribbles, which are NOTHING. Raises FileNotFoundError saying what to install."""
    if not FONT.is_file():
        raise FileNotFoundError(f"{FONT} is missing: install the package fonts-noto-color-emoji")
    font = ImageFont.truetype(str(FONT), FONT_SIZE)
    for table in (OBJECTS, MORE_EMOJI):
        for label, emoji in table.items():
            for character in emoji:
                shape = glyph(character, font)
                for _ in range(each):
                    yield label, _sketched(random, label, shape)
                yield label, _painted(random, shape, coloured=True)
    for _ in range(SCRIBBLES):
        page = Image.new("RGB", (160, 160), "white")
        scribble(random, page, int(random.integers(1, 7)))
        yield NOTHING, _seen(np.asarray(page))


def _of_set(random: np.random.Generator, one: DrawnSet, times: int) -> Iterator[tuple[str, Floats]]:
    for label, shape in one.drawings():
        for _ in range(times):
            yield label, _sketched(random, label, shape)
        yield label, _painted(random, shape, coloured=one.coloured)


def _sketched(random: np.random.Generator, label: str, shape: Bytes) -> Floats:
    made = drawn(random, label, shape, SCALE)
    return sheet(made.picture, made.box, PAPER)


def _painted(random: np.random.Generator, shape: Bytes, *, coloured: bool) -> Floats:
    """The whole picture on paper, as somebody with patience would paint it; of one colour in any ink."""
    page, size = Image.new("RGB", (160, 160), PAPER), round(random.uniform(70, 120))
    turned = Image.fromarray(shape).rotate(random.uniform(-15, 15), Image.Resampling.BILINEAR).resize((size, size))
    ink = Image.new("RGB", turned.size, tuple(int(c) for c in random.integers(0, 160, 3)))
    page.paste(turned if coloured else ink, (20, 20), turned)
    return _seen(np.asarray(page))


def _seen(page: Bytes) -> Floats:
    rows, columns = np.nonzero((page != PAPER).any(axis=2))
    box = int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1
    return sheet(page, box, PAPER)
