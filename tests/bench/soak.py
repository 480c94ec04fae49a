"""`python -m tests.bench.soak`: a day of a small site at a hundredfold speed, and what has grown in it, hour by hour.

A web process, a dreamer and a worker beside a PostgreSQL and a Redis of their own (`--sqlite`: without). Everything
that goes by the clock goes a hundred times as fast: dreams, styles, films, retention, periodic tasks, what a room
remembers, so an hour takes 36 seconds. People come and go: they draw, watch and look at pages, and at night nobody is
there.

What may grow is what the site keeps by its documented rules: the journal, frames with their small pictures, one large
picture in ten minutes, films. Memory, open files, threads and connections must be at the end what they were at the
end of the first morning.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests import environment, running, services
from tests.bench.load import Viewer, memory
from tests.sockets import PLENTY, Drawer

environment.isolate()
SPEED = 100
HOUR = 3600 / SPEED
NIGHT = range(1, 5)  # hours of each day in which nobody is there
DRAWERS, WATCHERS = 4, 12
WARM = 6  # hours until everything has been loaded and seen once
KEPT_HOURS, KEPT_MINUTES = 2, 10  # the rule of retention: all of the last hours, and then one in so many minutes
PAGES = "/history/", "/history/calendar/", "/films/", "/canvases/", "/readyz", "/history/feed/", f"/c/{running.SMALL}/"
GROWN = 1.15  # times what it was: memory that comes and goes does not do so to the byte
SLACK = 24e6  # bytes that may come beside that

TUNE: dict[str, Any] = {
    **PLENTY,
    "settings.KEEP_ALL_DAYS": KEPT_HOURS / 24 / SPEED,
    "settings.KEEP_ONE_MINUTES": KEPT_MINUTES / SPEED,
    "settings.FILM_HOURS": 2 / SPEED,
    "gallery.space.periodic_tasks.EVERY_SECONDS": 3600 / SPEED,
    "dreamsite.core.tasks.worker.MAINTENANCE_SECONDS": 1.0,  # ten scaled seconds would be all that it does
    "dreamsite.core.tasks.worker.PRUNE_SECONDS": 3600 / SPEED,
    "canvas.moderation.periodic_tasks.DETECT_SECONDS": 1,
    "canvas.limits.STALE_MS": 600_000 // SPEED,
    "canvas.limits.REMEMBER_MS": 900_000 // SPEED,
    "canvas.limits.FORGET_SECONDS": 60 / SPEED,
    "canvas.limits.OWNERSHIP_SECONDS": 240 / SPEED,
    "canvas.limits.RECHECK_SECONDS": 1.0,
    "canvas.hub.EMPTY_SECONDS": 20 / SPEED,
    "dreamer.worker.LOOK_SECONDS": 0.05,
}
ENV = {"DREAM_INTERVAL": str(30 / SPEED), "STYLE_INTERVAL": str(600 / SPEED), "FILM_SIDE": "128", "FILM_AV1": "0"}


@dataclass(frozen=True)
class Process:
    """Of one process, now: bytes of real memory, open files, sockets among them, threads."""

    memory: int
    files: int
    sockets: int
    threads: int

    @classmethod
    def of(cls, pid: int) -> Process:
        kinds = []
        for link in Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(OSError):
                kinds.append(str(link.readlink()))
        threads = len(list(Path(f"/proc/{pid}/task").iterdir()))
        return cls(memory(pid), len(kinds), sum(kind.startswith("socket:") for kind in kinds), threads)

    def __str__(self) -> str:
        return f"{self.memory / 1e6:.0f} MB {self.files} {self.sockets} {self.threads}"


@dataclass(frozen=True)
class Hour:
    """What there is at the end of an hour."""

    processes: dict[str, Process]
    batches: int
    operations: int
    frames: int
    large: int  # frames with a large picture
    films: int
    stored: int  # files
    stored_bytes: int
    tasks: int  # rows of the queue
    connections: int  # to PostgreSQL

    HEAD = (
        "| hour | web: memory, files, sockets, threads | dreamer | worker | batches | operations | frames | large "
        "| films | files | MB | queue | connections |\n|" + "---|" * 13
    )

    def line(self, hour: int) -> str:
        each = " | ".join(str(process) for process in self.processes.values())
        rows = f"{self.batches} | {self.operations} | {self.frames} | {self.large} | {self.films}"
        kept = f"{self.stored} | {self.stored_bytes / 1e6:.1f} | {self.tasks} | {self.connections}"
        return f"| {hour} | {each} | {rows} | {kept} |"


def look(site: running.RunningSite) -> Hour:
    assert site.web and site.dreamer
    pids = {"web": site.web.pid, "dreamer": site.dreamer.pid, "worker": site.workers[0].pid}

    def count(sql: str) -> int:
        return int(site.rows(sql)[0][0] or 0)

    files = []
    for path in (site.var / "media").rglob("*"):
        with contextlib.suppress(FileNotFoundError):  # thinned this moment
            if path.is_file():
                files.append(path.stat().st_size)
    postgres = site.env.get("DATABASE_URL")
    return Hour(
        {name: Process.of(pid) for name, pid in pids.items()},
        count("SELECT count(*) FROM canvas_batch"),
        count("SELECT sum(head) FROM canvas_canvas"),
        count("SELECT count(*) FROM canvas_frame"),
        count("SELECT count(*) FROM canvas_frame WHERE thinned_at IS NULL"),
        count("SELECT count(*) FROM gallery_film"),
        len(files),
        sum(files),
        0
        if site.env.get("TASKS_BACKEND") == "redis"
        else count("SELECT count(*) FROM django_tasks_database_dbtaskresult"),
        count("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()") if postgres else 0,
    )


# --- people ----------------------------------------------------------------------------------------------------------


async def somebody_draws(site: running.RunningSite, number: int, awake: asyncio.Event, chance: random.Random) -> None:
    """Comes, draws for some minutes, goes, and comes back."""
    while True:
        await awake.wait()
        stop = asyncio.Event()
        drawer = Drawer(site.person(number).headers, chance, side=running.SMALL_SIDE, slug=running.SMALL)
        drawing = asyncio.create_task(drawer.run([site.url], stop))
        await asyncio.sleep(chance.uniform(2, 20) * HOUR / 60)
        stop.set()
        await drawing
        await asyncio.sleep(chance.uniform(1, 10) * HOUR / 60)


async def somebody_watches(site: running.RunningSite, awake: asyncio.Event, chance: random.Random) -> None:
    loop = asyncio.get_running_loop()
    while True:
        await awake.wait()
        _, one = await loop.create_connection(lambda: Viewer(site.url, {}, None), "127.0.0.1", site.port)
        with contextlib.suppress(ConnectionError):
            await one.ready
            await asyncio.sleep(chance.uniform(2, 60) * HOUR / 60)
        one.transport.abort()


async def somebody_reads(site: running.RunningSite, awake: asyncio.Event, chance: random.Random) -> None:
    """Pages must come; a process may say that it is not ready, where a busy machine held its ink for seconds."""
    while True:
        await awake.wait()
        page = chance.choice(PAGES)
        status, text = await asyncio.to_thread(site.browser().get, page)
        if page == "/readyz" and status == 503:
            print(f"Not ready: {text[:300]}", flush=True)
        else:
            assert status == 200, f"{page} answered {status}: {text[:1000]}"
        await asyncio.sleep(1)


async def day(site: running.RunningSite, hours: int, said: list[Hour]) -> None:
    chance, awake = random.Random(24), asyncio.Event()
    people = [somebody_draws(site, number, awake, random.Random(number)) for number in range(DRAWERS)]
    people += [somebody_watches(site, awake, random.Random(100 + number)) for number in range(WATCHERS)]
    people += [somebody_reads(site, awake, chance)]
    tasks = [asyncio.create_task(one) for one in people]
    began = time.monotonic()
    try:
        for hour in range(1, hours + 1):
            (awake.clear if (hour % 24) in NIGHT else awake.set)()
            await asyncio.wait(tasks, timeout=max(0, began + hour * HOUR - time.monotonic()))
            for task in tasks:
                if task.done():
                    task.result()  # whoever met an error says so
            said.append(await asyncio.to_thread(look, site))
            print(said[-1].line(hour), flush=True)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


# --- what has grown --------------------------------------------------------------------------------------------------


def grown(hours: list[Hour]) -> Iterator[str]:
    """What is not at the end what it was after the first morning: medians of three hours each."""
    early, late = hours[WARM : WARM + 3], hours[-3:]
    for name in hours[0].processes:
        for what in ("memory", "files", "sockets", "threads"):
            before, after = (
                statistics.median(getattr(hour.processes[name], what) for hour in some) for some in (early, late)
            )
            if after > GROWN * before + (SLACK if what == "memory" else WATCHERS + DRAWERS):
                yield f"{what} of the {name}: {before:,.0f}, then {after:,.0f}"
    before, after = (statistics.median(hour.connections for hour in some) for some in (early, late))
    if after > before + 4:
        yield f"connections: {before:.0f}, then {after:.0f}"
    # All of the last hours, one in ten minutes of the others; what somebody drew on and what a film points to stays.
    if all(hour.large == hour.frames for hour in late):
        yield "no frame was thinned"
    if max(hour.tasks for hour in late) > 3 * max(hour.tasks for hour in early) + 100:
        yield f"rows of the queue: {early[-1].tasks}, then {late[-1].tasks}"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.soak", description=__doc__.partition("\n")[0])
    parser.add_argument("--hours", type=int, default=24, help="of the site, 36 s each (default: 24)")
    parser.add_argument("--server", choices=("daphne", "uvicorn"), default="daphne")
    parser.add_argument("--sqlite", action="store_true", help="SQLite and one process' memory, no PostgreSQL and Redis")
    options = parser.parse_args()
    if options.hours < WARM + 6:
        parser.error(f"expected at least {WARM + 6} hours")
    with tempfile.TemporaryDirectory(prefix="dreamsite-soak-") as folder, contextlib.ExitStack() as stack:
        env = {"HOUSE_MODEL": "true", **ENV}
        if not options.sqlite:
            postgres, redis = services.Postgres(), services.Redis()
            stack.callback(postgres.stop)
            stack.callback(redis.stop)
            env |= {"DATABASE_URL": postgres.database(), "REDIS_URL": redis.url}
        var = running.prepare(Path(folder) / "var", **env)
        site = running.RunningSite(var, server=options.server, tune=TUNE, **env)
        stack.callback(site.stop)
        site.start_web()
        site.start_dreamer()
        site.start_worker()
        print(Hour.HEAD, flush=True)
        hours: list[Hour] = []
        asyncio.run(day(site, options.hours, hours))
        site.stop()  # what was on its way is written
        site.journal(running.SMALL)  # without a hole
        errors = [name for name in ("web", "dreamer", "worker") if "Traceback" in site.log(name)]
        for name in errors:
            log = site.log(name)
            print(f"\n{name} logged an error:\n{log[max(0, log.index('Traceback') - 1000) :][:5000]}")
        said = list(grown(hours))
        for one in said:
            print(f"Grown: {one}")
    if said or errors:
        sys.exit("Something grows, or failed.")
    print("\nNothing grew but what the site keeps.")


if __name__ == "__main__":
    main()
