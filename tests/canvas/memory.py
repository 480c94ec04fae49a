"""A journal in memory, and browsers without a browser: the room's whole world for tests, on one event loop."""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Iterable
from typing import Any

import numpy as np

from canvas import picture, wire
from canvas.brush import Pixels
from canvas.gate import Rules, UserStatus
from canvas.limits import EARLIER
from canvas.member import Member, Person
from canvas.ports import Admit, State
from canvas.room import Room
from canvas.wire import CloseCode
from tests import wire_client

SIDE = 16


class MemoryPeople:
    """canvas.ports.People: newcomers against whom nothing stands, until a test says otherwise."""

    def __init__(self) -> None:
        self.status: dict[int, UserStatus] = {}
        self.gone: dict[int, CloseCode] = {}  # person -> why their sockets end
        self.hours: list[int] = []  # people, each time an hour was counted for them

    def names(self, users: Iterable[int]) -> dict[int, str]:
        return {who: f"person{who}" for who in users}

    def statuses(self, users: Iterable[int]) -> dict[int, UserStatus]:
        return {who: self.status.get(who, UserStatus()) for who in users}

    def drew(self, users: Iterable[int], now_ms: int) -> None:
        self.hours += sorted(users)

    def ended(self, people: Iterable[Person]) -> dict[Person, CloseCode]:
        return {person: self.gone[person.id] for person in people if person.id in self.gone}


class MemoryJournal:
    """canvas.ports.Journal with a lock for the canvas' row; `fail`: the next writes fail before or after the commit."""

    def __init__(self) -> None:
        self.rows: list[wire.Batch] = []
        self.frame: dict[str, Any] | None = None
        self.pictures: dict[int, Pixels] = {}
        self.dream: dict[str, Any] = {"state": "waiting", "position": 0}
        self.fail: list[str] = []
        self.rules = Rules()
        self.ruled: dict[int, Rules] = {}  # the rules that held when an operation was written, by its number
        self.people = MemoryPeople()
        self._lock = threading.Lock()

    @property
    def head(self) -> int:
        return self.rows[-1].last if self.rows else 0

    def state(self) -> State:
        canvas = {"slug": "main", "title": "", "width": SIDE, "height": SIDE, "background": [255, 255, 255]}
        return State(canvas, self.head, self.frame, dict(self.dream), self.rules)

    def since(self, seq: int) -> list[wire.Batch]:
        rows = [row for row in list(self.rows) if row.last > seq]
        if rows and rows[0].first <= seq:
            rows[0] = wire.without(rows[0], seq)
        return rows

    def recent(self, since_ms: int) -> list[wire.Batch]:
        return list(self.rows)

    def append(self, known: int, admit: Admit, now_ms: int) -> tuple[list[wire.Batch], wire.Batch | None]:
        with self._lock:
            missed = self.since(known)
            operations = admit(missed, max(self.frame["seq"] if self.frame else 0, self.dream["position"]), self.rules)
            fault = self.fail.pop() if self.fail else ""
            if fault == "before":
                raise OSError("the disk is full")
            batch = None
            if operations:
                batch = wire.Batch(self.head + 1, now_ms, len(operations), b"".join(map(wire.encode, operations)))
                self.rows.append(batch)
                self.ruled |= dict.fromkeys(range(batch.first, batch.last + 1), self.rules)
            if fault == "after":
                raise OSError("the connection was lost while the transaction was committed")
            return missed, batch

    def change(self, rules: Rules) -> None:
        """Other rules, as a transaction: whatever is written afterwards has gone by them."""
        with self._lock:
            self.rules = rules

    def operations(self) -> list[picture.Numbered]:
        return [pair for row in self.rows for pair in row.operations()]

    def base(self, frame: dict[str, Any] | None) -> tuple[Pixels, int]:
        if frame is None:
            return picture.blank(SIDE, SIDE, (255, 255, 255)), 0
        return self.pictures[frame["id"]], frame["seq"]

    def canvas(self) -> Pixels:
        """The truth: what a newcomer with all the time in the world would see."""
        base, seq = self.base(self.frame)
        return picture.compose(base, [pair for pair in self.operations() if pair[0] > seq])

    def land_frame(self) -> None:
        """A dream of the canvas as it is now: another picture that holds everything so far."""
        with self._lock:
            number = (self.frame["id"] if self.frame else 0) + 1
            self.pictures[number] = (255 - self.canvas() // 2).astype(np.uint8)
            earlier = [{"id": number}, *(self.frame["earlier"] if self.frame else [])][: EARLIER + 1]
            self.frame = {
                "id": number,
                "number": number,
                "seq": self.head,
                "url": f"/{number}",
                "earlier": earlier,
            }

    def hide_below(self, number: int) -> None:
        """Hides a frame that is not the base."""
        assert self.frame and self.frame["id"] != number
        self.frame = {**self.frame, "earlier": [one for one in self.frame["earlier"] if one["id"] != number]}


class NoLayer:
    async def publish(self, message: dict[str, Any]) -> None:
        pass


class Processes:
    """A layer between rooms; loses and delays messages as real ones do."""

    def __init__(self, chance: random.Random) -> None:
        self.rooms: list[Room] = []
        self._chance = chance

    def layer(self) -> Processes.Layer:
        return Processes.Layer(self)

    class Layer:
        def __init__(self, all_of: Processes) -> None:
            self._all = all_of
            self.room: Room | None = None

        async def publish(self, message: dict[str, Any]) -> None:
            for room in self._all.rooms:
                if room is not self.room and self._all._chance.random() < 0.8:
                    await room.receive_news(message | {"from": str(id(self))})


class Browser:
    """What static/canvas does, without pixels until asked: joins, draws, loses its socket, comes back, resends."""

    def __init__(self, journal: MemoryJournal, person: int | None) -> None:
        self.journal = journal
        self.person = Person(person, f"person{person}") if person else None
        self.frame: dict[str, Any] | None = None
        self.head = 0
        self.operations: dict[int, wire.Operation] = {}
        self.pending: list[wire.Stroke | wire.Undo] = []
        self.refused: list[tuple[int, int]] = []
        self.news: list[dict[str, Any]] = []
        self.closed: int | None = None
        self.member: Member | None = None
        self.room: Room | None = None
        self.reading = True

    def connect(self, room: Room) -> None:
        async def send(data: bytes) -> None:
            if member is self.member:
                self._take(data)

        async def close(code: int) -> None:
            if member is self.member:
                self.closed = code
                self.drop()

        member = Member(send, close, self.person)
        self.member, self.room = member, room
        room.enter(member)
        self._say(wire_client.join(self.frame["id"] if self.frame else 0, self.head))
        for op in self.pending:
            self._say(wire_client.ink([op]))

    def drop(self) -> None:
        if self.member and self.room:
            self.room.leave(self.member)
            self.member.closed = True
        self.member = None

    def put(self, op: wire.Stroke | wire.Undo) -> None:
        self.pending.append(op)
        self._say(wire_client.ink([op]))

    def _say(self, data: bytes) -> None:
        if self.member and self.room:
            try:
                self.room.receive(self.member, data)
            except wire.ProtocolError as error:
                self.member.close(error.code)

    def _take(self, data: bytes) -> None:
        kind, content = wire_client.from_server(data)
        match kind:
            case wire.BATCH if content.first > self.head + 1:
                self._say(wire_client.join(self.frame["id"] if self.frame else 0, self.head))
            case wire.BATCH:
                for number, op in content.operations():
                    self.operations[number] = op
                    self._settle(op)
                self.head = max(self.head, content.last)
            case wire.NEWS:
                self.news.append(content)
                if content["type"] == "welcome":
                    if (content["frame"] or {}).get("id") != (self.frame or {}).get("id"):
                        self.operations, self.head = {}, (content["frame"] or {}).get("seq", 0)
                    self.frame = content["frame"]
                elif content["type"] == "frame":
                    self.frame = content["frame"]
            case wire.MARK if self.reading:
                asyncio.get_running_loop().call_soon(self._say, wire_client.seen(content[0]))
            case wire.ACK:
                stroke, following = content
                self.pending = [
                    op
                    for op in self.pending
                    if op.stroke_id != stroke or (isinstance(op, wire.Stroke) and op.piece >= following)
                ]
            case wire.REJECT:
                stroke, _, code = content
                self.refused.append((stroke, code))
                self.pending = [op for op in self.pending if op.stroke_id != stroke]

    def _settle(self, op: wire.Operation) -> None:
        if self.person and op.author == self.person.id:
            self.pending = [one for one in self.pending if wire_client.by(one, op.author) != op]

    def canvas(self) -> Pixels:
        base, seq = self.journal.base(self.frame)
        after = sorted((number, op) for number, op in self.operations.items() if number > seq)
        return picture.compose(base, after)
