"""The journal in the database, and everything that must happen together with it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY, get_user_model
from django.contrib.sessions.models import Session
from django.db import Error, connection, transaction
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from canvas import user_status, wire
from canvas.gate import Rules, UserStatus
from canvas.member import Person
from canvas.models import Batch, Canvas, CleanHours, Dream, Frame
from canvas.picture import Numbered
from canvas.ports import Admit, State
from canvas.signals import ink_changed
from canvas.wire import CloseCode


@contextmanager
def _kept_open() -> Iterator[None]:
    """The journal's thread keeps its connection from tick to tick, and throws it out after an error.

    No request ends here that would do it. One connection each tick would cost SQLite 20 ms instead of 0.5: whoever
    closes the last one makes a checkpoint.
    """
    try:
        yield
    except Error:
        connection.close()
        raise


class DatabaseJournal:
    """canvas.ports.Journal over the ORM. Blocking; each room's calls run one after another in one thread."""

    def __init__(self, canvas_id: int) -> None:
        self._canvas_id = canvas_id
        self._rules = Rules()

    @_kept_open()
    def state(self) -> State:
        found: Any = Canvas.objects.select_related("frame", "dream").annotate(**user_status.rules_columns())
        canvas = found.get(pk=self._canvas_id)
        rules = self._rules_at(canvas.rules_version, canvas.site_ended_at)
        dream = getattr(canvas, "dream", None)
        frame = frame_news(canvas.frame) if canvas.frame else None
        return State(canvas_news(canvas), canvas.head, frame, dream_news(dream), rules)

    @_kept_open()
    def since(self, seq: int) -> list[wire.Batch]:
        rows = Batch.objects.filter(canvas=self._canvas_id, last__gt=seq).order_by("first")
        found = [_ops(row) for row in rows]
        if found and found[0].first <= seq:
            found[0] = wire.without(found[0], seq)
        return found

    @_kept_open()
    def recent(self, since_ms: int) -> list[wire.Batch]:
        since = datetime.fromtimestamp(since_ms / 1000, UTC)
        return [_ops(row) for row in Batch.objects.filter(canvas=self._canvas_id, at__gte=since).order_by("first")]

    @_kept_open()
    def names(self, ids: Iterable[int]) -> dict[int, str]:
        people = get_user_model().objects.filter(pk__in=list(ids), closed_at=None)
        return {person.pk: person.get_username() for person in people}

    @_kept_open()
    def append(self, known: int, admit: Admit, now_ms: int) -> tuple[list[wire.Batch], wire.Batch | None]:
        with transaction.atomic():
            head = Canvas.objects.select_for_update().values_list("head", flat=True).get(pk=self._canvas_id)
            missed = self.since(known) if head > known else []
            # Read under the same lock that a dream takes to say its position: no undo slips in between. And after
            # it: a switch that was told to anybody is committed, so what is written here has gone by it.
            canvas: Any = Canvas.objects.filter(pk=self._canvas_id).annotate(**user_status.rules_columns())
            *dreamed, version, ended_at = canvas.values_list(
                "frame__seq", "dream__position", "rules_version", "site_ended_at"
            ).get()
            wanted = admit(missed, max(seq or 0 for seq in dreamed), self._rules_at(version, ended_at))
            return missed, _write(self._canvas_id, head, wanted, now_ms)

    def _rules_at(self, version: int | None, ended_at: datetime | None) -> Rules:
        self._rules = user_status.rules(self._canvas_id, version, ended_at, self._rules)
        return self._rules

    @_kept_open()
    def user_statuses(self, ids: Iterable[int]) -> dict[int, UserStatus]:
        return user_status.read(ids)

    @_kept_open()
    def drew(self, ids: Iterable[int], now_ms: int) -> None:
        CleanHours.objects.drew(list(ids), datetime.fromtimestamp(now_ms / 1000, UTC))

    @_kept_open()
    def ended(self, people: Iterable[Person]) -> dict[Person, CloseCode]:
        people = list(people)
        users = get_user_model().objects.in_bulk([person.id for person in people])
        keys = [person.session for person in people]
        stored = Session.objects.filter(session_key__in=keys, expire_date__gt=timezone.now())
        sessions = {row.session_key: row.get_decoded() for row in stored}
        ended = {}
        for person in people:
            user, session = users.get(person.id), sessions.get(person.session, {})
            if user is None or not user.is_active:
                ended[person] = CloseCode.FORBIDDEN
            elif str(session.get(SESSION_KEY)) != str(user.pk) or not any(
                constant_time_compare(session.get(HASH_SESSION_KEY, ""), known)
                for known in (user.get_session_auth_hash(), *user.get_session_auth_fallback_hash())
            ):
                ended[person] = CloseCode.SIGNED_OUT
        return ended


@_kept_open()
def canvas_id(slug: str) -> int | None:
    return Canvas.objects.filter(slug=slug).values_list("pk", flat=True).first()


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
    # By `first` alone: asked for `last` too, SQLite walks through the whole journal from its beginning.
    begin = rows.filter(first__lte=after + 1).order_by("-first").values_list("first", flat=True).first() or 0
    found = rows.filter(first__gte=begin, first__lte=up_to).order_by("first")
    return (_ops(row) for row in found.iterator(chunk_size=500))


def _ops(row: Batch) -> wire.Batch:
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


def frame_news(frame: Frame) -> dict[str, Any]:
    return {
        "id": frame.pk,
        "number": frame.number,
        "seq": frame.seq,
        "url": frame.picture.url,
        "page": frame.get_absolute_url(),
        "title": frame.title,
        "kind": frame.kind,
    }


def _lasting(guess: Any) -> Any:
    """A guess as long as browsers show it; it stays in the row until the next one."""
    return guess if guess and guess["until"] > wire.milliseconds(timezone.now()) else None


def dream_news(dream: Dream | None) -> dict[str, Any]:
    if dream is None or not dream.held(timezone.now() - timedelta(seconds=1)):
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
        "guess": _lasting(dream.guess),
    }
