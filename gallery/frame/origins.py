"""Whose strokes a form in a dream grew from: the ink that was nearest to the place when the frame was made."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import hypot

import numpy as np

from canvas import growth, strokes
from canvas.degrees import SHUT_OUT
from canvas.models import Frame, Growth, Sanction, Stroke
from dreamsite.core.models import User

MOST = 6  # strokes told of one place
SEARCH = 400  # boxes looked into at once, the newest
POINTS = 60  # of each stroke's line


@dataclass(frozen=True)
class Origin:
    """A stroke near a place: `name` is empty where nobody may be named, `line` x, y, x, y … in px."""

    name: str
    colour: str
    width: float
    line: list[float]


def at(frame: Frame, x: float, y: float) -> list[Origin]:
    """The strokes that lie nearest to a place of the frame, in px, the newest first; none where nobody drew before it.

    As many as overlap there, MOST at most. What was taken back or hidden since is left out, also where the dream still
    shows what grew from it.
    """
    strokes.index(frame.canvas)
    drawn = Stroke.objects.filter(canvas=frame.canvas, first_seq__lte=frame.seq).shown()
    radius, furthest = _reach(frame, x, y), hypot(frame.width, frame.height)
    while True:
        listed = list(drawn.at(frame.canvas, x, y, radius).newest()[:SEARCH])
        ink = {
            key: [(number, op) for number, op in pieces if number <= frame.seq]
            for key, pieces in strokes.pieces(frame.canvas, listed).items()
        }
        away = {key: strokes.distance(pieces, x, y) for key, pieces in ink.items()}
        nearest = min(away.values(), default=furthest)
        if nearest <= radius or radius >= furthest:
            break
        radius *= 2
    there = [one for one in listed if away[one.author, one.stroke_id] <= nearest + growth.CELL]
    names = public_names(one.author for one in there[:MOST])
    return [
        Origin(
            names.get(one.author, ""),
            one.colour or "#808080",  # the undream brush has none
            one.width,
            _thinned([(x / 8, y / 8) for _, op in ink[one.author, one.stroke_id] for x, y, _ in op.points]),
        )
        for one in there[:MOST]
    ]


def public_names(people: Iterable[int]) -> dict[int, str]:
    """The names of those who may be named to everybody: nobody who has left or is leaving, or who is shut out now."""
    shut_out = Sanction.objects.in_force().filter(degree__in=SHUT_OUT).values("user")
    found = User.objects.filter(pk__in=set(people), is_active=True, closes_at=None, closed_at=None)
    return dict(found.exclude(pk__in=shut_out).values_list("pk", "username"))


def _reach(frame: Frame, x: float, y: float) -> float:
    """How far ink is from a place by the frame's growth map, in px and a cell more; a guess without one."""
    kept = Growth.objects.filter(frame=frame).first()
    if kept is None:
        return 4.0 * growth.CELL
    rows, columns = np.nonzero(growth.unpack(bytes(kept.packed), frame.width, frame.height) != growth.NEVER)
    if not rows.size:
        return 4.0 * growth.CELL
    middle = growth.CELL / 2
    away = np.hypot(columns * growth.CELL + middle - x, rows * growth.CELL + middle - y)
    return float(away.min()) + growth.CELL


def _thinned(points: list[tuple[float, float]]) -> list[float]:
    """x, y, x, y … of at most POINTS of them, the last one among these."""
    step = max(1, -(-len(points) // POINTS))
    kept = points[::step] if (len(points) - 1) % step == 0 else [*points[::step], points[-1]]
    return [number for point in kept for number in point]
