"""The site's own network comes by itself: in a worker, resumed, checked, and never against somebody's decision."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError

from canvas import journal
from canvas.models import Canvas, Dream
from dreamer.library.download import CHUNK
from dreamer.library.sources import Source
from dreamer.models import Choice, Job
from dreamer.networks import fetching, jobs, trying
from dreamer.registered import default_model, registry
from dreamsite.core import tasks
from dreamsite.core.models import User
from dreamsite.core.tasks import worker
from dreamsite.core.tasks.models import WorkerHeartbeat

from . import nets
from .published import LABELS
from .server import Handler, Server

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def canvas(published: Source, server: Server, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Canvas:
    """A canvas that follows the site, on a site that has looked for its network before."""
    server.files["labels"] = LABELS
    settings.DREAM_FETCH, settings.HOUSE_MODEL = "googlenet", True
    monkeypatch.setattr(fetching, "_started", True)
    monkeypatch.setattr(tasks.jobs, "UPDATE_SECONDS", 0.0)
    monkeypatch.setattr(trying, "order_all", lambda name, by: None)  # test_networks.py has what follows
    canvas = Canvas.objects.create(slug="here", title="Here", width=64, height=64)
    Dream.objects.create(canvas=canvas)
    return canvas


def look() -> None:
    """What a worker does every ten seconds, and then its tasks."""
    fetching.fetch_by_itself()
    # Without the thread that sends heartbeats: the tests' database in memory takes one writer at a time.
    while worker.queue().run_one(tasks.NETWORKS):
        pass


def job() -> Job:
    return Job.objects.get(kind="fetch", network="googlenet")


def test_it_comes_and_takes_over(canvas: Canvas, server: Server, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    seen: list[Any] = []
    server.faults["weights"] = lambda handler, data: (
        seen.append((default_model(), place_now()["arriving"])),
        handler.whole(data),
    )
    look()
    assert (job().state, job().by, job().message) == ("done", None, "")
    assert seen == [("house", {"title": "GoogLeNet", "fraction": 0.0})]
    assert default_model() == "googlenet" and place_now()["arriving"] is None
    assert registry().get("googlenet").labels[954] == "banana"
    lines = [record.message for record in caplog.records if record.name == fetching.__name__]
    assert "Licence: unrestricted" in lines[0] and lines[-1] == "GoogLeNet is here, and the next dream is its own."
    assert any("%, " in line and line.endswith(" MB") for line in lines)
    requests = len(server.requests)
    look()
    assert len(server.requests) == requests


def place_now() -> dict[str, Any]:
    dream = Dream.objects.get()
    dream.holder, dream.expires_at = "somebody", fetching.timezone.now() + timedelta(minutes=1)
    return journal.dream_news(dream)


def test_how_far_it_is_stands_in_the_row_and_at_the_canvas(
    canvas: Canvas, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    fractions_seen: list[tuple[float, float]] = []

    def noted(self: Any, **what: Any) -> None:
        fractions_seen.append((job().fraction, (Dream.objects.get().arriving or {}).get("fraction", 0.0)))
        tell(self, **what)

    tell = jobs.Progress.update
    monkeypatch.setattr(jobs.Progress, "update", noted)
    look()
    for fractions in zip(*fractions_seen, strict=True):
        assert list(fractions) == sorted(fractions) and fractions[0] == 0.0 and fractions[-1] > 0.9


@pytest.mark.parametrize("decision", ["empty", "model", "choice", "here", "declined", "nobody"])
def test_it_does_not_come_against_a_decision(
    canvas: Canvas, server: Server, settings: Any, tmp_path: Path, decision: str
) -> None:
    match decision:
        case "empty":
            settings.DREAM_FETCH = ""
        case "model":
            settings.DREAM_MODEL = "house"
        case "choice":
            Choice.objects.create(canvas=canvas, network="house")
        case "here":
            nets.register_tiny(tmp_path, "googlenet")
        case "declined":
            fetching.decline("googlenet")
        case "nobody":
            Dream.objects.all().delete()
            Canvas.objects.all().delete()
    look()
    assert server.requests == [] and not Job.objects.exclude(state="cancelled").exists()


def test_one_canvas_that_follows_the_site_is_enough(canvas: Canvas, settings: Any) -> None:
    """And only it hears of it."""
    other = Canvas.objects.create(slug="other", title="Other", width=64, height=64)
    Choice.objects.create(canvas=other, network="house")
    assert list(fetching.following()) == [canvas]
    look()
    assert job().state == "done" and default_model() == "googlenet" and default_model("house") == "house"


def test_offline_the_house_model_goes_on_and_it_is_said_once(
    canvas: Canvas, server: Server, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.files.clear()
    look()
    assert job().state == "failed" and "404" in job().message
    look()  # at once it is not tried again
    assert job().edition == 1
    monkeypatch.setattr(fetching, "_started", False)  # the next start
    look()
    Job.objects.update(finished_at=fetching.timezone.now() - fetching.AGAIN - timedelta(minutes=1))
    look()
    assert job().edition == 3 and job().state == "failed" and default_model() == "house"
    warnings = [record.message for record in caplog.records if record.levelno >= logging.WARNING]
    assert len(warnings) == 1 and "the network that is here dreams on" in warnings[0] and "DREAM_FETCH=" in warnings[0]
    assert Dream.objects.get().arriving is None


def test_what_an_owner_ordered_and_failed_is_the_owner_s(canvas: Canvas, server: Server) -> None:
    server.files.clear()
    vera = User.objects.create(username="vera")
    jobs.request(Job.Kind.FETCH, "googlenet", by=vera)
    look()
    assert (job().state, job().by) == ("failed", vera)
    Job.objects.update(finished_at=fetching.timezone.now() - 2 * fetching.AGAIN)
    look()
    assert job().edition == 1


def test_another_file_than_the_published_one_is_refused(canvas: Canvas, server: Server, caffemodel: bytes) -> None:
    server.files["weights"] = bytes(100) + caffemodel[100:]
    look()
    assert job().state == "failed" and "wrong checksum" in job().message and default_model() == "house"


def after(handler: Handler, data: bytes, count: int, then: Callable[[], None]) -> None:
    """Sends some bytes, lets something happen, and sends the rest."""
    wanted = handler.headers.get("Range")
    start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted else 0
    handler.send_response(206 if start else 200)
    if start:
        handler.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
    handler.send_header("Content-Length", str(len(data) - start))
    handler.end_headers()
    handler.wfile.write(data[start : start + count])
    then()
    handler.wfile.write(data[start + count :])


def test_a_worker_that_ends_is_followed_by_one_that_resumes(
    canvas: Canvas, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.faults["weights"] = lambda handler, data: after(handler, data, 10 * CHUNK, tasks.stopping.set)
    monkeypatch.setattr(tasks, "stopping", threading.Event())
    monkeypatch.setattr(worker, "stopping", tasks.stopping)
    fetching.fetch_by_itself()
    worker.queue().run_one(tasks.NETWORKS)
    assert (job().state, job().attempts) == ("waiting", 0) and Dream.objects.get().arriving is not None
    tasks.stopping.clear()
    server.faults.clear()
    look()
    assert job().state == "done" and job().edition == 1
    ranges = [wanted for path, wanted in server.requests if path == "weights"]
    assert len(ranges) == 2 and ranges[0] is None and int(str(ranges[1])[6:-1]) >= CHUNK


def test_cancelled_it_stops_is_kept_and_does_not_come_again_by_itself(canvas: Canvas, server: Server) -> None:
    server.faults["weights"] = lambda handler, data: after(
        handler, data, 10 * CHUNK, lambda: Job.objects.all().cancel()
    )
    look()
    assert job().state == "cancelled" and default_model() == "house" and Dream.objects.get().arriving is None
    look()
    assert len([path for path, _ in server.requests if path == "weights"]) == 1
    server.faults.clear()
    jobs.request(Job.Kind.FETCH, "googlenet", by=User.objects.create(username="vera"))
    look()
    assert job().state == "done" and [wanted is None for path, wanted in server.requests if path == "weights"] == [
        True,
        False,
    ]


def test_two_workers_fetch_it_once(canvas: Canvas, server: Server) -> None:
    fetching.fetch_by_itself()
    fetching.fetch_by_itself()
    assert not jobs.request(Job.Kind.FETCH, "googlenet") and Job.objects.count() == 1
    beat = WorkerHeartbeat.objects.create(worker="another", at=fetching.timezone.now())
    Job.objects.update(state="running", holder="another")
    assert not jobs.request(Job.Kind.FETCH, "googlenet")
    jobs.network_job.func(job().pk)  # its task, a second time
    assert server.requests == []
    beat.delete()
    jobs.network_job.func(job().pk)  # its worker is gone: somebody else goes on
    jobs.network_job.func(job().pk)
    assert [path for path, _ in server.requests].count("weights") == 1


def test_a_database_that_is_away_for_a_moment_does_not_end_it(
    canvas: Canvas, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    held, checks = tasks.jobs._held, []

    def away(row: Job) -> Any:
        checks.append(row)
        if len(checks) == 3:
            raise OperationalError("the server closed the connection")
        return held(row)

    monkeypatch.setattr(tasks.jobs, "_held", away)
    look()
    assert job().state == "done" and len(checks) > 3


def test_what_a_worker_could_not_finish_writing_it_takes_up_again(canvas: Canvas, server: Server) -> None:
    jobs.request(Job.Kind.FETCH, "googlenet")
    Job.objects.update(state="running", holder=tasks.WORKER, attempts=1)
    look()
    assert job().state == "done" and job().attempts == 2


def test_brought_meanwhile_by_hand_it_is_done(canvas: Canvas, server: Server, tmp_path: Path) -> None:
    def labels(handler: Handler, data: bytes) -> None:
        nets.register_tiny(tmp_path, "googlenet")
        handler.whole(data)

    server.faults["labels"] = labels
    look()
    assert job().state == "done" and registry().get("googlenet").info.source == "made in a test"


def test_workers_that_die_at_it_are_not_sacrificed_without_end(canvas: Canvas, server: Server) -> None:
    jobs.request(Job.Kind.FETCH, "googlenet")
    Job.objects.update(state="running", holder="dead", attempts=tasks.jobs.ATTEMPTS)
    jobs.network_job.func(job().pk)
    assert job().state == "failed" and "5 workers ended" in job().message and server.requests == []


def test_a_setting_that_names_no_network_refuses_to_start(settings: Any) -> None:
    settings.DREAM_FETCH = "googlenett"
    with pytest.raises(
        CommandError, match=r"DREAM_FETCH: unknown published model 'googlenett': did you mean googlenet"
    ):
        call_command("check")
