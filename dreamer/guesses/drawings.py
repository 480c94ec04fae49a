"""Strokes that belong together: one drawing on the canvas, from its first stroke until it comes to rest."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from canvas import picture
from canvas import strokes as index
from canvas.brush import Pixels
from canvas.models import Canvas, Stroke

Box = tuple[int, int, int, int]  # x0, y0, x1, y1 in px

NEAR = 28  # px between two strokes of one drawing
REST = timedelta(seconds=3)  # since its last stroke
RECENT = timedelta(minutes=3)  # older strokes belong to no drawing that is being made
LEAST = 40  # px of its longer side
LARGEST = 0.7  # of the canvas' side


@dataclass(frozen=True)
class Drawing:
    """`box` is within the canvas; `authors` are users' ids; `last_seq` the journal's number of its newest ink."""

    box: Box
    authors: frozenset[int]
    last_seq: int
    ended_at: datetime
    strokes: tuple[Stroke, ...] = ()


def at_rest(canvas: Canvas, now: datetime, after: int) -> list[Drawing]:
    """Drawings with ink newer than number `after` at which nobody has drawn for a moment, the newest last."""
    index.index(canvas)
    recent = Stroke.objects.filter(canvas=canvas).shown().between(since=now - RECENT)
    found = [
        drawing
        for drawing in together(recent, canvas.width, canvas.height)
        if drawing.last_seq > after and drawing.ended_at <= now - REST and _fits(drawing.box, canvas)
    ]
    return sorted(found, key=lambda drawing: drawing.last_seq)


def together(strokes: Iterable[Stroke], width: int, height: int) -> list[Drawing]:
    """The drawings that strokes make: those whose boxes come near each other, whoever drew them."""
    groups: list[tuple[Box, list[Stroke]]] = []
    for stroke in strokes:
        box: Box = (stroke.left, stroke.top, stroke.right, stroke.bottom)
        joined, apart = [stroke], []
        for other, members in groups:
            if _near(box, other):
                box, joined = _around(box, other), joined + members
            else:
                apart.append((other, members))
        # The grown box may reach groups that the stroke alone did not.
        while reached := next((group for group in apart if _near(box, group[0])), None):
            apart.remove(reached)
            box, joined = _around(box, reached[0]), joined + reached[1]
        groups = [*apart, (box, joined)]
    return [
        Drawing(
            (max(0, box[0]), max(0, box[1]), min(width, box[2]), min(height, box[3])),
            frozenset(stroke.author for stroke in members),
            max(stroke.last_seq for stroke in members),
            max(stroke.ended_at for stroke in members),
            tuple(members),
        )
        for box, members in groups
        if box[0] < width and box[1] < height and box[2] > 0 and box[3] > 0
    ]


def alone(canvas: Canvas, drawing: Drawing) -> Pixels:
    """The drawing on bare paper, uint8 [h, w, 3], as large as the canvas: as it was drawn, whatever lies under it, and
    whatever a dream has made of it since."""
    ink = [piece for pieces in index.pieces(canvas, drawing.strokes).values() for piece in pieces]
    paper = picture.blank(canvas.width, canvas.height, canvas.background_rgb)
    return picture.compose(paper, sorted(ink, key=lambda piece: piece[0]))


def _fits(box: Box, canvas: Canvas) -> bool:
    side = max(box[2] - box[0], box[3] - box[1])
    return LEAST <= side <= LARGEST * min(canvas.width, canvas.height)


def _near(one: Box, other: Box) -> bool:
    return (
        one[0] - NEAR < other[2] and other[0] - NEAR < one[2] and one[1] - NEAR < other[3] and other[1] - NEAR < one[3]
    )


def _around(one: Box, other: Box) -> Box:
    return min(one[0], other[0]), min(one[1], other[1]), max(one[2], other[2]), max(one[3], other[3])
