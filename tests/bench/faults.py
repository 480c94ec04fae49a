"""`python -m tests.bench.faults`: parts of a fleet are killed while people draw, and what became of their ink.

Two web processes (daphne and uvicorn), two dreamers, a PostgreSQL and a Redis of their own; six people draw without a
rest, at either process. After each fault everybody draws until all that they sent is acknowledged, and the journal is
read: every acknowledged piece must be in it exactly once, in the order it was drawn. The longest gap is how long nobody
at all got an acknowledgement.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from canvas import wire
from tests import environment, running, services, wire_client
from tests.clock import JUMPS, SET_FORWARD
from tests.sockets import PLENTY, Drawer

environment.isolate()
DRAWERS = 6
AWAY = 5.0  # seconds that a part is gone
TUNE = {"canvas.lease.LEASE_SECONDS": 3.0, "canvas.lease.RENEW_SECONDS": 1.0} | PLENTY
ENV = {
    "HOUSE_MODEL": "true",
    "DREAM_INTERVAL": "1",
    "DREAM_THREADS": "1",
    "WEB_PROCESSES": "2",
}
ONLY_SMALL = {"CANVAS_SLUG": running.SMALL}  # the site's own canvas, once it is prepared


@dataclass
class Fleet:
    one: running.RunningSite
    two: running.RunningSite
    dreamers: list[running.RunningSite]
    postgres: services.Postgres
    redis: services.Redis
    expected: dict[int, list[wire.Operation]] = field(default_factory=dict)  # by author, what is acknowledged

    @property
    def webs(self) -> list[running.RunningSite]:
        return [self.one, self.two]


# --- the faults: each returns what else there is to say --------------------------------------------------------------


async def _nothing(fleet: Fleet) -> str:
    await asyncio.sleep(AWAY)
    return ""


def _killed_web(which: int) -> Callable[[Fleet], Awaitable[str]]:
    async def fault(fleet: Fleet) -> str:
        site = fleet.webs[which]
        for _ in range(3):
            site.kill_web()
            await asyncio.to_thread(site.start_web)
            await asyncio.sleep(1)
        return "three times"

    return fault


async def _killed_dreamer(fleet: Fleet) -> str:
    """The one that is dreaming; the other takes over when its lease is over."""
    worst = 0.0
    for site in fleet.dreamers:  # the first has the lease, the second takes it over and has it
        while (await asyncio.to_thread(fleet.one.dream)).get("state") != "dreaming":
            await asyncio.sleep(0.02)
        frames, began = len(await asyncio.to_thread(fleet.one.frames)), time.monotonic()
        site.kill_dreamer()
        while len(await asyncio.to_thread(fleet.one.frames)) <= frames:
            await asyncio.sleep(0.1)
        worst = max(worst, time.monotonic() - began)
        site.start_dreamer()
        await asyncio.sleep(3)
    return f"twice; the next frame {worst:.1f} s later"


async def _redis_killed(fleet: Fleet) -> str:
    fleet.redis.kill()
    await asyncio.sleep(AWAY)
    await asyncio.to_thread(fleet.redis.start)
    return f"for {AWAY:.0f} s"


async def _redis_frozen(fleet: Fleet) -> str:
    fleet.redis.freeze()
    await asyncio.sleep(AWAY)
    fleet.redis.thaw()
    return f"for {AWAY:.0f} s"


async def _connections_cut(fleet: Fleet) -> str:
    for _ in range(3):
        cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
        await asyncio.to_thread(fleet.one.rows, cut + " AND pid <> pg_backend_pid()")
        await asyncio.sleep(1)
    return "three times"


async def _database_away(fleet: Fleet) -> str:
    address = fleet.one.env["DATABASE_URL"]
    await asyncio.to_thread(fleet.postgres.shut, address)
    await asyncio.sleep(AWAY)
    await asyncio.to_thread(fleet.postgres.reopen, address)
    return f"for {AWAY:.0f} s"


def _clock_set(number: int) -> Callable[[Fleet], Awaitable[str]]:
    async def fault(fleet: Fleet) -> str:
        """While it runs: two hours on, and back again."""
        site = fleet.webs[number]
        for jump in (SET_FORWARD, JUMPS[SET_FORWARD]):
            assert site.web
            os.kill(site.web.pid, jump)
            await asyncio.sleep(AWAY / 2)
        return "two hours on, and back"

    return fault


FAULTS: dict[str, Callable[[Fleet], Awaitable[str]]] = {
    "none": _nothing,
    "daphne killed": _killed_web(0),
    "uvicorn killed": _killed_web(1),
    "the dreamer killed in a dream": _killed_dreamer,
    "Redis killed": _redis_killed,
    "Redis frozen": _redis_frozen,
    "PostgreSQL cuts every connection": _connections_cut,
    "PostgreSQL lets nobody in": _database_away,
    "daphne's clock is set": _clock_set(0),
    "uvicorn's clock is set": _clock_set(1),
}


# --- one of them, and the journal ------------------------------------------------------------------------------------


async def _during(fleet: Fleet, fault: Callable[[Fleet], Awaitable[str]], seed: int) -> tuple[int, float, str, int]:
    """(pieces acknowledged, longest gap in seconds, what the fault says, refusals)."""
    stop, chance = asyncio.Event(), random.Random(seed)
    urls = [site.url for site in fleet.webs]
    people = [fleet.one.person(number) for number in range(DRAWERS)]
    drawers = {
        person.id: Drawer(person.headers, random.Random(chance.random()), side=running.SMALL_SIDE, slug=running.SMALL)
        for person in people
    }
    tasks = [asyncio.create_task(drawer.run(urls, stop)) for drawer in drawers.values()]

    def acknowledged() -> int:
        return sum(len(drawer.sent) - len(drawer.pending) for drawer in drawers.values())

    gap, over = 0.0, asyncio.Event()

    async def watch() -> None:
        nonlocal gap
        known, since = acknowledged(), time.monotonic()
        while not over.is_set():
            await asyncio.sleep(0.01)
            now = time.monotonic()
            if (count := acknowledged()) > known:
                known, since = count, now
            gap = max(gap, now - since)

    async def until_more(pieces: int) -> None:
        known = acknowledged()
        while acknowledged() < known + pieces:
            await asyncio.sleep(0.05)

    async with asyncio.timeout(running.PATIENCE):
        await until_more(50)
        watching = asyncio.create_task(watch())
        said = await fault(fleet)
        await until_more(100)
        over.set()
        await watching
        stop.set()
        await asyncio.gather(*tasks)
    for author, drawer in drawers.items():
        fleet.expected.setdefault(author, []).extend(wire_client.by(piece, author) for piece in drawer.sent)
    return acknowledged(), gap, said, sum(len(drawer.refused) for drawer in drawers.values())


def _journal_check(fleet: Fleet) -> tuple[int, int, int]:
    """(acknowledged pieces that are not in the journal, pieces that are there too often, authors whose order is
    another). Holes in the numbers are an AssertionError."""
    written: dict[int, list[wire.Operation]] = {}
    for _, op in fleet.one.journal(running.SMALL):
        written.setdefault(op.author, []).append(op)
    lost = doubled = 0
    for author in fleet.expected.keys() | written.keys():
        wanted, found = Counter(fleet.expected.get(author, [])), Counter(written.get(author, []))
        lost, doubled = lost + (wanted - found).total(), doubled + (found - wanted).total()
    mixed = sum(written.get(author, []) != pieces for author, pieces in fleet.expected.items())
    return lost, doubled, mixed


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.faults", description=__doc__.partition("\n")[0])
    parser.add_argument("--seed", type=int, default=random.randrange(10**6), help="of what is drawn (default: any)")
    parser.add_argument("--only", action="append", choices=FAULTS, help="this fault; may be given several times")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("Ended from outside."))  # with what was started
    print(f"Seed {options.seed}\n")
    bad = 0
    with tempfile.TemporaryDirectory(prefix="dreamsite-faults-") as folder, contextlib.ExitStack() as stack:
        postgres, redis = services.Postgres(), services.Redis()
        stack.callback(postgres.stop)
        stack.callback(redis.stop)
        env = {**ENV, "DATABASE_URL": postgres.database(), "REDIS_URL": redis.url}
        var = running.prepare(Path(folder) / "var", **env)

        def site(name: str, server: str) -> running.RunningSite:
            made = running.RunningSite(
                var, name=name, server=server, tune=TUNE, TEST_CLOCK_SIGNALS="1", **env, **ONLY_SMALL
            )
            stack.callback(made.stop)
            return made

        one, two, *dreamers = (
            site("one", "daphne"),
            site("two", "uvicorn"),
            site("three", "daphne"),
            site("four", "daphne"),
        )
        fleet = Fleet(one, two, dreamers, postgres, redis)
        for web in fleet.webs:
            web.start_web()
        dreamers[0].start_dreamer()
        running.until(lambda: one.dream().get("holder"), "a dreamer")
        dreamers[1].start_dreamer()
        print(
            "| fault | | acknowledged | lost | doubled | refused | longest gap |\n|---|---|---|---|---|---|---|",
            flush=True,
        )
        for number, name in enumerate(options.only or FAULTS):
            count, gap, said, refused = asyncio.run(_during(fleet, FAULTS[name], options.seed + number))
            lost, doubled, mixed = _journal_check(fleet)
            bad += bool(lost or doubled or mixed or refused)
            print(f"| {name} | {said} | {count:,} | {lost} | {doubled} | {refused} | {gap:.1f} s |", flush=True)
            if mixed:
                print(f"\nThe pieces of {mixed} people are in another order than they were drawn.\n")
    if bad:
        sys.exit("Ink was lost, doubled, refused or mixed up.")


if __name__ == "__main__":
    main()
