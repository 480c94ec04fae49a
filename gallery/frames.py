"""Finding frames. Every question is answered from an index and costs the same at ten frames and at a million."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery

from canvas.models import Canvas, Frame, Stroke

PAGE = 48  # divides by 2, 3, 4, 6 and 8: full rows in every width of the grid
FOLD = 3  # dreams in a row in which nobody drew become one entry
FOLD_SHOWS = 6  # of them, when it is opened; its link leads to all


@dataclass(frozen=True)
class FramePage:
    """Some frames of one canvas, newest first, and the numbers from which its neighbours begin (None: no more)."""

    frames: list[Frame]
    newest: int  # the canvas' last number, which is how many frames it has: numbers have no gaps
    newer: int | None
    older: int | None


def page(
    canvas: Canvas, *, before: int | None = None, after: int | None = None, size: int = PAGE, every: int = 1
) -> FramePage:
    """The newest frames, those with numbers below `before`, or those just above `after`.

    With `after`, only each `every`-th: numbers have no gaps, so that they are found by number.
    """
    all_ = Frame.objects.filter(canvas=canvas)
    newest = all_.order_by("-number").values_list("number", flat=True).first() or 0
    if after is not None and every > 1:
        numbers = range(after + every, after + every * size + 1, every)
        frames = list(all_.filter(number__in=numbers).order_by("-number"))
    elif after is not None:
        frames = list(all_.filter(number__gt=after).order_by("number")[:size])[::-1]
    else:
        below = all_ if before is None else all_.filter(number__lt=before)
        frames = list(below.order_by("-number")[:size])
    for frame in frames:
        frame.canvas = canvas  # known already: no query a frame
    return FramePage(
        frames,
        newest,
        newer=frames[0].number if frames and frames[0].number < newest else None,
        older=frames[-1].number if frames and frames[-1].number > 1 else None,
    )


@dataclass(frozen=True)
class Fold:
    """A run of dreams in which nobody drew: numbers `first` to `last`, and some of them, evenly, newest first."""

    first: int
    last: int
    shown: list[Frame]

    @property
    def count(self) -> int:
        return self.last - self.first + 1

    @property
    def newest(self) -> Frame:
        return self.shown[0]

    @property
    def oldest(self) -> Frame:
        return self.shown[-1]


@dataclass(frozen=True)
class FoldedPage:
    """Frames and folds, newest first; the rest as a FramePage has it."""

    entries: list[Frame | Fold]
    newest: int
    newer: int | None
    older: int | None


def folded_page(canvas: Canvas, *, before: int | None = None, after: int | None = None) -> FoldedPage:
    """As `page`, but a run of FOLD or more dreams without new ink is one entry, however long it is."""
    all_ = Frame.objects.filter(canvas=canvas)
    newest = all_.order_by("-number").values_list("number", flat=True).first() or 0
    runs = _runs(all_, newest, before, after)
    parts: list[range] = []  # numbers that are one entry each, newest first or (after) oldest first
    for first, last, quiet in runs:
        # The first of a run is the frame that took the ink in.
        begin = first if quiet else first + 1
        folds = last - begin + 1 >= FOLD
        ones = list(range(first, begin if folds else last + 1))
        found = [range(number, number + 1) for number in ones] + ([range(begin, last + 1)] if folds else [])
        parts += found if after is not None else found[::-1]
        if len(parts) >= PAGE:
            break
    parts = parts[:PAGE] if after is None else parts[:PAGE][::-1]
    wanted = {number for part in parts for number in (_some(part) if len(part) > 1 else part)}
    frames = {frame.number: frame for frame in all_.filter(number__in=wanted).order_by("number")}
    for frame in frames.values():
        frame.canvas = canvas
    entries: list[Frame | Fold] = [
        Fold(part[0], part[-1], [frames[number] for number in _some(part)[::-1]]) if len(part) > 1 else frames[part[0]]
        for part in parts
    ]
    return FoldedPage(
        entries,
        newest,
        newer=parts[0][-1] if parts and parts[0][-1] < newest else None,
        older=parts[-1][0] if parts and parts[-1][0] > 1 else None,
    )


def _runs(all_: QuerySet[Frame], newest: int, before: int | None, after: int | None) -> list[tuple[int, int, bool]]:
    """(first number, last number, whether the first is quiet, too) of runs with the same ink, PAGE of them at most.

    By the frames' own numbers: those of the journal fall where a moderator put an earlier picture back.
    """
    begins = all_.exclude(is_quiet())
    if after is not None:
        firsts = list(begins.filter(number__gt=after).order_by("number").values_list("number", flat=True)[: PAGE + 1])
        ends = [*(first - 1 for first in firsts), newest]
        cut = [(after + 1, ends[0], True)] if after < ends[0] else []
        return cut + [(first, last, False) for first, last in zip(firsts, ends[1:], strict=True)]
    last, found = newest if before is None else min(before - 1, newest), []
    for first in begins.filter(number__lte=last).order_by("-number").values_list("number", flat=True)[:PAGE]:
        found.append((first, last, False))
        last = first - 1
    return found


def _some(numbers: range) -> list[int]:
    """Some of a fold's, evenly, the first and the last among them."""
    if len(numbers) <= FOLD_SHOWS:
        return list(numbers)
    return [numbers[round(index * (len(numbers) - 1) / (FOLD_SHOWS - 1))] for index in range(FOLD_SHOWS)]


def is_quiet() -> Q:
    """A dream into which nobody had drawn: the frame before has the same ink. Never a picture that was put back."""
    before = Frame.objects.filter(canvas=OuterRef("canvas"), number=OuterRef("number") - 1, seq=OuterRef("seq"))
    return Q(Exists(before), kind=Frame.Kind.DREAM)


def quiet(frames: list[Frame]) -> set[int]:
    """The ids of those among these frames into which nobody had drawn."""
    found = Frame.objects.filter(is_quiet(), pk__in=[frame.pk for frame in frames])
    return set(found.order_by().values_list("pk", flat=True))


def at(canvas: Canvas, moment: datetime) -> Frame | None:
    """The frame that everybody saw at this moment: the newest made by then; before all of them, the first."""
    made_by_then = Frame.objects.filter(canvas=canvas, made_at__lte=moment)
    return (
        made_by_then.order_by("-made_at", "-number").first()
        or Frame.objects.filter(canvas=canvas).order_by("number").first()
    )


def neighbours(frame: Frame) -> tuple[Frame | None, Frame | None]:
    """The frames before and after this one on its canvas, hidden ones too: their pages say so and link to the next."""
    numbers = (frame.number - 1, frame.number + 1)
    # Ordered by number because the default order would lead SQLite away from the index.
    found = Frame.objects.filter(canvas_id=frame.canvas_id, number__in=numbers).order_by("number")
    beside = {other.number: other for other in found}
    return beside.get(numbers[0]), beside.get(numbers[1])


def dreamed_in(canvas: Canvas, strokes: list[int]) -> dict[int, Frame]:
    """The first visible frame that each of these strokes is in."""
    later = Frame.objects.visible().filter(canvas=canvas, seq__gte=OuterRef("last_seq")).order_by("seq", "number")
    rows = Stroke.objects.filter(pk__in=strokes).annotate(frame_id=Subquery(later.values("pk")[:1]))
    found = dict(rows.exclude(frame_id=None).values_list("pk", "frame_id"))
    frames = Frame.objects.defer("recipe").in_bulk(found.values())
    for frame in frames.values():
        frame.canvas = canvas  # its address depends on it: else a query for each
    return {stroke: frames[frame] for stroke, frame in found.items()}
