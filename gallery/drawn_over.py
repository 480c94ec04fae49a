"""What others drew over a person's strokes, and whom they drew with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from canvas import strokes as index
from canvas.models import Canvas, Frame, Stroke
from dreamsite.core.rect import Rect
from gallery import frames as gallery_frames
from gallery.frame.origins import public_names

OWN = 250  # strokes of one's own that are looked at, the newest
OTHERS = 400  # of others
PIECES = 5_000  # of these strokes, on each side
NUMBERS = 50_000  # of the journal, that are read for each side: a stroke drawn slowly has those of many others within
MEETINGS = 96  # that are listed, the newest
FRAMES = 200  # of one's own that people are looked for in, the newest
PEOPLE = 24


@dataclass
class Meeting:
    """Strokes of one person over one's own, that one frame took in."""

    name: str
    author: int
    frame: Frame
    at: datetime
    count: int = 0


def over(user: Any, canvas: Canvas) -> list[Meeting]:
    """Who painted over this person's newest strokes on a canvas later, the newest first."""
    index.index(canvas)
    own = list(Stroke.objects.filter(canvas=canvas).by(user).shown().newest()[:OWN])
    return _meetings(canvas, user, own, min((one.ended_at for one in own), default=None))


def _meetings(canvas: Canvas, user: Any, own: list[Stroke], since: datetime | None) -> list[Meeting]:
    """Only people who may be named to everybody, and only ink that may be shown."""
    if not own or since is None:
        return []
    around = _around(stroke.box for stroke in own)
    found = Stroke.objects.within(canvas, around).exclude(author=user.pk).shown().filter(ended_at__gt=since)
    found = found.filter(first_seq__gt=min(stroke.last_seq for stroke in own))
    others = list(found.newest()[:OTHERS])
    names = public_names(other.author for other in others)
    met = near(canvas, own, [other for other in others if other.author in names])
    frames = gallery_frames.dreamed_in(canvas, [other.pk for other in met])
    meetings: dict[tuple[int, int], Meeting] = {}
    for other in met:
        if (frame := frames.get(other.pk)) is None:
            continue  # not dreamed yet
        key = other.author, frame.pk
        meeting = meetings.setdefault(key, Meeting(names[other.author], other.author, frame, other.ended_at))
        meeting.count += 1
    return list(meetings.values())[:MEETINGS]


def near(canvas: Canvas, own: list[Stroke], others: list[Stroke], distance: int = 0) -> list[Stroke]:
    """Those others that came later than one of one's own and within `distance` px of it; 0: over it.

    By ink, not by strokes' boxes: the pieces of a stroke are short, so that their boxes are close to the ink. A stroke
    that is no larger than the distance is as good as its box, and is not read from the journal.
    """
    own, others = _bounded(own), _bounded(others)
    if not own or not others:
        return []
    grown = np.array([-distance, -distance, distance, distance])
    around, lasts = _rows(one.box for one in own) + grown, np.array([one.last_seq for one in own])
    pairs = []
    for other in others:
        if found := np.flatnonzero((lasts < other.first_seq) & _overlap(around, other.box)).tolist():
            pairs.append((other, [own[number] for number in found]))
    met = {one.pk: one for other, beside in pairs for one in [other, *beside]}
    large = [one for one in met.values() if max(one.box.width, one.box.height) > distance]
    pieces = index.pieces(canvas, large) if large else {}
    boxes = {
        one.pk: index.boxes(read) if (read := pieces.get((one.author, one.stroke_id))) else [one.box]
        for one in met.values()
    }
    ink = {one.pk: _rows(boxes[one.pk]) + grown for one in own if one.pk in boxes}
    return [
        other
        for other, beside in pairs
        for mine in [np.concatenate([ink[one.pk] for one in beside])]
        if any(_overlap(mine, theirs).any() for theirs in boxes[other.pk])
    ]


def _bounded(strokes: list[Stroke]) -> list[Stroke]:
    """Those whose pieces can be read and compared while somebody waits for the page, the newest before the others; one
    that alone would take too long is passed over. In their order."""
    pieces, numbers = PIECES, NUMBERS
    found = set()
    for stroke in sorted(strokes, key=lambda one: -one.last_seq):
        span = stroke.last_seq - stroke.first_seq
        if stroke.pieces <= pieces and span <= numbers:
            pieces, numbers = pieces - stroke.pieces, numbers - span
            found.add(stroke.pk)
    return [stroke for stroke in strokes if stroke.pk in found]


def _rows(boxes: Iterable[Rect]) -> npt.NDArray[np.int64]:
    """A row for each box: left, top, right, bottom, px."""
    return np.array([(box.left, box.top, box.right, box.bottom) for box in boxes], np.int64)


def _overlap(boxes: npt.NDArray[np.int64], box: Rect) -> npt.NDArray[np.bool_]:
    """Which of the boxes (rows as of `_rows`) overlap this one."""
    left, top, right, bottom = boxes.T
    overlap: npt.NDArray[np.bool_] = (left < box.right) & (right > box.left) & (top < box.bottom) & (bottom > box.top)
    return overlap


def _around(boxes: Iterable[Rect]) -> Rect:
    first, *others = boxes
    for box in others:
        first = first.union(box)
    return first


def people(user: Any, canvas: Canvas) -> list[str]:
    """The names of those whose ink is in the same frames of a canvas, those with the most of them first."""
    newest = user.frames.visible().filter(canvas=canvas).order_by("-number").values_list("pk", flat=True)[:FRAMES]
    rows = Frame.contributors.through.objects.filter(frame__in=list(newest)).exclude(user=user.pk)
    ids = [pk for pk, _shared in Counter(rows.values_list("user_id", flat=True)).most_common(2 * PEOPLE)]
    names = public_names(ids)
    return [names[pk] for pk in ids if pk in names][:PEOPLE]
