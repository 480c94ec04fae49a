"""Who inked what lately: a coarse grid over the canvas, so that painting over other people's fresh ink can cost more.

A cell belongs to whoever inked it first, as long as they keep it fresh. So covering a drawing never makes it one's own,
and retouching one's own drawing costs nothing extra. Times are milliseconds since 1970.
"""

from __future__ import annotations

from canvas import limits, wire
from canvas.brush import Point

SIZE = 8 * limits.OWNERSHIP_CELL  # in the points' eighths of a pixel
FRESH = 1000 * limits.OWNERSHIP_SECONDS


def cells(points: tuple[Point, ...]) -> set[int]:
    """The cells a piece touches, as numbers. Between two points it looks once in each cell's length."""
    found: set[int] = set()
    x0, y0, w0 = points[0]
    for x1, y1, w1 in points:  # the first as a line of no length
        dx, dy, reach = x1 - x0, y1 - y0, max(w0, w1) // 2
        steps = max(abs(dx), abs(dy)) // SIZE + 1
        for step in range(1, steps + 1):
            x, y = x0 + dx * step // steps, y0 + dy * step // steps
            left, right = (x - reach) // SIZE, (x + reach) // SIZE
            for row in range((y - reach) // SIZE, (y + reach) // SIZE + 1):
                at = row << 16
                found.add(at + left)
                for column in range(left + 1, right + 1):
                    found.add(at + column)
        x0, y0, w0 = x1, y1, w1
    return found


class InkOwnership:
    def __init__(self) -> None:
        self._owners: dict[int, tuple[int, int]] = {}  # cell -> who, and when they last inked it

    def learn(self, batch: wire.Batch) -> None:
        """Takes in a batch of the journal. A moderator's operation ends all ownership: the picture is another."""
        owners, at = self._owners, batch.at
        for _, op in batch.operations():
            if isinstance(op, wire.Stroke):
                for cell in cells(op.points):
                    owner = owners.get(cell)
                    if owner is None or owner[0] == op.author or abs(at - owner[1]) > FRESH:
                        owners[cell] = (op.author, at)
            elif not isinstance(op, wire.Undo):
                owners.clear()

    def shares(self, op: wire.Stroke, now: int) -> tuple[float, float]:
        """How much of what the piece touches is somebody else's fresh ink, and how much one's own, 0..1 each."""
        owners = self._owners
        if not owners:
            return 0.0, 0.0
        touched = cells(op.points)
        foreign = own = 0
        for cell in touched:
            owner = owners.get(cell)
            if owner is not None and abs(now - owner[1]) <= FRESH:
                if owner[0] == op.author:
                    own += 1
                else:
                    foreign += 1
        return foreign / len(touched), own / len(touched)
