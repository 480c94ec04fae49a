"""Jobs, whoever's they are: claimed, held, given back, found again, cancelled. Other workers are rows here.

With real processes and on both databases: tests/live/test_jobs.py.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.db import OperationalError
from django.utils import timezone

from canvas.models import Canvas
from dreamer.models import Job
from dreamsite.core import tasks
from dreamsite.core.tasks import jobs
from dreamsite.core.tasks.jobs import BackgroundJob, State
from dreamsite.core.tasks.models import WorkerHeartbeat
from gallery.downloads.models import Download

pytestmark = pytest.mark.django_db


@pytest.fixture
def once() -> Job:
    """A job that is tried once."""
    return Job.objects.create(kind=Job.Kind.FETCH, network="googlenet")


@pytest.fixture
def retried() -> Download:
    """A job that the queue tries again."""
    return Download.objects.create(canvas=Canvas.objects.default(), day=date(2026, 1, 2), kind="frames")


def claimed(job: Any) -> Any:
    found = jobs.claim(type(job), job.pk)
    assert found is not None
    return found


def held_by(job: BackgroundJob, worker: str, **columns: Any) -> None:
    type(job)._default_manager.filter(pk=job.pk).update(state=State.RUNNING, holder=worker, **columns)


def test_a_job_is_claimed_once_and_done_once(once: Job) -> None:
    job = claimed(once)
    assert (job.state, job.holder, job.attempts) == (State.RUNNING, tasks.WORKER, 1) and job.started_at
    with jobs.holding(job):
        jobs.finish(job, message="nine layers")
    once.refresh_from_db()
    assert (once.state, once.holder, once.fraction, once.message) == (State.DONE, "", 1.0, "nine layers")
    assert once.finished_at and jobs.claim(Job, once.pk) is None


def test_what_a_living_worker_holds_is_left_alone_and_what_a_dead_one_held_is_found(once: Job) -> None:
    heartbeat = WorkerHeartbeat.objects.create(worker="another", at=timezone.now())
    held_by(once, "another")
    assert jobs.claim(Job, once.pk) is None
    assert Job.objects.running().exists() and not Job.objects.abandoned().exists()
    heartbeat.delete()
    assert Job.objects.abandoned().exists() and claimed(once).holder == tasks.WORKER


def test_what_this_worker_could_not_finish_writing_it_claims_again(once: Job) -> None:
    WorkerHeartbeat.objects.create(worker=tasks.WORKER, at=timezone.now())
    held_by(once, tasks.WORKER, attempts=1)
    assert claimed(once).attempts == 2


def test_of_two_that_claim_at_once_one_gets_it(once: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    read = jobs.JobQuerySet.first

    def and_meanwhile(rows: Any) -> Any:
        found = read(rows)
        held_by(once, "faster")
        return found

    monkeypatch.setattr(jobs.JobQuerySet, "first", and_meanwhile)
    assert jobs.claim(Job, once.pk) is None
    once.refresh_from_db()
    assert once.holder == "faster"


def test_workers_that_die_at_a_job_are_not_sacrificed_without_end(once: Job) -> None:
    for attempt in range(jobs.ATTEMPTS):
        assert claimed(once).attempts == attempt + 1
        held_by(once, "dead")
    assert jobs.claim(Job, once.pk) is None
    once.refresh_from_db()
    assert once.state == State.FAILED and "5 workers ended" in once.message and once.finished_at


def test_an_interrupted_job_is_given_back_and_nothing_is_counted(once: Job) -> None:
    job = claimed(once)
    tasks.stopping.set()
    try:
        with pytest.raises(tasks.Interrupted), jobs.holding(job):
            jobs.Progress(job).pause()
    finally:
        tasks.stopping.clear()
    once.refresh_from_db()
    assert (once.state, once.holder, once.attempts) == (State.WAITING, "", 0)


@pytest.mark.parametrize("error", [ValueError("no space left"), jobs.JobFailed("no such layer")])
def test_what_fails_says_why(once: Job, error: Exception) -> None:
    with jobs.holding(claimed(once)):
        raise error
    once.refresh_from_db()
    assert (once.state, once.message) == (State.FAILED, str(error)) and jobs.claim(Job, once.pk) is None


def test_what_is_tried_again_fails_in_the_queue_too(retried: Download) -> None:
    for _ in range(2 * jobs.ATTEMPTS):  # the queue counts these; only silent ends count here
        with pytest.raises(ValueError, match="no space"), jobs.holding(claimed(retried)):
            raise ValueError("no space left")
    retried.refresh_from_db()
    assert (retried.state, retried.message, retried.attempts) == (State.FAILED, "no space left", 0)
    job = claimed(retried)
    with jobs.holding(job):
        jobs.finish(job)
    retried.refresh_from_db()
    assert (retried.state, retried.message) == (State.DONE, "")


def test_a_cancelled_job_takes_no_more_updates(once: Job) -> None:
    job = claimed(once)
    assert Job.objects.filter(pk=once.pk).cancel() == 1 and Job.objects.filter(pk=once.pk).cancel() == 0
    with jobs.holding(job):
        jobs.Progress(job)(0.5)
        raise AssertionError("it went on")
    with jobs.holding(job):
        jobs.finish(job)
        raise AssertionError("it was finished")
    once.refresh_from_db()
    assert (once.state, once.fraction) == (State.CANCELLED, 0.0) and jobs.claim(Job, once.pk) is None


def test_a_failed_job_that_would_be_tried_again_can_be_cancelled(retried: Download, once: Job) -> None:
    Download.objects.update(state=State.FAILED)
    Job.objects.update(state=State.FAILED)
    assert Download.objects.all().cancel() == 1 and Job.objects.all().cancel() == 0
    assert jobs.claim(Download, retried.pk) is None


def test_a_job_begun_anew_is_no_longer_its_earlier_holders(once: Job) -> None:
    before = claimed(once)
    Job.objects.all().restart(done=0)
    with pytest.raises(jobs.ClaimLost):
        jobs.finish(before)
    after = claimed(once)
    assert (after.edition, after.attempts) == (before.edition + 1, 1)
    with pytest.raises(jobs.ClaimLost):  # by the same worker, which does the new edition
        jobs.Progress(before).update(message="old news")
    jobs.finish(after)


def test_progress_is_written_at_its_pace_with_the_time_left(once: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr(jobs.time, "monotonic", lambda: clock[0])
    job = claimed(once)
    progress = jobs.Progress(job)
    assert progress(0.0, total=80) and not progress(0.1)
    clock[0] += 10
    assert progress(0.25, done=20)
    once.refresh_from_db()
    assert (once.fraction, once.percent, once.done, once.total) == (0.25, 25, 20, 80)
    assert once.seconds_left is not None and 1 <= once.seconds_left <= 30


def test_a_database_that_is_away_for_a_moment_ends_nothing(once: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    job = claimed(once)

    def away(_: BackgroundJob) -> Any:
        raise OperationalError("the server closed the connection")

    with monkeypatch.context() as patch:
        patch.setattr(jobs, "_held", away)
        jobs.Progress(job).update(message="not written")
    jobs.finish(job)
