"""Finding frames. Every question is answered from an index and costs the same at ten frames and at a million."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from canvas.models import Canvas, Frame

PAGE = 48  # divides by 2, 3, 4, 6 and 8: full rows in every width of the grid


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
