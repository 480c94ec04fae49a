"""The index of strokes, kept from the journal: who drew what, where, when, and what became of it.

Lazy, exact and idempotent: `index` reads what the journal has beyond the last number it knows. Whoever asks the index
calls it first; the dreamer does so after each frame, so that there is little left to read.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from math import hypot, inf

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Coalesce

from canvas import brush, wire
from canvas.models import Batch, Canvas, IndexProgress, Stroke
from canvas.picture import Numbered, NumberedStroke, visible
from dreamsite.core.rect import Rect

CHUNK = 200  # batches read into the index in one transaction: about 50 ms, during which SQLite writes no ink
KEYS = 400  # strokes read in one query
SEARCH = 2_000  # boxes searched for ink at a point, before the search ends

Key = tuple[int, int]  # author, stroke
Pieces = dict[Key, list[tuple[int, wire.Stroke]]]  # the pieces of strokes, with their numbers, in order


def index(canvas: Canvas, up_to: int | None = None) -> int:
    """Reads the journal into the index, to its end or at least to number `up_to`; how many operations were new.

    Any number of processes may do it at once: each chunk is written by the one that moves `IndexProgress` first.
    """
    position, _ = IndexProgress.objects.get_or_create(canvas=canvas)
    done, read = position.seq, 0
    while up_to is None or done < up_to:
        rows = list(Batch.objects.filter(canvas=canvas, first__gt=done).order_by("first")[:CHUNK])
        if not rows:
            break
        chunk = _Chunk.of(canvas, rows)
        with transaction.atomic():
            if IndexProgress.objects.filter(canvas=canvas, seq=done).update(seq=rows[-1].last):
                chunk.write(canvas)
                read += rows[-1].last - done
        done = IndexProgress.objects.values_list("seq", flat=True).get(canvas=canvas)
    return read


def index_all() -> None:
    """Reads what any canvas has beyond its index: one query where there is nothing, however many canvases there are."""
    canvases = Canvas.objects.annotate(indexed=Coalesce("index_progress__seq", 0))
    for canvas in canvases.filter(head__gt=F("indexed")).order_by("pk"):
        index(canvas)


@dataclass
class _Chunk:
    """Some batches, by stroke. What is hidden comes as numbers, and concerns the strokes that have them."""

    drawn: dict[Key, Stroke] = field(default_factory=dict)
    undone: dict[Key, int] = field(default_factory=dict)
    hidden: dict[int, bool] = field(default_factory=dict)  # the last word on each number
    hidden_by: dict[int, int] = field(default_factory=dict)  # the HIDE that said it
    strokes: dict[int, Key] = field(default_factory=dict)  # those numbers' strokes

    @classmethod
    def of(cls, canvas: Canvas, rows: list[Batch]) -> _Chunk:
        chunk = cls()
        for row in rows:
            for number, op in operations(row):
                match op:
                    case wire.Stroke():
                        _add(chunk.drawn, canvas, number, op, row.at)
                    case wire.Undo():
                        chunk.undone.setdefault((op.author, op.stroke_id), number)
                    case wire.Hide():
                        chunk.hidden |= dict.fromkeys(op.numbers, not op.show)
                        chunk.hidden_by |= dict.fromkeys(op.numbers, number)
        if chunk.hidden:
            chunk.strokes = _strokes_of(canvas, chunk.hidden)
        return chunk

    def write(self, canvas: Canvas) -> None:
        keys = self.drawn.keys() | self.undone.keys() | set(self.strokes.values())
        known = {(row.author, row.stroke_id): row for row in rows(canvas, keys)}
        for key, row in self.drawn.items():
            known[key] = _joined(known[key], row) if key in known else row
        for key, number in self.undone.items():
            if key in known:  # an UNDO of nothing is possible, and nothing
                known[key].undone_seq = known[key].undone_seq or number
        by_stroke: dict[Key, dict[int, bool]] = {}
        for number, key in self.strokes.items():
            by_stroke.setdefault(key, {})[number] = self.hidden[number]
        for key, words in by_stroke.items():
            row = known[key]
            hidden = set(row.hidden_numbers) - words.keys() | {number for number, hide in words.items() if hide}
            row.hidden_numbers, row.hidden = sorted(hidden), len(hidden)
            row.hidden_seq = max(self.hidden_by[number] for number in words)
        Stroke.objects.bulk_create(
            known.values(),
            batch_size=200,
            update_conflicts=True,
            unique_fields=["canvas", "author", "stroke_id"],
            update_fields=_CHANGING,
        )


_CHANGING = [
    "last_seq",
    "ended_at",
    "left",
    "top",
    "right",
    "bottom",
    "width",
    "pieces",
    "points",
    "finished",
    "undone_seq",
    "hidden",
    "hidden_numbers",
    "hidden_seq",
]


def _add(drawn: dict[Key, Stroke], canvas: Canvas, number: int, op: wire.Stroke, at: datetime) -> None:
    left, top, right, bottom = brush.bounds(op.points)
    row = Stroke(
        canvas=canvas,
        author=op.author,
        stroke_id=op.stroke_id,
        first_seq=number,
        last_seq=number,
        began_at=at,
        ended_at=at,
        left=left,
        top=top,
        right=right,
        bottom=bottom,
        colour=f"#{bytes(op.colour).hex()}" if op.frame is None else "",
        opacity=op.opacity,
        width=max(w for _, _, w in op.points) / 8,
        pieces=1,
        points=len(op.points),
        finished=op.last,
    )
    key = (op.author, op.stroke_id)
    drawn[key] = _joined(drawn[key], row) if key in drawn else row


def _joined(row: Stroke, more: Stroke) -> Stroke:
    """`row` with what came later of the same stroke."""
    row.last_seq, row.ended_at = more.last_seq, more.ended_at
    row.left, row.top = min(row.left, more.left), min(row.top, more.top)
    row.right, row.bottom = max(row.right, more.right), max(row.bottom, more.bottom)
    row.width = max(row.width, more.width)
    row.pieces += more.pieces
    row.points += more.points
    row.finished = row.finished or more.finished
    return row


def rows(canvas: Canvas, keys: Iterable[Key]) -> Iterator[Stroke]:
    """What the index has of these strokes."""
    wanted = set(keys)
    listed = sorted(wanted)
    for at in range(0, len(listed), KEYS):
        authors, strokes = zip(*listed[at : at + KEYS], strict=True)
        for row in Stroke.objects.filter(canvas=canvas, author__in=set(authors), stroke_id__in=strokes):
            if (row.author, row.stroke_id) in wanted:
                yield row


def shown(canvas: Canvas, operations: Iterable[Numbered]) -> list[NumberedStroke]:
    """What is drawn of these operations, less what moderators have hidden by now.

    The journal says HIDE when it was done, often long after the ink was dreamed: a stretch of it does not know.
    """
    index(canvas)
    seen = visible(operations)
    hidden = {
        number for row in rows(canvas, {(op.author, op.stroke_id) for _, op in seen}) for number in row.hidden_numbers
    }
    return [(number, op) for number, op in seen if number not in hidden]


def _strokes_of(canvas: Canvas, numbers: Iterable[int]) -> dict[int, Key]:
    """Whose pieces these numbers are; numbers of other operations are left out."""
    wanted = set(numbers)
    found = {}
    for row in _batches(canvas, min(wanted), max(wanted)):
        for number, (kind, author, stroke, _) in enumerate(_scan(row), row.first):
            if kind == wire.STROKE and number in wanted:
                found[number] = (author, stroke)
    return found


def _batches(canvas: Canvas, first: int, last: int) -> Iterator[Batch]:
    """Those that hold numbers `first` to `last`, in order.

    Queried by one bound alone, along the index, and ended here: with both, a database may start at the first batch.
    """
    rows = Batch.objects.filter(canvas=canvas, last__gte=first).order_by("last")[: last - first + 1]
    for row in rows.iterator(CHUNK):
        if row.first > last:
            return
        yield row


def operations(row: Batch) -> list[tuple[int, wire.Operation]]:
    found, _ = wire.operations_from(bytes(row.payload), row.last - row.first + 1)
    return list(enumerate(found, row.first))


def _scan(row: Batch) -> Iterator[tuple[int, int, int, int]]:
    return wire.scan(bytes(row.payload), row.last - row.first + 1)


# --- the ink itself --------------------------------------------------------------------------------------------------


def pieces(canvas: Canvas, strokes: Iterable[Stroke]) -> Pieces:
    """What the journal has of these strokes."""
    listed = sorted(strokes, key=lambda stroke: stroke.first_seq)
    found: Pieces = {(stroke.author, stroke.stroke_id): [] for stroke in listed}
    for first, last in _ranges(listed):
        for row in _batches(canvas, first, last):
            if not any((author, stroke) in found for _, author, stroke, _ in _scan(row)):
                continue
            for number, op in operations(row):
                if isinstance(op, wire.Stroke) and (op.author, op.stroke_id) in found and first <= number <= last:
                    found[op.author, op.stroke_id].append((number, op))
    return found


def boxes(ink: Iterable[tuple[int, wire.Stroke]]) -> list[Rect]:
    """The boxes of a stroke's pieces, px."""
    return [Rect(*brush.bounds(op.points)) for _, op in ink]


def numbered(canvas: Canvas, numbers: Iterable[int]) -> list[NumberedStroke]:
    """The pieces that have these numbers, in order."""
    wanted = set(numbers)
    if not wanted:
        return []
    return [
        (number, op)
        for row in _batches(canvas, min(wanted), max(wanted))
        if not wanted.isdisjoint(range(row.first, row.last + 1))
        for number, op in operations(row)
        if number in wanted and isinstance(op, wire.Stroke)
    ]


def _ranges(listed: list[Stroke], gap: int = 500) -> list[tuple[int, int]]:
    """The numbers the strokes lie between, as few ranges: neighbours are read in one go. No two of them overlap."""
    ranges: list[tuple[int, int]] = []
    for stroke in listed:
        if ranges and stroke.first_seq <= ranges[-1][1] + gap:
            ranges[-1] = ranges[-1][0], max(ranges[-1][1], stroke.last_seq)
        else:
            ranges.append((stroke.first_seq, stroke.last_seq))
    return ranges


def at(canvas: Canvas, x: float, y: float, radius: float = 2.0, limit: int = 20) -> list[Stroke]:
    """Strokes with ink within `radius` px of a point of the canvas, newest first, whatever became of them."""
    index(canvas)
    candidates = Stroke.objects.at(canvas, x, y, radius).newest()
    found: list[Stroke] = []
    for start in range(0, SEARCH, 100):
        some = list(candidates[start : start + 100])
        ink = pieces(canvas, some)
        found += [stroke for stroke in some if distance(ink[stroke.author, stroke.stroke_id], x, y) <= radius]
        if len(some) < 100 or len(found) >= limit:
            break
    return found[:limit]


def within(canvas: Canvas, strokes: Iterable[Stroke], rect: Rect) -> list[Stroke]:
    """Those that have a piece of ink whose box meets the rectangle."""
    boxed = list(strokes)
    inside = {stroke.pk for stroke in boxed if rect.contains(stroke.box)}
    ink = pieces(canvas, [stroke for stroke in boxed if stroke.pk not in inside])
    return [
        stroke
        for stroke in boxed
        if stroke.pk in inside
        or any(rect.overlaps(brush.bounds(op.points)) for _, op in ink[stroke.author, stroke.stroke_id])
    ]


def distance(ink: Iterable[tuple[int, wire.Stroke]], x: float, y: float) -> float:
    """How far a place is from a stroke's line, as wide as it is there, in px: 0 within it, infinite without ink."""
    return min((_away(op, x * 8, y * 8) for _, op in ink), default=inf) / 8


def _away(op: wire.Stroke, x: float, y: float) -> float:
    """The same of one piece; all in 1/8 px."""
    nearest = inf
    for (x0, y0, w0), (x1, y1, w1) in itertools.pairwise([op.points[0], *op.points]):
        dx, dy = x1 - x0, y1 - y0
        length = dx * dx + dy * dy
        t = min(1.0, max(0.0, ((x - x0) * dx + (y - y0) * dy) / length)) if length else 0.0
        nearest = min(nearest, hypot(x - x0 - t * dx, y - y0 - t * dy) - (w0 + (w1 - w0) * t) / 2)
    return max(nearest, 0.0)
