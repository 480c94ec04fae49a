"""The consumer: it translates, and decides nothing."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from canvas import consumer, wire
from canvas.consumer import CanvasConsumer
from canvas.member import Member
from tests.bench import mutations
from tests.running import PATIENCE

NOBODY = SimpleNamespace(is_authenticated=False)


class Rooms:
    """canvas.hub.Hub with one room that writes down what it gets."""

    leaving = False

    def __init__(self) -> None:
        self.members: list[Member] = []
        self.received: list[bytes] = []
        self.left_by: list[Member] = []
        self.error: Exception | None = None

    async def room(self, slug: str, address: str = "") -> Any:
        if self.error:
            raise self.error
        return self if slug == "here" else None

    def enter(self, member: Member) -> None:
        self.members.append(member)

    def receive(self, member: Member, data: bytes) -> None:
        self.received.append(data)
        if data == b"bad":
            raise wire.ProtocolError("bad", 4413)

    def left(self, slug: str, room: Any, member: Member) -> None:
        self.left_by.append(member)


@pytest.fixture
def rooms(monkeypatch: pytest.MonkeyPatch) -> Rooms:
    here = Rooms()
    monkeypatch.setattr(consumer, "hub", here)
    return here


class Server:
    """An ASGI server's side of one socket. `say` queues a message of the browser, `sent` is what came back."""

    def __init__(self, slug: str = "here", user: Any = NOBODY, session: Any = None) -> None:
        self.sent: list[dict[str, Any]] = []
        self._queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        scope = {"type": "websocket", "url_route": {"kwargs": {"slug": slug}}, "user": user, "session": session}
        self.say({"type": "websocket.connect"})
        self.task = asyncio.create_task(CanvasConsumer.as_asgi()(scope, self._queue.get, self._send))

    async def _send(self, message: Any) -> None:
        self.sent.append(message)

    def say(self, message: dict[str, Any]) -> None:
        self._queue.put_nowait(message)

    def binary(self, data: bytes) -> None:
        self.say({"type": "websocket.receive", "bytes": data})

    async def settle(self) -> list[dict[str, Any]]:
        for _ in range(5):
            await asyncio.sleep(0)
        return self.sent

    async def end(self) -> None:
        self.say({"type": "websocket.disconnect", "code": 1001})
        await asyncio.wait_for(self.task, PATIENCE)


async def test_messages_go_in_order_to_the_room_and_bytes_come_back(rooms: Rooms) -> None:
    server = Server(user=SimpleNamespace(is_authenticated=True, is_active=True, pk=5, get_username=lambda: "ann"))
    for data in (b"one", b"two", b"three"):
        server.binary(data)
    assert (await server.settle())[0]["type"] == "websocket.accept"
    assert rooms.received == [b"one", b"two", b"three"]
    (member,) = rooms.members
    assert member.person and (member.person.id, member.person.name) == (5, "ann")
    member.push(b"news")
    assert server.sent[-1] == {"type": "websocket.send", "bytes": b"news"}
    await server.end()
    assert rooms.left_by == [member] and member.closed
    member.push(b"too late")
    assert server.sent[-1]["bytes"] == b"news"


@pytest.mark.parametrize("user", [NOBODY, SimpleNamespace(is_authenticated=True, is_active=False)])
async def test_visitors_and_closed_accounts_watch(rooms: Rooms, user: Any) -> None:
    server = Server(user=user)
    await server.settle()
    assert rooms.members[0].person is None
    await server.end()


async def test_what_the_room_refuses_closes_with_its_code_and_the_rest_is_ignored(rooms: Rooms) -> None:
    server = Server()
    for data in (b"good", b"bad", b"more"):
        server.binary(data)
    assert (await server.settle())[-1] == {"type": "websocket.close", "code": 4413}
    assert rooms.received == [b"good", b"bad"]
    await server.end()


async def test_a_flood_that_the_server_has_queued_is_met_in_one_go(rooms: Rooms) -> None:
    """However busy the event loop: not one message for each time it comes round."""
    server = Server()
    for _ in range(1000):
        server.binary(b"one of many")
    await server.settle()
    assert len(rooms.received) == 1000
    await server.end()


async def test_refusals_are_said_after_the_handshake(rooms: Rooms, caplog: pytest.LogCaptureFixture) -> None:
    server = Server(slug="nowhere")
    accepted, closed = await server.settle()
    assert accepted["type"] == "websocket.accept" and closed["code"] == 4404
    server.binary(b"nobody listens")
    await server.end()
    rooms.error = OSError("the database is away")
    server = Server()
    assert (await server.settle())[-1]["code"] == 4503
    assert "could not be opened" in caplog.text
    await server.end()
    assert rooms.received == [] and rooms.left_by == []


async def test_a_text_message_is_malformed(rooms: Rooms) -> None:
    server = Server()
    server.say({"type": "websocket.receive", "text": "hello"})
    assert (await server.settle())[-1]["code"] == 4400
    await server.end()


async def test_damaged_messages_are_answered_or_closed_with_a_documented_code() -> None:
    """A small share of `python -m tests.bench.mutations`, which says what else must hold."""
    came = await mutations.in_memory(4_000, seed=16)
    assert came["4400"] and came["answers"] and came["operations written"]
