"""The timeline's bars, labels and marks for any stretch of time, in any time zone.

A bar is a whole number of the viewer's own minutes, hours or days: a day on which the clocks change has 23 or 25 hours,
and its bars know it. Everything is computed in seconds since 1970; the zone decides only where bars begin and how
they are called.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils.formats import date_format
from django.utils.translation import gettext as _

MINUTE, HOUR, DAY = 60, 3600, 86_400
STEPS = (
    MINUTE,
    5 * MINUTE,
    15 * MINUTE,
    30 * MINUTE,
    HOUR,
    2 * HOUR,
    3 * HOUR,
    6 * HOUR,
    12 * HOUR,
    DAY,
    7 * DAY,
    28 * DAY,
)
TICKS = (*STEPS[:9], DAY, 2 * DAY, 7 * DAY, 14 * DAY)
MAX_TICKS = 8


@dataclass(frozen=True, slots=True)
class Tick:
    at: int  # seconds since 1970
    label: str


def step_for(since: int, until: int, most: int) -> int:
    """The finest step that makes no more than `most` bars."""
    return next((step for step in STEPS if (until - since) / step <= most), STEPS[-1])


def edges(since: int, until: int, step: int, zone: ZoneInfo) -> list[int]:
    """Where bars begin, and last where the last one ends: they cover `since` to `until`."""
    if step < HOUR:  # all zones differ by whole quarters of an hour
        first = since - since % step
        return list(range(first, until + step, step))
    found: list[int] = []
    day = _day(since, zone)
    if step >= DAY:
        days = step // DAY
        day -= timedelta(days=day.weekday() if days >= 7 else 0)
        while not found or found[-1] < until:
            found.append(midnight(day, zone))
            day += timedelta(days=days)
        return found
    while not found or found[-1] < until:
        begin, end = midnight(day, zone), midnight(day + timedelta(days=1), zone)
        # Steps count from the day's beginning; the last of a day that loses or gains an hour is shorter or one more.
        found += [at for at in range(begin, end, step) if end - at >= min(step, HOUR)]
        day += timedelta(days=1)
    begin = bisect_right(found, since) - 1
    end = next(index for index, at in enumerate(found) if at >= until)
    return found[begin : end + 1]


def midnight(day: date, zone: ZoneInfo) -> int:
    """When a day begins there, in seconds since 1970; where its midnight does not exist, when the clocks change."""
    return int(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp())


def _day(at: int, zone: ZoneInfo) -> date:
    return datetime.fromtimestamp(at, zone).date()


def label(begin: int, end: int, zone: ZoneInfo) -> str:
    """A stretch of time in words: "Friday, 20 November, 18:00 – 19:00"."""
    first, last = datetime.fromtimestamp(begin, zone), datetime.fromtimestamp(end - 1, zone)
    day = date_format(first, "WEEKDAY_FORMAT")
    if end - begin < 20 * HOUR:
        to = datetime.fromtimestamp(end, zone)
        return _("%(day)s, %(from)s – %(to)s") % {
            "day": day,
            "from": date_format(first, "H:i"),
            "to": date_format(to, "H:i"),
        }
    return day if first.date() == last.date() else f"{day} – {date_format(last, 'MONTH_DAY_FORMAT')}"


def ticks(since: int, until: int, zone: ZoneInfo) -> list[Tick]:
    """A handful of labelled moments at most, for orientation."""
    span = until - since
    step = next((step for step in TICKS if span / step <= MAX_TICKS), None)
    if step is None:
        return _months(since, until, zone)
    found = []
    for at in edges(since, until, step, zone):
        if not since <= at < until:
            continue
        local = datetime.fromtimestamp(at, zone)
        name = date_format(local, "H:i" if step < DAY and (local.hour or local.minute) else "TICK_DAY_FORMAT")
        found.append(Tick(at, name))
    return found


def _months(since: int, until: int, zone: ZoneInfo) -> list[Tick]:
    day = _day(since, zone).replace(day=1)
    found = []
    while (at := midnight(day, zone)) < until:
        if at >= since:
            found.append(Tick(at, date_format(day, "TICK_MONTH_FORMAT" if day.month == 1 else "F")))
        day = (day + timedelta(days=32)).replace(day=1)
    return found[:: -(-len(found) // MAX_TICKS) or 1]


def offset(at: int, zone: ZoneInfo) -> str:
    """How far the zone is from UTC at that moment: "UTC+1", "UTC−3:30"; the same zone has another in summer."""
    minutes = round((datetime.fromtimestamp(at, zone).utcoffset() or timedelta()).total_seconds() / 60)
    if not minutes:
        return "UTC"
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{'+' if minutes > 0 else '−'}{hours}" + (f":{rest:02}" if rest else "")


def local(at: datetime, zone: ZoneInfo) -> str:
    """A moment in the viewer's time zone: "Friday, 20 November 2026, 13:34:56"."""
    return date_format(at.astimezone(zone), "WEEKDAY_SECONDS_FORMAT")


def utc(at: datetime) -> str:
    return date_format(at.astimezone(UTC), "WEEKDAY_SECONDS_FORMAT")
