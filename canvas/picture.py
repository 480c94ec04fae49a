"""The canvas at N: a base picture and the operations after it, in order (docs/protocol.md, *The canvas at N*)."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from canvas import brush, wire
from canvas.brush import Pixels

Numbered = tuple[int, wire.Operation]
FrameLoader = Callable[[int], Pixels]  # frame id -> its picture


def blank(width: int, height: int, colour: tuple[int, int, int]) -> Pixels:
    pixels = np.empty((height, width, 3), np.uint8)
    pixels[:] = colour
    return pixels


def visible(operations: Iterable[Numbered]) -> list[Numbered]:
    """What is drawn: the operations less what was undone or hidden among them."""
    listed = list(operations)
    undone = {(op.author, op.stroke) for _, op in listed if isinstance(op, wire.Undo)}
    hidden: dict[int, bool] = {}
    for _, op in listed:
        if isinstance(op, wire.Hide):
            hidden.update((number, not op.show) for number in op.numbers)
    return [
        (number, op)
        for number, op in listed
        if not isinstance(op, wire.Undo | wire.Hide)
        and not hidden.get(number, False)
        and not (isinstance(op, wire.Stroke) and (op.author, op.stroke) in undone)
    ]


class Cancelled(Exception):
    """The caller asked to stop; nothing is returned."""


def compose(
    base: Pixels,
    operations: Iterable[Numbered],
    load_frame: FrameLoader,
    cancelled: Callable[[], bool] | None = None,
) -> Pixels:
    """A new picture [h, w, 3]: `base` (left as it is) with the operations after it.

    `cancelled` is asked before each operation: hours of strokes take seconds. Raises Cancelled when it says so.
    """
    pixels = base.copy()
    for number, op in visible(operations):
        if cancelled is not None and cancelled():
            raise Cancelled(f"stopped painting before operation {number}")
        match op:
            case wire.Stroke():
                brush.draw(pixels, op.points, op.carry, op.colour, op.opacity)
            case wire.Patch():
                _patch(pixels, op, load_frame(op.frame))
            case wire.Clear():
                pixels[:] = op.colour
    return pixels


def _patch(pixels: Pixels, op: wire.Patch, source: Pixels) -> None:
    height, width = min(pixels.shape[0], source.shape[0]), min(pixels.shape[1], source.shape[1])
    x0, y0, x1, y1 = (
        min(op.x, width),
        min(op.y, height),
        min(op.x + op.width, width),
        min(op.y + op.height, height),
    )
    if x0 >= x1 or y0 >= y1:
        return
    ys, xs = np.mgrid[y0:y1, x0:x1]
    edge = np.minimum.reduce([xs - op.x, ys - op.y, op.x + op.width - 1 - xs, op.y + op.height - 1 - ys])
    a = (255 * np.minimum(op.feather + 1, edge + 1) // (op.feather + 1)).astype(np.uint32)[:, :, None]
    old, new = pixels[y0:y1, x0:x1], source[y0:y1, x0:x1]
    pixels[y0:y1, x0:x1] = (old * (255 - a) + new * a + 127) // 255


def authors(operations: Iterable[Numbered]) -> set[int]:
    """Whose strokes can be seen among these operations."""
    return {op.author for _, op in visible(operations) if isinstance(op, wire.Stroke) and op.author}
