"""Hover previews: one sheet of small pictures, and the WebVTT that says which part of it belongs to which moment."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import asdict, dataclass
from math import ceil
from typing import Any

from PIL import Image

from gallery.films.chapters import Chapter
from gallery.films.plan import Plan, Still

WIDTH = 192
MOST = 100  # pictures on a sheet
COLUMNS = 10


@dataclass(frozen=True)
class Tiles:
    """A sheet's pictures: one each `every` seconds, in rows of `columns`."""

    every: float
    count: int
    columns: int
    width: int
    height: int

    def box(self, index: int) -> tuple[int, int]:
        return index % self.columns * self.width, index // self.columns * self.height

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def sheet(
    plan: Plan, width: int, height: int, thumbnail: Callable[[Still], Image.Image | None], pause: Callable[[], None]
) -> tuple[bytes, Tiles]:
    """A JPEG and what is on it: the thumbnails of the frames in the middle of each span of time."""
    count = min(MOST, max(1, ceil(plan.seconds)))
    tall = max(1, round(WIDTH * height / width))
    tiles = Tiles(round(plan.seconds / count, 4), count, min(COLUMNS, count), WIDTH, tall)
    image = Image.new("RGB", (tiles.columns * WIDTH, ceil(count / tiles.columns) * tall))
    for index in range(count):
        pause()
        small = thumbnail(plan.at((index + 0.5) * tiles.every))
        if small is not None:
            image.paste(small.convert("RGB").resize((WIDTH, tall), Image.Resampling.LANCZOS), tiles.box(index))
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=72, optimize=True, progressive=True)
    return buffer.getvalue(), tiles


def previews_vtt(address: str, tiles: Tiles, seconds: float) -> str:
    """WebVTT whose cues name parts of the sheet by media fragments (#xywh=)."""
    cues = []
    for index in range(tiles.count):
        x, y = tiles.box(index)
        start, end = index * tiles.every, min(seconds, (index + 1) * tiles.every)
        cues.append(f"{clock(start)} --> {clock(end)}\n{address}#xywh={x},{y},{tiles.width},{tiles.height}\n")
    return "WEBVTT\n\n" + "\n".join(cues)


def chapters_vtt(chapters: list[Chapter], seconds: float) -> str:
    ends = [*(chapter.at for chapter in chapters[1:]), seconds]
    cues = (
        f"{clock(chapter.at)} --> {clock(end)}\n{_escaped(chapter.title)}\n"
        for chapter, end in zip(chapters, ends, strict=True)
    )
    return "WEBVTT\n\n" + "\n".join(cues)


def clock(seconds: float) -> str:
    """As WebVTT writes times: hh:mm:ss.ttt."""
    thousandths = round(seconds * 1000)
    return (
        f"{thousandths // 3_600_000:02}:{thousandths // 60_000 % 60:02}:"
        f"{thousandths // 1000 % 60:02}.{thousandths % 1000:03}"
    )


def _escaped(text: str) -> str:
    """One line, with nothing in it that WebVTT would take for its own."""
    return " ".join(text.replace("&", "&amp;").replace("<", "&lt;").replace("-->", "→").split())
