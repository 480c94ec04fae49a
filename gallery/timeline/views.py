"""The timeline as JSON, a day as rows of hours, and the calendar."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from canvas.models import Canvas, Frame
from dreamsite.core.errors import NotFound
from gallery import query_params
from gallery.links import canvas_query, canvas_url
from gallery.moments.views import moment_url
from gallery.timeline import activity, buckets, chart
from gallery.timeline.activity import Tally

SHOWN_AN_HOUR = 8
MAX_BARS = 400
LEVELS = 5


@require_safe
def as_json(request: HttpRequest) -> HttpResponse:
    """`?from=`, `?to=` (default: the whole history), `?bars=` (at most so many), `?zone=`."""
    canvas, zone = query_params.canvas(request), query_params.zone(request)
    extent = chart.extent(canvas)
    if extent is None:
        return JsonResponse(
            {"zone": zone.key, "from": None, "to": None, "step": 0, "most": 0, "bars": [], "ticks": [], "styles": []}
        )
    since, until = query_params.moment(request, "from"), query_params.moment(request, "to")
    begin = max(int(since.timestamp()), extent[0]) if since else extent[0]
    end = min(int(until.timestamp()), extent[1]) if until else extent[1]
    if end - begin < buckets.MINUTE:
        raise NotFound(_("Between “from” and “to” there is less than a minute of this history."))
    most = min(max(query_params.number(request, "bars") or chart.DEFAULT_BARS, 1), MAX_BARS)
    response = JsonResponse(chart.as_json(chart.build(canvas, begin, end, zone, most)))
    response["Cache-Control"] = f"private, max-age={chart.CACHE_SECONDS}"
    return response


@dataclass(frozen=True)
class Hour:
    begin: datetime  # in the viewer's zone
    mark: str  # where addresses point: an hour that comes twice when clocks go back has two
    label: str
    strokes: int
    frames: int
    share: int  # percent of the busiest hour
    shown: list[Frame]
    address: str


@require_safe
def day(request: HttpRequest, day: date) -> HttpResponse:
    """One of the viewer's days, hour by hour: from "yesterday evening" to the picture in two clicks."""
    canvas, zone = query_params.canvas(request), query_params.zone(request)
    extent = chart.extent(canvas)
    begin, end = buckets.midnight(day, zone), buckets.midnight(day + timedelta(days=1), zone)
    tallies = activity.tallies(canvas, begin, end)
    hours = _hours(canvas, zone, buckets.edges(begin, end, buckets.HOUR, zone), tallies)
    first, last = (
        (datetime.fromtimestamp(extent[0], zone).date(), datetime.fromtimestamp(extent[1] - 1, zone).date())
        if extent
        else (day, day)
    )
    context: dict[str, Any] = {
        "section": "history",
        "canvas": canvas,
        "query": canvas_query(canvas),
        "day": day,
        "hours": hours,
        "strokes": sum(hour.strokes for hour in hours),
        "frames": sum(hour.frames for hour in hours),
        "zone": zone.key,
        "offset": buckets.offset(begin, zone),
        "previous": canvas_url("day", canvas, min(day - timedelta(days=1), last)) if day > first else None,
        "following": canvas_url("day", canvas, max(day + timedelta(days=1), first)) if day < last else None,
        "month": canvas_url("calendar_month", canvas, day),
    }
    return render(request, "gallery/day.html", context)


def _hours(canvas: Canvas, zone: ZoneInfo, edges: list[int], tallies: list[Tally]) -> list[Hour]:
    parts = [(begin, end, [tally for tally in tallies if begin <= tally.at < end]) for begin, end in pairwise(edges)]
    chosen = {begin: _evenly_spaced(_numbers(inside), SHOWN_AN_HOUR) for begin, _, inside in parts}
    found = _visible(canvas, [number for numbers in chosen.values() for number in numbers])
    most = max(
        (chart.activity_score(_sum(inside, "frames"), _sum(inside, "strokes")) for *_, inside in parts), default=0
    )
    hours = []
    for begin, end, inside in parts:
        if not inside:
            continue
        frames, strokes = _sum(inside, "frames"), _sum(inside, "strokes")
        at = datetime.fromtimestamp(begin, zone)
        until = datetime.fromtimestamp(end, zone)
        hours.append(
            Hour(
                at,
                f"hour-{at:%H}" + "-again" * at.fold,
                f"{date_format(at, 'H:i')} – {date_format(until, 'H:i')}",
                strokes,
                frames,
                round(100 * (chart.activity_score(frames, strokes) / most) ** 0.5) if most else 0,
                [found[number] for number in chosen[begin] if number in found],
                moment_url(canvas, datetime.fromtimestamp(begin, UTC)),
            )
        )
    return hours


def _sum(tallies: Sequence[Tally], name: str) -> int:
    return sum(getattr(tally, name) for tally in tallies)


def _numbers(tallies: Sequence[Tally]) -> range:
    """The frames' numbers: within a stretch of time they have no gaps."""
    firsts = [tally.first for tally in tallies if tally.first is not None]
    lasts = [tally.last for tally in tallies if tally.last is not None]
    return range(min(firsts), max(lasts) + 1) if firsts and lasts else range(0)


def _evenly_spaced(numbers: range, count: int) -> list[int]:
    """Some of them, evenly spread, the last among them: what the hour came to."""
    if len(numbers) <= count:
        return list(numbers)
    return [numbers[(index + 1) * len(numbers) // count - 1] for index in range(count)]


def _visible(canvas: Canvas, numbers: list[int]) -> dict[int, Frame]:
    frames = Frame.objects.visible().filter(canvas=canvas, number__in=numbers).order_by("number").defer("recipe")
    found = {frame.number: frame for frame in frames}
    for frame in found.values():
        frame.canvas = canvas  # its address depends on it: else a query for each
    return found


@dataclass(frozen=True)
class CalendarDay:
    """A day of the calendar: `level` 0 (nothing) to 5 (the month's busiest)."""

    day: date
    strokes: int
    frames: int
    level: int
    picture: Frame | None
    address: str


@require_safe
def calendar(request: HttpRequest, month: date | None = None) -> HttpResponse:
    """A month of the viewer's days, each with a picture and how busy it was."""
    canvas, zone = query_params.canvas(request), query_params.zone(request)
    extent = chart.extent(canvas)
    if extent is None:
        return redirect(canvas_url("history", canvas))
    oldest = datetime.fromtimestamp(extent[0], zone).date().replace(day=1)
    newest = datetime.fromtimestamp(extent[1] - 1, zone).date().replace(day=1)
    month = month or newest
    after = _shift(month, 1)
    context: dict[str, Any] = {
        "section": "history",
        "canvas": canvas,
        "query": canvas_query(canvas),
        "month": month,
        "weeks": _weeks(canvas, zone, month, after),
        "weekdays": [date_format(date(2024, 1, 1 + index), "D") for index in range(7)],
        "previous": canvas_url("calendar_month", canvas, min(_shift(month, -1), newest)) if month > oldest else None,
        "following": canvas_url("calendar_month", canvas, max(after, oldest)) if month < newest else None,
        "zone": zone.key,
        "months": [(each, canvas_url("calendar_month", canvas, each)) for each in _months(oldest, newest)],
    }
    return render(request, "gallery/calendar.html", context)


def _shift(month: date, count: int) -> date:
    index = month.year * 12 + month.month - 1 + count
    return date(index // 12, index % 12 + 1, 1)


def _months(oldest: date, newest: date) -> list[date]:
    """The last two years of months at most."""
    found = [newest]
    while found[-1] > oldest and len(found) < 24:
        found.append(_shift(found[-1], -1))
    return found[::-1]


def _weeks(canvas: Canvas, zone: ZoneInfo, month: date, after: date) -> list[list[CalendarDay | None]]:
    days = [month + timedelta(days=index) for index in range((after - month).days)]
    edges = [buckets.midnight(day, zone) for day in [*days, after]]
    tallies = activity.tallies(canvas, edges[0], edges[-1])
    parts = [[tally for tally in tallies if begin <= tally.at < end] for begin, end in pairwise(edges)]
    # Two thirds into a day's frames: late enough to be rich, early enough to be of that day.
    middle = {day: _evenly_spaced(_numbers(inside), 3)[-2:][:1] for day, inside in zip(days, parts, strict=True)}
    found = _visible(canvas, [number for numbers in middle.values() for number in numbers])
    busy = [chart.activity_score(_sum(inside, "frames"), _sum(inside, "strokes")) for inside in parts]
    most = max(busy, default=0)
    cells: list[CalendarDay | None] = [None] * month.weekday()
    for day, inside, much in zip(days, parts, busy, strict=True):
        level = -(-LEVELS * much // most) if most else 0
        number = next(iter(middle[day]), 0)
        cells.append(
            CalendarDay(
                day,
                _sum(inside, "strokes"),
                _sum(inside, "frames"),
                level,
                found.get(number),
                canvas_url("day", canvas, day),
            )
        )
    cells += [None] * (-len(cells) % 7)
    return [cells[start : start + 7] for start in range(0, len(cells), 7)]
