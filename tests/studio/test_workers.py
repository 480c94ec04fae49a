"""Workers that are killed, stopped or told to cancel, and what they leave."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.test import Client
from django.utils import timezone

from canvas.models import Canvas, Dream
from dreamsite.core.tasks import STUDIO, heartbeats, stopping, worker
from dreamsite.core.tasks.jobs import State, claim
from gallery.jobs import files
from gallery.studio import jobs, periodic_tasks, queue, watch
from gallery.studio.models import Original, Work
from tests.studio.sending import picked

Kind = Work.Kind
pytestmark = pytest.mark.usefixtures("house")


def test_what_was_stored_and_deleted_under_a_worker_that_stood_still_is_made_again(
    client: Client, original: Original, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, real = picked(client, original).json()["key"], jobs._done
    work = Work.objects.get(key=key)

    def stands_still(*rest: Any) -> Any:
        """Until another worker takes it for dead, and deletes what it had not named yet."""
        done = real(*rest)
        with monkeypatch.context() as other:
            other.setattr(files, "WORKER", "another")
            files.delete_pending()
        return done

    with monkeypatch.context() as once:
        once.setattr(jobs, "_done", stands_still)
        claimed = claim(Work, work.pk)
        assert claimed
        with pytest.raises(files.FilesLost):
            jobs.run(claimed, queue.submit)
    work.refresh_from_db()
    assert work.state == State.WAITING and not work.files, "no row names what is gone"
    worker.empty(STUDIO)
    work.refresh_from_db()
    assert work.state == State.DONE and all(default_storage.exists(file.name) for file in work.files)


def test_a_cancelled_dream_ends_soon_and_leaves_nothing(
    client: Client, original: Original, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = picked(client, original).json()["key"]
    before = set(default_storage.listdir("studio")[1])
    monkeypatch.setattr(watch, "UPDATE_SECONDS", 0.0)
    real = jobs.dream

    def cancels(*args: Any, **options: Any) -> Any:
        client.post(f"/studio/dreams/{key}/cancel/")
        return real(*args, **options)

    monkeypatch.setattr(jobs, "dream", cancels)
    worker.empty(STUDIO)
    assert Work.objects.get(key=key).state == State.CANCELLED
    assert set(default_storage.listdir("studio")[1]) == before


def test_a_worker_that_is_killed_is_followed_by_another(client: Client, original: Original) -> None:
    key = picked(client, original).json()["key"]
    Work.objects.filter(key=key).update(state=State.RUNNING, holder="dead", attempts=1)
    with heartbeats.sending():
        periodic_tasks.take_up()
    worker.empty(STUDIO)
    assert Work.objects.get(key=key).state == State.DONE
    assert len(default_storage.listdir("studio")[1]) > 4


def test_a_worker_that_is_asked_to_end_gives_the_work_back(
    client: Client, original: Original, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = picked(client, original).json()["key"]
    real = jobs.dream

    def ends(*args: Any, **options: Any) -> Any:
        stopping.set()
        return real(*args, **options)

    monkeypatch.setattr(jobs, "dream", ends)
    try:
        with pytest.raises(BaseException, match="worker ends"):
            jobs.run(queue.take(), queue.submit)
    finally:
        stopping.clear()
    assert Work.objects.get(key=key).state == State.WAITING


def test_the_live_canvas_goes_first(client: Client, original: Original, monkeypatch: pytest.MonkeyPatch) -> None:
    picked(client, original)
    live = Dream.objects.create(
        canvas=Canvas.objects.default(), state=Dream.State.DREAMING, expires_at=timezone.now() + timedelta(hours=1)
    )
    waited: list[float] = []

    def sleep(seconds: float) -> None:
        waited.append(seconds)
        Dream.objects.filter(pk=live.pk).update(state=Dream.State.WAITING)

    monkeypatch.setattr(watch.time, "sleep", sleep)
    worker.empty(STUDIO)
    assert waited and Work.objects.dreams().get().state == State.DONE
