"""What a film shows, and when. Plain Python: from rows of frames to parts and segments, by arithmetic alone.

A film is a list of parts: the title card, a shot for each frame, the credits. A shot begins with the picture the part
before it ended with; it may show strokes being drawn on it (`draw` video frames), fades into its own picture (`fade`),
and stays there (`hold`).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate, pairwise

FPS = 24
TITLE = 60  # video frames of the title card
CREDITS = 132
CARD_FADE = 18  # from a card, and into one
CLIP = 15 * FPS  # video frames of a clip
CLIP_CREDITS = 44
CLIP_STILLS = 26  # of its shots at most: more of them nobody could follow
OWN_STILLS = 300  # of a film that somebody makes for themselves
SEGMENT = 240  # video frames; what a killed worker loses at most, and how often the encoder begins anew


@dataclass(frozen=True)
class Still:
    """A frame of the history, as far as a plan needs it."""

    id: int
    number: int
    seq: int  # the journal's number up to which it holds
    made_at: datetime
    title: str  # its style; empty for a drawing without a dream


@dataclass(frozen=True)
class Pace:
    """Video frames of each phase of a shot; `fade` is at least 1, its last frame is the picture itself."""

    draw: int
    fade: int
    hold: int


PACES = {
    # A second for each frame: two hours become four minutes, slow enough to see each stroke.
    "hours": Pace(draw=11, fade=8, hold=5),
    "day": Pace(draw=6, fade=2, hold=0),
    "part": Pace(draw=9, fade=6, hold=2),
    "whole": Pace(draw=4, fade=1, hold=0),
    "mine": Pace(draw=12, fade=6, hold=3),
    "place": Pace(draw=9, fade=6, hold=2),
}


@dataclass(frozen=True)
class Part:
    """`still` is None for the two cards."""

    still: Still | None
    draw: int
    fade: int
    hold: int
    start: int  # in video frames, from the film's beginning

    @property
    def length(self) -> int:
        return self.draw + self.fade + self.hold


@dataclass(frozen=True)
class Segment:
    """Parts `first` up to, not with, `last`, encoded by themselves."""

    index: int
    first: int
    last: int
    start: int
    length: int


@dataclass(frozen=True)
class Plan:
    parts: list[Part]
    segments: list[Segment]
    fps: int = FPS

    @property
    def length(self) -> int:
        return self.parts[-1].start + self.parts[-1].length

    @property
    def seconds(self) -> float:
        return self.length / self.fps

    @property
    def stills(self) -> list[Still]:
        return [part.still for part in self.parts if part.still]

    def at(self, seconds: float) -> Still:
        """The frame on the screen at this second; the first or the last one during a card."""
        starts = [part.start for part in self.parts]
        index = bisect_right(starts, seconds * self.fps + 1e-6) - 1
        found = self.parts[min(max(index, 1), len(self.parts) - 2)].still
        assert found is not None
        return found


def plan(stills: Sequence[Still], pace: Pace, *, drawing: bool) -> Plan:
    """The plan of a film of these frames, at least one, in their order. Raises ValueError for none."""
    if not stills:
        raise ValueError("received no frames, expected at least one to make a film of")
    shapes: list[tuple[Still | None, int, int, int]] = [(None, 0, 1, TITLE - 1)]
    before: Still | None = None
    for still in stills:
        # Strokes can be shown where the frame before is the one they were drawn on: not across a hidden frame.
        drawn = before is not None and still.number == before.number + 1 and still.seq > before.seq
        fade = pace.fade if before is not None else max(CARD_FADE, pace.fade)
        shapes.append((still, pace.draw if drawing and drawn else 0, fade, pace.hold))
        before = still
    shapes.append((None, 0, CARD_FADE, CREDITS - CARD_FADE))
    return _laid_out(shapes)


def _laid_out(shapes: Sequence[tuple[Still | None, int, int, int]]) -> Plan:
    starts = accumulate((draw + fade + hold for _, draw, fade, hold in shapes), initial=0)
    parts = [Part(*shape, start) for shape, start in zip(shapes, starts, strict=False)]
    return Plan(parts, _segments(parts))


def clip(stills: Sequence[Still], *, drawing: bool) -> Plan:
    """The plan of a clip of CLIP video frames: no title card, its first picture at once, the rest in even time.

    At least one still, and CLIP_STILLS at most. Raises ValueError for none, and for more.
    """
    if not 0 < len(stills) <= CLIP_STILLS:
        raise ValueError(f"received {len(stills)} frames, expected 1 to {CLIP_STILLS} for a clip")
    room = CLIP - CLIP_CREDITS - 1
    drawn = [
        drawing and before is not None and still.number == before.number + 1 and still.seq > before.seq
        for before, still in zip([None, *stills], stills, strict=False)
    ]
    # A shot in which strokes appear has twice the time of one that only changes the picture.
    share = room / (len(stills) + sum(drawn))
    ends = [round(share * count) for count in accumulate(1 + each for each in drawn)]
    shapes: list[tuple[Still | None, int, int, int]] = [(None, 0, 1, 0)]
    for still, drawing_here, start, end in zip(stills, drawn, [0, *ends], ends, strict=False):
        length = end - start
        draw = length // 2 if drawing_here else 0
        fade = max(1, (length - draw) // 2)
        shapes.append((still, draw, fade, length - draw - fade))
    shapes.append((None, 0, CARD_FADE, CLIP_CREDITS - CARD_FADE))
    return _laid_out(shapes)


def spread(stills: Sequence[Still], most: int, chosen: Sequence[int] | None = None) -> list[Still]:
    """At most `most` of them, evenly; the first and the last among these.

    With `chosen`, the places in `stills` where something was drawn: those, each after the one it was drawn on.
    """
    if chosen is not None and len(stills) > most:
        places = [chosen[index] for index in _evenly(len(chosen), max(1, most // 2))]
        wanted = sorted({place for each in places for place in (each - 1, each) if place >= 0})
        return [stills[place] for place in wanted]
    return [stills[place] for place in _evenly(len(stills), most)]


def _evenly(count: int, most: int) -> list[int]:
    if count <= most:
        return list(range(count))
    if most == 1:
        return [count - 1]
    return [round(index * (count - 1) / (most - 1)) for index in range(most)]


def shot_at(count: int, pace: Pace, seconds: float) -> int:
    """Which of `count` shots, from 0, `Plan.at` finds in a film without strokes: its shots are all of one length."""
    since = seconds * FPS + 1e-6 - (TITLE + max(CARD_FADE, pace.fade) + pace.hold)
    return 0 if since < 0 else min(1 + int(since // (pace.fade + pace.hold)), count - 1)


def _segments(parts: list[Part]) -> list[Segment]:
    cuts = [0]
    for index, part in enumerate(parts):
        if part.start - parts[cuts[-1]].start >= SEGMENT:
            cuts.append(index)
    cuts.append(len(parts))
    return [
        Segment(number, first, last, parts[first].start, sum(part.length for part in parts[first:last]))
        for number, (first, last) in enumerate(pairwise(cuts))
    ]


def windows(moments: Iterable[datetime], span_seconds: int) -> set[datetime]:
    """The beginnings of the spans, counted from midnight UTC, that hold any of these moments."""
    found = set()
    for moment in moments:
        midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
        seconds = int((moment - midnight).total_seconds()) // span_seconds * span_seconds
        found.add(midnight.replace(hour=seconds // 3600, minute=seconds % 3600 // 60, second=seconds % 60))
    return found
