"""Title and credits: text on the dark ground of the site's pages, drawn with Pillow.

The letters are Aileron, which Pillow brings (CC0), so no font is ours to ship. Words it lacks letters for, as names in
other scripts, are drawn with the font that FILM_FONT names, or DejaVu where the machine has it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

NIGHT, TEXT, QUIET, FAINT, DAWN = "#0d0c11", "#ece8e1", "#b3adba", "#9790a0", "#f2bd8d"
DEJAVU = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"


@dataclass(frozen=True)
class Captions:
    """The text of the two cards. `people` in the order in which they appear."""

    site: str
    title: str
    subtitle: str
    address: str
    licence: str
    drawn_by: str = "Drawn by"
    people: tuple[str, ...] = ()
    and_more: str = ""  # "and 1,960 others", where not all fit: formatted with {count}
    nobody: str = "The network, dreaming on by itself"
    credits: tuple[str, ...] = field(default=())  # lines about network and music


def title(width: int, height: int, captions: Captions, font: str = "") -> Image.Image:
    """The card a film begins with, RGB."""
    card = _Card(width, height, font)
    card.rule(0.40)
    card.line(captions.site, 0.33, 0.032, DAWN)
    card.line(captions.title, 0.485, 0.068, TEXT)
    card.line(captions.subtitle, 0.565, 0.032, QUIET)
    card.line(captions.address, 0.93, 0.024, FAINT)
    return card.image


def credits(width: int, height: int, captions: Captions, font: str = "") -> Image.Image:
    """The card it ends with: who drew, what dreamed, whose music, under which terms."""
    card = _Card(width, height, font)
    heading, colour = (captions.drawn_by, DAWN) if captions.people else (captions.nobody, QUIET)
    card.line(heading, 0.14, 0.032, colour)
    bottom = card.names(captions.people, captions.and_more, 0.21, 0.62)
    card.rule(max(bottom + 0.05, 0.30))
    y = max(bottom + 0.11, 0.36)
    for text in captions.credits:
        card.line(text, y, 0.027, QUIET)
        y += 0.045
    card.line(captions.licence, 0.885, 0.027, TEXT)
    card.line(captions.address, 0.93, 0.024, FAINT)
    return card.image


class _Card:
    """Sizes are fractions of the shorter side, heights of the height; text is centred and shrinks to the width."""

    def __init__(self, width: int, height: int, font: str) -> None:
        self.image = Image.new("RGB", (width, height), NIGHT)
        self._draw = ImageDraw.Draw(self.image)
        self._width, self._height, self._side = width, height, min(width, height)
        self._other = font

    def line(self, text: str, y: float, size: float, colour: str) -> None:
        if not text:
            return
        room = self._width * 0.86
        pixels = max(8.0, size * self._side)
        font = _font(text, round(pixels), self._other)
        if (length := font.getlength(text)) > room:
            font = _font(text, max(6, int(pixels * room / length)), self._other)
        self._draw.text((self._width / 2, y * self._height), text, fill=colour, font=font, anchor="mm")

    def rule(self, y: float) -> None:
        half, y = self._side * 0.04, y * self._height
        thick = max(1, round(self._side / 700))
        self._draw.line([(self._width / 2 - half, y), (self._width / 2 + half, y)], fill=FAINT, width=thick)

    def names(self, people: tuple[str, ...], and_more: str, top: float, bottom: float) -> float:
        """As many names as fit between two heights, smaller if they are many; where the last line ended."""
        if not people:
            return top
        for size in (0.034, 0.028, 0.023):
            lines, left = self._filled(people, and_more, size, int((bottom - top) / (size * 1.6)))
            if not left:
                break
        for index, text in enumerate(lines):
            self.line(text, top + index * size * 1.6, size, TEXT)
        return top + (len(lines) - 1) * size * 1.6

    def _filled(self, people: tuple[str, ...], and_more: str, size: float, most: int) -> tuple[list[str], int]:
        """Names in lines of at most the card's width, and how many of them found no room."""
        lines: list[str] = [""]
        for done, name in enumerate(people):
            longer = f"{lines[-1]}  ·  {name}" if lines[-1] else name
            if _font(longer, round(size * self._side), self._other).getlength(longer) <= self._width * 0.8:
                lines[-1] = longer
            elif len(lines) < most:
                lines.append(name)
            else:
                lines[-1] = and_more.format(count=f"{len(people) - done + lines[-1].count('·') + 1:,}")
                return lines, len(people) - done
        return lines, 0


def _font(text: str, size: int, other: str) -> Font:
    if all(ord(letter) < 0x250 or letter in "–—…·“”‘’„•" for letter in text):
        return _aileron(size)
    for path in (other, DEJAVU):
        if path and Path(path).is_file():
            return _named(path, size)
    return _aileron(size)


@lru_cache(maxsize=64)
def _aileron(size: int) -> Font:
    return ImageFont.load_default(size)


@lru_cache(maxsize=64)
def _named(path: str, size: int) -> Font:
    return ImageFont.truetype(path, size)
