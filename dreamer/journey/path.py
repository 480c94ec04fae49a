"""Where a journey goes: key frames, one inside the other, and a smooth way through them.

Everything is counted in the key frame that is being left: its sides are 1, the next one's middle lies at a waypoint,
and its sides are 1 / zoom. So a journey may go on for ever, and no number ever gets too small.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

LEAST, MOST = 1.05, 4.0  # zoom from one key frame to the next
MOST_KEY_FRAMES = 500


@dataclass(frozen=True)
class Waypoint:
    """Where the next key frame lies in this one: its middle as shares of the sides, and how much larger it is shown.

    The middle is moved so that all of the next key frame lies inside. Raises ValueError for what is no number, or
    outside of the picture.
    """

    x: float = 0.5
    y: float = 0.5
    zoom: float = 2.0

    def __post_init__(self) -> None:
        for name, low, high in (("x", 0.0, 1.0), ("y", 0.0, 1.0), ("zoom", LEAST, MOST)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
                raise ValueError(f"{name}: received {value!r}, expected a number, {low} to {high}")
        half = 0.5 / self.zoom
        for name in ("x", "y"):
            object.__setattr__(self, name, min(1 - half, max(half, float(getattr(self, name)))))

    @property
    def box(self) -> tuple[float, float, float, float]:
        """(left, top, right, bottom) of the next key frame, as shares."""
        half = 0.5 / self.zoom
        return self.x - half, self.y - half, self.x + half, self.y + half


@dataclass(frozen=True)
class View:
    """What is seen: its middle and its width, as shares of a key frame's sides."""

    x: float
    y: float
    width: float

    @property
    def box(self) -> tuple[float, float, float, float]:
        """(left, top, right, bottom), as shares of the key frame."""
        half = self.width / 2
        return self.x - half, self.y - half, self.x + half, self.y + half


class Path:
    """A smooth way through key frames; with `loop` it ends as it begins.

    The scale's logarithm is a monotone cubic of time. The middle is a monotone cubic of the scale, not of time: then a
    waypoint is reached as one that flies towards it reaches it, and what a viewer sees moves without a jerk.
    """

    def __init__(self, waypoints: Sequence[Waypoint], *, loop: bool = False) -> None:
        self._steps = list(waypoints)
        self._loop = loop

    def __len__(self) -> int:
        """Steps from one key frame to the next."""
        return len(self._steps)

    def view(self, step: int, share: float) -> View:
        """What is seen at a share, 0 to 1, of the time from key frame `step` to the next; in key frame `step`."""
        now = self._steps[step]
        before, after = self._beside(step, -1), self._beside(step, 1)
        rate = math.log(now.zoom)
        rates = [math.log(one.zoom) if one else rate for one in (before, after)]
        speeds = monotone(rates[0], rate, 1, 1), monotone(rate, rates[1], 1, 1)
        scale = hermite(share, 1.0, 0.0, rate, *speeds)
        width = math.exp(-min(max(scale, 0.0), rate))
        middle = []
        for axis in ("x", "y"):
            way = _way(now, axis)
            ways = [_way(one, axis) if one else way for one in (before, after)]
            # How far the width goes in the steps before, in and after this one, counted in this one's key frame.
            reach = 1 - 1 / now.zoom
            reaches = (before.zoom - 1 if before else reach), ((1 - 1 / after.zoom) / now.zoom if after else reach)
            slopes = monotone(ways[0], way, reaches[0], reach), monotone(way, ways[1], reach, reaches[1])
            gone = (1 - width) / reach
            at = 0.5 + hermite(gone, reach, 0.0, way * reach, *slopes)
            middle.append(min(1 - width / 2, max(width / 2, at)))  # never beyond the picture's edge
        return View(middle[0], middle[1], width)

    def _beside(self, step: int, way: int) -> Waypoint | None:
        other = step + way
        if self._loop:
            return self._steps[other % len(self._steps)]
        return self._steps[other] if 0 <= other < len(self._steps) else None


def _way(point: Waypoint, axis: str) -> float:
    """How far the middle moves for each share that the width loses."""
    return float(getattr(point, axis) - 0.5) / (1 - 1 / point.zoom)


def monotone(before: float, after: float, length_before: float, length_after: float) -> float:
    """The slope where two pieces of a monotone cubic meet, from their mean slopes and lengths: none where they turn.

    F. N. Fritsch and J. Butland, "A method for constructing local monotone piecewise cubic interpolants", SIAM Journal
    on Scientific and Statistical Computing 5, 1984.
    """
    if before * after <= 0:
        return 0.0
    near, far = 2 * length_after + length_before, length_after + 2 * length_before
    return (near + far) / (near / before + far / after)


def hermite(share: float, length: float, start: float, end: float, slope_start: float, slope_end: float) -> float:
    """A cubic from `start` to `end` over `length` with these slopes at its ends, at a share of the way."""
    s = share
    return (
        (1 + 2 * s) * (1 - s) ** 2 * start
        + s * (1 - s) ** 2 * length * slope_start
        + s * s * (3 - 2 * s) * end
        + s * s * (s - 1) * length * slope_end
    )


def read_path(data: Any, zoom: float = 2.0) -> list[Waypoint]:
    """A path from JSON: a list of [x, y] or [x, y, zoom]. Raises ValueError that says which entry is wrong."""
    if not isinstance(data, list) or not data:
        raise ValueError("path: expected a list such as [[0.3, 0.4], [0.5, 0.5, 1.5]]: x, y and, if you like, zoom")
    if len(data) > MOST_KEY_FRAMES:
        raise ValueError(f"path: received {len(data)} waypoints, expected at most {MOST_KEY_FRAMES}")
    points = []
    for number, one in enumerate(data, 1):
        if not isinstance(one, list) or len(one) not in (2, 3):
            raise ValueError(
                f"path: received {json.dumps(one)[:60]} as entry {number}, expected [x, y] or [x, y, zoom]"
            )
        try:
            points.append(Waypoint(*one, *([] if len(one) == 3 else [zoom])))
        except ValueError as error:
            raise ValueError(f"path, entry {number}: {error}") from None
    return points


def moved(view: View, box: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
    """A box of the key frame as shares of what is seen."""
    left, top, _right, _bottom = view.box
    shares = np.asarray(box) - (left, top, left, top)
    found = shares / view.width
    return float(found[0]), float(found[1]), float(found[2]), float(found[3])
