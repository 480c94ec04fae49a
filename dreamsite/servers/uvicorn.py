"""uvicorn's two protocols (`--http`, `--ws`) with the bounds of `dreamsite.servers.daphne`.

uvicorn waits for slow readers by itself. What is added: the time that half a request may take, connections by address,
and the bytes that a socket may send.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from uvicorn.protocols.http.auto import AutoHTTPProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from canvas.member import LISTEN, WRITE
from dreamsite.servers import limits
from dreamsite.servers.limits import AddressLimit, Inflow, Overdue

LOOK_SECONDS = 2.0
_Http: Any = AutoHTTPProtocol  # which of its parsers uvicorn takes, it finds out when it starts


class Connections:
    """What is open in this process, whether it is still a connection of pages or has become a socket."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        # Behind a proxy every connection is the proxy's, which has bounds of its own.
        self._limit = AddressLimit(10**9 if settings.BEHIND_PROXY else limits.CONNECTIONS, 10**9, 10**9)
        self._open: dict[Any, tuple[str, Connection]] = {}  # by transport
        self._closing: dict[Any, float] = {}  # transport -> since when
        self._clock = clock
        self._looking = False

    def enter(self, transport: Any, connection: Connection) -> bool:
        peer = transport.get_extra_info("peername")
        address = str(peer[0]) if isinstance(peer, tuple) else ""
        key = self._limit.enter(address)
        if key is None:
            self._sweep()
            key = self._limit.enter(address)
        if key is None:
            return False
        self._open[transport] = key, connection
        if not self._looking:
            self._looking = True
            asyncio.get_running_loop().call_later(LOOK_SECONDS, self._look)
        return True

    def _look(self) -> None:
        self._sweep()
        for transport, (_, connection) in list(self._open.items()):
            if connection.overdue and transport.get_protocol() is connection:
                transport.abort()
        self._looking = bool(self._open)
        if self._looking:
            asyncio.get_running_loop().call_later(LOOK_SECONDS, self._look)

    def _sweep(self) -> None:
        """A closed connection stays open, and counts, while its client takes nothing of what is written already.

        asyncio would wait for it for ever: whoever reads nothing and is closed for it would keep the connection.
        """
        now = self._clock()
        for transport, (key, _) in list(self._open.items()):
            if not transport.is_closing():
                continue
            if transport.get_write_buffer_size():
                if now - self._closing.setdefault(transport, now) <= limits.FLUSH_SECONDS:
                    continue
                transport.abort()
            self._closing.pop(transport, None)
            del self._open[transport]
            self._limit.leave(key)


_connections: list[Connections] = []  # one, made with the first connection: by then the settings are read


class Connection(_Http):
    """One connection before it becomes a socket; the same hooks in both of uvicorn's parsers."""

    def connection_made(self, transport: Any) -> None:
        if not _connections:
            _connections.append(Connections())
        self.overdue = Overdue()
        self.refused = not _connections[0].enter(transport, self)
        if self.refused:
            transport.abort()
        else:
            super().connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.refused:
            super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self.refused:
            return
        if self.cycle is None or self.cycle.response_complete:
            self.overdue.head()
        super().data_received(data)
        if (cycle := self.cycle) is None or cycle.response_complete:
            return
        if cycle.more_body:
            self.overdue.head()
            self.overdue.body(len(data))
        else:
            self.overdue.complete()


class Socket(WebSocketsSansIOProtocol):
    """An open socket, whose bytes are counted before anything looks at them, and which takes ready bytes."""

    frames: list[bytes]  # of the message that is coming in
    read_paused: bool
    _listener: Callable[[bytes], bool] | None = None
    _paused = False  # the client must be waited for, or is gone

    def connection_made(self, transport: Any) -> None:
        self._inflow, self._raw = Inflow(), transport
        super().connection_made(transport)

    def handle_connect(self, event: Any) -> None:
        super().handle_connect(event)
        if not self.close_sent:  # else the handshake was refused, and there is no scope
            self.scope["extensions"] |= {WRITE: self.write_ready, LISTEN: self.listen}

    def listen(self, take: Callable[[bytes], bool]) -> None:
        """Binary messages are given to `take` as they come, after those that wait for the application already.

        ASGI's way costs each of them two system calls, to stop reading and go on, and a turn of the event loop. Where
        `take` wants no more, nothing is read until the application has closed the socket: uvloop would read eight
        megabytes of a flood before anybody else has a turn.
        """
        self._listener = take

    def pause_writing(self) -> None:
        self._paused = True
        super().pause_writing()

    def resume_writing(self) -> None:
        self._paused = False
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        self._paused = True
        super().connection_lost(exc)

    def write_ready(self, data: bytes) -> bool:
        """Sends one whole message as it is on the wire; False where the client must be waited for, or is gone.

        Nobody calls it who has closed the socket; every other end of it closes the transport.
        """
        transport = self.transport
        if self._paused or transport.is_closing():  # uvloop's write raises once it is closed
            return False
        transport.write(data)
        return True

    def data_received(self, data: bytes) -> None:
        if self._takes(len(data)):
            super().data_received(data)

    def _takes(self, size: int) -> bool:
        if self._inflow.take(size):
            return True
        if self.close_sent:  # it was told why, and the connection ends in seconds: an abort might overtake the word
            self._raw.pause_reading()
        else:
            self._raw.abort()
        return False

    def handle_cont(self, event: Any) -> None:
        """As uvicorn's; empty fragments are dropped: no limit of a message's size would ever end a list of them."""
        if self._takes(limits.FRAME_BYTES) and (event.data or event.fin):
            super().handle_cont(event)

    def handle_ping(self) -> None:
        """As uvicorn's; but who reads nothing is answered nothing: the answers would gather in memory without end."""
        answers = self.conn.data_to_send()
        if self._takes(limits.FRAME_BYTES) and not (self._paused or self.transport.is_closing()):
            self.transport.write(b"".join(answers))

    def handle_pong(self, event: Any) -> None:
        if self._takes(limits.FRAME_BYTES):
            super().handle_pong(event)

    def send_receive_event_to_app(self) -> None:
        """As uvicorn's; but text that is no UTF-8 is text like any other, which nobody here sends: it gets its close
        code, where uvicorn would write a traceback into the log each time."""
        if self.curr_msg_data_type == "text":
            self.frames = [b"".join(self.frames).decode(errors="replace").encode()]
        elif self._listener is not None and self.queue.empty():
            if not (self.close_sent or self.disconnected):
                self._give(self._listener, b"".join(self.frames))
            self.frames = []
            return
        super().send_receive_event_to_app()

    def _give(self, listener: Callable[[bytes], bool], message: bytes) -> None:
        try:
            more = listener(message)
        except Exception:
            self.logger.exception("Exception in ASGI application\n")
            self.transport.abort()
            return
        if not (more or self.read_paused or self.transport.is_closing()):
            self.read_paused = True
            self.transport.pause_reading()
