"""The two servers' sockets, spoken to as by a client: what our bounds touch of theirs must be there in new versions."""

from __future__ import annotations

import asyncio
import contextlib
from types import SimpleNamespace
from typing import Any

import pytest
from uvicorn.config import Config
from uvicorn.server import ServerState
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.uri import parse_uri

from canvas.member import LISTEN, WRITE
from dreamsite.servers import daphne, limits, uvicorn


class Transport(asyncio.Transport):
    """A client that may stop taking what is written, and what became of its connection."""

    def __init__(self) -> None:
        super().__init__()
        self.written, self.unread, self.end, self.paused = bytearray(), 0, "", False

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return {"peername": ("203.0.113.9", 5)}.get(name, default)

    def write(self, data: Any) -> None:
        self.written += data

    def get_write_buffer_size(self) -> int:
        return self.unread

    def is_closing(self) -> bool:
        return bool(self.end)

    def close(self) -> None:
        self.end = self.end or "closed"

    def abort(self) -> None:
        self.end = "aborted"

    def pause_reading(self) -> None:
        self.paused = True

    def resume_reading(self) -> None:
        self.paused = False


class Socket:
    """uvicorn's own code with ours around it, an application that listens, and a client that speaks to it."""

    def __init__(self) -> None:
        self.messages: list[bytes] = []
        self.accepted, self.over = asyncio.Event(), asyncio.Event()
        self.close_code = 0
        config = Config(self.application, ws_per_message_deflate=False, ws_max_size=100_000, interface="asgi3")
        config.load()
        self.transport = Transport()
        self.server = uvicorn.Socket(config, ServerState(), {})
        self.server.connection_made(self.transport)
        self.client = ClientProtocol(parse_uri("ws://site/ws/c/main/"))

    async def application(self, scope: Any, receive: Any, send: Any) -> None:
        assert (await receive())["type"] == "websocket.connect"
        await send({"type": "websocket.accept"})
        self.write = scope["extensions"][WRITE]
        scope["extensions"][LISTEN](self.take)
        self.accepted.set()
        assert (await receive())["type"] == "websocket.disconnect"
        self.over.set()

    def take(self, message: bytes) -> bool:
        self.messages.append(message)
        return True

    async def open(self) -> None:
        self.client.send_request(self.client.connect())
        self.say()
        await asyncio.wait_for(self.accepted.wait(), 60)
        self.hear()

    def say(self, *frames: Frame) -> None:
        for frame in frames:
            self.client.send_frame(frame)
        self.server.data_received(b"".join(self.client.data_to_send()))

    def hear(self) -> list[Frame]:
        """The frames that the client is sent; it answers pings and closes by itself, which nobody has sent yet."""
        self.client.receive_data(bytes(self.transport.written))
        self.transport.written.clear()
        return [event for event in self.client.events_received() if isinstance(event, Frame)]


@pytest.fixture
async def socket() -> Socket:
    made = Socket()
    await made.open()
    return made


async def test_uvicorn_hands_on_whole_messages_whatever_comes_between_their_pieces(socket: Socket) -> None:
    socket.say(
        Frame(Opcode.BINARY, b"on", fin=False),
        Frame(Opcode.PING, b"between"),
        Frame(Opcode.CONT, b"", fin=False),
        Frame(Opcode.CONT, b"e", fin=True),
        Frame(Opcode.BINARY, b"two"),
    )
    assert socket.messages == [b"one", b"two"]
    assert [(frame.opcode, frame.data) for frame in socket.hear()] == [(Opcode.PONG, b"between")]
    assert socket.write(b"\x82\x03ink")
    assert [frame.data for frame in socket.hear()] == [b"ink"]
    assert not socket.transport.paused, "reading never stops for a message"


async def test_uvicorn_keeps_nothing_of_empty_fragments_and_ends_a_flood_of_them(socket: Socket) -> None:
    socket.say(Frame(Opcode.BINARY, b"", fin=False), *[Frame(Opcode.CONT, b"", fin=False)] * 1000)
    assert len(socket.server.frames) == 1
    most = int(limits.SOCKET_BURST / limits.FRAME_BYTES)
    while not socket.transport.end and most > 0:
        socket.say(*[Frame(Opcode.CONT, b"", fin=False)] * 1000)
        most -= 1000
    assert socket.transport.end == "aborted" and socket.messages == []


async def test_uvicorn_answers_no_pings_of_who_reads_nothing(socket: Socket) -> None:
    socket.server.pause_writing()
    socket.say(*[Frame(Opcode.PING, b"x" * 100)] * 100)
    assert not socket.transport.written and not socket.write(b"\x82\x03ink")
    socket.server.resume_writing()
    socket.say(Frame(Opcode.PING, b"y"))
    assert [frame.data for frame in socket.hear()] == [b"y"], "those before are not made up for"


async def test_uvicorn_sends_everybody_away_with_a_code(socket: Socket) -> None:
    socket.server.shutdown()
    assert [frame.opcode for frame in socket.hear()] == [Opcode.CLOSE]
    assert socket.client.close_rcvd and socket.client.close_rcvd.code == 1012
    await socket.over.wait()


async def test_uvicorn_ends_what_is_cut_off(socket: Socket) -> None:
    socket.server.connection_lost(ConnectionResetError())
    await socket.over.wait()
    assert not socket.write(b"\x82\x03ink")


def test_uvicorn_ends_a_closed_connection_whose_client_takes_nothing() -> None:
    now = 1000.0
    connections, here = uvicorn.Connections(lambda: now), SimpleNamespace(overdue=False)
    with contextlib.suppress(RuntimeError):  # there is no event loop that would look
        connections.enter(stalled := Transport(), here)
    with contextlib.suppress(RuntimeError):
        connections.enter(reading := Transport(), here)
    stalled.unread = 70_000
    stalled.close()
    reading.close()
    connections._sweep()
    assert set(connections._open) == {stalled}, "it counts for its address while it is open"
    now += limits.FLUSH_SECONDS
    connections._sweep()
    assert stalled.end == "closed"
    now += 1
    connections._sweep()
    assert stalled.end == "aborted" and not connections._open and not connections._closing


class DaphneTransport:
    def __init__(self) -> None:
        self.calls: list[str] = []

    def abortConnection(self) -> None:
        self.calls.append("abort")

    def pauseProducing(self) -> None:
        self.calls.append("pause")


@pytest.mark.parametrize(("state", "done"), [("STATE_OPEN", "abort"), ("STATE_CLOSING", "pause")])
def test_daphne_lets_a_close_code_arrive_before_it_ends_a_flood(state: str, done: str) -> None:
    """An abort resets the connection, and a client that still writes never reads why it was closed."""
    socket: Any = daphne.Socket.__new__(daphne.Socket)
    socket._inflow, socket.transport = daphne.Inflow(), DaphneTransport()
    socket.state = getattr(socket, state)
    while socket._takes(64 * 1024):
        pass
    assert socket.transport.calls == [done]


def test_daphne_keeps_nothing_of_empty_fragments() -> None:
    socket: Any = daphne.Socket.__new__(daphne.Socket)
    socket._inflow, socket.transport, socket.failedByMe, socket.websocket_version = daphne.Inflow(), None, False, 18
    socket.frame_data = []
    for piece in (b"", b"a", b""):
        socket.onMessageFrameData(piece)
    assert socket.frame_data == [b"a"]
