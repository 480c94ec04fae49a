"""One socket of a room, as plain Python: its outbox, its allowance, and where in the journal it stands."""

from __future__ import annotations

import asyncio
import contextlib
import types
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Generator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from canvas import limits, wire
from canvas.rate_limits import Inbound
from canvas.wire import CloseCode

# Extensions of ASGI (dreamsite.servers): a function that takes a socket's ready bytes, which both our servers have, and
# one that is told what to call with each binary message, where ASGI would wake a task to fetch it.
WRITE, LISTEN = "dreamsite.write", "dreamsite.listen"


@dataclass(frozen=True)
class Person:
    id: int
    name: str
    session: str = field(default="", repr=False)  # that opened the socket, as the database knows it


class Member:
    """A viewer, or a drawer. `send` and `close` are the server's; a `send` that blocks is finished in the background.

    `write`, where a server has it (dreamsite.servers), takes ready bytes of the socket at once, or says that it cannot
    take them now.

    Nobody is awaited: under daphne `send` never blocks and buffers without limit, under uvicorn it blocks with the
    reader. Either way the bytes that the browser has not confirmed (by echoing a MARK) are counted, and a member with
    too many of them gets nothing more until it has caught up.
    """

    def __init__(
        self,
        send: Callable[[bytes], Coroutine[Any, Any, None]],
        close: Callable[[int], Awaitable[None]],
        person: Person | None,
        address: str = "",
        write: Callable[[bytes], bool] | None = None,
    ) -> None:
        self._send, self._close, self._write, self.person = send, close, write, person
        self.address = address  # what counts as one (dreamsite.core.addresses); never written anywhere
        self.joined = False
        self.seq = 0  # the journal's number up to which this member has been told
        self.frame = 0  # the base it was told of
        self.last_ink: dict[str, Any] | None = None  # how little ink they have left, as last sent
        self.follows: int | None = None  # whose view it follows
        self.closed = False
        self.behind_since: float | None = None
        self._sent = self._confirmed = self._marked = 0
        self._full_at = limits.OUTBOX_BYTES  # of bytes sent
        self._marks: dict[int, int] = {}  # token -> bytes sent when it was
        self._waiting: deque[bytes] = deque()
        self._sending: asyncio.Task[None] | None = None
        self._ending: asyncio.Future[None] | None = None
        self.inbound = Inbound(visitor=person is None)  # a person's sockets share one: the room sees to it
        self.entered_at: float | None = None

    @property
    def outstanding(self) -> int:
        """Bytes sent and not confirmed."""
        return self._sent - self._confirmed

    @property
    def full(self) -> bool:
        return self._sent > self._full_at

    def push(self, data: bytes, ready: bytes | None = None) -> None:
        """Sends a message. `ready` is the same in the socket's own bytes, where it is sent to many.

        Every line of this runs for every viewer and tick, right after the operating system has had the processor's
        caches: a few of them cost as much as the system's own write.
        """
        if self.closed:
            return
        self._sent += len(data)
        if self._sent > self._full_at and self.outstanding > limits.MAX_UNREAD_BYTES:
            self.close(CloseCode.BEHIND)
        elif self._sending is not None:
            self._waiting.append(data)
        elif self._write is not None:
            try:
                taken = self._write(ready or wire.websocket_message(data))
            except Exception:
                self._gone()
                return
            if not taken:
                self._waiting.append(data)
                self._send_on()
        else:
            self._waiting.append(data)
            self._send_on()

    def _send_on(self) -> None:
        """Sends what waits, until the server makes us wait in turn."""
        try:
            while self._waiting and self._sending is None:
                self._sending = start(self._send(self._waiting.popleft()))
        except Exception:
            self._gone()
        if self._sending is not None:
            self._sending.add_done_callback(self._sent_one)

    def _sent_one(self, task: asyncio.Task[None]) -> None:
        self._sending = None
        if task.cancelled() or task.exception() is not None:
            self._gone()
        else:
            self._send_on()

    def _gone(self) -> None:
        """The transport is gone, and `disconnect` follows: not an error, and none of the room's business."""
        self.closed = True
        self._waiting.clear()

    @property
    def unmarked(self) -> int:
        """Bytes sent since it was last asked to confirm some."""
        return self._sent - self._marked

    def mark(self, token: int) -> None:
        """Asks the browser to confirm what it was sent so far; nothing where nothing was sent since the last time."""
        if self.unmarked and len(self._marks) < 64:
            self._marks[token] = self._sent
            self.push(wire.mark(token))
            self._marked = self._sent

    def seen(self, token: int) -> None:
        self._confirmed = max(self._confirmed, self._marks.pop(token, 0))
        self._full_at = self._confirmed + limits.OUTBOX_BYTES
        # A later echo confirms the earlier marks too.
        self._marks = {token: sent for token, sent in self._marks.items() if sent > self._confirmed}

    def close(self, code: CloseCode) -> None:
        if not self.closed:
            self.closed = True
            self._waiting.clear()
            self._ending = asyncio.ensure_future(self._end(code))  # kept, or it might be collected

    async def _end(self, code: CloseCode) -> None:
        with contextlib.suppress(Exception):  # it may have gone by itself
            await self._close(int(code))  # autobahn takes nothing but a plain int


def start(coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None] | None:
    """Runs until the coroutine first has to wait: None where it never did, else the task that finishes it.

    A task for each send would cost more than the send; most of them finish at once.
    """
    try:
        waiting_for = coroutine.send(None)
    except StopIteration:
        return None
    return asyncio.get_running_loop().create_task(_finish(coroutine, waiting_for))


async def _finish(coroutine: Coroutine[Any, Any, None], waiting_for: Any) -> None:
    await _continue(coroutine, waiting_for)


@types.coroutine
def _continue(coroutine: Coroutine[Any, Any, None], waiting_for: Any) -> Generator[Any, Any, None]:
    step: Callable[[], Any]
    while True:
        try:
            value = yield waiting_for
        except BaseException as error:
            step = partial(coroutine.throw, error)
        else:
            step = partial(coroutine.send, value)
        try:
            waiting_for = step()
        except StopIteration:
            return
