"""A browser's part of the canvas protocol in Python: for tests, load and faults."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from canvas import brush, wire

Key = tuple[int, int]  # stroke, piece


def stroke_id(chance: random.Random, offset_ms: int = 0) -> int:
    return ((time.time_ns() // 1_000_000 + offset_ms) << 12) | chance.getrandbits(12)


def pieces(stroke: int, points: list[tuple[int, int, int]], *, each: int = 4, colour: tuple[int, int, int] = (20, 40, 200),
           opacity: int = 102) -> list[wire.Stroke]:  # fmt: skip
    """A stroke cut as the browser cuts it: each piece begins with the last point of the one before."""
    cut, carry, at = [], 0, 0
    while True:
        part = tuple(points[at : at + each + 1])
        at += each
        last = at >= len(points) - 1
        cut.append(wire.Stroke(stroke, len(cut), colour, opacity, carry, part, last))
        if last:
            return cut
        carry = brush.carry_after(part, carry)


class Client:
    """One open canvas. Collects what it is told; `numbers` is the journal as this viewer saw it."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.welcome: dict[str, Any] = {}
        self.frame: dict[str, Any] | None = None
        self.head = 0
        self.operations: dict[int, wire.Operation] = {}
        self.news: list[dict[str, Any]] = []
        self.acked: set[Key] = set()  # pieces of one's own that the journal has
        self.refused: dict[int, int] = {}  # stroke -> code
        self.closed: int | None = None
        self.batches = 0
        self.changed = asyncio.Condition()
        self._reader: asyncio.Task[None] | None = None

    @property
    def me(self) -> int:
        you = self.welcome.get("you")
        return int(you["id"]) if you else 0

    async def join(self, frame: int = 0, seq: int = 0) -> None:
        self._reader = asyncio.create_task(self._read())
        await self.socket.send(wire.join(frame, seq))
        await self.until(lambda: bool(self.welcome))

    async def send(self, *operations: wire.Operation) -> None:
        await self.socket.send(wire.ink(operations))

    async def draw(self, stroke: int, points: list[tuple[int, int, int]], **options: Any) -> list[wire.Stroke]:
        cut = pieces(stroke, points, **options)
        for piece in cut:
            await self.send(piece)
        return cut

    async def until(self, ready: Any, seconds: float = 15) -> None:
        """Waits until `ready()`; AssertionError with what is known after `seconds`."""
        async with self.changed:
            try:
                await asyncio.wait_for(self.changed.wait_for(lambda: ready() or self.closed is not None), seconds)
            except TimeoutError:
                raise AssertionError(f"not within {seconds} s; head {self.head}, news {self.news[-3:]}") from None
        if not ready():
            raise ConnectionError(f"the socket was closed with {self.closed}")

    async def _read(self) -> None:
        try:
            async for data in self.socket:
                assert isinstance(data, bytes)
                await self._take(*wire.from_server(data))
                async with self.changed:
                    self.changed.notify_all()
        except ConnectionClosed:
            pass
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
                        self.acked.add((op.stroke, op.piece))
                self.head = max(self.head, content.last)
            case wire.NEWS:
                self.news.append(content)
                if content["type"] == "welcome":
                    self.welcome = content
                    if not self.frame or self.frame["id"] != (content["frame"] or {}).get("id"):
                        self.head = (content["frame"] or {}).get("seq", 0)
                    self.frame = content["frame"]
                elif content["type"] == "frame":
                    self.frame = content["frame"]
            case wire.MARK:
                with contextlib.suppress(ConnectionClosed):
                    await self.socket.send(wire.seen(content[0]))
            case wire.ACK:
                stroke, following = content
                self.acked |= {(stroke, piece) for piece in range(following)} if following < 0xFFFF else set()
            case wire.REJECT:
                self.refused[content[0]] = content[2]


@contextlib.asynccontextmanager
async def opened(url: str, headers: dict[str, str] | None = None, *, slug: str = "main", join: bool = True,
                 frame: int = 0, seq: int = 0) -> AsyncIterator[Client]:  # fmt: skip
    """An open canvas at the site `url`; `headers` carry the session (tests.running.Visitor.headers)."""
    address = url.replace("http", "ws", 1) + f"/ws/c/{slug}/"
    headers = {"Origin": url, **(headers or {})}
    async with connect(
        address, additional_headers=headers, max_size=None, compression=None, ping_interval=None, close_timeout=2
    ) as socket:
        client = Client(socket)
        if join:
            await client.join(frame, seq)
        yield client
