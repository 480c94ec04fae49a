"""`make load`: the live canvas under many sockets, on this machine only, beside a named alternative in the same run.

Starts a site of its own on 127.0.0.1, opens N viewers, lets people draw 30 points a second each, and says what every
viewer really got. Beside it, in the same run: a bare event loop that sends the same messages and does nothing else
(`tests.bench.bare_loop`), and what Channels' documentation leads to, made as good as it goes: one `group_send` a tick
instead of one a point, and no database at all.

With `--processes 2` the site is so many web processes, which share a PostgreSQL and a Redis of their own, and viewers
and drawers are spread over them; all of it on the cores that there are, and the alternatives are left out.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import contextlib
import itertools
import json
import os
import random
import resource
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import uvloop

from canvas import wire
from dreamsite.serve import APPLICATION
from tests import environment, running, services, wire_client
from tests.sockets import stroke_id

environment.isolate()
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dreamsite.settings")

RATE = 30  # points a second of each who draws
SAMPLED = 10  # of so many viewers one measures latency: decoding everything would measure us
GROUP = "load"
OURS, THEIRS, BARE = "dreamsite", "Channels group_send a tick", "a bare loop"
ABUSED = "dreamsite, and three who abuse it"
FLOODER = 0  # which of the site's people; those after it draw
NEWCOMERS = 40  # who join during a row


# --- the alternative, an ASGI application: `tests.bench.load:alternative` ---------------------------------------------


def _alternative() -> Any:
    import django

    django.setup()
    from channels.generic.websocket import AsyncWebsocketConsumer
    from channels.layers import get_channel_layer
    from channels.routing import ProtocolTypeRouter
    from django.core.asgi import get_asgi_application

    waiting: list[bytes] = []
    written = 0
    ticking: asyncio.Task[None] | None = None

    async def tick() -> None:
        nonlocal written
        while True:
            await asyncio.sleep(1 / 30)
            if waiting:
                batch = wire.Batch(written + 1, 0, len(waiting), b"".join(waiting))
                written, waiting[:] = batch.last, []
                await get_channel_layer().group_send(GROUP, {"type": "ink", "frame": batch.message()})

    class Consumer(AsyncWebsocketConsumer):
        groups = [GROUP]

        async def connect(self) -> None:
            nonlocal ticking
            ticking = ticking or asyncio.create_task(tick())
            await self.accept()

        async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
            if bytes_data and bytes_data[2] == wire.INK:
                waiting.append(bytes_data[6:])

        async def ink(self, event: dict[str, Any]) -> None:
            await self.send(bytes_data=event["frame"])

    async def lifespan(scope: Any, receive: Any, send: Any) -> None:
        for event in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{event}.complete"})

    by_type = {"http": get_asgi_application(), "websocket": Consumer.as_asgi(), "lifespan": lifespan}
    return ProtocolTypeRouter(by_type)


def __getattr__(name: str) -> Any:
    if name == "alternative":
        return _alternative()
    raise AttributeError(name)


# --- a socket without a library, so that three hundred of them fit one core -------------------------------------------


class Viewer(asyncio.Protocol):
    """A browser that only counts: frames, operations, and for `sent` given the time each took to come here."""

    def __init__(self, url: str, headers: dict[str, str], sent: dict[tuple[int, int], float] | None) -> None:
        self.frames = self.operations = 0
        self.late: list[float] = []
        self.lost = False
        self.began, self.complete = time.perf_counter(), float("nan")  # when it was opened, and had the canvas
        self._wanted = self._has = -1
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sent, self._buffer, self._open = sent, bytearray(), False
        at = urlsplit(url)
        lines = {
            "Host": at.netloc,
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
            "Origin": url,
            **headers,
        }
        path = "/ws/c/main/"
        self._hello = f"GET {path} HTTP/1.1\r\n" + "".join(f"{k}: {v}\r\n" for k, v in lines.items()) + "\r\n"

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is none by its class
        self.transport.write(self._hello.encode())

    def send(self, data: bytes) -> None:
        """One binary message; a client's are masked (RFC 6455 5.3), here with zeros."""
        size = bytes((0x80 | len(data),)) if len(data) < 126 else bytes((0x80 | 126,)) + struct.pack(">H", len(data))
        if not self.transport.is_closing():
            self.transport.write(b"\x82" + size + bytes(4) + data)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not self._open:
            head, found, rest = bytes(self._buffer).partition(b"\r\n\r\n")
            if not found:
                return
            if b" 101 " not in head.split(b"\r\n")[0]:
                self.ready.set_exception(ConnectionError(f"the server did not open a socket: {head[:200]!r}"))
                self.transport.abort()
                return
            self._open, self._buffer = True, bytearray(rest)
            self.send(wire_client.join(0, 0))
            self.ready.set_result(None)
        for message in self._messages():
            self._take(message)

    def _messages(self) -> Iterator[bytes]:
        buffer, at = self._buffer, 0
        while len(buffer) - at >= 2:
            size, head = buffer[at + 1], 2
            if size >= 126:
                head = 4 if size == 126 else 10
                if len(buffer) - at < head:
                    break
                size = int.from_bytes(buffer[at + 2 : at + head], "big")
            if len(buffer) - at < head + size:
                break
            if buffer[at] == 0x82:
                yield bytes(buffer[at + head : at + head + size])
            elif buffer[at] & 0x0F == 9:  # ping
                self.transport.write(b"\x8a\x80" + bytes(4))
            at += head + size
        del buffer[:at]

    def _take(self, message: bytes) -> None:
        if message[2] == wire.MARK:
            self.send(wire_client.seen(int.from_bytes(message[4:], "little")))
        elif message[2] == wire.NEWS and self._wanted < 0:
            news = json.loads(message[4:])
            if news["type"] != "welcome":
                return
            self._wanted, self._has = news["head"], max(self._has, (news["frame"] or {"seq": 0})["seq"])
            self._look()
        elif message[2] == wire.BATCH:
            count = int.from_bytes(message[20:22], "little")
            self._has = int.from_bytes(message[4:12], "little") + count - 1
            self._look()
            self.frames += 1
            self.operations += count
            if self._sent is not None:
                now = time.perf_counter()
                for _, _, stroke, piece in wire.scan(message[22:], count):
                    if (stroke, piece) in self._sent:
                        self.late.append(now - self._sent[stroke, piece])

    def _look(self) -> None:
        if self.complete != self.complete and 0 <= self._wanted <= self._has:
            self.complete = time.perf_counter()

    def connection_lost(self, error: Exception | None) -> None:
        self.lost = True
        if not self.ready.done():
            self.ready.set_exception(error or ConnectionError("closed before it was open"))


# --- one run ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Row:
    """What was measured: frames a second of the median and the worst viewer, milliseconds, per cent of a core, MB.

    `measuring` is the processor that this process took: near 100 it, and not the server, is what is slow.
    """

    name: str
    server: str
    viewers: int
    drawers: int
    delivered: float
    frames: float
    worst: float
    p50: float
    p99: float
    cpu: float
    memory: float
    lost: int
    join: float
    measuring: float

    HEAD = (
        "| design | server | viewers | delivered | frames/s | worst | p50 ms | p99 ms | join p95 ms | CPU % "
        "| µs a message | MB | lost | measuring % |\n"
        "|---|---|---|---|---|---|---|---|---|---|---|---|---|---|"
    )

    def line(self) -> str:
        message = self.cpu / 100 / max(1.0, self.frames * self.viewers) * 1e6
        columns = f"{self.delivered:.2f} | {self.frames:.1f} | {self.worst:.1f} | {self.p50:.0f} | {self.p99:.0f}"
        cost = f"{self.join:.0f} | {self.cpu:.0f} | {message:.1f} | {self.memory:.0f} | {self.lost}"
        return f"| {self.name} | {self.server} | {self.viewers} | {columns} | {cost} | {self.measuring:.0f} |"


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory(pid: int) -> int:
    """Bytes of real memory."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


async def draw(drawer: Viewer, sent: dict[tuple[int, int], float], until: float, chance: random.Random) -> int:
    """One point a message, `RATE` a second, from this moment to `until`; how many there were."""
    stroke, piece, x, y = stroke_id(chance), 0, 6000, 6000
    next_at = time.perf_counter() + chance.random() / RATE
    count = 0
    while next_at < until and not drawer.lost:
        await asyncio.sleep(max(0.0, next_at - time.perf_counter()))
        u, v = (min(12_000, max(0, at + chance.randint(-100, 100))) for at in (x, y))
        path = ((x, y, 200), (u, v, 200)) if piece else ((x, y, 200),)
        drawer.send(wire_client.ink([wire.Stroke(stroke, piece, (40, 80, 200), 102, 1600 if piece else 0, path)]))
        sent[stroke, piece] = time.perf_counter()
        x, y, piece, count, next_at = u, v, piece + 1, count + 1, next_at + 1 / RATE
        if piece == 90:
            stroke, piece = stroke_id(chance), 0
    return count


async def measure(
    sites: list[running.RunningSite],
    name: str,
    viewers: int,
    drawers: int,
    seconds: float,
    bare: tuple[int, int] | None = None,
) -> Row:
    """One row. `sites`: the web processes of one site. `bare`: port and process id of what is measured instead."""
    sent: dict[tuple[int, int], float] = {}
    loop, chance = asyncio.get_running_loop(), random.Random(1)

    doors = [bare] if bare else [(site.port, site.web.pid) for site in sites if site.web]
    turn = itertools.cycle(zip(sites, (port for port, _ in doors), strict=True))

    def used() -> float:
        return sum(cpu_seconds(pid) for _, pid in doors)

    async def connect(person: int | None, sampled: bool = False) -> Viewer:
        """At the next of the processes."""
        site, port = next(turn)
        headers = {} if person is None else site.person(person).headers
        _, one = await loop.create_connection(
            lambda: Viewer(site.url, headers, sent if sampled else None), "127.0.0.1", port
        )
        await asyncio.wait_for(one.ready, running.PATIENCE)
        return one

    watching: list[Viewer] = []
    for first in range(0, viewers, 25):
        sizes = range(first, min(viewers, first + 25))
        watching += await asyncio.gather(*(connect(None, number // len(doors) % SAMPLED == 0) for number in sizes))
    pens = [await connect(1 + number) for number in range(drawers)]
    await asyncio.sleep(1)

    began, cpu, own, until = time.perf_counter(), used(), time.process_time(), time.perf_counter() + seconds
    newcomers: list[Viewer] = []

    async def come() -> None:
        """One after the other, all the while."""
        for _ in range(NEWCOMERS):
            await asyncio.sleep(0.9 * seconds / NEWCOMERS)
            newcomers.append(await connect(None))

    abuse = [asyncio.create_task(bad(sites[0], doors[0][0])) for bad in ABUSE] if name == ABUSED else []
    coming = asyncio.create_task(come())
    offered = sum(await asyncio.gather(*(draw(drawer, sent, until, chance) for drawer in pens)))
    spent, took, own = used() - cpu, time.perf_counter() - began, time.process_time() - own
    rates = sorted(one.frames / took for one in watching)
    await asyncio.sleep(1.0)  # what is still on its way counts as delivered, and its lateness too
    delivered = sum(one.operations for one in watching) / (offered * viewers)
    late = sorted(late for one in watching for late in one.late) or [float("nan")]
    lost = sum(one.lost for one in (*watching, *pens))
    await coming
    for task in abuse:
        task.cancel()
    await asyncio.gather(*abuse, return_exceptions=True)
    joins = sorted(one.complete - one.began for one in newcomers)  # NaN for who never had it: sorts anywhere, shows
    for one in (*watching, *pens, *newcomers):
        one.transport.abort()
    return Row(
        name,
        "uvloop" if bare else sites[0].server + (f" × {len(sites)}" if len(sites) > 1 else ""),
        viewers,
        drawers,
        delivered,
        statistics.median(rates),
        rates[0],
        1000 * late[len(late) // 2],
        1000 * late[min(len(late) - 1, int(len(late) * 0.99))],
        100 * spent / took,
        sum(memory(pid) for _, pid in doors) / 1e6,
        lost,
        1000 * joins[int(len(joins) * 0.95)],
        100 * own / took,
    )


# --- three who do what they can to hold the others up ----------------------------------------------------------------


async def stall(site: running.RunningSite, port: int) -> None:
    """Joins and never reads again; comes back when it is closed."""
    while True:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024)
        one = Viewer(site.url, {}, None)
        one.connection_made(writer.transport)
        await reader.readuntil(b"\r\n\r\n")
        one.send(wire_client.join(0, 0))
        while not writer.transport.is_closing():
            await asyncio.sleep(0.5)
        await asyncio.sleep(0.5)


async def flood(site: running.RunningSite, port: int) -> None:
    """Ink of somebody signed in, as fast as the socket takes it, until it is closed; and again."""
    chance, loop = random.Random(2), asyncio.get_running_loop()
    while True:
        headers = site.person(FLOODER).headers
        _, one = await loop.create_connection(lambda: Viewer(site.url, headers, None), "127.0.0.1", port)  # noqa: B023
        with contextlib.suppress(ConnectionError):
            await one.ready
            while not one.lost:
                path = ((100, 100, 64), (9000, 9000, 255))
                stroke = wire.Stroke(stroke_id(chance), 0, (9, 9, 9), 255, 1600, path)
                for _ in range(20):
                    one.send(wire_client.ink([stroke]))
                await asyncio.sleep(0.002)  # ten thousand messages a second, from the process that measures
        await asyncio.sleep(0.2)


async def drip(site: running.RunningSite, port: int) -> None:
    """Messages in pieces of one byte each, six thousand of them a second."""
    loop = asyncio.get_running_loop()
    while True:
        _, one = await loop.create_connection(lambda: Viewer(site.url, {}, None), "127.0.0.1", port)
        with contextlib.suppress(ConnectionError):
            await one.ready
            while not one.lost:
                data = wire_client.seen(1)
                for number, byte in enumerate(data if not one.transport.is_closing() else b""):
                    last, first = number == len(data) - 1, number == 0
                    head = bytes(((0x80 if last else 0) | (2 if first else 0), 0x81))
                    one.transport.write(head + bytes(4) + bytes((byte,)))
                await asyncio.sleep(0.002)
        await asyncio.sleep(0.2)


ABUSE = (stall, flood, drip)


@contextlib.contextmanager
def cores(*numbers: int) -> Iterator[None]:
    """What is started inside runs on these cores only, so that a server has one and those who measure another."""
    before = os.sched_getaffinity(0)
    if len(before) > 1:
        os.sched_setaffinity(0, {sorted(before)[number] for number in numbers})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


# All of them come from one address.
TUNE = {"dreamsite.servers.limits.CONNECTIONS": 10_000, "dreamsite.servers.limits.HANDSHAKES_RATE": 1e9}


def row(folder: Path, template: Path, name: str, server: str, options: argparse.Namespace) -> Row:
    """Starts one server on the first core, and measures it from the second."""
    site = running.RunningSite(running.copy(template, folder / f"{name}-{server}"), server=server, tune=TUNE)
    bare = None
    try:
        with cores(0):
            if name == BARE:
                command = [sys.executable, "-m", "tests.bench.bare_loop", str(site.port)]
                bare = subprocess.Popen(command, cwd=Path(__file__).parents[2])
                running.until(site.answers)
            else:
                site.start_web(application="tests.bench.load:alternative" if name == THEIRS else APPLICATION)
        with cores(1):
            door = (site.port, bare.pid) if bare else None
            return uvloop.run(measure([site], name, options.viewers, options.drawers, options.seconds, door))
    finally:
        if bare:
            bare.terminate()
            bare.wait()
        site.stop()


def fleet_row(folder: Path, name: str, server: str, options: argparse.Namespace) -> Row:
    """Starts web processes with PostgreSQL and Redis, all on the cores there are, and measures them together."""
    with contextlib.ExitStack() as stack:
        postgres, redis = services.Postgres(), services.Redis()
        stack.callback(postgres.stop)
        stack.callback(redis.stop)
        env = {"DATABASE_URL": postgres.database(), "REDIS_URL": redis.url, "WEB_PROCESSES": str(options.processes)}
        var = running.prepare(folder / f"{name}-{server}-fleet", people=1 + options.drawers, **env)
        sites = [
            running.RunningSite(var, server=server, name=f"web{number}", tune=TUNE, **env)
            for number in range(options.processes)
        ]
        for site in sites:
            stack.callback(site.stop)
            site.start_web()
        return uvloop.run(measure(sites, name, options.viewers, options.drawers, options.seconds))


def main() -> None:
    parser = argparse.ArgumentParser(prog="make load", description=__doc__.partition("\n")[0])
    parser.add_argument("--viewers", type=int, default=100, help="sockets that only watch, 1 to 5000 (default: 100)")
    parser.add_argument("--drawers", type=int, default=10, help="people who draw, 1 to 200 (default: 10)")
    parser.add_argument("--processes", type=int, default=1, help="web processes of the site, 1 to 8 (default: 1)")
    parser.add_argument("--seconds", type=float, default=8, help="of drawing in each run, 1 to 120 (default: 8)")
    parser.add_argument("--server", choices=("daphne", "uvicorn"), action="append", help="(default: both)")
    parser.add_argument("--abuse", action="store_true", help="a stalled reader, a flooder and one-byte pieces, too")
    parser.add_argument("--alone", action="store_true", help="without the alternatives")
    options = parser.parse_args()
    if not (1 <= options.viewers <= 5000 and 1 <= options.seconds <= 120):
        parser.error("expected 1 to 5000 viewers and 1 to 120 seconds")
    if not (1 <= options.drawers <= 200 and 1 <= options.processes <= 8):
        parser.error("expected 1 to 200 people who draw, and 1 to 8 processes")
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))

    servers = options.server or ["uvicorn", "daphne"]
    wanted = [(name, server) for server in servers for name in (OURS, ABUSED)[: 1 + options.abuse]]
    fleet = options.processes > 1
    if not (options.alone or fleet):
        wanted = [(BARE, servers[0]), *wanted, (THEIRS, servers[0])]
    rows: dict[tuple[str, str], Row] = {}
    with tempfile.TemporaryDirectory(prefix="dreamsite-load-") as folder:
        template = Path(folder) / "template"
        if not fleet:
            running.prepare(template, people=1 + options.drawers)
        print(
            f"{options.drawers} people drawing {RATE} points/s each, {options.viewers} watching, "
            f"{options.seconds:g} s a row\n"
        )
        print(Row.HEAD, flush=True)
        for name, server in wanted:
            rows[name, server] = one = (
                fleet_row(Path(folder), name, server, options)
                if fleet
                else row(Path(folder), template, name, server, options)
            )
            print(one.line(), flush=True)
    for server in servers:
        ours, bare = rows[OURS, server], rows.get((BARE, servers[0]))
        if bare:
            print(
                f"\n{server}: {ours.frames:.1f} frames/s (a tick of 33 ms gives 30), p99 {ours.p99 / bare.p99:.1f} and "
                f"processor {ours.cpu / bare.cpu:.2f} times the bare loop's."
            )
        if abused := rows.get((ABUSED, server)):
            print(f"{server}: with the three p99 is {abused.p99 / ours.p99:.2f} times what it is without.")
    if any(ours.lost or ours.delivered < 0.5 for (name, _), ours in rows.items() if name in (OURS, ABUSED)):
        sys.exit("The canvas did not carry this.")


if __name__ == "__main__":
    main()
