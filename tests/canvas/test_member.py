"""A socket that behaves badly costs its room nothing."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from canvas import limits, wire
from canvas import room as rooms
from canvas.member import Member
from canvas.room import Room
from dreamsite.servers import uvicorn
from tests import wire_client
from tests.canvas.memory import MemoryJournal, MemoryPeople, NoLayer
from tests.canvas.test_room import executor, until


class Socket:
    """A server's side of one socket; `deaf` never comes back from a send, `dead` raises in it."""

    def __init__(self, how: str = "") -> None:
        self.how, self.sent, self.code = how, 0, 0
        self.member = Member(self._send, self._close, None)

    async def _send(self, data: bytes) -> None:
        if self.how == "dead":
            raise OSError("the connection is gone")
        if self.how == "deaf":
            await asyncio.Event().wait()
        self.sent += len(data)

    async def _close(self, code: int) -> None:
        self.code = code
        if self.how == "dead":
            raise RuntimeError("it is closed already")


@pytest.mark.parametrize("how", ["", "deaf"])
async def test_asking_on_and_on_without_reading_ends_the_socket(how: str) -> None:
    """daphne buffers for ever what nobody reads, uvicorn waits: in both cases it is counted, and there is an end."""
    clock = iter(range(10**9)).__next__  # rates do not matter here
    room = Room(MemoryJournal(), MemoryPeople(), NoLayer(), executor, clock=clock)
    await room.start()
    socket = Socket(how)
    room.enter(socket.member)
    for _ in range(20_000):
        if socket.member.closed:
            break
        room.receive(socket.member, wire_client.join(0, 0))
    await asyncio.sleep(0)
    assert socket.code == 4408
    assert limits.OUTBOX_BYTES < socket.member.outstanding < limits.MAX_UNREAD_BYTES + limits.MAX_MESSAGE
    await room.stop()


async def test_a_socket_that_died_is_nobodys_error() -> None:
    socket, errors = Socket("dead"), []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: errors.append(context))
    socket.member.push(b"news")
    socket.member.push(b"more")
    assert socket.member.closed
    dying: Any = Socket("dead").member
    dying.close(4400)
    await asyncio.sleep(0.01)
    assert errors == []


async def test_under_uvicorn_nothing_is_written_to_a_connection_that_is_gone() -> None:
    class Transport:
        closing = False

        def is_closing(self) -> bool:
            return self.closing

        def write(self, data: bytes) -> None:
            assert not self.closing, "uvloop raises here"
            written.append(data)

    written: list[bytes] = []
    socket: Any = uvicorn.Socket.__new__(uvicorn.Socket)
    socket.transport, socket.writable, socket.queue = Transport(), asyncio.Event(), asyncio.Queue()
    socket.client = socket.ping_timer = socket.pong_timer = socket.close_timer = None
    socket.connections, socket.logger, socket.handshake_complete = {socket}, logging.getLogger("uvicorn.error"), True
    assert socket.write_ready(b"one") and written == [b"one"]
    socket.pause_writing()
    assert not socket.write_ready(b"two"), "it would be kept in memory until the client reads"
    socket.resume_writing()
    assert socket.write_ready(b"three") and written == [b"one", b"three"]
    socket.transport.closing = True
    assert not socket.write_ready(b"four")
    socket.transport.closing = False
    socket.connection_lost(OSError("gone"))
    assert not socket.write_ready(b"five") and written == [b"one", b"three"]


async def test_under_uvicorn_messages_go_straight_to_who_listens_in_their_order() -> None:
    class Transport:
        aborted = reads = False

        def pause_reading(self) -> None:
            self.reads = False

        def is_closing(self) -> bool:
            return self.aborted

        def abort(self) -> None:
            self.aborted = True

    def comes(*frames: bytes, kind: str = "bytes") -> None:
        socket.frames, socket.curr_msg_data_type = list(frames), kind
        socket.send_receive_event_to_app()

    def took(message: bytes) -> bool:
        taken.append(message)
        if message == b"bad":
            raise RuntimeError("something nobody foresaw")
        return message != b"enough"

    taken: list[bytes] = []
    socket: Any = uvicorn.Socket.__new__(uvicorn.Socket)
    socket.transport, socket.queue, socket.logger = Transport(), asyncio.Queue(), logging.getLogger("uvicorn.error")
    socket.close_sent = socket.disconnected = socket.read_paused = False
    comes(b"one")
    socket.listen(took)
    comes(b"two")
    assert taken == [] and [socket.queue.get_nowait()["bytes"] for _ in range(2)] == [b"one", b"two"]
    comes(b"thr", b"ee")
    assert taken == [b"three"] and socket.queue.empty()
    comes(b"text", kind="text")
    assert taken == [b"three"] and socket.queue.get_nowait()["text"] == "text"
    socket.read_paused, socket.transport.reads = False, True
    comes(b"four")
    assert socket.transport.reads
    comes(b"enough")
    assert socket.read_paused and not socket.transport.reads, "until the application has closed it"
    comes(b"bad")
    assert socket.transport.aborted, "an error of the application ends its socket, as ASGI's way does"
    socket.close_sent = True
    comes(b"late")
    assert taken == [b"three", b"four", b"enough", b"bad"] and socket.queue.empty()


async def test_a_loop_of_a_room_goes_on_after_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MARK_SECONDS", 0.001)
    monkeypatch.setattr(rooms, "AGAIN_SECONDS", 0.001)
    room = Room(MemoryJournal(), MemoryPeople(), NoLayer(), executor)
    marked: list[int] = []

    def mark() -> None:
        marked.append(len(marked))
        if len(marked) < 3:
            raise RuntimeError("the transport is closed")

    monkeypatch.setattr(room.audience, "mark", mark)
    await room.start()
    await until(lambda: len(marked) > 5)
    assert not any(task.done() for task in room._tasks)
    await room.stop()


async def test_a_batch_that_failed_halfway_reaches_everybody(monkeypatch: pytest.MonkeyPatch) -> None:
    room = Room(MemoryJournal(), MemoryPeople(), NoLayer(), executor)
    await room.start()
    socket = Socket()
    room.enter(socket.member)
    room.receive(socket.member, wire_client.join(0, 0))

    def broadcast(batch: wire.Batch) -> None:
        raise RuntimeError("something nobody foresaw")

    monkeypatch.setattr(room.audience, "broadcast", broadcast)
    await room.absorb([wire.Batch(1, 0, 1, wire.encode(wire.Undo(5)))])
    await room._broadcast_all()
    assert socket.member.seq == 1
    await room.stop()
