"""kill -9 at random moments under load: nothing acknowledged is lost, nothing is written twice."""

from __future__ import annotations

import asyncio
import hashlib
import os
import random
from collections.abc import Callable, Collection
from pathlib import Path

import pytest

from canvas import wire
from tests import wire_client
from tests.dreamer import nets
from tests.running import PATIENCE, SMALL, SMALL_SIDE, RunningSite, copy, until
from tests.services import Postgres
from tests.sockets import PLENTY, Drawer, opened, stroke_id

DREAMING = {"DREAM_INTERVAL": "0.3", "STYLE_INTERVAL": "2", "DREAM_THREADS": "1", "CANVAS_SLUG": SMALL}
LEASE = {"canvas.lease.LEASE_SECONDS": 1.5, "canvas.lease.RENEW_SECONDS": 0.4} | PLENTY


async def kill_web(site: RunningSite, times: int, chance: random.Random, drawers: Collection[Drawer]) -> None:
    def connections() -> int:
        return sum(drawer.connections for drawer in drawers)

    for _ in range(times):
        known = connections()
        await asyncio.to_thread(site.until_web)
        # Not before half of them are back, and have begun to send again.
        await asyncio.to_thread(until, lambda n=known: connections() >= n + len(drawers) / 2, "drawers who come back")
        await asyncio.sleep(chance.uniform(0, 0.5))
        site.kill_web()
        site.start_web(wait=False)
    await asyncio.to_thread(site.until_web)


async def kill_dreamer(site: RunningSite, times: int, chance: random.Random) -> None:
    for _ in range(times):
        frames, dreaming = len(site.frames()), chance.random() < 0.5
        # Half of them in the middle of a dream, the others shortly after one, about when it is recorded.
        for _ in range(200):
            if site.dream().get("state") == "dreaming" if dreaming else len(site.frames()) > frames:
                break
            await asyncio.sleep(0.05)
        await asyncio.sleep(chance.uniform(0, 0.3))
        site.kill_dreamer()
        site.start_dreamer()


def assert_whole(site: RunningSite, drawers: dict[int, Drawer]) -> None:
    """Each drawer's pieces are in the journal exactly once, in the order they were drawn; it has no gap."""
    written: dict[int, list[wire.Operation]] = {}
    for _, op in site.journal(SMALL):
        written.setdefault(op.author, []).append(op)
    for author, drawer in drawers.items():
        assert not drawer.refused, drawer.refused
        assert written.get(author, []) == [wire_client.by(piece, author) for piece in drawer.sent]
    assert set(written) <= set(drawers)


def assert_frames(site: RunningSite) -> int:
    """Every frame has its files, whole; numbers have no gap; each holds at least what the one before it held."""
    frames = site.frames()
    assert [frame["number"] for frame in frames] == list(range(1, len(frames) + 1))
    assert [frame["seq"] for frame in frames] == sorted(frame["seq"] for frame in frames)
    for frame in frames:
        picture = (site.var / "media" / frame["picture"]).read_bytes()
        assert hashlib.sha256(picture).hexdigest() == frame["sha256"]
        assert (site.var / "media" / frame["thumbnail"]).stat().st_size > 100
    return len(frames)


# Twenty-seven in all, on both databases, each time at other moments. DREAMSITE_TEST_KILLS=4: four times as many.
MORE = int(os.environ.get("DREAMSITE_TEST_KILLS") or 1)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("database", "webs", "dreamers"),
    [("sqlite", 10 * MORE, 5 * MORE), pytest.param("postgres", 7 * MORE, 5 * MORE, marks=pytest.mark.postgres)],
)
async def test_killed_at_random_moments(
    database: str,
    webs: int,
    dreamers: int,
    make_site: Callable[..., RunningSite],
    request: pytest.FixtureRequest,
    tmp_path: Path,
) -> None:
    seed = int(os.environ.get("DREAMSITE_TEST_SEED") or random.randrange(10**6))
    print(f"DREAMSITE_TEST_SEED={seed}")  # shown when it fails
    chance = random.Random(seed)
    var, env = None, dict(DREAMING)
    if database == "postgres":
        server: Postgres = request.getfixturevalue("postgres")
        template, address = request.getfixturevalue("postgres_template")
        var, env["DATABASE_URL"] = copy(template, tmp_path / "var"), server.database(address)
    site = make_site(var, tune=LEASE, **env)
    nets.register_tiny(site.var / "models")
    site.start_web()
    site.start_dreamer()
    stop = asyncio.Event()
    people = [site.person(number) for number in range(6)]
    drawers = {
        person.id: Drawer(person.headers, random.Random(chance.random()), side=SMALL_SIDE, slug=SMALL)
        for person in people
    }
    drawing = [asyncio.create_task(drawer.run([site.url], stop)) for drawer in drawers.values()]
    await asyncio.gather(kill_web(site, webs, chance, drawers.values()), kill_dreamer(site, dreamers, chance))
    stop.set()
    await asyncio.wait_for(asyncio.gather(*drawing), PATIENCE)

    assert_whole(site, drawers)
    before = assert_frames(site)
    async with opened(site.url, people[0].headers, slug=SMALL) as drawer:  # whoever was killed, somebody dreams again
        await drawer.draw(stroke_id(chance), [(40 * step, 500, 160) for step in range(24)])
        await asyncio.to_thread(until, lambda: assert_frames(site) > before, "a dream after the last kill")
    async with opened(site.url, slug=SMALL) as late:
        await late.until(lambda: late.head == len(site.journal(SMALL)))
    for log in (site.log(), site.log("dreamer")):
        assert "Traceback" not in log, log[-5000:]
