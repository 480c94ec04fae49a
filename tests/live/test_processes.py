"""Several web processes on one database: one journal, whatever happens to the layer between them."""

from __future__ import annotations

import asyncio
import random
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import wire_client
from tests.running import PATIENCE, SMALL_SIDE, RunningSite, copy
from tests.services import Postgres, Redis
from tests.sockets import PLENTY, Drawer, opened, stroke_id

LINE = [(40 * step, 800, 160) for step in range(24)]
chance = random.Random(11)

Two = tuple[RunningSite, RunningSite]


@pytest.fixture(scope="module")
def layer() -> Iterator[Redis]:
    """The layer between the fleet's processes. Each test leaves it running."""
    server = Redis()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def fleet(
    postgres: Postgres, postgres_template: tuple[Path, str], layer: Redis, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Two]:
    """Two web processes on one PostgreSQL and one Redis. `two` never polls: what it knows of `one`, the layer told."""
    template, address = postgres_template
    env = {"DATABASE_URL": postgres.database(address), "REDIS_URL": layer.url, "WEB_PROCESSES": "2"}
    var = copy(template, tmp_path_factory.mktemp("fleet") / "var")
    one, two = (
        RunningSite(var, name=name, tune={"canvas.limits.POLL": poll} | PLENTY, **env)
        for name, poll in (("one", 1.0), ("two", 3600.0))
    )
    try:
        for site in (one, two):
            site.start_web()
        yield one, two
        for site in (one, two):
            assert "Traceback" not in site.log(), site.log()[-5000:]
    finally:
        for site in (one, two):
            site.stop()


@pytest.fixture(scope="module")
def pair(site_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Two]:
    """Two web processes on one SQLite file and nothing between them: only the poll brings the news."""
    var = copy(site_template, tmp_path_factory.mktemp("pair") / "var")
    one, two = (RunningSite(var, name=name, tune=PLENTY) for name in ("one", "two"))
    try:
        for site in (one, two):
            site.start_web()
        yield one, two
    finally:
        for site in (one, two):
            site.stop()


@pytest.fixture
def slug(fleet: Two, request: pytest.FixtureRequest) -> str:
    """A canvas of the test's own, at the fleet that all of them share."""
    name = f"c{zlib.crc32(request.node.name.encode())}"
    make = f"Canvas.objects.create(slug={name!r}, title='A test', width=1536, height=1536)"
    fleet[0].shell("from canvas.models import Canvas\n" + make)
    return name


@pytest.mark.postgres
@pytest.mark.redis
async def test_ink_crosses_processes_with_the_tick(fleet: Two, slug: str) -> None:
    one, two = fleet
    ann = one.person(0)
    async with opened(one.url, ann.headers, slug=slug) as drawer, opened(two.url, slug=slug) as viewer:
        for _ in range(5):
            stroke = stroke_id(chance)
            cut = await drawer.draw(stroke, LINE)
            await viewer.until(lambda s=stroke, c=cut: len(viewer.pieces_of(ann.id, s)) == len(c))
        assert viewer.names()[ann.id] == ann.name
        await drawer.until(lambda: any(news["count"] == 2 for news in drawer.news_of("people")))


@pytest.mark.postgres
@pytest.mark.redis
@pytest.mark.parametrize("how", ["killed", "frozen"])
async def test_redis_out_of_reach(fleet: Two, layer: Redis, slug: str, how: str) -> None:
    one, two = fleet
    async with (
        opened(one.url, one.person(0).headers, slug=slug) as here,
        opened(two.url, two.person(1).headers, slug=slug) as there,
    ):
        await here.draw(stroke_id(chance), LINE)
        await there.until(lambda: there.head == 6)
        layer.kill() if how == "killed" else layer.freeze()
        for number in range(2, 6):
            await there.draw(stroke_id(chance), LINE)
            # The process that has the drawer is not held by a layer that is gone, nor by one that never answers.
            await there.until(lambda n=number: there.head == 6 * n)
        await here.until(lambda: here.head == 30)  # by the poll
        layer.start() if how == "killed" else layer.thaw()
        # The layer carries again: `two` gets to know. What was told before it listened again is lost, so draw on.
        drawn = 5
        while there.head < here.head or drawn == 5:
            await here.draw(stroke_id(chance), LINE)
            drawn += 1
            await here.until(lambda n=drawn: here.head == 6 * n)
            await asyncio.sleep(0.5)
    for viewer in (here, there):
        assert sorted(viewer.operations) == list(range(1, viewer.head + 1))
    assert len(one.journal(slug)) == here.head


@pytest.mark.postgres
@pytest.mark.redis
async def test_the_database_cuts_every_connection(fleet: Two, slug: str) -> None:
    """As a restarted PostgreSQL does: the ink waits, trouble is said and is over, nothing is lost or written twice."""
    one, two = fleet
    ann, stop = one.person(0), asyncio.Event()
    drawer = Drawer(ann.headers, random.Random(1), side=SMALL_SIDE, slug=slug)
    async with opened(one.url, slug=slug) as viewer:
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
    assert [op for _, op in two.journal(slug)] == [wire_client.by(piece, ann.id) for piece in drawer.sent]
    for site in fleet:  # each cut may be said once with its cause, and the fixture looks for tracebacks
        (site.var / f"{site.name}.log").write_text("")


@pytest.mark.postgres
@pytest.mark.redis
async def test_many_pens_in_both_processes_on_postgres_and_redis(fleet: Two, slug: str) -> None:
    await many_pens(*fleet, slug)


async def test_many_pens_in_both_processes_on_sqlite_alone(pair: Two) -> None:
    await many_pens(*pair, "main")


async def many_pens(one: RunningSite, two: RunningSite, slug: str) -> None:
    """Concurrent writers, who change processes now and then: numbers without gaps, every piece once and in order."""
    stop = asyncio.Event()
    people = [one.person(number) for number in range(8)]
    drawers = {
        person.id: Drawer(person.headers, random.Random(person.id), side=SMALL_SIDE, slug=slug) for person in people
    }
    async with opened(one.url, slug=slug) as here, opened(two.url, slug=slug) as there:
        drawing = [asyncio.create_task(drawer.run([one.url, two.url], stop)) for drawer in drawers.values()]
        for _ in range(6):
            await asyncio.sleep(0.5)
            for drawer in chance.sample(list(drawers.values()), 2):
                drawer.cut_off()
        stop.set()
        await asyncio.wait_for(asyncio.gather(*drawing), PATIENCE)
        journal = one.journal(slug)
        for viewer in (here, there):
            await viewer.until(lambda v=viewer: v.head == len(journal))
            assert sorted(viewer.operations.items()) == journal
    for author, drawer in drawers.items():
        written = [op for _, op in journal if op.author == author]
        assert written == [wire_client.by(piece, author) for piece in drawer.sent]
        assert not drawer.refused
    assert sum(drawer.connections for drawer in drawers.values()) > len(drawers)
