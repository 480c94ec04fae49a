"""The journal in the database, and everything that must happen together with it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from canvas import earlier, thumbnails, user_status, wire
from canvas.connections import kept_open
from canvas.gate import Rules
from canvas.models import Batch, Canvas, Dream, Frame
from canvas.picture import Numbered
from canvas.ports import Admit, State
from canvas.signals import ink_changed


class DatabaseJournal:
    """canvas.ports.Journal over the ORM. Blocking; each room's calls run one after another in one thread."""

    def __init__(self, canvas_id: int) -> None:
        self._canvas_id = canvas_id
        self._rules = Rules()
        self._earlier: tuple[tuple[int | None, int], list[Frame | None]] | None = None
        # Put together once: thirty times a second that would take longer than the database takes to answer.
        row: Any = Canvas.objects.filter(pk=canvas_id)
        self._head = row.select_for_update().values_list("head", flat=True)
        self._gate = row.annotate(**user_status.rules_columns()).values_list(
            "frame__seq", "dream__position", "rules_version", "site_ended_at", "closed_at"
        )

    @kept_open()
    def state(self) -> State:
        found: Any = Canvas.objects.select_related("frame", "dream").annotate(**user_status.rules_columns())
        canvas = found.get(pk=self._canvas_id)
        rules = self._rules_at(canvas.rules_version, canvas.site_ended_at, canvas.closed_at)
        dream = getattr(canvas, "dream", None)
        if dream is None and canvas.head == 0 and (not canvas.own or canvas.day_of_id):
            dream_state: dict[str, Any] = {"state": "resting", "position": 0}  # nobody looks at it before the first ink
        else:
            dream_state = dream_news(dream, asleep=dream is not None and not dream.holder and not canvas.new_ink)
        frame = None
        if canvas.frame:
            canvas.frame.canvas = canvas  # its address depends on it
            frame = frame_news(canvas.frame, self._earlier_at(canvas))
        return State(canvas_news(canvas), canvas.head, frame, dream_state, rules)

    @kept_open()
    def since(self, seq: int) -> list[wire.Batch]:
        rows = Batch.objects.filter(canvas=self._canvas_id, last__gt=seq).order_by("first")
        found = [_batch(row) for row in rows]
        if found and found[0].first <= seq:
            found[0] = wire.without(found[0], seq)
        return found

    @kept_open()
    def recent(self, since_ms: int) -> list[wire.Batch]:
        since = datetime.fromtimestamp(since_ms / 1000, UTC)
        return [_batch(row) for row in Batch.objects.filter(canvas=self._canvas_id, at__gte=since).order_by("first")]

    @kept_open()
    def append(self, known: int, admit: Admit, now_ms: int) -> tuple[list[wire.Batch], wire.Batch | None]:
        with transaction.atomic():
            head = self._head.get()
            missed = self.since(known) if head > known else []
            # Read under the same lock that a dream takes to say its position: no undo slips in between. And after
            # it: a switch that anybody was told of is committed, so what is written here obeys it.
            *dreamed, version, ended_at, closed_at = self._gate.get()
            wanted = admit(missed, max(seq or 0 for seq in dreamed), self._rules_at(version, ended_at, closed_at))
            return missed, _write(self._canvas_id, head, wanted, now_ms)

    def _earlier_at(self, canvas: Canvas) -> list[Frame | None]:
        """What the undream brush may bring back; asks the database only where that may have changed."""
        key = (canvas.frame_id, canvas.visibility)
        if self._earlier is None or self._earlier[0] != key:
            self._earlier = key, earlier.earlier(canvas, canvas.frame)
        return self._earlier[1]

    def _rules_at(self, version: int | None, ended_at: datetime | None, closed_at: datetime | None) -> Rules:
        self._rules = user_status.rules(self._canvas_id, version, ended_at, closed_at, self._rules)
        return self._rules


@dataclass(frozen=True)
class Found:
    """What a room must know of a canvas before it opens."""

    id: int
    own: bool = False  # the site's own, and open
    closed: bool = False  # nobody draws here


@kept_open()
def find(slug: str) -> Found | None:
    """The canvas of this name; a daily one has no ink of its own, its days have (canvas.daily)."""
    canvases = Canvas.objects.existing().filter(slug=slug, daily=False)
    canvas = canvases.only("maker", "by_member", "closed_at").first()
    if canvas is None:
        return None
    closed = canvas.closed_at is not None and canvas.closed_at <= timezone.now()
    return Found(canvas.pk, not closed and (slug == settings.CANVAS_SLUG or canvas.own), closed)


def append(canvas: Canvas, operations: list[wire.Operation]) -> wire.Batch | None:
    """Writes operations that no browser sent: a moderator's, a test's."""
    with transaction.atomic():
        head = Canvas.objects.select_for_update().values_list("head", flat=True).get(pk=canvas.pk)
        batch = _write(canvas.pk, head, operations, wire.milliseconds(timezone.now()))
        if numbers := [number for op in operations if isinstance(op, wire.Hide) for number in op.numbers]:
            ink_changed.send(Canvas, canvas=canvas, numbers=numbers)
        return batch


def _write(canvas_id: int, head: int, operations: list[wire.Operation], now_ms: int) -> wire.Batch | None:
    if not operations:
        return None
    batch = wire.Batch(head + 1, now_ms, len(operations), b"".join(map(wire.encode, operations)))
    at = datetime.fromtimestamp(now_ms / 1000, UTC)
    Batch.objects.create(canvas_id=canvas_id, first=batch.first, last=batch.last, at=at, payload=batch.payload)
    Canvas.objects.filter(pk=canvas_id).update(head=batch.last)
    return batch


def operations(canvas: Canvas, after: int, up_to: int) -> list[Numbered]:
    """The journal's operations after number `after`, up to and with `up_to`."""
    found = batches(canvas, after, up_to)
    return [(number, op) for batch in found for number, op in batch.operations() if after < number <= up_to]


def batches(canvas: Canvas, after: int, up_to: int) -> Iterator[wire.Batch]:
    """The batches that hold the operations after number `after`, up to and with `up_to`; at the ends with others."""
    rows = Batch.objects.filter(canvas=canvas)
    # By `first` alone: with a bound on `last` too, SQLite walks through the whole journal from its beginning.
    begin = rows.filter(first__lte=after + 1).order_by("-first").values_list("first", flat=True).first() or 0
    found = rows.filter(first__gte=begin, first__lte=up_to).order_by("first")
    return (_batch(row) for row in found.iterator(chunk_size=500))


def _batch(row: Batch) -> wire.Batch:
    at = wire.milliseconds(row.at)
    return wire.Batch(row.first, at, row.last - row.first + 1, bytes(row.payload))


# --- what browsers are told (docs/protocol.md, NEWS) -----------------------------------------------------------------


def canvas_news(canvas: Canvas) -> dict[str, Any]:
    return {
        "slug": canvas.slug,
        "title": canvas.title,
        "width": canvas.width,
        "height": canvas.height,
        "background": list(canvas.background_rgb),
    }


def frame_news(frame: Frame, listed: list[Frame | None]) -> dict[str, Any]:
    return {
        **_picture_news(frame),
        "number": frame.number,
        "seq": frame.seq,
        "earlier": [_picture_news(one) for one in listed if one is not None],
        # What the undream brush takes up: the frame before the last dream, or what there is in its place.
        "before": _id(listed[1] if len(listed) > 1 else listed[0]),
        "page": frame.get_absolute_url(),
        "title": frame.title,
        "kind": frame.kind,
    }


def _picture_news(frame: Frame) -> dict[str, Any]:
    """A frame's picture and its small copy."""
    width = thumbnails.size(frame.width, frame.height)[0]
    return {"id": frame.pk, "url": frame.picture.url, "preview": {"url": frame.thumbnail.url, "width": width}}


def _id(frame: Frame | None) -> int:
    return frame.pk if frame else 0


def _current(guess: Any) -> Any:
    """A guess as long as browsers show it; it stays in the row until the next one."""
    return guess if guess and guess["until"] > wire.milliseconds(timezone.now()) else None


def dream_news(dream: Dream | None, *, asleep: bool = False) -> dict[str, Any]:
    """`asleep`: no dreamer need hold it, where it rests."""
    rests = asleep and dream is not None and dream.state == Dream.State.RESTING
    if dream is None or not (rests or dream.held(timezone.now() - timedelta(seconds=1))):
        position = dream.position if dream else 0
        return {"state": "away", "position": position}
    return {
        "state": dream.state,
        "title": dream.style.get("title", ""),
        "layer": dream.style.get("layer", ""),
        "channel": dream.style.get("channel"),
        "model": dream.style.get("model", ""),
        "device": dream.device,
        "position": dream.position,
        "next_at": wire.milliseconds(dream.next_at),
        "fraction": round(dream.fraction, 3),
        "octave": dream.octave,
        "octaves": dream.octaves,
        "message": dream.message,
        "arriving": dream.arriving,
        "coming": dream.coming,
        "guess": _current(dream.guess),
    }
