"""Background work in real processes, with its queue in the database and in Redis: killed, ended, poisoned."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import pytest

from tests.running import PATIENCE, RunningSite, end, until

SOON = {
    "dreamsite.core.tasks.heartbeats.INTERVAL_SECONDS": 0.2,
    "dreamsite.core.tasks.heartbeats.DEAD_SECONDS": 1.5,
    "dreamsite.core.tasks.worker.POLL_SECONDS": 0.05,
    "dreamsite.core.tasks.worker.MAINTENANCE_SECONDS": 0.2,
    "dreamsite.core.tasks.retries.FIRST_SECONDS": 0.05,
    "dreamsite.core.tasks.retries.ATTEMPTS": 4,
}


@pytest.fixture(params=["database", pytest.param("redis", marks=pytest.mark.redis)])
def site(request: pytest.FixtureRequest, make_site: Callable[..., RunningSite]) -> RunningSite:
    environment = {"TASKS_BACKEND": request.param}
    if request.param == "redis":
        environment["REDIS_URL"] = request.getfixturevalue("redis").url
    return make_site(tune=SOON, **environment)


def order(site: RunningSite, *calls: str) -> None:
    site.shell("from dreamsite.core.tasks import enqueue\nfrom tests import background_tasks\n" + "\n".join(calls))


def lines(path: Path) -> list[str]:
    return [line.split()[0] for line in path.read_text().splitlines()] if path.exists() else []


@pytest.mark.slow
def test_nothing_is_lost_and_nothing_stands_in_the_way(site: RunningSite, tmp_path: Path) -> None:
    names = ("long", "go-on", "quick", "never", "poison", "deadly", "beside")
    long, go_on, quick, never, poison, deadly, beside = (tmp_path / name for name in names)
    order(site, f"enqueue(background_tasks.long, {str(long)!r}, {str(go_on)!r})")
    first = site.start_worker()
    until(lambda: lines(long) == ["began"], "the long one begins")

    # What is quick does not wait for what is long.
    order(site, f"enqueue(background_tasks.quick, {str(quick)!r})")
    until(lambda: lines(quick) == ["ran"], "the quick one beside it")

    # Killed without a word: another worker takes the long one up.
    end(first, signal.SIGKILL)
    second = site.start_worker()
    until(lambda: lines(long) == ["began"] * 2, "the long one again")

    # Told to end: it ends at once, and the next worker goes on; that was no failure.
    second.send_signal(signal.SIGTERM)
    assert second.wait(PATIENCE) == 0
    third = site.start_worker()
    until(lambda: lines(long) == ["began"] * 3, "the long one in the third worker")
    go_on.touch()
    until(lambda: lines(long)[-1] == "ended")

    # What never works is tried a few times, and others are served meanwhile and after it.
    order(
        site,
        f"enqueue(background_tasks.poison, {str(poison)!r})",
        f"enqueue(background_tasks.quick, {str(quick)!r})",
        "from django.db import transaction",
        "class Never(Exception): pass",
        "try:",
        "    with transaction.atomic():",
        f"        enqueue(background_tasks.quick, {str(never)!r}); raise Never",
        "except Never: pass",
    )
    until(lambda: len(lines(poison)) == 4, "four attempts")
    until(lambda: "for good after 4 attempts" in site.log("worker"), "it is given up")

    # What kills its worker is tried again by the next ones, which serve others first.
    order(
        site, f"enqueue(background_tasks.deadly, {str(deadly)!r})", f"enqueue(background_tasks.quick, {str(beside)!r})"
    )
    until(lambda: third.poll() is not None, "the third worker falls")
    fourth = site.start_worker()
    until(lambda: fourth.poll() is not None, "and the fourth")
    assert lines(quick) == ["ran"] * 2
    assert not lines(never), "what was rolled back never ran"
    site.start_worker()
    until(lambda: len(lines(deadly)) == 3, "the fifth survives it")
    # More than once where a worker fell after it had run and before that was written.
    until(lambda: lines(beside), "others are served")
    assert len(lines(poison)) == 4


_FRAMES = """
import numpy as np
from canvas import frames
from canvas.models import Canvas, Frame
from gallery.films.requests import request_film
canvas = Canvas.objects.create(slug="film", title="Film", width=256, height=256)
for number in range(1, 81):
    pixels = np.full((256, 256, 3), 10 + 6 * (number % 40), np.uint8)
    made = frames.encode(pixels, "dream")
    frames.keep(frames.NewFrame(canvas, made, "dream", seq=0, title=f"style {number // 30}"))
every = Frame.objects.order_by("pk")
print(request_film(canvas, "part", every.first().made_at, every.last().made_at, drawing=False).pk)
"""


@pytest.mark.slow
def test_a_film_goes_on_after_its_worker_was_killed(make_site: Callable[..., RunningSite]) -> None:
    """kill -9 in the middle, twice: finished segments stay as they are, and the film is whole."""
    site = make_site(tune=SOON, FILM_AV1="0", FILM_HOURS="0")
    part = site.shell(_FRAMES).split()[-1]
    folder = site.var / "work" / "films" / f"{part}-1"

    def segments() -> dict[str, int]:
        """The finished ones, by their listing, and when each was written."""
        try:
            listed: dict[str, Any] = json.loads((folder / "manifest.json").read_text())["segments"]
        except OSError:
            return {}
        return {name: (folder / name).stat().st_mtime_ns for files in listed.values() for name in files}

    kept: dict[str, int] = {}
    for count in (1, 2):
        worker = site.start_worker()
        until(lambda wanted=count: len(segments()) >= wanted, f"{count} segments")
        end(worker, signal.SIGKILL)
        now = segments()
        assert now.items() >= kept.items(), "what was finished is not made again"
        kept = now
    site.start_worker()
    query = "SELECT state, seconds FROM gallery_film WHERE id = ?"
    until(lambda: site.rows(query, part)[0][0] == "done", "the film")
    (name,) = (row[0] for row in site.rows("SELECT file FROM gallery_filmfile WHERE film_id = ?", part))
    with av.open(str(site.var / "media" / name)) as opened:
        shown = [float(frame.to_ndarray(format="gray").mean()) for frame in opened.decode(video=0)]
    assert len(shown) == round(site.rows(query, part)[0][1] * 24)
    assert not folder.exists()
    # Each frame's grey is reached in its order.
    at = 60
    for number in range(1, 80):
        at = next(index for index in range(at, len(shown)) if abs(shown[index] - 10 - 6 * (number % 40)) < 2)


@pytest.mark.slow
def test_a_queue_that_was_lost_is_made_good_and_who_orders_comes_first(site: RunningSite, tmp_path: Path) -> None:
    order(
        site,
        "from datetime import date",
        "from canvas.models import Canvas",
        "from gallery.downloads.models import Download",
        "Download.objects.create(canvas=Canvas.objects.get(slug='small'), day=date(2026, 11, 20), kind='frames')",
        f"enqueue(background_tasks.quick, {str(tmp_path / 'late')!r}, last=True)",
        *(f"enqueue(background_tasks.quick, {str(tmp_path / name)!r})" for name in ("one", "two")),
        f"enqueue(background_tasks.quick, {str(tmp_path / 'ordered')!r}, first=True)",
    )
    site.env["TUNE"] = json.dumps(SOON | {"gallery.jobs.requests.LOST_SECONDS": 0.1})
    site.start_worker("--queue", "default", "--queue", "slow")
    until(lambda: all((tmp_path / name).exists() for name in ("one", "two", "ordered", "late")), "the quick ones")
    done = {name: (tmp_path / name).stat().st_mtime_ns for name in ("one", "two", "ordered", "late")}
    assert done["ordered"] < done["one"] and done["late"] == max(done.values())
    # Nothing was in that day's journal, and nobody ever queued a task for it.
    until(lambda: site.rows("SELECT state FROM gallery_download") == [("empty",)], "the lost download")
