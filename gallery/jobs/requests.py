"""Requesting a job, and taking the request back. `task` makes it, with the id of its row as its argument."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django_tasks.base import Task

from dreamsite.core.tasks import enqueue
from gallery.jobs.models import UNDER_WAY, BackgroundJob, State


def start(job: BackgroundJob, task: Task[Any, Any]) -> None:
    """Queues a new row for the worker, with the transaction around this call."""
    enqueue(task, job.pk)


def remake(job: BackgroundJob, task: Task[Any, Any]) -> None:
    """Withdraws what was made, at once, and has it made anew."""
    with transaction.atomic():
        rows: Any = type(job)._default_manager.select_for_update().filter(pk=job.pk)
        now = rows.first()
        if now is None:
            return
        now.withdraw()
        rows.update(state=State.WAITING, edition=now.edition + 1, holder="", fraction=0.0, message="", expected_at=None)
        if now.state != State.WAITING:  # a task for it waits in the queue already
            start(now, task)


def cancel(job: BackgroundJob) -> bool:
    """Stops the making of it; False where there is nothing to stop."""
    rows: Any = type(job)._default_manager.filter(pk=job.pk, state__in=[*UNDER_WAY, State.FAILED])
    return bool(rows.update(state=State.CANCELLED, holder="", expected_at=None))


def delete(job: BackgroundJob) -> None:
    """The row and its files go."""
    with transaction.atomic():
        job.withdraw()
        job.delete()
