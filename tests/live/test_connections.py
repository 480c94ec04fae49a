"""Connections to PostgreSQL: rooms and requests give theirs back, and a process that lost them all says so."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.running import RunningSite, copy, until
from tests.services import Postgres
from tests.sockets import opened

POOL = 8  # dreamsite.stores
ROOMS, ROUNDS = 10, 5  # more rooms at once than the pool has connections

_CANVASES = f"""
from canvas.models import Canvas
for number in range({ROOMS}):
    Canvas.objects.create(slug=f"room{{number}}", title="A room", width=128, height=128)
"""


@pytest.fixture(scope="module", params=["daphne", "uvicorn"])
def on_postgres(
    request: pytest.FixtureRequest,
    postgres: Postgres,
    postgres_template: tuple[Path, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[RunningSite]:
    """A site on PostgreSQL under each server, which can be asked to lend its connections (tests.live.greedy).

    A room is closed as soon as it is empty; a minute and the pool's ten seconds are two. Each test leaves a site that
    is healthy and ready.
    """
    template, address = postgres_template
    tune = {
        "canvas.hub.EMPTY_SECONDS": 0.05,
        "dreamsite.health.DRY_SECONDS": 2.0,
        "dreamsite.stores.POSTGRESQL": {"pool": {"timeout": 2, "reconnect_timeout": 2}},
    }
    site = RunningSite(
        copy(template, tmp_path_factory.mktemp("connections") / "var"),
        server=request.param,
        tune=tune,
        DATABASE_URL=postgres.database(address) + "?application_name=web",
    )
    try:
        site.shell(_CANVASES)
        site.start_web(application="tests.live.greedy:application")
        yield site
    finally:
        site.stop()


def connections(site: RunningSite) -> int:
    ((count,),) = site.rows(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        " AND application_name = 'web' AND pid <> pg_backend_pid()"
    )
    return int(count)


def status(site: RunningSite, path: str) -> int:
    try:
        with urllib.request.urlopen(site.url + path, timeout=60) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


@pytest.mark.postgres
async def test_rooms_opened_and_closed_fifty_times(on_postgres: RunningSite) -> None:
    site, before = on_postgres, len(on_postgres.log())
    for _ in range(ROUNDS):
        async with contextlib.AsyncExitStack() as open_rooms:
            for number in range(ROOMS):
                await open_rooms.enter_async_context(opened(site.url, slug=f"room{number}"))
            assert await asyncio.to_thread(status, site, "/history/") == 200, "pages need connections too"
        await asyncio.to_thread(until, lambda: connections(site) <= POOL, "the rooms' connections are given back")
    assert status(site, "/history/") == status(site, "/healthz") == status(site, "/readyz") == 200
    assert "Traceback" not in site.log()[before:], site.log()[before:][-5000:]


@pytest.mark.postgres
def test_visitors_who_leave_before_the_page_comes(on_postgres: RunningSite) -> None:
    site = on_postgres
    for _ in range(10 * POOL):
        with socket.create_connection(("127.0.0.1", site.port)) as visitor:
            visitor.sendall(f"GET /history/ HTTP/1.1\r\nHost: 127.0.0.1:{site.port}\r\n\r\n".encode())
    assert status(site, "/history/") == status(site, "/healthz") == 200


@pytest.mark.postgres
def test_a_pool_that_gives_nothing_makes_the_process_unhealthy(on_postgres: RunningSite) -> None:
    """As long as the database is there: a process cannot help it where it is away."""
    site = on_postgres
    assert status(site, "/healthz") == 200
    assert status(site, "/greedy") == 200
    until(lambda: status(site, "/healthz") == 503, "an unhealthy process")
    assert status(site, "/readyz") == 503
    assert status(site, "/generous") == 200
    until(lambda: status(site, "/healthz") == 200, "a healthy process")
    until(lambda: status(site, "/readyz") == 200, "ready again")


@pytest.mark.postgres
def test_a_database_that_is_away_makes_no_process_unhealthy(on_postgres: RunningSite, postgres: Postgres) -> None:
    site = on_postgres
    address = site.env["DATABASE_URL"]
    assert status(site, "/history/") == 200
    postgres.shut(address)
    try:
        until(lambda: status(site, "/readyz") == 503, "not ready")
        for _ in range(2):  # each as long as the pool has patience
            assert status(site, "/healthz") == 200
            status(site, "/history/")
    finally:
        postgres.reopen(address)
    until(lambda: status(site, "/readyz") == 200, "ready again")
