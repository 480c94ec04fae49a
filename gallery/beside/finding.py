"""What others drew beside a person's strokes lately: an entry for each place and hour.

A place is a square of PLACE px, an hour one of UTC, so that an entry keeps its name however often it is looked for.
Everything is bounded: canvases, strokes of one's own, the others' that are looked through, and entries.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.utils import timezone

from canvas import strokes as index
from canvas.degrees import SHUT_OUT
from canvas.models import Canvas, Frame, Sanction, Stroke
from dreamsite.core.models import User
from dreamsite.core.rect import Rect
from gallery import drawn_over
from gallery.frame.origins import public_names
from gallery.frames import dreamed_in

DISTANCE = 64  # px between two strokes that are beside each other, at most
OWN_DAYS = timedelta(days=30)  # how old one's own strokes may be
NEWS_DAYS = timedelta(days=7)  # and the others'
PLACE = 512  # px: the side of a place
OWN = 200  # of one's own strokes, the newest
CANVASES = 6  # on which one drew last
SEARCH = 20_000  # of a canvas' newest strokes are looked through, in its index
OTHERS = 200  # of those that lie around one's own, the newest
ENTRIES = 40
NAMES = 3  # in one entry


@dataclass
class Beside:
    """What others drew at one place within one hour."""

    canvas: Canvas
    hour: int  # since 1970
    column: int
    row: int
    newest: Stroke
    oldest: Stroke
    box: Rect
    count: int = 0
    authors: list[int] = field(default_factory=list)  # without repetition, the newest first
    names: list[str] = field(default_factory=list)  # of those who may be named
    frame: Frame | None = None  # the first one that the newest stroke is in

    def add(self, stroke: Stroke) -> None:
        """Strokes come newest first."""
        self.oldest, self.count = stroke, self.count + 1
        self.box = self.box.union(stroke.box)
        if stroke.author not in self.authors:
            self.authors.append(stroke.author)

    @property
    def middle(self) -> tuple[int, int]:
        """Within the canvas: strokes may begin outside of it."""
        x, y = (self.box.left + self.box.right) // 2, (self.box.top + self.box.bottom) // 2
        return min(max(x, 0), self.canvas.width), min(max(y, 0), self.canvas.height)


def find(user: User, now: datetime | None = None) -> list[Beside]:
    """The newest first; nothing where the person is suspended, is leaving or has left.

    Ink that is hidden or was taken back is left out, that of people who are suspended too, and so are canvases that
    the person is not known to have the link of.
    """
    now = now or timezone.now()
    if not user.is_active or user.closes_at or user.closed_at or Sanction.objects.suspends(user):
        return []
    found = [entry for canvas, own in _own(user, now) for entry in _on(canvas, user, own, now)]
    found.sort(key=lambda entry: (entry.newest.ended_at, entry.newest.pk), reverse=True)
    found = found[:ENTRIES]
    names = public_names({author for entry in found for author in entry.authors})
    for entry in found:
        entry.names = [names[author] for author in entry.authors if author in names]
    for canvas in {entry.canvas for entry in found}:
        here = [entry for entry in found if entry.canvas == canvas]
        frames = dreamed_in(canvas, [entry.newest.pk for entry in here])
        for entry in here:
            entry.frame = frames.get(entry.newest.pk)
            if entry.frame:
                entry.frame.canvas = canvas
    return found


def _own(user: User, now: datetime) -> list[tuple[Canvas, list[Stroke]]]:
    """Their newest strokes by canvas, the canvas they drew on last first."""
    index.index_all()  # so that what was taken back or hidden a moment ago is known
    by_canvas: dict[int, list[Stroke]] = {}
    for stroke in Stroke.objects.by(user).shown().filter(ended_at__gte=now - OWN_DAYS).newest()[:OWN]:
        by_canvas.setdefault(stroke.canvas_id, []).append(stroke)
    canvases = Canvas.objects.existing().in_bulk(by_canvas)
    known = [(canvases[pk], own) for pk, own in by_canvas.items() if pk in canvases and canvases[pk].known_to(user)]
    return known[:CANVASES]


def _on(canvas: Canvas, user: User, own: list[Stroke], now: datetime) -> Iterable[Beside]:
    around = own[0].box
    for stroke in own:
        around = around.union(stroke.box)
    since = max(now - NEWS_DAYS, min(stroke.ended_at for stroke in own))
    # The index gives the time of the stroke at the bound without reading a row: nothing before it is looked at.
    edge = (
        Stroke.objects.filter(canvas=canvas, ended_at__gt=since)
        .order_by("-ended_at")
        .values_list("ended_at", flat=True)
    )
    if bound := list(edge[SEARCH : SEARCH + 1]):
        since = bound[0]
    others = Stroke.objects.within(canvas, around.grown(DISTANCE)).filter(ended_at__gt=since).shown()
    listed = list(others.exclude(author=user.pk).newest()[:OTHERS])
    out = Sanction.objects.in_force().filter(degree__in=SHUT_OUT, user__in={other.author for other in listed})
    shut_out = set(out.values_list("user", flat=True))
    found: dict[tuple[int, int, int], Beside] = {}
    for other in drawn_over.near(canvas, own, [one for one in listed if one.author not in shut_out], DISTANCE):
        hour = int(other.ended_at.timestamp()) // 3600
        column, row = (other.left + other.right) // (2 * PLACE), (other.top + other.bottom) // (2 * PLACE)
        key = hour, column, row
        found.setdefault(key, Beside(canvas, *key, other, other, other.box)).add(other)
    return found.values()
