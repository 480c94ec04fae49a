"""What is odd about how somebody draws, from times and boxes of their strokes. Plain Python; see Signal.Kind.

Times in the journal are those of ticks, up to a tenth of a second late: nothing here leans on less than that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import fmean, pstdev

PER_MINUTE = 300.0  # strokes begun within a minute: five a second, without a pause
AREA_PER_MINUTE = 25.0  # percent of the canvas
STEADINESS = 16.0  # mean pause divided by its standard deviation; a steady hand reaches 5 to 8
SESSION_HOURS = 12.0

MINUTE = 60.0  # s
STEADY_RUN = 30  # pauses in a row
STEADY_LEAST = 0.3  # s; shorter pauses are blurred by the journal's clock
STEADY_MOST = 60.0  # s; a longer one is a break
BREAK = 30 * 60.0  # s without a stroke end a session
STEP = 12.0  # px between two points of a stroke, at a guess


@dataclass(frozen=True)
class DrawnStroke:
    """A stroke: when it began and ended (s), its box (px²), its widest diameter (px), and how many points it has."""

    began: float
    ended: float
    box: float
    width: float
    points: int

    @property
    def area(self) -> float:
        """About how much it covers, px²: never more than its box, and what its points can reach."""
        return min(self.box, self.width * (self.width + STEP * self.points))


@dataclass(frozen=True)
class Finding:
    kind: str
    value: float
    limit: float
    since: float  # s
    until: float
    details: dict[str, float] = field(default_factory=dict)


def find(strokes: Sequence[DrawnStroke], canvas_area: float) -> list[Finding]:
    """The strongest finding of each kind that passes its limit; one person's strokes, in order of beginning."""
    if not strokes:
        return []
    found = [_per_minute(strokes), _area(strokes, canvas_area), _session(strokes)]
    if (steady := _steady(strokes)) is not None:
        found.append(steady)
    return [finding for finding in found if finding.value >= finding.limit]


def _windows(strokes: Sequence[DrawnStroke]) -> Sequence[tuple[int, int]]:
    """For each stroke, the range (first, last + 1) of those begun in the minute up to it."""
    ranges, first = [], 0
    for last, stroke in enumerate(strokes):
        while stroke.began - strokes[first].began > MINUTE:
            first += 1
        ranges.append((first, last + 1))
    return ranges


def _per_minute(strokes: Sequence[DrawnStroke]) -> Finding:
    first, end = max(_windows(strokes), key=lambda window: window[1] - window[0])
    return Finding("rate", float(end - first), PER_MINUTE, strokes[first].began, strokes[end - 1].ended)


def _area(strokes: Sequence[DrawnStroke], canvas_area: float) -> Finding:
    sums = [0.0]
    for stroke in strokes:
        sums.append(sums[-1] + stroke.area)
    first, end = max(_windows(strokes), key=lambda window: sums[window[1]] - sums[window[0]])
    percent = round(100 * (sums[end] - sums[first]) / canvas_area, 1)
    return Finding("area", percent, AREA_PER_MINUTE, strokes[first].began, strokes[end - 1].ended)


def _steady(strokes: Sequence[DrawnStroke]) -> Finding | None:
    """The most regular run of pauses between the beginnings of strokes."""
    best: Finding | None = None
    run: list[float] = []
    for at in range(1, len(strokes)):
        pause = strokes[at].began - strokes[at - 1].began
        if not STEADY_LEAST <= pause <= STEADY_MOST:
            run.clear()
            continue
        run.append(pause)
        if len(run) < STEADY_RUN:
            continue
        del run[:-STEADY_RUN]
        mean, deviation = fmean(run), pstdev(run)
        value = round(min(999.0, mean / deviation if deviation else 999.0), 1)
        if best is None or value > best.value:
            since = strokes[at - STEADY_RUN].began
            details = {"pause": round(mean, 2), "varies": round(100 * deviation / mean, 1)}
            best = Finding("regular", value, STEADINESS, since, strokes[at].ended, details)
    return best


def _session(strokes: Sequence[DrawnStroke]) -> Finding:
    longest, since = (0.0, strokes[0].began, strokes[0].ended), strokes[0].began
    for before, stroke in zip(strokes, [*strokes[1:], strokes[-1]], strict=True):
        longest = max(longest, (before.ended - since, since, before.ended))
        if stroke.began - before.ended > BREAK:
            since = stroke.began
    return Finding("session", round(longest[0] / 3600, 1), SESSION_HOURS, longest[1], longest[2])
