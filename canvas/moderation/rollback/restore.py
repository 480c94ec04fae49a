"""Putting an earlier picture back into the canvas, softly, in one place or everywhere. Pixels only, no database.

What comes back is stored as a frame of its own and sent as a file, so nothing here has to be computed by browsers.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from canvas import brush, picture, wire
from canvas.brush import Pixels
from canvas.picture import Numbered
from dreamsite.core.rect import Rect

GROW = 16  # px around ink that go with it: dreams smear what they see
FEATHER = 24  # px over which the earlier picture fades into the present one

Alpha = NDArray[np.uint8]  # [height, width]: how much of the earlier picture, 0 to 255


@dataclass(frozen=True)
class Area:
    """Where an earlier picture comes back: "ink" around strokes, in a "rect", or "all"."""

    kind: str = "ink"
    rect: Rect | None = None  # left, top, right, bottom; px, the last two excluded
    feather: int = FEATHER
    grow: int = GROW

    def alpha(self, width: int, height: int, ink: Iterable[wire.Stroke] = ()) -> Alpha:
        """The area on a canvas of this size; `ink` is what "ink" lies around."""
        match self.kind:
            case "all":
                return np.full((height, width), 255, np.uint8)
            case "rect" if self.rect:
                return _rect(width, height, self.rect, self.feather)
            case "ink":
                return _around(width, height, ink, self.grow, self.feather)
        raise ValueError(f"area {self.kind!r} with rectangle {self.rect}, expected ink, rect with a rectangle, or all")

    def wider(self) -> Area:
        """An area that is full wherever this one has anything: to take back what was done in this one."""
        grown = self.rect
        if grown:
            grown = grown.grown(self.feather)
        return Area(self.kind, grown, self.feather, self.grow + 2 * self.feather)


def _rect(width: int, height: int, rect: Rect, feather: int) -> Alpha:
    """Fades inside the rectangle, from its edges, but not from the canvas' own."""
    left, top, right, bottom = rect
    far = width + height + feather
    xs, ys = np.arange(width), np.arange(height)
    across = np.minimum(xs - left if left > 0 else far, right - 1 - xs if right < width else far)
    down = np.minimum(ys - top if top > 0 else far, bottom - 1 - ys if bottom < height else far)
    edge = np.minimum(np.broadcast_to(across, (width,))[None, :], np.broadcast_to(down, (height,))[:, None])
    alpha: Alpha = (255 * np.clip(edge + 1, 0, feather + 1) // (feather + 1)).astype(np.uint8)
    return alpha


def _around(width: int, height: int, ink: Iterable[wire.Stroke], grow: int, feather: int) -> Alpha:
    """Full up to `grow` px from any ink, nothing from `grow + 2 * feather` px on."""
    image = Image.new("L", (width, height))
    pen = ImageDraw.Draw(image)
    for op in ink:
        for (x0, y0, w0), (x1, y1, w1) in zip(op.points, op.points[1:] or op.points, strict=False):
            reach = max(w0, w1) / 16 + grow + feather
            pen.line([(x0 / 8, y0 / 8), (x1 / 8, y1 / 8)], fill=255, width=round(2 * reach))
            for x, y in ((x0 / 8, y0 / 8), (x1 / 8, y1 / 8)):
                pen.ellipse([x - reach, y - reach, x + reach, y + reach], fill=255)
    return np.array(image.filter(ImageFilter.BoxBlur(feather)) if feather else image)


def box(alpha: Alpha) -> Rect | None:
    """The smallest rectangle that holds all of the area; None where it is empty."""
    rows, columns = np.flatnonzero(alpha.any(axis=1)), np.flatnonzero(alpha.any(axis=0))
    if not rows.size:
        return None
    return Rect(int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)


def blend(now: Pixels, earlier: Pixels, alpha: Alpha) -> Pixels:
    """`now` with `earlier` in the area, rounded as everything on the canvas is."""
    a = alpha.astype(np.uint32)[:, :, None]
    return ((now * (255 - a) + earlier * a + 127) // 255).astype(np.uint8)


def replayed(source: Pixels, operations: Iterable[Numbered], rect: Rect, earlier: picture.Earlier) -> Pixels:
    """`source` with the operations that touch the rectangle on top: right within it, whatever it is outside."""
    near = [(number, op) for number, op in operations if _touches(op, rect)]
    return picture.compose(source, near, earlier=earlier)


def _touches(op: wire.Operation, rect: Rect) -> bool:
    if not isinstance(op, wire.Stroke):
        return True
    return rect.overlaps(brush.bounds(op.points))
