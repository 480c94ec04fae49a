"""The queue in the database (django-tasks-db): one task at a time, tried again, taken over from workers that died."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Count
from django.utils import timezone
from django_tasks.base import DEFAULT_TASK_BACKEND_ALIAS, Task, TaskResultStatus
from django_tasks_db.management.commands.db_worker import Worker
from django_tasks_db.models import DBTaskResult, DBTaskResultQuerySet

from dreamsite.core.tasks import QUEUES, WORKER, Interrupted, heartbeats, retries

log = logging.getLogger(__name__)

Row = DBTaskResult[Any, Any]  # of any task

KEPT = timedelta(days=14)  # finished tasks, to look at
INTERRUPTED = f"{Interrupted.__module__}.{Interrupted.__qualname__}"


class _OneTask(Worker):
    """django-tasks-db's worker for one task, which waits in the queue again when it failed."""

    def __init__(self, queue: str) -> None:
        super().__init__(
            queue_names=[queue],
            interval=0,
            batch=True,
            backend_name=DEFAULT_TASK_BACKEND_ALIAS,
            startup_delay=False,
            max_tasks=1,
            worker_id=WORKER,
            excluded_queue_names=[],
        )
        self.did_one = False

    def run_task(self, row: Row) -> None:
        super().run_task(row)
        self.did_one = True
        if row.status == TaskResultStatus.FAILED:
            if row.exception_class_path == INTERRUPTED:
                _again(row, timedelta(0), row.worker_ids[:-1])  # it did not fail: this attempt does not count
            else:
                _failed(row, (row.traceback.strip().splitlines() or ["?"])[-1])


def run_one(queue: str) -> bool:
    """Runs the next task that waits in this queue; False where none does."""
    # A plain SELECT first: to claim a task locks SQLite for everybody.
    if not DBTaskResult.objects.ready().filter(backend_name=DEFAULT_TASK_BACKEND_ALIAS, queue_name=queue).exists():
        return False
    worker = _OneTask(queue)
    worker.run()
    return worker.did_one


def reap() -> int:
    """Takes tasks back from workers that are gone; how many."""
    running = list(DBTaskResult.objects.running().filter(queue_name__in=QUEUES))
    alive = set(heartbeats.alive())
    taken = 0
    for row in running:
        if not row.worker_ids or row.worker_ids[-1] not in alive:
            taken += _failed(row, f"its worker {(row.worker_ids or ['?'])[-1]} is gone")
    return taken


def waiting() -> dict[str, int]:
    """How many tasks wait in each queue."""
    ready = DBTaskResult.objects.ready().filter(backend_name=DEFAULT_TASK_BACKEND_ALIAS).order_by()
    counted = dict(ready.values_list("queue_name").annotate(count=Count("pk")))
    return {name: counted.get(name, 0) for name in QUEUES}


def queued(task: Task[Any, Any]) -> set[Any]:
    """The first arguments of this function's tasks that wait, are tried again, or run."""
    rows = DBTaskResult.objects.filter(task_path=task.module_path)
    rows = rows.filter(status__in=[TaskResultStatus.READY, TaskResultStatus.RUNNING])
    return {given["args"][0] for given in rows.values_list("args_kwargs", flat=True) if given["args"]}


def prune() -> None:
    DBTaskResult.objects.finished().filter(finished_at__lt=timezone.now() - KEPT).delete()


def _failed(row: Row, why: str) -> bool:
    attempt = len(row.worker_ids)
    wait = retries.wait_after(attempt)
    if wait is not None:
        log.warning(
            "%s failed (%s), attempt %d of %d; again in %.0f s.",
            row.task_path,
            why,
            attempt,
            retries.ATTEMPTS,
            wait.total_seconds(),
        )
        return _again(row, wait, row.worker_ids)
    log.error("%s failed for good after %d attempts: %s.", row.task_path, attempt, why)
    if row.status == TaskResultStatus.RUNNING:
        return bool(
            _untouched(row).update(
                status=TaskResultStatus.FAILED,
                finished_at=timezone.now(),
                exception_class_path="builtins.RuntimeError",
                traceback=f"After {attempt} attempts: {why}.",
            )
        )
    return True


def _again(row: Row, wait: timedelta, worker_ids: list[str]) -> bool:
    with transaction.atomic():
        return bool(
            _untouched(row).update(
                status=TaskResultStatus.READY,
                run_after=timezone.now() + wait,
                worker_ids=worker_ids,
                started_at=None,
                finished_at=None,
            )
        )


def _untouched(row: Row) -> DBTaskResultQuerySet:
    """The row, if nobody else has taken it in hand since it was read."""
    return DBTaskResult.objects.filter(pk=row.pk, status=row.status, started_at=row.started_at)
