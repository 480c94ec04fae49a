"""A browser's part of the canvas protocol in Python: for tests, load and faults."""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import time
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidMessage

from canvas import limits, wire
from tests import wire_client
from tests.running import PATIENCE

Key = tuple[int, int]  # stroke, piece


def stroke_id(chance: random.Random, offset_ms: int = 0) -> int:
    return ((time.time_ns() // 1_000_000 + offset_ms) << 12) | chance.getrandbits(12)


def pieces(
    stroke: int,
    points: list[tuple[int, int, int]],
    *,
    each: int = 4,
    colour: tuple[int, int, int] = (20, 40, 200),
    opacity: int = 102,
) -> list[wire.Stroke]:
    """A stroke cut as the browser cuts it: each piece begins with the last point of the one before."""
    cut, carry, at = [], 0, 0
    while True:
        part = tuple(points[at : at + each + 1])
        at += each
        last = at >= len(points) - 1
        cut.append(wire.Stroke(stroke, len(cut), colour, opacity, carry, part, last))
        if last:
            return cut
        carry = wire_client.carry_after(part, carry)


class Client:
    """One open canvas. Collects what it is told; `numbers` is the journal as this viewer saw it."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.welcome: dict[str, Any] = {}
        self.frame: dict[str, Any] | None = None
        self.head = 0
        self.operations: dict[int, wire.Operation] = {}
        self.news: list[dict[str, Any]] = []
        self.drawn: set[Key] = set()  # pieces that `draw` sent
        self.acked: set[Key] = set()  # pieces of one's own that the journal has
        self.acks: set[tuple[int, int]] = set()  # ACKs as they came: stroke, next piece
        self.refused: dict[int, int] = {}  # stroke -> code
        self.closed: int | None = None
        self.failed: BaseException | None = None  # what the server said broke the protocol
        self.reading = asyncio.Event()  # cleared: a frozen tab
        self.reading.set()
        self.batches = 0
        self.changed = asyncio.Condition()
        self._reader: asyncio.Task[None] | None = None

    @property
    def frame_id(self) -> int:
        return int(self.frame["id"]) if self.frame else 0

    @property
    def me(self) -> int:
        you = self.welcome.get("you")
        return int(you["id"]) if you else 0

    def listen(self) -> None:
        self._reader = asyncio.create_task(self._read())

    async def join(self, frame: int = 0, seq: int = 0) -> None:
        self.listen()
        await self.socket.send(wire_client.join(frame, seq))
        await self.until(lambda: bool(self.welcome))

    async def send(self, *operations: wire.Operation) -> None:
        await self.socket.send(wire_client.ink(operations))

    async def draw(self, stroke: int, points: list[tuple[int, int, int]], **options: Any) -> list[wire.Stroke]:
        cut = pieces(stroke, points, **options)
        self.drawn |= {(piece.stroke_id, piece.piece) for piece in cut}
        for piece in cut:
            await self.send(piece)
        return cut

    def pieces_of(self, author: int, stroke: int | None = None) -> list[wire.Stroke]:
        """The pieces of somebody's strokes (or of one of them), in the journal's order."""
        ops = [op for _, op in sorted(self.operations.items()) if isinstance(op, wire.Stroke) and op.author == author]
        return [op for op in ops if stroke in (None, op.stroke_id)]

    def sent_and_unknown(self) -> set[Key]:
        """Pieces sent by `draw` of which the server has not said that they are in the journal."""
        return self.drawn - self.acked

    def names(self) -> dict[int, str]:
        """Everybody whose name was told."""
        found = dict(self.welcome.get("names", {}))
        for news in self.news:
            found |= news.get("names", {})
        return {int(key): name for key, name in found.items()}

    def news_of(self, kind: str) -> list[dict[str, Any]]:
        """The news of one type, oldest first."""
        return [news for news in self.news if news["type"] == kind]

    async def until_closed(self) -> int:
        """The code that the server closed with."""
        self.reading.set()
        with contextlib.suppress(ConnectionError):
            await self.until(lambda: self.closed is not None)
        assert self.closed is not None
        return self.closed

    async def until(self, ready: Any) -> None:
        """Waits until `ready()`; AssertionError with what is known after PATIENCE."""
        came = False

        def look() -> bool:
            nonlocal came
            came = bool(ready())
            return came or self.closed is not None

        async with self.changed:
            try:
                await asyncio.wait_for(self.changed.wait_for(look), PATIENCE)
            except TimeoutError:
                raise AssertionError(f"not within {PATIENCE} s; head {self.head}, news {self.news[-3:]}") from None
        if self.failed is not None:
            raise self.failed
        if not came:
            raise ConnectionError(f"the socket was closed with {self.closed}")

    async def _read(self) -> None:
        try:
            async for data in self.socket:
                assert isinstance(data, bytes)
                assert len(data) <= limits.MAX_MESSAGE, f"a frame of {len(data)} bytes"
                await self._take(*wire_client.from_server(data))
                await self.reading.wait()
                async with self.changed:
                    self.changed.notify_all()
        except ConnectionClosed:
            pass
        except Exception as error:
            self.failed = error
        finally:
            self.closed = self.socket.close_code or 1006
            async with self.changed:
                self.changed.notify_all()

    async def _take(self, kind: int, content: Any) -> None:
        match kind:
            case wire.BATCH:
                self.batches += 1
                assert content.first <= self.head + 1, f"a hole: {self.head} then {content.first}"
                for number, op in content.operations():
                    self.operations[number] = op
                    if isinstance(op, wire.Stroke) and op.author == self.me:
                        self.acked.add((op.stroke_id, op.piece))
                self.head = max(self.head, content.last)
            case wire.NEWS:
                self.news.append(content)
                if content["type"] == "welcome":
                    self.welcome, base = content, content["frame"] or {"id": 0, "seq": 0}
                    # Another base than mine, or a number that cannot be: what I have does not count.
                    if base["id"] != self.frame_id or not base["seq"] <= self.head <= content["head"]:
                        self.head, self.operations = base["seq"], {}
                    self.frame = content["frame"]
                elif content["type"] == "frame":
                    self.frame = content["frame"]
            case wire.MARK:
                with contextlib.suppress(ConnectionClosed):
                    await self.socket.send(wire_client.seen(content[0]))
            case wire.ACK:
                stroke, following = content
                self.acks.add(content)
                self.acked |= {(stroke, piece) for piece in range(following)} if following < 0xFFFF else set()
            case wire.REJECT:
                self.refused[content[0]] = content[2]


@contextlib.asynccontextmanager
async def opened(
    url: str,
    headers: dict[str, str] | None = None,
    *,
    slug: str = "main",
    join: bool = True,
    frame: int = 0,
    seq: int = 0,
    narrow: bool = False,
) -> AsyncIterator[Client]:
    """An open canvas at the site `url`; `headers` carry the session (tests.running.Person, Visitor).

    `narrow` keeps the buffers on our side small, so that a client that does not read is felt by the server at once.
    """
    address = url.replace("http", "ws", 1) + f"/ws/c/{slug}/"
    headers = {"Origin": url, **(headers or {})}
    options: dict[str, Any] = {}
    if narrow:
        at = urlsplit(url)
        options = {"sock": socket.socket(), "max_queue": 1}
        options["sock"].setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        options["sock"].setblocking(False)
        await asyncio.get_running_loop().sock_connect(options["sock"], (at.hostname, at.port))
    async with connect(
        address,
        additional_headers=headers,
        max_size=None,
        compression=None,
        ping_interval=None,
        open_timeout=PATIENCE,
        close_timeout=2,
        **options,
    ) as connection:
        client = Client(connection)
        client.head, client.frame = seq, {"id": frame} if frame else None
        if join:
            await client.join(frame, seq)
        else:
            client.listen()
        yield client
        client.reading.set()


# For a site where drawers draw without a rest, for as long as a slow machine needs: no newcomer's ink lasts so long.
# Nor does what the newest accounts behind an address share; for a moment after a server's start everybody is one.
PLENTY = {
    "canvas.limits.INK_LEVELS": [[0, 1e9, 1e9]],
    "canvas.limits.ADDRESS_RATE": 1e9,
    "canvas.limits.ADDRESS_BURST": 1e9,
    "canvas.limits.NEWEST_SHARE": 1e9,
}


class Drawer:
    """A browser that never gives up: comes back, sends again what it has no word of, and draws on.

    `sent` is every piece it ever made, in order; `run` returns when `stop` is set and all of it is acknowledged.
    """

    def __init__(self, headers: dict[str, str], chance: random.Random, *, side: int, slug: str = "main") -> None:
        self.headers, self.slug = headers, slug
        self.sent: list[wire.Stroke] = []
        self.pending: dict[Key, wire.Stroke] = {}
        self.refused: dict[int, int] = {}
        self.connections = 0
        self._chance, self._side = chance, side * 8
        self._ready: list[wire.Stroke] = []  # the rest of the stroke that is being drawn
        self._frame = self._head = 0
        self._client: Client | None = None

    async def run(self, urls: list[str], stop: asyncio.Event) -> None:
        """Draws at one of `urls`, another with every connection."""
        while self.pending or not stop.is_set():
            try:
                url = self._chance.choice(urls)
                headers = self.headers | {"Origin": url}
                async with opened(url, headers, slug=self.slug, frame=self._frame, seq=self._head) as client:
                    self.connections += 1
                    self._client = client
                    await self._draw(client, stop)
            except (OSError, ConnectionClosed, InvalidHandshake, InvalidMessage, EOFError):
                await asyncio.sleep(self._chance.uniform(0.02, 0.2))

    def cut_off(self) -> None:
        """Its connection ends without a word, as on a train."""
        if self._client is not None:
            self._client.socket.transport.abort()

    async def _draw(self, client: Client, stop: asyncio.Event) -> None:
        for piece in list(self.pending.values()):
            await client.send(piece)
        try:
            while client.closed is None and (self.pending or not stop.is_set()):
                for key in client.acked & self.pending.keys():
                    del self.pending[key]
                if not stop.is_set():
                    piece = self._next()
                    self.sent.append(piece)
                    self.pending[piece.stroke_id, piece.piece] = piece
                    await client.send(piece)
                await asyncio.sleep(self._chance.uniform(0.01, 0.05))
        finally:
            # What came before the socket ended counts; pieces are settled with the next connection.
            for key in client.acked & self.pending.keys():
                del self.pending[key]
            self.refused |= client.refused
            self._frame, self._head = client.frame_id, client.head
            if client.failed is not None:
                raise client.failed

    def _next(self) -> wire.Stroke:
        if not self._ready:
            x, y = self._chance.randrange(self._side), self._chance.randrange(self._side)
            points = [(x, y, 80)]
            for _ in range(self._chance.randrange(40)):
                x, y = (min(self._side, max(0, at + self._chance.randint(-60, 60))) for at in (x, y))
                points.append((x, y, 80))
            self._ready = pieces(stroke_id(self._chance), points, each=4)
        return self._ready.pop(0)
