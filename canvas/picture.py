"""The canvas at N: a base picture and the operations after it, in order (docs/protocol.md, *The canvas at N*)."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from canvas import brush, wire
from canvas.brush import Pixels

Numbered = tuple[int, wire.Operation]
NumberedStroke = tuple[int, wire.Stroke]  # a stroke's piece
Earlier = Callable[[int], Pixels | None]  # the picture of a frame that an UNDREAM names; None: not to be seen here


def nothing_earlier(frame: int) -> Pixels | None:
    """Where no earlier picture comes back: an UNDREAM paints nothing."""
    return None


def blank(width: int, height: int, colour: tuple[int, int, int]) -> Pixels:
    pixels = np.empty((height, width, 3), np.uint8)
    pixels[:] = colour
    return pixels


def visible(operations: Iterable[Numbered]) -> list[NumberedStroke]:
    """What is drawn: the strokes' pieces less what was undone or hidden among the operations."""
    listed = list(operations)
    undone = {(op.author, op.stroke_id) for _, op in listed if isinstance(op, wire.Undo)}
    hidden: dict[int, bool] = {}
    for _, op in listed:
        if isinstance(op, wire.Hide):
            hidden.update((number, not op.show) for number in op.numbers)
    return [
        (number, op)
        for number, op in listed
        if isinstance(op, wire.Stroke) and not hidden.get(number, False) and (op.author, op.stroke_id) not in undone
    ]


class Cancelled(Exception):
    """The caller asked to stop; nothing is returned."""


def compose(
    base: Pixels,
    operations: Iterable[Numbered],
    cancelled: Callable[[], bool] | None = None,
    earlier: Earlier = nothing_earlier,
) -> Pixels:
    """A new picture [h, w, 3]: `base` (left as it is) with the operations after it.

    `earlier` is asked for what an UNDREAM brings back.

    `cancelled` is called before each operation: hours of strokes take seconds. Raises Cancelled when it returns True.
    """
    pixels = base.copy()
    for number, op in visible(operations):
        if cancelled is not None and cancelled():
            raise Cancelled(f"stopped painting before operation {number}")
        ink = op.colour if op.frame is None else earlier(op.frame)
        if ink is not None and (isinstance(ink, tuple) or ink.shape == pixels.shape):
            brush.draw(pixels, op.points, op.carry, ink, op.opacity)
    return pixels


def authors(operations: Iterable[Numbered]) -> set[int]:
    """Whose strokes can be seen among these operations."""
    return {op.author for _, op in visible(operations) if op.author}
