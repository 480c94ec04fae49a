"""Where each socket is in the journal, without a room: joining, falling behind, another base."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import websockets.protocol
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.uri import parse_uri

from canvas import limits, wire
from canvas.audience import Audience
from canvas.member import Member
from canvas.ports import State
from canvas.tail import Tail
from canvas.wire import CloseCode
from tests import wire_client

CANVAS = {"width": 16, "height": 16}


def batch(first: int, count: int = 1) -> wire.Batch:
    return wire.Batch(first, 0, count, b"".join(wire.encode(wire.Undo(number)) for number in range(count)))


class Reader:
    """A socket that writes down what it is told."""

    def __init__(self) -> None:
        self.heard: list[Any] = []
        self.closed: int | None = None
        self.member = Member(self._send, self._close, None)

    async def _send(self, data: bytes) -> None:
        kind, content = wire_client.from_server(data)
        if kind == wire.BATCH:
            self.heard.append((content.first, content.last))
        elif kind == wire.NEWS:
            self.heard.append(content["type"])
        else:
            self.token = content[0]

    async def _close(self, code: int) -> None:
        self.closed = code


class Hall:
    """An audience with a tail of its own."""

    def __init__(self) -> None:
        self.now = 0.0
        self.tail = Tail()
        self.audience = Audience(self.tail, lambda member: {"type": "welcome"}, lambda: self.now)
        self.audience.state = State(CANVAS, 0)

    def add(self, batch: wire.Batch) -> None:
        assert self.tail.append(batch)
        list(self.audience.broadcast(batch))

    def reader(self, frame: int = 0, seq: int = 0) -> Reader:
        reader = Reader()
        self.audience.members.add(reader.member)
        self.audience.join(reader.member, frame, seq)
        return reader


@pytest.fixture
async def hall() -> Hall:
    return Hall()


async def test_who_joins_gets_what_they_lack_and_then_what_comes(hall: Hall) -> None:
    hall.add(batch(1, 3))
    new, back = hall.reader(), hall.reader(seq=2)
    hall.add(batch(4))
    assert new.heard == ["welcome", (1, 3), (4, 4)] and back.heard == ["welcome", (3, 3), (4, 4)]


@pytest.mark.parametrize("frame, seq", [(0, 99), (5, 1), (0, -1)])
async def test_what_cannot_be_counts_for_nothing(hall: Hall, frame: int, seq: int) -> None:
    hall.add(batch(1, 2))
    assert hall.reader(frame, seq).heard == ["welcome", (1, 2)]


async def test_who_does_not_read_gets_nothing_more_until_they_do(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "OUTBOX_BYTES", 100)
    slow = hall.reader()
    for number in range(1, 20):
        hall.add(batch(number))
    received = len(slow.heard)
    assert received < 20 and slow.member.behind_since is not None
    hall.audience.send({"type": "people"})
    assert len(slow.heard) == received, "no news either"
    while slow.member.behind_since is not None:
        hall.audience.seen(slow.member, slow.token)
    assert slow.heard[-1] == "welcome" and slow.member.seq == 19, "which says what they missed"
    numbers = [number for pair in slow.heard if isinstance(pair, tuple) for number in range(pair[0], pair[1] + 1)]
    assert numbers == list(range(1, 20))


async def test_who_missed_only_news_is_told_when_they_read_again(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "OUTBOX_BYTES", 60)
    slow = hall.reader()
    hall.add(batch(1, 3))
    assert slow.member.full and slow.member.seq == hall.tail.head, "it has all the ink"
    hall.audience.send({"type": "rules"})
    assert "rules" not in slow.heard and slow.member.behind_since is not None
    hall.audience.seen(slow.member, slow.token)
    assert slow.heard[-1] == "welcome" and slow.member.behind_since is None


async def test_marks_are_few_and_find_those_who_were_sent_much(hall: Hall) -> None:
    quiet = hall.reader()
    marks = 0
    for number in range(4 * limits.MARK_ROUNDS):
        hall.add(batch(number + 1))
        before = len(quiet.member._marks)
        hall.audience.mark()
        marks += len(quiet.member._marks) - before
    assert marks == 4
    hall.audience.mark()
    hall.audience.seen(quiet.member, quiet.token)
    quiet.member.push(bytes(limits.MARK_BYTES))
    assert not quiet.member._marks
    hall.audience.mark()
    assert quiet.member._marks


async def test_a_socket_s_ready_bytes_are_taken_where_it_can_and_order_is_kept() -> None:
    taken: list[bytes] = []
    opened = asyncio.Event()

    async def send(data: bytes) -> None:
        await opened.wait()
        taken.append(data)

    async def close(code: int) -> None: ...

    def write(ready: bytes) -> bool:
        if opened.is_set():
            taken.append(ready[2:])
        return opened.is_set()

    member = Member(send, close, None, write=write)
    member.push(b"one", wire.websocket_message(b"one"))  # it cannot now, so it is sent, which waits
    member.push(b"two", wire.websocket_message(b"two"))
    opened.set()
    member.push(b"three", wire.websocket_message(b"three"))  # behind those that wait
    while len(taken) < 3:
        await asyncio.sleep(0)
    member.push(b"four", wire.websocket_message(b"four"))
    member.push(b"five")
    assert taken == [b"one", b"two", b"three", b"four", b"five"]


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65_535, 65_536, 70_000])
def test_ready_bytes_are_one_message_of_the_socket_s_own(size: int) -> None:
    client = ClientProtocol(parse_uri("ws://localhost/"), state=websockets.protocol.State.OPEN, max_size=None)
    client.receive_data(wire.websocket_message(bytes(size)))
    (frame,) = client.events_received()
    assert isinstance(frame, Frame) and frame.opcode is Opcode.BINARY and frame.fin and len(frame.data) == size


async def test_who_joined_within_several_batches_that_are_sent_as_one_gets_the_rest(hall: Hall) -> None:
    first, between = hall.reader(), batch(1, 2)
    assert hall.tail.append(between)
    second = hall.reader()
    assert hall.tail.append(batch(3, 3))
    list(hall.audience.broadcast(hall.tail.after(0)))
    assert first.heard == ["welcome", (1, 5)] and second.heard == ["welcome", (1, 2), (3, 5)]


async def test_who_stays_behind_is_closed(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "OUTBOX_BYTES", 10)
    slow, quick = hall.reader(), Reader()
    hall.add(batch(1))
    hall.audience.members.add(quick.member)
    hall.now = limits.BEHIND_SECONDS + 1
    hall.audience.mark()
    await slow.member._ending
    assert slow.closed == CloseCode.BEHIND and not quick.member.closed


async def test_what_one_reads_confirms_nothing_for_those_who_read_nothing(hall: Hall) -> None:
    reader, *silent = (hall.reader() for _ in range(10))
    for number in range(1, 200):
        hall.add(batch(number))
        for member in (one.member for one in (reader, *silent)):
            member.push(wire.news({"type": "x" * 10_000}))
        hall.audience.mark()
        for one in (reader, *silent):  # with the echo of the one who reads
            hall.audience.seen(one.member, getattr(reader, "token", 0))
    assert not reader.member.closed and not reader.member.full
    assert all(one.member.closed for one in silent)
    assert all(one.member.outstanding < limits.MAX_UNREAD_BYTES + limits.MAX_MESSAGE for one in silent)


async def test_a_socket_whose_server_raises_costs_the_others_nothing(hall: Hall) -> None:
    def write(ready: bytes) -> bool:
        raise RuntimeError("the transport is closed")

    sockets = [hall.reader() for _ in range(9)]
    for one in sockets[::2]:
        one.member._write = write
    hall.add(batch(1))
    hall.audience.send({"type": "people"})
    assert all(one.member.closed for one in sockets[::2])
    assert all(one.heard == ["welcome", (1, 1), "people"] for one in sockets[1::2])


async def test_a_new_base_is_told_to_those_who_have_what_is_in_it(hall: Hall) -> None:
    hall.add(batch(1, 4))
    up_to_date = hall.reader()
    hall.audience.rebase(State(CANVAS, 4, {"id": 7, "seq": 3}), None)
    assert up_to_date.heard == ["welcome", (1, 4), "frame"]
    assert hall.reader().heard == ["welcome", (4, 4)], "a newcomer loads the picture"


async def test_a_base_that_goes_back_brings_its_journal_again(hall: Hall) -> None:
    first, second = batch(1, 2), batch(3, 2)
    hall.add(first)
    hall.add(second)
    hall.audience.rebase(State(CANVAS, 4, {"id": 7, "seq": 4}), None)
    reader = hall.reader()
    hall.audience.rebase(State(CANVAS, 4, {"id": 5, "seq": 2}), [second])
    assert reader.heard == ["welcome", "welcome", (3, 4)] and reader.member.frame == 5
