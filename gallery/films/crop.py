"""Which part of the canvas a film shows, and how large. Plain Python."""

from __future__ import annotations

from dataclasses import dataclass

from dreamsite.core.rect import Rect

# Width and height of clips, px: what every service that people post to takes, in a file that each of them takes.
CLIPS = {"square": (720, 720), "upright": (720, 1280)}
AROUND = 64  # px of the canvas around one's strokes
LEAST = 384  # px that a film of one's strokes shows at least: what they lie in
SMALLEST = 64  # px of a side that a place must have
LARGE = 1080  # px of the longer side of a film that somebody makes for themselves
ENLARGED = 720  # px that its longer side has at least


@dataclass(frozen=True)
class View:
    """What a film shows of the canvas, None for all of it, and how large its pictures are, px."""

    area: Rect | None
    canvas: Rect
    width: int
    height: int

    @property
    def size(self) -> tuple[int, int]:
        return self.width, self.height


def around(box: Rect, canvas: Rect) -> Rect:
    """The part of the canvas in which strokes with this box are seen with what they lie in."""
    width = max(box.width + 2 * AROUND, LEAST, (box.height + 2 * AROUND) // 2)
    height = max(box.height + 2 * AROUND, LEAST, (box.width + 2 * AROUND) // 2)
    return _placed(width, height, _middle(box), canvas)


def shaped(area: Rect, ratio: float, focus: tuple[float, float] | None, canvas: Rect) -> Rect:
    """A part of the canvas of this ratio of width to height: all of `area` and what is around it, where the canvas has
    room for that, else as much of it as there is, around `focus`."""
    width, height = max(area.width, area.height * ratio), max(area.height, area.width / ratio)
    if width > canvas.width or height > canvas.height:
        shrink = min(canvas.width / width, canvas.height / height)
        width, height = width * shrink, height * shrink
    return _placed(max(1, round(width)), max(1, round(height)), focus or _middle(area), canvas)


def own_size(area: Rect) -> tuple[int, int]:
    """Width and height of a film of this part, px: both even, small places enlarged."""
    longer = max(area.width, area.height)
    scale = min(LARGE, max(ENLARGED, longer)) / longer
    return max(16, round(area.width * scale) // 2 * 2), max(16, round(area.height * scale) // 2 * 2)


def _middle(rect: Rect) -> tuple[float, float]:
    return (rect.left + rect.right) / 2, (rect.top + rect.bottom) / 2


def _placed(width: int, height: int, middle: tuple[float, float], canvas: Rect) -> Rect:
    """A rectangle of this size, the canvas' at most, around a point as far as the canvas reaches."""
    width, height = min(width, canvas.width), min(height, canvas.height)
    left = min(max(round(middle[0] - width / 2), canvas.left), canvas.right - width)
    top = min(max(round(middle[1] - height / 2), canvas.top), canvas.bottom - height)
    return Rect.sized(left, top, width, height)
