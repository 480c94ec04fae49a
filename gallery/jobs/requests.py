"""Having what a job made remade or deleted. `task` does the job, with the id of its row as its argument."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django_tasks.base import Task

from dreamsite.core.tasks import enqueue
from dreamsite.core.tasks.jobs import State
from gallery.jobs.models import FileJob


def remake(job: FileJob, task: Task[Any, Any]) -> None:
    """Withdraws what was made, at once, and has it made anew."""
    with transaction.atomic():
        rows: Any = type(job)._default_manager.select_for_update().filter(pk=job.pk)
        now = rows.first()
        if now is None:
            return
        now.withdraw()
        rows.restart()
        if now.state != State.WAITING:  # a task for it waits in the queue already
            enqueue(task, job.pk)


def delete(job: FileJob) -> None:
    """The row and its files go."""
    with transaction.atomic():
        job.withdraw()
        job.delete()
