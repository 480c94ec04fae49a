"""The queue in Redis (django-tasks-rq), with the same rules: tried again, taken over from workers that died.

rq's own worker forks, takes signals for itself and only notices a dead one by the time a task may take. Here tasks
run in the worker's threads, and `dreamsite.core.tasks.heartbeats` says which workers are alive.
"""

from __future__ import annotations

import logging
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import django_rq
from django_tasks.base import Task
from django_tasks_rq import Job
from rq import SimpleWorker
from rq.exceptions import NoSuchJobError
from rq.job import JobStatus
from rq.timeouts import TimerDeathPenalty

from dreamsite.core.tasks import QUEUES, WORKER, Interrupted, heartbeats, retries

log = logging.getLogger(__name__)

INTERRUPTED = f"{Interrupted.__module__}.{Interrupted.__qualname__}"
LAST = "dreamsite_last"  # in a job's meta: others go before it
ATTEMPT = "dreamsite_attempt"  # in a job's meta: how often it was tried


class _OneTask(SimpleWorker):
    """rq's worker for one task in this thread. Signals are the process' own, and come to the main thread only."""

    death_penalty_class = TimerDeathPenalty

    def _install_signal_handlers(self) -> None:
        pass


def run_one(queue: str) -> bool:
    """Runs the next task that waits in this queue; False where none does."""
    jobs = django_rq.get_queue(queue, job_class=Job)
    _wake(jobs)
    if jobs.is_empty():
        return False
    _let_others_pass(jobs)
    name = f"{WORKER}.{secrets.token_hex(4)}"
    worker = _OneTask([jobs], name=name, connection=jobs.connection, job_class=Job)
    worker.log.setLevel(logging.WARNING)
    worked = worker.work(burst=True, max_jobs=1, logging_level="WARNING")
    _see_to_failed(jobs)
    return bool(worked)


def reap() -> int:
    """Takes tasks back from workers that are gone; how many."""
    taken = 0
    for queue in QUEUES:
        jobs = django_rq.get_queue(queue, job_class=Job)
        started = jobs.started_job_registry
        found = [(job_id, execution, _job(jobs, job_id)) for job_id, execution in started.get_job_and_execution_ids()]
        alive = set(heartbeats.alive())
        for job_id, execution, job in found:
            if job is not None and (job.worker_name or "").rpartition(".")[0] in alive:
                continue
            if jobs.connection.zrem(started.key, f"{job_id}:{execution}") and job is not None:
                taken += 1
                _failed(jobs, job, f"its worker {job.worker_name} is gone")
        _see_to_failed(jobs)
    return taken


def waiting() -> dict[str, int]:
    """How many tasks wait in each queue."""
    return {name: django_rq.get_queue(name, job_class=Job).count for name in QUEUES}


def queued(task: Task[Any, Any]) -> set[Any]:
    """The first arguments of this function's tasks that wait, are tried again, or run."""
    jobs = django_rq.get_queue(task.queue_name, job_class=Job)
    ids = [*jobs.get_job_ids(), *jobs.scheduled_job_registry.get_job_ids(), *jobs.started_job_registry.get_job_ids()]
    found = Job.fetch_many(ids, connection=jobs.connection) if ids else []
    return {job.args[0] for job in found if job and job.func_name == task.module_path and job.args}


def to_the_front(queue: str, job_id: str) -> None:
    """Of a task that waits in the queue."""
    jobs = django_rq.get_queue(queue, job_class=Job)
    jobs.remove(job_id)
    jobs.push_job_id(job_id, at_front=True)


def wait_for_others(queue: str, job_id: str) -> None:
    """Marks a task that others go before, whenever they come."""
    if job := _job(django_rq.get_queue(queue, job_class=Job), job_id):
        job.meta[LAST] = True
        job.save_meta()


def _let_others_pass(jobs: Any) -> None:
    """Marked tasks at the head of the queue go to its end, where any other waits."""
    ids = jobs.get_job_ids()
    found = {job.id: job for job in Job.fetch_many(ids, connection=jobs.connection) if job} if ids else {}
    marked = [each in found and bool(found[each].meta.get(LAST)) for each in ids]
    if all(marked):
        return
    for job_id in ids[: marked.index(False)]:
        if jobs.connection.lrem(jobs.key, 1, job_id):  # only one of several workers moves it
            jobs.push_job_id(job_id)


def prune() -> None:
    """Nothing: Redis lets go of finished tasks by itself."""


def _wake(jobs: Any) -> None:
    """Puts tasks whose time has come into the queue."""
    waiting = jobs.scheduled_job_registry
    for job_id in waiting.get_jobs_to_schedule():
        job = _job(jobs, job_id)
        # Only one of several workers moves it.
        if jobs.connection.zrem(waiting.key, job_id) and job is not None:
            jobs.enqueue_job(job)


def _see_to_failed(jobs: Any) -> None:
    failed = jobs.failed_job_registry
    for job_id in failed.get_job_ids():
        job = _job(jobs, job_id)
        if job is None or job.meta.get(ATTEMPT, 0) >= retries.ATTEMPTS or not jobs.connection.zrem(failed.key, job_id):
            continue
        if (job.meta.get("_django_tasks_rq_exceptions") or [""])[-1] == INTERRUPTED:
            job.meta["_django_tasks_rq_exceptions"] = []
            _again(jobs, job, timedelta(0))
        else:
            result = job.latest_result()
            lines = (result.exc_string if result else "") or "?"
            _failed(jobs, job, lines.strip().splitlines()[-1])


def _failed(jobs: Any, job: Job, why: str) -> None:
    attempt = job.meta[ATTEMPT] = job.meta.get(ATTEMPT, 0) + 1
    wait = retries.wait_after(attempt)
    if wait is not None:
        log.warning(
            "%s failed (%s), attempt %d of %d; again in %.0f s.",
            job.func_name,
            why,
            attempt,
            retries.ATTEMPTS,
            wait.total_seconds(),
        )
        _again(jobs, job, wait)
    else:
        log.error("%s failed for good after %d attempts: %s.", job.func_name, attempt, why)
        job.set_status(JobStatus.FAILED)
        job.save_meta()
        jobs.failed_job_registry.add(job)


def _again(jobs: Any, job: Job, wait: timedelta) -> None:
    job.set_status(JobStatus.SCHEDULED)
    job.save_meta()
    jobs.schedule_job(job, datetime.now(UTC) + wait)


def _job(jobs: Any, job_id: str) -> Job | None:
    try:
        return cast(Job, Job.fetch(job_id, connection=jobs.connection))
    except NoSuchJobError:
        return None
