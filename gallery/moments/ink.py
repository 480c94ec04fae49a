"""The canvas at any moment: what everybody saw then, less what was taken back or taken out since.

It is the newest frame made by then, and the ink that was drawn on it until then. Ink that was undone before it was
dreamed stays out, also where the moment lies before the undo: its author took it away. So does what a moderator has
hidden, whenever that was. Hidden frames count as never made, for everybody alike, and so do thinned ones (which hold no
ink that the one before does not); the journal is complete, so nothing of the rest is missing.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from canvas import earlier as canvas_earlier
from canvas import journal, strokes, wire
from canvas.models import Canvas, Frame
from canvas.picture import Numbered, NumberedStroke
from gallery import media

MAX_OPERATIONS = 20_000  # in one span; a checkpoint every few thousand keeps real ones far below


@dataclass(frozen=True)
class Span:
    """The time that a frame was the base: from it (None: from the blank canvas) to the next (None: to now)."""

    canvas: Canvas
    base: Frame | None
    following: Frame | None

    @property
    def seq(self) -> int:
        return self.base.seq if self.base else 0


@dataclass(frozen=True)
class Ink:
    """Visible operations in order, each with its time in ms since 1970; `complete`: there were not too many."""

    operations: list[NumberedStroke]
    times: list[int]
    complete: bool

    def until(self, moment: datetime) -> list[NumberedStroke]:
        return self.operations[: bisect_right(self.times, wire.milliseconds(moment))]

    def up_to(self, seq: int) -> list[NumberedStroke]:
        return [(number, op) for number, op in self.operations if number <= seq]


def span_at(canvas: Canvas, moment: datetime) -> Span:
    """The span in which a moment lies."""
    made_by_then = Frame.objects.visible().whole().filter(canvas=canvas, made_at__lte=moment)
    return span_of(canvas, made_by_then.order_by("-made_at", "-number").first())


def span_of(canvas: Canvas, base: Frame | None) -> Span:
    return Span(canvas, base, _after(canvas, base))


def before(frame: Frame) -> Span:
    """The span that ended with this frame: its ink, up to `frame.seq`, is what the frame was dreamed of."""
    earlier = Frame.objects.visible().whole().filter(canvas_id=frame.canvas_id, number__lt=frame.number)
    return Span(frame.canvas, earlier.order_by("-number").first(), frame)


def _after(canvas: Canvas, frame: Frame | None) -> Frame | None:
    later = Frame.objects.visible().whole().filter(canvas=canvas, number__gt=frame.number if frame else 0)
    return later.order_by("number").first()


def read(span: Span) -> Ink:
    """The ink of a span: at least all that went into the following frame, and all that was drawn until it came."""
    last = place_head = Canvas.objects.values_list("head", flat=True).get(pk=span.canvas.pk)
    shown_until = None
    if span.following is not None:
        # Ink after the following frame's own can be taken back until the frame after that one.
        beyond = _after(span.canvas, span.following)
        last = max(beyond.seq if beyond else place_head, span.following.seq)
        shown_until = wire.milliseconds(span.following.made_at)
    numbered: list[Numbered] = []
    times: dict[int, int] = {}
    complete = True
    for batch in journal.batches(span.canvas, span.seq, last):
        for number, op in batch.operations():
            if span.seq < number <= last:
                numbered.append((number, op))
                times[number] = batch.at
        if len(numbered) > MAX_OPERATIONS:
            complete = False
            break
    kept = strokes.shown(span.canvas, numbered)
    if shown_until is not None and span.following is not None:
        seq = span.following.seq
        kept = [(number, op) for number, op in kept if number <= seq or times[number] < shown_until]
    # Two processes' clocks may differ a little: time never runs backwards along the journal.
    along: list[int] = []
    running = 0
    for number, _ in kept:
        running = max(running, times[number])
        along.append(running)
    return Ink(kept, along, complete)


def earlier(span: Span) -> dict[str, str]:
    """The pictures that an UNDREAM of this span may bring back: their addresses by the frame's id."""
    listed = canvas_earlier.earlier(span.canvas, span.base)
    return {str(frame.pk): media.path(frame.picture) for frame in listed if frame is not None}


def messages(ink: Ink) -> Iterable[bytes]:
    """As BATCH messages (docs/protocol.md), each after its length as u32: what is left out leaves gaps."""
    runs = groupby(
        enumerate(zip(ink.operations, ink.times, strict=True)), lambda each: (each[1][0][0] - each[0], each[1][1])
    )
    for (_, at), run in runs:
        operations = [numbered for _, (numbered, _) in run]
        for start in range(0, len(operations), 1000):
            part = operations[start : start + 1000]
            payload = b"".join(wire.encode(op) for _, op in part)
            message = wire.Batch(part[0][0], at, len(part), payload).message()
            yield len(message).to_bytes(4, "little") + message
