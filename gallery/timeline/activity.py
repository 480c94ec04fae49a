"""What happened when: frames, strokes and changes of style by quarters of an hour.

Finished quarters never change, so they are counted once and stored as rows; the current one is counted on each request.
Three months are 8,760 rows at most, read in a few milliseconds, however many frames there are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from django.utils import timezone

from canvas import strokes as index
from canvas.models import Batch, Canvas, Frame, Stroke
from gallery.timeline.models import QuarterHour

QUARTER_HOUR = 900  # seconds
SETTLE_SECONDS = 600  # seconds after its end in which a quarter is not stored yet: a clock may lag, an index too
CHUNK = 500


@dataclass(frozen=True, slots=True)
class Tally:
    """`at`: seconds since 1970; `first`, `last`: frames; `styles`: [number, seconds after `at`, title] of changes."""

    at: int
    frames: int
    strokes: int
    first: int | None = None
    last: int | None = None
    changes: int = 0
    styles: list[Any] = field(default_factory=list)


def moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def extent(canvas: Canvas) -> tuple[int, int] | None:
    """From when to when anything happened, in seconds since 1970; None where nothing did."""
    frames = Frame.objects.filter(canvas=canvas)
    batches = Batch.objects.filter(canvas=canvas)
    ends = []
    for first, name in ((True, "made_at"), (False, "made_at")):
        ends.append(frames.order_by(name if first else f"-{name}").values_list(name, flat=True).first())
    for first in (True, False):
        ends.append(batches.order_by("at" if first else "-at").values_list("at", flat=True).first())
    known = [end.timestamp() for end in ends if end is not None]
    return (int(min(known)), int(max(known)) + 1) if known else None


def tallies(canvas: Canvas, since: int, until: int, *, styles: bool = False) -> list[Tally]:
    """The quarters in which something happened between two moments; `styles` are read on request."""
    unfinished = store_finished(canvas)
    stored = (_stored_with_styles if styles else _stored)(canvas.pk, since, min(until, unfinished), unfinished)
    return stored + [tally for tally in _counted(canvas, unfinished) if since - QUARTER_HOUR < tally.at < until]


@lru_cache(maxsize=8)
def _stored(canvas_id: int, since: int, until: int, unfinished: int) -> list[Tally]:
    """Rows before `unfinished` never change: what was read once is true for ever. Do not write to the list."""
    return _read(canvas_id, since, until, ["at", "frames", "strokes", "first", "last", "changes"])


def _stored_with_styles(canvas_id: int, since: int, until: int, unfinished: int) -> list[Tally]:
    return _read(canvas_id, since, until, ["at", "frames", "strokes", "first", "last", "changes", "styles"])


def _read(canvas_id: int, since: int, until: int, names: list[str]) -> list[Tally]:
    rows = QuarterHour.objects.filter(canvas=canvas_id, at__gt=since - QUARTER_HOUR, at__lt=until).order_by("at")
    return [Tally(*row) for row in rows.values_list(*names)]


def clear_cache() -> None:
    """For when the rows themselves were deleted: a restored backup, a test."""
    _stored.cache_clear()


def store_finished(canvas: Canvas) -> int:
    """Stores what is finished; returns the beginning of what is not, in seconds since 1970.

    Processes that do it at the same time count the same: existing rows stay.
    """
    index.index(canvas)
    newest = QuarterHour.objects.filter(canvas=canvas).order_by("-at").values_list("at", flat=True).first()
    begin = newest + QUARTER_HOUR if newest is not None else 0
    finished = int(timezone.now().timestamp()) - SETTLE_SECONDS - QUARTER_HOUR
    if begin > finished:
        return begin
    rows: list[QuarterHour] = []
    for tally in _counted(canvas, begin):
        if tally.at > finished:
            break
        rows.append(
            QuarterHour(
                canvas=canvas,
                at=tally.at,
                frames=tally.frames,
                strokes=tally.strokes,
                first=tally.first,
                last=tally.last,
                changes=tally.changes,
                styles=tally.styles,
            )
        )
        begin = tally.at + QUARTER_HOUR
        if len(rows) == CHUNK:
            QuarterHour.objects.bulk_create(rows, ignore_conflicts=True)
            rows = []
    QuarterHour.objects.bulk_create(rows, ignore_conflicts=True)
    return begin


def _counted(canvas: Canvas, begin: int) -> Iterator[Tally]:
    """Counts quarter by quarter from `begin` on, skipping those in which nothing happened."""
    before = Frame.objects.visible().dreams().filter(canvas=canvas, made_at__lt=moment(begin)).exclude(title="")
    style = before.order_by("-made_at", "-number").values_list("title", flat=True).first()
    while (event := _next(canvas, begin)) is not None:
        at = event - event % QUARTER_HOUR
        frames = (
            Frame.objects.filter(canvas=canvas, made_at__gte=moment(at), made_at__lt=moment(at + QUARTER_HOUR))
            .order_by("made_at", "number")
            .values_list("number", "made_at", "title", "hidden_at")
        )
        numbers, styles = [], []
        for number, made_at, title, hidden_at in frames:
            numbers.append(number)
            if title and title != style and hidden_at is None:
                styles.append([number, int(made_at.timestamp()) - at, title])
                style = title
        yield Tally(
            at,
            len(numbers),
            strokes(canvas, at, at + QUARTER_HOUR),
            min(numbers, default=None),
            max(numbers, default=None),
            len(styles),
            styles,
        )
        begin = at + QUARTER_HOUR


def _next(canvas: Canvas, begin: int) -> int | None:
    """When the next thing happened at or after `begin`."""
    since = moment(begin)
    frame = Frame.objects.filter(canvas=canvas, made_at__gte=since).order_by("made_at", "number")
    batch = Batch.objects.filter(canvas=canvas, at__gte=since).order_by("at")
    found = [
        frame.values_list("made_at", flat=True).first(),
        batch.values_list("at", flat=True).first(),
    ]
    known = [int(each.timestamp()) for each in found if each is not None]
    return min(known) if known else None


def strokes(canvas: Canvas, since: int, until: int) -> int:
    """How many strokes were finished between two moments, taken back or not: all of them were drawn."""
    return Stroke.objects.filter(canvas=canvas, ended_at__gte=moment(since), ended_at__lt=moment(until)).count()
