"""A socket that behaves badly costs its room nothing."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from canvas import limits
from canvas.member import Member
from canvas.room import Room
from tests import wire_client
from tests.canvas.memory import MemoryJournal, MemoryPeople, NoLayer
from tests.canvas.test_room import executor


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
