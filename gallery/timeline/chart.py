"""A stretch of the timeline, ready to be drawn: by the template as a drawing of links, by timeline.js as a slider."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from django.core.cache import caches
from django.utils.translation import get_language

from canvas.models import Canvas, Frame
from gallery.converters import utc_iso
from gallery.timeline import activity, buckets
from gallery.timeline.activity import Tally
from gallery.timeline.buckets import HOUR, MINUTE

DEFAULT_BARS = 180  # bars; each is a few pixels wide even on a phone
MAX_MARKS = 240  # changes of style listed one by one; where there are more, bars only count them
CACHE_SECONDS = 10
MAX_FINE_BARS = 60
MIN_SPAN = 10 * MINUTE

Mark = tuple[int, int, str]  # when, number of the frame, title


@dataclass(frozen=True, slots=True)
class Bar:
    begin: int
    end: int
    frames: int
    strokes: int
    changes: int
    label: str


@dataclass(frozen=True, slots=True)
class Chart:
    """`since` to `until` in seconds since 1970; bars cover it without gaps; `most` is the highest bar's height."""

    since: int
    until: int
    step: int
    zone: str
    bars: list[Bar]
    ticks: list[buckets.Tick]
    marks: list[Mark]

    @property
    def most(self) -> int:
        return max((activity_score(bar.frames, bar.strokes) for bar in self.bars), default=0)


def activity_score(frames: int, strokes: int) -> int:
    """One measure of both: people's strokes count most, but a night in which only the network dreamed is not empty."""
    return 4 * strokes + frames


def extent(canvas: Canvas) -> tuple[int, int] | None:
    """The whole history, never shorter than some minutes."""
    found = activity.extent(canvas)
    if found is None:
        return None
    since, until = found
    return (since, until) if until - since >= MIN_SPAN else (until - MIN_SPAN, until)


def build(canvas: Canvas, since: int, until: int, zone: ZoneInfo, most: int = DEFAULT_BARS) -> Chart:
    """Counted anew every few seconds at the most.

    What is kept is counted for whole bars, and its key names their edges: nobody fills the cache by asking for the
    same hours with another second at either end.
    """
    step = buckets.step_for(since, until, most)
    if step < activity.QUARTER_HOUR:
        # Bars finer than what is kept are counted one by one: fewer of them, and for a few hours at the most.
        step = activity.QUARTER_HOUR if until - since > 4 * HOUR else buckets.step_for(since, until, MAX_FINE_BARS)
    edges = buckets.edges(since, until, step, zone)
    key = f"timeline:{canvas.pk}:{step}:{edges[0]}:{edges[-1]}:{zone.key}:{get_language()}"
    counted: tuple[list[Bar], list[Mark]] | None = caches["pages"].get(key)
    if counted is None:
        counted = _count(canvas, edges, step, zone)
        caches["pages"].set(key, counted, CACHE_SECONDS)
    bars, marks = counted
    marks = [mark for mark in marks if since <= mark[0] < until]
    return Chart(since, until, step, zone.key, bars, buckets.ticks(since, until, zone), marks)


def _count(canvas: Canvas, edges: list[int], step: int, zone: ZoneInfo) -> tuple[list[Bar], list[Mark]]:
    tallies = activity.tallies(canvas, edges[0], edges[-1])
    listed = sum(tally.changes for tally in tallies) <= MAX_MARKS
    marks: list[Mark] = []
    if listed:
        for tally in activity.tallies(canvas, edges[0], edges[-1], styles=True) if tallies else []:
            marks += [(tally.at + seconds, number, title) for number, seconds, title in tally.styles]
    counted = _count_fine(canvas, edges, marks) if step < activity.QUARTER_HOUR else _sum_quarter_hours(tallies, edges)
    bars = [
        Bar(begin, end, *counts, buckets.label(begin, end, zone))
        for (begin, end), counts in zip(pairwise(edges), counted, strict=True)
    ]
    return bars, marks


def _sum_quarter_hours(tallies: list[Tally], edges: list[int]) -> list[tuple[int, int, int]]:
    counts = []
    index = 0
    for end in edges[1:]:
        frames = strokes = changes = 0
        while index < len(tallies) and tallies[index].at < end:
            frames += tallies[index].frames
            strokes += tallies[index].strokes
            changes += tallies[index].changes
            index += 1
        counts.append((frames, strokes, changes))
    return counts


def _count_fine(canvas: Canvas, edges: list[int], marks: list[tuple[int, int, str]]) -> list[tuple[int, int, int]]:
    """Bars shorter than a quarter, of a few hours at the most."""
    made = Frame.objects.filter(
        canvas=canvas, made_at__gte=activity.moment(edges[0]), made_at__lt=activity.moment(edges[-1])
    )
    times = sorted(at.timestamp() for at in made.order_by("made_at").values_list("made_at", flat=True))
    return [
        (
            sum(begin <= at < end for at in times),
            activity.strokes(canvas, begin, end),
            sum(begin <= at < end for at, *_ in marks),
        )
        for begin, end in pairwise(edges)
    ]


def as_json(chart: Chart) -> dict[str, Any]:
    return {
        "zone": chart.zone,
        "from": utc_iso(activity.moment(chart.since)),
        "to": utc_iso(activity.moment(chart.until)),
        "step": chart.step,
        "most": chart.most,
        "bars": [
            {
                "at": bar.begin,
                "end": bar.end,
                "frames": bar.frames,
                "strokes": bar.strokes,
                "changes": bar.changes,
                "label": bar.label,
                "height": activity_score(bar.frames, bar.strokes),
            }
            for bar in chart.bars
        ],
        "ticks": [{"at": tick.at, "label": tick.label} for tick in chart.ticks],
        "styles": [{"at": at, "number": number, "title": title} for at, number, title in chart.marks],
    }


def as_svg(chart: Chart, *, height: int = 100) -> dict[str, Any]:
    """The same for SVG, in a box `len(bars)` wide; by square roots, or one busy hour would dwarf the rest."""
    most = chart.most or 1
    bars = []
    for index, bar in enumerate(chart.bars):
        share = (activity_score(bar.frames, bar.strokes) / most) ** 0.5
        tall = round(max(share * height, 3 if share else 0), 1)
        begin = max(bar.begin, chart.since)
        bars.append(
            {
                "x": index + 0.1,
                "y": height - tall,
                "height": tall,
                "label": bar.label,
                "frames": bar.frames,
                "strokes": bar.strokes,
                "changes": bar.changes,
                "at": activity.moment((begin + min(bar.end, chart.until)) // 2),
            }
        )
    span = chart.until - chart.since
    return {
        "bars": bars,
        "width": len(bars),
        "height": height,
        "ticks": [
            {"label": tick.label, "share": round(100 * (tick.at - chart.since) / span, 3)} for tick in chart.ticks
        ],
    }
