"""`python -m dreamsite.servers.daphne …`: daphne, with bounds on what a client may leave half done.

Half-sent requests end after a time, however slowly their bytes drip; connections are bounded by address; a body that is
too large is refused at its first byte; answers wait for whoever reads them, where daphne would gather them in memory.
Clocks are monotonic: daphne's own would close every socket when the machine's clock is set.
"""

from __future__ import annotations

import asyncio
import time
from types import SimpleNamespace
from typing import Any

from daphne import http_protocol, server, ws_protocol
from daphne.cli import CommandLineInterface
from django.conf import settings
from twisted.internet import interfaces, tcp
from twisted.web import http
from zope.interface import implementer

from canvas.member import WRITE
from dreamsite.core import upload_pass
from dreamsite.servers import limits
from dreamsite.servers.limits import AddressLimit, Inflow, Overdue

CHUNK = 64 * 1024  # of a body, handed to the application when it asks for it


class Channel(http.HTTPChannel):
    """One connection before it becomes a socket."""

    def connectionMade(self) -> None:
        self.overdue = Overdue()
        super().connectionMade()

    def dataReceived(self, data: bytes) -> None:
        if not self._handlingRequest:  # what comes meanwhile is kept for later, a little of it
            self.overdue.head()
        super().dataReceived(data)

    def allContentReceived(self) -> None:
        self.overdue.complete()
        super().allContentReceived()

    def requestDone(self, request: Any) -> None:
        if self._dataBuffer:
            self.overdue.head()
        super().requestDone(request)


@implementer(interfaces.IPushProducer)
class Request(http_protocol.WebRequest):
    """One request and its answer."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.refused = False
        self.flowing = asyncio.Event()  # the client takes what it is sent
        self.flowing.set()
        self._allowed = self._came = 0

    # --- what comes in ---------------------------------------------------------------------------------------------

    def gotLength(self, length: int | None) -> None:
        cookies = self.requestHeaders.getRawHeaders(b"cookie", [])
        self._allowed = max(limits.LARGEST_BODY, upload_pass.granted(b"; ".join(cookies).decode("latin1")))
        super().gotLength(length)
        if length is not None and length > self._allowed:
            self._refuse()

    def handleContentChunk(self, data: bytes) -> None:
        self._came += len(data)
        self.channel.overdue.body(len(data))
        if self.refused:
            return
        if self._came > self._allowed:
            self._refuse()
        else:
            super().handleContentChunk(data)

    def _refuse(self) -> None:
        self.refused = True
        body = b"This is more than can be taken here.\n"
        self.channel.transport.write(
            b"HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Type: text/plain\r\n"
            b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
        )
        self.channel.loseConnection()

    def process(self) -> Any:
        return None if self.refused else super().process()

    # --- what goes out: IPushProducer, as the transport asks --------------------------------------------------------

    def handle_reply(self, message: Any) -> None:
        """As daphne's; from the head on the transport says when its buffer is full."""
        if message.get("type") == "http.response.start" and self.producer is None and self.channel is not None:
            self.registerProducer(self, True)
        super().handle_reply(message)

    def pauseProducing(self) -> None:
        self.flowing.clear()

    def resumeProducing(self) -> None:
        self.flowing.set()

    def stopProducing(self) -> None:
        self.flowing.set()

    def finish(self) -> None:
        self.flowing.set()
        if self.producer is not None:
            self.unregisterProducer()
        super().finish()

    def connectionLost(self, reason: Any) -> None:
        self.flowing.set()
        super().connectionLost(reason)


class Socket(ws_protocol.WebSocketProtocol):
    """An open socket, whose bytes are counted before anything looks at them, and which takes ready bytes."""

    def connectionMade(self) -> None:
        self._inflow = Inflow()
        super().connectionMade()
        # autobahn's one second is less than a telephone, or a busy machine, takes to read why it is closed: what is
        # unread is lost when the connection is reset.
        self.closeHandshakeTimeout = limits.CLOSING_SECONDS

    def dataReceived(self, data: bytes) -> None:
        if self._takes(len(data)):
            super().dataReceived(data)

    def _takes(self, size: int) -> bool:
        if self._inflow.take(size):
            return True
        if self.state == self.STATE_CLOSING:  # it was told why, and an abort might overtake the word
            self.transport.pauseProducing()
        else:
            self.transport.abortConnection()
        return False

    def onMessageFrameBegin(self, length: int) -> None:
        self._takes(limits.FRAME_BYTES)
        super().onMessageFrameBegin(length)

    def onMessageFrameData(self, payload: bytes) -> None:
        """As autobahn's, without empty pieces: no limit of a message's size would ever end a list of them."""
        if payload:
            super().onMessageFrameData(payload)

    def onPing(self, payload: bytes) -> None:
        """As autobahn's; but who reads nothing is answered nothing: the answers would gather in memory without end."""
        transport: Any = self.transport
        unread = len(transport.dataBuffer) + transport._tempDataLen if isinstance(transport, tcp.Connection) else 0
        if self._takes(limits.FRAME_BYTES) and unread <= limits.UNREAD_PONGS:
            super().onPing(payload)

    def onPong(self, payload: bytes) -> None:
        self._takes(limits.FRAME_BYTES)
        super().onPong(payload)

    def write_ready(self, data: bytes) -> bool:
        """Sends one whole message as it is on the wire; False while the socket is not open.

        Straight to the operating system where nothing waits before it: the reactor would watch the socket and be
        woken to do the same, for each message again.
        """
        if self.state != self.STATE_OPEN or self.muted or self.send_queue:
            return False
        transport: Any = self.transport
        sent: Any = 0
        plain = isinstance(transport, tcp.Connection) and not (transport.TLS or transport.disconnecting)
        if plain and not (transport.dataBuffer or transport._tempDataBuffer):
            sent = transport.writeSomeData(data)
        if not isinstance(sent, int):
            sent = 0  # the connection is lost, which the reactor is about to find
        if sent < len(data):
            transport.write(data[sent:])
        return True


class Connections(http_protocol.HTTPFactory):
    protocol = Channel

    def __init__(self, owner: Any) -> None:
        super().__init__(owner)
        # Behind a proxy every connection is the proxy's, which has bounds of its own.
        most = 10**9 if settings.BEHIND_PROXY else limits.CONNECTIONS
        self._limit = AddressLimit(most, 10**9, 10**9)
        self._open: dict[Any, str] = {}  # channel -> whose it is

    def buildProtocol(self, addr: Any) -> Any:
        key = self._limit.enter(getattr(addr, "host", ""))
        if key is None:
            self._sweep()
            key = self._limit.enter(getattr(addr, "host", ""))
        if key is None:
            return None  # closed without a word
        channel = super().buildProtocol(addr)
        channel.requestFactory = Request
        self._open[channel] = key
        return channel

    def check(self) -> None:
        self._sweep()
        for channel in list(self._open):
            # A channel that became a socket is no longer its transport's protocol.
            if channel.overdue and channel.transport.protocol is channel:
                channel.transport.abortConnection()

    def _sweep(self) -> None:
        for channel, key in list(self._open.items()):
            if channel.transport is None or getattr(channel.transport, "disconnected", False):
                del self._open[channel]
                self._limit.leave(key)


class Sockets(ws_protocol.WebSocketFactory):
    protocol = Socket


class Server(server.Server):
    def create_application(self, protocol: Any, scope: Any) -> Any:
        """As daphne's; but the application reads a body from its file, where daphne puts all of it into memory."""
        if scope["type"] != "http":
            scope["extensions"] = {WRITE: protocol.write_ready}
            return super().create_application(protocol, scope)
        queue = Body(protocol)
        scope.setdefault("asgi", {"version": "3.0"})
        if protocol not in self.connections:
            return None
        self.connections[protocol]["application_instance"] = asyncio.ensure_future(
            self.application(scope=scope, receive=queue.receive, send=lambda m: self.handle_reply(protocol, m)),
            loop=asyncio.get_event_loop(),
        )
        return queue

    async def handle_reply(self, protocol: Any, message: Any) -> None:
        await super().handle_reply(protocol, message)
        if isinstance(protocol, Request):
            await protocol.flowing.wait()

    def timeout_checker(self) -> None:
        self.http_factory.check()
        super().timeout_checker()


class Body:
    """What an application receives: its request's body, piece by piece, and then the end of the connection."""

    def __init__(self, request: Request) -> None:
        self._request, self._at, self._complete = request, 0, False
        self._queue: asyncio.Queue[Any] = asyncio.Queue()

    def put_nowait(self, message: Any) -> None:
        if message["type"] != "http.request":
            self._queue.put_nowait(message)

    async def receive(self) -> Any:
        content = self._request.content
        if self._complete or content is None or content.closed:
            return await self._queue.get()
        content.seek(self._at)
        chunk = content.read(CHUNK)
        self._at += len(chunk)
        self._complete = len(chunk) < CHUNK
        return {"type": "http.request", "body": chunk, "more_body": not self._complete}


class CommandLine(CommandLineInterface):
    server_class = Server


def main() -> None:
    server.HTTPFactory, server.WebSocketFactory = Connections, Sockets
    for module in (server, http_protocol, ws_protocol):
        module.time = SimpleNamespace(time=time.monotonic)
    CommandLine.entrypoint()


if __name__ == "__main__":
    main()
