"""`make attack`, second half: the server under strangers' attacks, beside a quiet one, over real sockets on 127.0.0.1.

One pen draws 30 points a second, one viewer sees them; in the meantime strangers do their worst. For each attack: how
long a stroke takes to everybody, how busy the server is, and how much memory it takes more than before.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import random
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from tests import environment, running, wire_client
from tests.bench.load import Viewer, cpu_seconds, draw
from tests.sockets import pieces, stroke_id

environment.isolate()
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dreamsite.settings")
Attack = Callable[[running.RunningSite, float], Awaitable[str]]
MEGABYTE = 2**20
chance = random.Random(3)


async def quiet(site: running.RunningSite, until: float) -> str:
    await asyncio.sleep(until - time.perf_counter())
    return ""


async def visitors_ink(site: running.RunningSite, until: float) -> str:
    """Four sockets of visitors that send the largest messages of ink as fast as they go, and come back when closed."""
    message = wire_client.ink(pieces(stroke_id(chance), [(80, 80, 8)] * 8_000, each=500)[:16])
    sent = closed = 0

    async def one() -> None:
        nonlocal sent, closed
        loop = asyncio.get_running_loop()
        while time.perf_counter() < until:
            _, socket = await loop.create_connection(lambda: Viewer(site.url, {}, None), "127.0.0.1", site.port)
            with contextlib.suppress(ConnectionError):
                await socket.ready
            while not socket.lost and time.perf_counter() < until:
                # Longer than 64 KiB, so that the frame needs the long form of its length.
                head = b"\x82" + bytes((0x80 | 127,)) + len(message).to_bytes(8, "big") + bytes(4)
                socket.transport.write(head + message)
                sent += 1
                await asyncio.sleep(0.005)
            closed += socket.lost
            socket.transport.abort()
            await asyncio.sleep(0.05)

    await asyncio.gather(*(one() for _ in range(4)))
    return f"{sent} messages, {closed} times closed"


async def half_requests(site: running.RunningSite, until: float) -> str:
    """Four hundred connections with half a request each, a byte more every second."""
    held, refused = [], 0
    for _ in range(400):
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
            writer.write(b"GET / HTTP/1.1\r\nX: ")
            held.append((reader, writer))
        except OSError:
            refused += 1
    while time.perf_counter() < until:
        for _, writer in held:
            with contextlib.suppress(OSError):
                writer.write(b"x")
        await asyncio.sleep(1)
    ended = sum(reader.at_eof() or reader.exception() is not None for reader, _ in held)
    for _, writer in held:
        writer.transport.abort()
    return f"{len(held)} opened, {ended + refused} refused"


async def no_reading(site: running.RunningSite, until: float) -> str:
    """Six clients that ask for a film of 200 MB and do not read."""
    writers = []
    for _ in range(6):
        _, writer = await asyncio.open_connection("127.0.0.1", site.port, limit=1)
        writer.write(f"GET /media/films/long.mp4 HTTP/1.1\r\nHost: 127.0.0.1:{site.port}\r\n\r\n".encode())
        writers.append(writer)
    await asyncio.sleep(until - time.perf_counter())
    for writer in writers:
        writer.transport.abort()
    return ""


async def large_bodies(site: running.RunningSite, until: float) -> str:
    """A form of 300 MB, again and again."""
    sent = answers = 0
    while time.perf_counter() < until:
        reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
        head = (
            f"POST /accounts/login/ HTTP/1.1\r\nHost: 127.0.0.1:{site.port}\r\nContent-Length: {300 * MEGABYTE}\r\n\r\n"
        )
        writer.write(head.encode())
        with contextlib.suppress(OSError):
            for _ in range(300):
                if reader.at_eof() or time.perf_counter() > until or writer.transport.is_closing():
                    break
                writer.write(bytes(MEGABYTE))
                sent += 1
                await writer.drain()
        with contextlib.suppress(OSError, TimeoutError):
            answers += b" 413 " in await asyncio.wait_for(reader.read(200), 1)
        writer.transport.abort()
    return f"{sent} MB sent, {answers} times 413"


async def sign_ins(site: running.RunningSite, until: float) -> str:
    """Thirty-two people who sign in at once, with wrong passwords: Argon2 takes 100 MB for each."""
    page = await asyncio.to_thread(site.browser().get, "/accounts/login/")
    token = page[1].partition('name="csrfmiddlewaretoken" value="')[2].partition('"')[0]
    tried = 0

    async def one(number: int) -> None:
        nonlocal tried
        while time.perf_counter() < until:
            body = f"csrfmiddlewaretoken={token}&login=person{number:02}&password=wrong"
            reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
            writer.write(
                f"POST /accounts/login/ HTTP/1.1\r\nHost: 127.0.0.1:{site.port}\r\nOrigin: {site.url}\r\n"
                f"Cookie: csrf={token}\r\nContent-Type: application/x-www-form-urlencoded\r\n"
                f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n{body}".encode()
            )
            with contextlib.suppress(OSError):
                await reader.read()
            tried += 1
            writer.close()

    await asyncio.gather(*(one(number) for number in range(32)))
    return f"{tried} tried"


async def moments(site: running.RunningSite, until: float) -> str:
    """Eight clients that ask for pictures of past moments, each another one."""
    said: dict[bytes, int] = {}

    async def one(number: int) -> None:
        moment = 0
        while time.perf_counter() < until:
            moment += 1
            at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time.time() - 8 * moment - number))
            reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
            writer.write(
                f"GET /history/{at}Z.png HTTP/1.1\r\nHost: 127.0.0.1:{site.port}\r\nConnection: close\r\n\r\n".encode()
            )
            with contextlib.suppress(OSError):
                status = (await reader.read()).partition(b" ")[2][:3]
                said[status] = said.get(status, 0) + 1
            writer.close()

    await asyncio.gather(*(one(number) for number in range(8)))
    return ", ".join(f"{count} times {status.decode()}" for status, count in sorted(said.items()))


ATTACKS: dict[str, Attack] = {
    "nobody attacks": quiet,
    "four visitors' sockets flood ink": visitors_ink,
    "400 half requests": half_requests,
    "six read no film": no_reading,
    "bodies of 300 MB": large_bodies,
    "32 sign in at once": sign_ins,
    "moments as pictures": moments,
}


async def measure(site: running.RunningSite, attack: Attack, seconds: float) -> tuple[float, float, float, float, str]:
    """(p50 ms, p99 ms, % of a core, MB more at the worst, what the attacker met)."""
    sent: dict[tuple[int, int], float] = {}
    loop = asyncio.get_running_loop()

    async def connect(headers: dict[str, str], seen: dict[tuple[int, int], float] | None) -> Viewer:
        _, one = await loop.create_connection(lambda: Viewer(site.url, headers, seen), "127.0.0.1", site.port)
        await asyncio.wait_for(one.ready, running.PATIENCE)
        return one

    viewer, pen = await connect({}, sent), await connect(site.person(0).headers, None)
    await asyncio.sleep(1)
    assert site.web is not None
    before, most, cpu, began = site.memory(), 0, cpu_seconds(site.web.pid), time.perf_counter()
    until = began + seconds

    async def watch() -> None:
        nonlocal most
        while time.perf_counter() < until:
            most = max(most, site.memory())
            await asyncio.sleep(0.1)

    _, _, met = await asyncio.gather(draw(pen, sent, until, chance), watch(), attack(site, until))
    used = 100 * (cpu_seconds(site.web.pid) - cpu) / (time.perf_counter() - began)
    await asyncio.sleep(1)
    late = sorted(viewer.late) or [float("nan")]
    for one in (viewer, pen):
        one.transport.abort()
    p50, p99 = late[len(late) // 2], late[min(len(late) - 1, int(len(late) * 0.99))]
    return 1000 * p50, 1000 * p99, used, (most - before) / MEGABYTE, met


def main() -> None:
    parser = argparse.ArgumentParser(prog="make attack", description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=6, help="of each attack, 1 to 120 (default: 6)")
    parser.add_argument("--server", choices=("daphne", "uvicorn"), default="daphne")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="dreamsite-attack-") as folder:
        site = running.RunningSite(
            running.prepare(Path(folder) / "var"), server=options.server, SOCKETS_PER_ADDRESS="100"
        )
        film = site.var / "media" / "films" / "long.mp4"
        film.parent.mkdir(parents=True, exist_ok=True)
        with film.open("wb") as file:
            file.truncate(200 * MEGABYTE)
        print(f"\n{options.server}; a pen draws 30 points a second, a viewer sees them\n")
        print("| attack | p50 ms | p99 ms | CPU % | MB more | met |\n|---|---|---|---|---|---|", flush=True)
        for name, attack in ATTACKS.items():
            site.start_web()
            try:
                p50, p99, cpu, memory, met = asyncio.run(measure(site, attack, options.seconds))
            finally:
                site.stop()
            print(f"| {name} | {p50:.0f} | {p99:.0f} | {cpu:.0f} | {memory:.0f} | {met} |", flush=True)


if __name__ == "__main__":
    main()
