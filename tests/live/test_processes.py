"""Several web processes on one database: one journal, whatever happens to the layer between them."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests import wire_client
from tests.running import PATIENCE, SMALL_SIDE, RunningSite, copy
from tests.services import Postgres, Redis
from tests.sockets import Drawer, opened, stroke_id

LINE = [(40 * step, 800, 160) for step in range(24)]
chance = random.Random(11)

Two = tuple[RunningSite, RunningSite]


@pytest.fixture
def fleet(
    make_site: Callable[..., RunningSite],
    postgres: Postgres,
    postgres_template: tuple[Path, str],
    redis: Redis,
    tmp_path: Path,
) -> Iterator[Two]:
    """Two web processes on one PostgreSQL and one Redis. `two` never polls: what it knows of `one`, the layer told."""
    template, address = postgres_template
    env = {"DATABASE_URL": postgres.database(address), "REDIS_URL": redis.url, "WEB_PROCESSES": "2"}
    var = copy(template, tmp_path / "var")
    sites = [
        make_site(var, name=name, tune={"canvas.limits.POLL": poll}, **env)
        for name, poll in (("one", 1.0), ("two", 3600.0))
    ]
    for site in sites:
        site.start_web()
    yield sites[0], sites[1]
    for site in sites:
        assert "Traceback" not in site.log(), site.log()[-5000:]


@pytest.fixture
def pair(make_site: Callable[..., RunningSite], tmp_path: Path) -> Two:
    """Two web processes on one SQLite file and nothing between them: only the poll brings the news."""
    one = make_site(name="one")
    two = make_site(one.var, name="two")
    for site in (one, two):
        site.start_web()
    return one, two


@pytest.mark.postgres
@pytest.mark.redis
async def test_ink_crosses_processes_with_the_tick(fleet: Two) -> None:
    one, two = fleet
    ann = one.person(0)
    async with opened(one.url, ann.headers) as drawer, opened(two.url) as viewer:
        for _ in range(5):
            stroke = stroke_id(chance)
            cut = await drawer.draw(stroke, LINE)
            await viewer.until(lambda s=stroke, c=cut: len(viewer.pieces_of(ann.id, s)) == len(c))
        assert viewer.names()[ann.id] == ann.name
        await drawer.until(lambda: any(news["count"] == 2 for news in drawer.news_of("people")))


@pytest.mark.postgres
@pytest.mark.redis
@pytest.mark.parametrize("how", ["killed", "frozen"])
async def test_redis_out_of_reach(fleet: Two, redis: Redis, how: str) -> None:
    one, two = fleet
    async with opened(one.url, one.person(0).headers) as here, opened(two.url, two.person(1).headers) as there:
        await here.draw(stroke_id(chance), LINE)
        await there.until(lambda: there.head == 6)
        redis.kill() if how == "killed" else redis.freeze()
        for number in range(2, 6):
            await there.draw(stroke_id(chance), LINE)
            # The process that has the pen is not held by a layer that is gone, nor by one that never answers.
            await there.until(lambda n=number: there.head == 6 * n)
        await here.until(lambda: here.head == 30)  # by the poll
        redis.start() if how == "killed" else redis.thaw()
        # The layer carries again: `two` gets to know. What was told before it listened again is lost, so draw on.
        drawn = 5
        while there.head < here.head or drawn == 5:
            await here.draw(stroke_id(chance), LINE)
            drawn += 1
            await here.until(lambda n=drawn: here.head == 6 * n)
            await asyncio.sleep(0.5)
    for viewer in (here, there):
        assert sorted(viewer.operations) == list(range(1, viewer.head + 1))
    assert len(one.journal()) == here.head


@pytest.mark.postgres
@pytest.mark.redis
async def test_the_database_cuts_every_connection(fleet: Two) -> None:
    """As a restarted PostgreSQL does: the ink waits, trouble is said and is over, nothing is lost or written twice."""
    one, two = fleet
    ann, stop = one.person(0), asyncio.Event()
    drawer = Drawer(ann.headers, random.Random(1), side=SMALL_SIDE)
    async with opened(one.url) as viewer:
        drawing = asyncio.create_task(drawer.run([one.url], stop))
        for _ in range(3):
            known = viewer.head
            await viewer.until(lambda k=known: viewer.head > k + 10)
            one.rows(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        stop.set()
        await asyncio.wait_for(drawing, PATIENCE)
        await viewer.until(lambda: viewer.head == len(drawer.sent))
        assert [news["message"] is None for news in viewer.news_of("trouble")][-1:] in ([True], [])
    assert [op for _, op in two.journal()] == [wire_client.by(piece, ann.id) for piece in drawer.sent]
    for site in fleet:  # each cut may be said once with its cause, and the fixture looks for tracebacks
        (site.var / f"{site.name}.log").write_text("")


@pytest.mark.postgres
@pytest.mark.redis
async def test_many_pens_in_both_processes_on_postgres_and_redis(fleet: Two) -> None:
    await many_pens(*fleet)


async def test_many_pens_in_both_processes_on_sqlite_alone(pair: Two) -> None:
    await many_pens(*pair)


async def many_pens(one: RunningSite, two: RunningSite) -> None:
    """Concurrent writers, who change processes now and then: numbers without gaps, every piece once and in order."""
    stop = asyncio.Event()
    people = [one.person(number) for number in range(8)]
    drawers = {person.id: Drawer(person.headers, random.Random(person.id), side=SMALL_SIDE) for person in people}
    async with opened(one.url) as here, opened(two.url) as there:
        drawing = [asyncio.create_task(drawer.run([one.url, two.url], stop)) for drawer in drawers.values()]
        for _ in range(6):
            await asyncio.sleep(0.5)
            for drawer in random.sample(list(drawers.values()), 2):
                drawer.cut_off()
        stop.set()
        await asyncio.wait_for(asyncio.gather(*drawing), PATIENCE)
        journal = one.journal()
        for viewer in (here, there):
            await viewer.until(lambda v=viewer: v.head == len(journal))
            assert sorted(viewer.operations.items()) == journal
    for author, drawer in drawers.items():
        written = [op for _, op in journal if op.author == author]
        assert written == [wire_client.by(piece, author) for piece in drawer.sent]
        assert not drawer.refused
    assert sum(drawer.connections for drawer in drawers.values()) > len(drawers)
