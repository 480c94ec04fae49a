"""`make attack`, fourth part: a million damaged socket messages, of which the server closes with documented codes only.

Honest messages of every kind are damaged at random, from a seed: bits and bytes changed, numbers set to the smallest
and the largest, pieces cut out, doubled and taken from other messages, ends cut off. Most go straight into the
consumer, with a room and a journal in memory and a clock that runs ahead, so that limits of time do not hide what lies
behind them. Some tens of thousands go through both web servers, where the websocket frames around them are damaged too.

It passes if whoever sends a damaged message is answered, refused, or closed with one of `wire.CloseCode`; if damaged
websocket frames, which the server's library meets before us, end by a code of RFC 6455 or the connection's end; and if
the journal has no hole, everything in it can be read, others draw on, and no log has an error.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import random
import struct
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import django

from canvas import limits, wire
from canvas.rate_limits import check
from canvas.room import Room
from tests import environment, running, wire_client
from tests.bench.load import Viewer
from tests.canvas.memory import SIDE, MemoryJournal, NoLayer
from tests.sockets import PLENTY, opened, pieces

environment.isolate()
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dreamsite.settings")

DOCUMENTED = {int(code) for code in wire.CloseCode}
# Of RFC 6455, 7.4.1: a protocol error, text that is no UTF-8, a message that is too large. They are the library's word
# for what is no websocket frame; GONE is an end without any.
LIBRARY, GONE = {1002, 1007, 1009}, 1006
EXTREMES = {1: (0, 1, 127, 128), 2: (0, 1, 2**15 - 1, 2**15), 4: (0, 2**31, 2**32 - 1), 8: (0, 2**53, 2**64 - 1)}
CHUNK = 50_000
Message = bytes | str


# --- what is sent ----------------------------------------------------------------------------------------------------


class Messages:
    """What a browser sends, and the same damaged. `now_ms`: the server's clock."""

    def __init__(self, chance: random.Random, now_ms: Callable[[], int], side: int) -> None:
        self._chance, self._now_ms, self._side = chance, now_ms, side * 8
        self.token = 0  # of the newest MARK
        self._drawn: list[int] = []  # strokes of late

    def honest(self) -> bytes:
        chance = self._chance
        match chance.randrange(12):
            case 0:
                return wire_client.join(chance.choice((0, 1, chance.getrandbits(32))), chance.getrandbits(16))
            case 1:
                return wire_client.seen(self.token)
            case 2:
                return wire_client.react(*(chance.randrange(self._side // 8) for _ in "xy"), chance.randrange(5))
            case 3:
                return chance.choice((wire_client.who(), wire_client.dismiss()))
            case 4:
                return wire_client.follow(chance.randrange(8))
            case 5:
                return wire_client.view(*(chance.randrange(self._side // 8) for _ in range(4)))
            case 6:
                return wire_client.ink([wire.Undo(chance.choice(self._drawn or [1]))])
        return wire_client.ink(self._stroke())

    def _stroke(self) -> list[wire.Stroke]:
        chance = self._chance
        name = (self._now_ms() << 12) | chance.getrandbits(12)
        self._drawn = [*self._drawn[-20:], name]
        path = [(chance.randrange(self._side), chance.randrange(self._side), chance.randint(8, 200)) for _ in range(6)]
        cut = pieces(name, path, each=chance.choice((2, 4, 500)))
        if chance.random() < 0.2:
            cut = [wire.Stroke(one.stroke_id, one.piece, (0, 0, 0), 9, one.carry, one.points, frame=0) for one in cut]
        return cut

    def damaged(self) -> Message:
        chance, data = self._chance, bytearray(self.honest())
        if (kind := chance.random()) < 0.0005:
            return bytes(data) + bytes(chance.choice((limits.MAX_MESSAGE - len(data), limits.MAX_MESSAGE)))
        if kind < 0.002:
            return data.decode("latin1")
        for _ in range(chance.randint(0, 4)):
            self._damage(data)
        return bytes(data)

    def _damage(self, data: bytearray) -> None:
        chance = self._chance
        at, end = sorted(chance.randrange(len(data) + 1) for _ in "ab")
        match chance.randrange(9):
            case 0 | 1 if data:
                data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
            case 2 if data:
                data[chance.randrange(len(data))] = chance.randrange(256)
            case 3 | 4:
                size = chance.choice((1, 2, 4, 8))
                data[at : at + size] = chance.choice(EXTREMES[size]).to_bytes(size, "little")
            case 5:
                del data[at:end]
            case 6:
                data[at:at] = data[at:end]
            case 7:
                other = self.honest()
                data[at:] = other[chance.randrange(len(other)) :]
            case _:
                del data[at:]
                data += chance.randbytes(chance.randrange(9))


# --- into the consumer, in this process ------------------------------------------------------------------------------


class Journal(MemoryJournal):
    """As long as what a dream has not taken yet, so that a million messages stay as quick as the first."""

    def absorb(self) -> None:
        """A dream takes in all that there is."""
        with self._lock:
            number = (self.frame["id"] if self.frame else 0) + 1
            earlier = [{"id": number}, *(self.frame["earlier"] if self.frame else [])][: limits.EARLIER + 1]
            self.frame = {"id": number, "number": number, "seq": self.head, "url": f"/{number}", "earlier": earlier}
            self.rows = self.rows[-1:]


class Witness:
    """A socket that only reads, and believes nothing: no hole, and each operation within its bounds."""

    def __init__(self) -> None:
        self.head: int | None = None
        self.operations = 0
        self.mark = 0

    async def send(self, message: Any) -> None:
        data = message.get("bytes")
        if data is None:
            assert message["type"] == "websocket.accept", f"the witness was told {message}"
            return
        kind, content = wire_client.from_server(data)
        if kind == wire.MARK:
            (self.mark,) = content
        elif kind == wire.NEWS and content["type"] == "welcome":
            self.head = content["frame"]["seq"] if content["frame"] and self.head is None else self.head or 0
        elif kind == wire.BATCH:
            assert self.head is not None and content.first <= self.head + 1, f"a hole: {self.head}, {content.first}"
            self.head = max(self.head, content.last)
            for _, operation in content.operations():
                if isinstance(operation, wire.Stroke):
                    check(operation, SIDE, SIDE)
                self.operations += 1


class Errors(logging.Handler):
    """Everything that was logged as a warning or worse."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(self.format(record))


async def in_memory(count: int, seed: int, tell: Callable[[str], None] = lambda _: None) -> Counter[str]:
    """So many damaged messages into consumers; how often each thing came of them. AssertionError where one may not."""
    from canvas import consumer  # with Django, which this module does not need to be imported

    chance, came, errors = random.Random(seed), Counter[str](), Errors()
    ahead = 0.0  # seconds that the clock runs ahead: 0.05 for each message

    def clock() -> float:
        return time.monotonic() + ahead

    def wall_ms() -> int:
        return int((time.time() + ahead) * 1000)

    journal, threads = Journal(), ThreadPoolExecutor(2)
    room = Room(journal, journal.people, NoLayer(), threads, clock=clock, wall_ms=wall_ms)

    class Hub:
        leaving = False

        async def room(self, slug: str, address: str = "") -> Room:
            return room

        def left(self, slug: str, room: Room, member: Any) -> None:
            room.leave(member)

    def socket(number: int | None) -> dict[str, Any]:
        user = SimpleNamespace(is_authenticated=True, is_active=True, pk=number, get_username=lambda: f"p{number}")
        nobody = SimpleNamespace(is_authenticated=False)
        route = {"kwargs": {"slug": "main"}}
        return {"type": "websocket", "url_route": route, "user": user if number else nobody, "session": None}

    messages, witness, left = Messages(chance, wall_ms, SIDE), Witness(), count
    over = asyncio.Event()

    async def watch() -> None:
        def script() -> Iterator[bytes]:
            yield wire_client.join(0, 0)
            while True:
                yield wire_client.seen(witness.mark)

        said = script()
        begun = False

        async def receive() -> dict[str, Any]:
            nonlocal begun
            if not begun:
                begun = True
                return {"type": "websocket.connect"}
            if witness.head is not None:
                await asyncio.sleep(0.02)
            if over.is_set():
                return {"type": "websocket.disconnect", "code": 1000}
            return {"type": "websocket.receive", "bytes": next(said)}

        await consumer.CanvasConsumer()(socket(None), receive, witness.send)

    async def one_socket() -> None:
        """A client that goes on until it is closed, or for some hundred messages."""
        nonlocal left, ahead
        closed: int | None = None
        joins, begun, most = chance.random() < 0.9, False, chance.randint(1, 400)

        async def send(message: Any) -> None:
            nonlocal closed
            if message["type"] == "websocket.close":
                closed = message.get("code", 1000)
            elif (data := message.get("bytes")) and data[2] == wire.MARK:
                messages.token = int.from_bytes(data[4:], "little")
            elif data:
                came["answers"] += 1

        async def receive() -> dict[str, Any]:
            nonlocal left, ahead, begun, joins, most
            if not begun:
                begun = True
                return {"type": "websocket.connect"}
            if here.member.closed:
                while closed is None:
                    await asyncio.sleep(0)
            if closed is not None or left <= 0 or most <= 0:
                return {"type": "websocket.disconnect", "code": 1000}
            ahead += 0.05
            if joins:
                joins = False
                return {"type": "websocket.receive", "bytes": wire_client.join(0, 0)}
            left, most = left - 1, most - 1
            if left % 16 == 0:
                await asyncio.sleep(0)
            if left % 500 == 0:
                journal.absorb()
            if left % CHUNK == 0:
                tell(f"{count - left:,} messages, {witness.operations:,} operations in the journal")
            message = messages.damaged()
            key = "bytes" if isinstance(message, bytes) else "text"
            return {"type": "websocket.receive", key: message}

        here = consumer.CanvasConsumer()
        await here(socket(chance.choice((None, *range(1, 6)))), receive, send)
        assert closed is None or closed in DOCUMENTED, f"closed with {closed}, which docs/protocol.md does not know"
        came[str(closed) if closed is not None else "stayed open"] += 1

    logging.getLogger().addHandler(errors)
    try:
        await room.start()
        with patch.object(consumer, "hub", Hub()):
            watching = asyncio.create_task(watch())
            while witness.head is None:
                await asyncio.sleep(0.01)
            while left > 0:
                await one_socket()
            end = time.monotonic() + running.PATIENCE
            while room.waiting or witness.head != journal.head:
                assert time.monotonic() < end, f"the witness is at {witness.head}, the journal at {journal.head}"
                await asyncio.sleep(0.02)
            over.set()
            await watching
        assert room.trouble is None and not errors.said, errors.said[:3]
    finally:
        await room.stop()
        logging.getLogger().removeHandler(errors)
        threads.shutdown()
    came["operations written"] = witness.operations
    return came


# --- through a web server --------------------------------------------------------------------------------------------


class Client(asyncio.Protocol):
    """A socket that sends whatever bytes it is told to, and knows how it ended."""

    def __init__(self, site: running.RunningSite, headers: dict[str, str]) -> None:
        loop = asyncio.get_running_loop()
        self.open: asyncio.Future[None] = loop.create_future()
        self.ended: asyncio.Future[int] = loop.create_future()  # the server's code
        self.pong = asyncio.Event()
        self.token = 0
        self._viewer = Viewer(site.url, headers, None)
        self._buffer = bytearray()

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        transport.write(self._viewer._hello.encode())

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not self.open.done():
            head, found, rest = bytes(self._buffer).partition(b"\r\n\r\n")
            if not found:
                return
            assert b" 101 " in head.split(b"\r\n")[0], head[:200]
            self._buffer = bytearray(rest)
            self.open.set_result(None)
        while (found_frame := _frame(self._buffer)) is not None:
            opcode, body, size = found_frame
            del self._buffer[:size]
            if opcode == 8 and not self.ended.done():
                self.ended.set_result(int.from_bytes(body[:2], "big") if len(body) > 1 else 1005)
            elif opcode == 9:
                self.transport.write(b"\x8a\x80" + bytes(4))
            elif opcode == 10:
                self.pong.set()
            elif opcode == 2 and body[2] == wire.MARK:
                self.token = int.from_bytes(body[4:], "little")

    def connection_lost(self, error: Exception | None) -> None:
        if not self.open.done():
            self.open.set_exception(error or ConnectionError("closed before it was open"))
        if not self.ended.done():
            self.ended.set_result(GONE)


def _frame(buffer: bytearray) -> tuple[int, bytes, int] | None:
    """(opcode, body, bytes) of the server's frame at the buffer's beginning, if it is all there."""
    if len(buffer) < 2:
        return None
    size, head = buffer[1], 2
    if size >= 126:
        head = 4 if size == 126 else 10
        size = int.from_bytes(buffer[2:head], "big")
    return (buffer[0] & 15, bytes(buffer[head : head + size]), head + size) if len(buffer) >= head + size else None


def framed(message: Message) -> bytes:
    """One websocket message as a client sends it, masked with zeros."""
    data = message.encode() if isinstance(message, str) else message
    first, size = (0x81 if isinstance(message, str) else 0x82), len(data)
    if size < 126:
        head = struct.pack(">BB", first, 0x80 | size)
    elif size < 0x10000:
        head = struct.pack(">BBH", first, 0x80 | 126, size)
    else:
        head = struct.pack(">BBQ", first, 0x80 | 127, size)
    return head + bytes(4) + data


def broken_frame(chance: random.Random, message: Message) -> bytes:
    """A websocket frame that is damaged itself: its head, its mask, its length, or cut into fragments."""
    data = bytearray(framed(message))
    match chance.randrange(5):
        case 0:
            data[0] = chance.randrange(256)  # opcodes that nobody knows, reserved bits, a fragment, a control frame
        case 1:
            data[1] ^= 0x80  # not masked
        case 2:
            data[1] = 0x80 | chance.randrange(128)  # another length than what follows
        case 3:
            data[:] = bytes((2, 0x80)) + bytes(4) + bytes((chance.choice((0, 0x80, 2, 0x82)),)) + data[1:]
        case _:
            data[: chance.randrange(1, 8)] = chance.randbytes(chance.randrange(1, 8))
    return bytes(data)


async def over_sockets(
    site: running.RunningSite, count: int, seed: int, until: float, at_once: int = 24
) -> Counter[str]:
    """So many damaged messages through a running web server, or as many as fit before `until` (of the clock)."""
    chance, came, left = random.Random(seed), Counter[str](), count
    loop = asyncio.get_running_loop()
    messages = Messages(chance, lambda: time.time_ns() // 1_000_000, 1536)

    async def one_socket(headers: dict[str, str]) -> None:
        nonlocal left
        _, client = await loop.create_connection(lambda: Client(site, headers), "127.0.0.1", site.port)
        await client.open
        breaks = chance.random() < 0.3  # whether it damages frames, too
        large = False
        if chance.random() < 0.9:
            client.transport.write(framed(wire_client.join(0, 0)))
        for _ in range(chance.randint(1, 40)):
            left -= 1
            came["messages"] += 1
            messages.token = client.token
            message = messages.damaged()
            large = large or len(message) > 2 * limits.MAX_MESSAGE
            whole = not breaks or chance.random() < 0.7
            client.transport.write(framed(message) if whole else broken_frame(chance, message))
            client.pong.clear()
            client.transport.write(b"\x89\x80" + bytes(4))
            pong = asyncio.ensure_future(client.pong.wait())
            # Where the frame says that more is to come, the question is taken for it, and nobody answers.
            patience = 0.5 if breaks else running.PATIENCE
            await asyncio.wait({pong, client.ended}, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
            answered = pong.done()
            pong.cancel()
            if not answered:
                assert breaks or client.ended.done(), f"no answer to {message!r}"
                break
            if client.ended.done():
                break
        if client.ended.done():
            code = client.ended.result()
            # A frame may have been damaged into a close, of any code: that one is said back, and is not the server's.
            allowed = breaks or code in DOCUMENTED or (large and code in (1009, GONE))
            assert allowed, f"{site.server} closed with {code} after {message!r}"
            known = code in DOCUMENTED | LIBRARY | {GONE}
            came[("frame " if breaks and code not in DOCUMENTED else "") + (str(code) if known else "said back")] += 1
        else:
            came["waits for the rest" if not answered else "stayed open"] += 1
        client.transport.abort()

    async def many(number: int) -> None:
        headers = site.person(number % 12).headers if number % 4 else {"Origin": site.url}
        while left > 0 and time.monotonic() < until:
            await one_socket(headers)

    await asyncio.gather(*(many(number) for number in range(at_once)))
    async with opened(site.url, site.person(15).headers) as drawer:  # and somebody else draws as if nothing had been
        name = (time.time_ns() // 1_000_000) << 12
        await drawer.draw(name, [(800, 800, 80), (1600, 1600, 80)])
        await drawer.until(lambda: not drawer.sent_and_unknown())
    return came


# All come from one address and from a dozen people: how many they may send is not what is asked here.
TUNE = {
    **PLENTY,
    "dreamsite.servers.limits.HANDSHAKES_RATE": 1e9,
    "dreamsite.servers.limits.CONNECTIONS": 10_000,
    "canvas.limits.MESSAGES_RATE": 1_000,
    "canvas.limits.MESSAGES_BURST": 10_000,
}


def through(server: str, folder: Path, count: int, seed: int, seconds: float) -> Counter[str]:
    site = running.RunningSite(running.copy(folder / "template", folder / server), server=server, tune=TUNE)
    site.start_web()
    try:
        came = asyncio.run(over_sockets(site, count, seed, time.monotonic() + seconds))
        assert site.answers(), site.log()[-3000:]
        site.journal()  # without a hole, and all of it can be read
    finally:
        site.stop()
    log = site.log()
    for sign in ("Traceback", "never retrieved"):
        assert sign not in log, log[max(0, log.index(sign) - 2000) :][:8000]
    return came


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.mutations", description=__doc__.partition("\n")[0])
    parser.add_argument("--messages", type=int, default=1_000_000, help="into the consumer (default: a million)")
    parser.add_argument("--sockets", type=int, default=20_000, help="through each server (default: 20,000)")
    parser.add_argument("--server", choices=("uvicorn", "daphne"), action="append", help="(default: both)")
    parser.add_argument("--seconds", type=float, default=240, help="at most, through each server (default: 240)")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    logging.disable(logging.INFO)
    began = time.monotonic()
    django.setup()
    came = asyncio.run(in_memory(options.messages, options.seed, lambda said: print(said, flush=True)))
    rows = {"the consumer": came + Counter(messages=options.messages)}
    print(f"{options.messages:,} messages in {time.monotonic() - began:.0f} s", flush=True)
    if options.sockets:
        with tempfile.TemporaryDirectory(prefix="dreamsite-mutations-") as folder:
            running.prepare(Path(folder) / "template")
            for server in options.server or ("uvicorn", "daphne"):
                began = time.monotonic()
                rows[server] = through(server, Path(folder), options.sockets, options.seed, options.seconds)
                took = time.monotonic() - began
                print(f"{server}: {rows[server]['messages']:,} messages in {took:.0f} s", flush=True)
    names = sorted({name for came in rows.values() for name in came}, key=lambda name: (name != "messages", name))
    print("\n| |", " | ".join(rows), "|\n|---|" + "---|" * len(rows))
    for name in names:
        print(f"| {name} |", " | ".join(f"{came[name]:,}" for came in rows.values()), "|")


if __name__ == "__main__":
    sys.exit(main())
