"""A job and two workers, real processes on either database: one has it; killed, the other has it; cancelled, nobody."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.running import RunningSite, until
from tests.services import Postgres

SOON = {
    "dreamsite.core.tasks.heartbeats.INTERVAL_SECONDS": 0.2,
    "dreamsite.core.tasks.heartbeats.DEAD_SECONDS": 1.5,
    "dreamsite.core.tasks.worker.POLL_SECONDS": 0.05,
    "dreamsite.core.tasks.worker.MAINTENANCE_SECONDS": 0.2,
    "dreamsite.core.tasks.retries.FIRST_SECONDS": 0.05,
}


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def site(request: pytest.FixtureRequest, make_site: Callable[..., RunningSite]) -> RunningSite:
    environment = {"FILM_HOURS": "0", "HOUSE_MODEL": "false"}
    if request.param == "postgres":
        server: Postgres = request.getfixturevalue("postgres")
        environment["DATABASE_URL"] = server.database(request.getfixturevalue("postgres_template")[1])
    return make_site(tune=SOON, **environment)


def requested(site: RunningSite, day: int, path: Path, go_on: Path, times: int) -> int:
    """A job, and tasks that will claim it."""
    pk = site.shell(
        "from datetime import date\n"
        "from canvas.models import Canvas\n"
        "from dreamsite.core.tasks import enqueue\n"
        "from gallery.downloads.models import Download\n"
        "from tests import background_tasks\n"
        f"row = Download.objects.create(canvas=Canvas.objects.default(), day=date(2026, 1, {day}), kind='frames')\n"
        f"for _ in range({times}):\n"
        f"    enqueue(background_tasks.hold, row.pk, {str(path)!r}, {str(go_on)!r})\n"
        "print(row.pk)"
    )
    return int(pk.split()[-1])


def noted(path: Path) -> list[tuple[str, int]]:
    """What the tasks wrote down, and which process did."""
    words = [line.split() for line in path.read_text().splitlines()] if path.exists() else []
    return [(word, int(pid)) for word, pid in words]


def state(site: RunningSite, pk: int) -> tuple[str, str, int]:
    """(state, holder, count)"""
    ((found, holder, count),) = site.rows("SELECT state, holder, count FROM gallery_download WHERE id = ?", pk)
    return str(found), str(holder), int(count)


@pytest.mark.slow
def test_one_holds_it_killed_the_other_does_and_cancelled_nobody(site: RunningSite, tmp_path: Path) -> None:
    path, go_on = tmp_path / "notes", tmp_path / "go-on"
    pk = requested(site, 1, path, go_on, 2)
    workers = {worker.pid: worker for worker in (site.start_worker(), site.start_worker())}
    until(lambda: sorted(word for word, _ in noted(path)) == ["held", "refused"], "one holds it, one is refused")
    holder = next(pid for word, pid in noted(path) if word == "held")
    assert state(site, pk)[0] == "running"

    os.kill(holder, signal.SIGKILL)
    until(lambda: [word for word, _ in noted(path)].count("held") == 2, "the other finds it")
    assert noted(path)[-1][1] != holder
    go_on.touch()
    until(lambda: state(site, pk) == ("done", "", 1), "it is done")

    cancelled, never = tmp_path / "cancelled", tmp_path / "never"
    pk = requested(site, 2, cancelled, never, 1)
    until(lambda: noted(cancelled), "it is held")
    site.shell(f"from gallery.downloads.models import Download; print(Download.objects.filter(pk={pk}).cancel())")
    # It lets go: what waits behind it in the same queue is done.
    after, now = tmp_path / "after", tmp_path / "now"
    now.touch()
    other = requested(site, 3, after, now, 1)
    until(lambda: state(site, other)[0] == "done", "the next one")
    assert state(site, pk) == ("cancelled", "", 0)
    assert sum(worker.poll() is None for worker in workers.values()) == 1
