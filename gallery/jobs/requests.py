"""Jobs counted by who orders them, remade, deleted, taken up where their task was lost, and what they left on this
machine.

`task` does the job, with the id of its row as its argument.
"""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django_tasks.base import Task

from dreamsite.core.models import User
from dreamsite.core.tasks import enqueue, worker
from dreamsite.core.tasks.jobs import OPEN, JobQuerySet, State
from gallery.jobs import files
from gallery.jobs.models import FileJob

log = logging.getLogger(__name__)


RETRIED = timedelta(hours=2)  # so long the queue tries what failed, and longer (dreamsite.core.tasks.retries)
LOST_SECONDS = 60.0  # so long a job must be found without a task: one may be about to be queued
_missed: dict[tuple[type[FileJob], int], float] = {}  # since when


@contextmanager
def counted(user: User) -> Iterator[None]:
    """A transaction for what each person may have so much of: requests at once are counted one after the other."""
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)
        yield


def take_up_lost(model: type[FileJob], task: Task[Any, Any]) -> None:
    """Queues a task for each job that has none, though it is not done and no worker is at it.

    Its queue was flushed, or is another one now (TASKS_BACKEND). Two tasks for one job do no harm: one claims it.
    """
    rows: Any = model._default_manager
    open_jobs = list(rows.filter(state=State.WAITING)) + list(rows.abandoned())
    known = worker.queue().queued(task) if open_jobs else set()
    lost, now = {(model, job.pk): job for job in open_jobs if job.pk not in known}, time.monotonic()
    for key in [key for key in _missed if key[0] is model and key not in lost]:
        del _missed[key]
    for key in sorted(lost, key=lambda each: each[1]):
        if now - _missed.setdefault(key, now) >= LOST_SECONDS:
            log.warning("%s %d was lost with its queue; it is queued again.", model.__name__, key[1])
            enqueue(task, key[1], **lost[key].turn)
            del _missed[key]


def work_directory(job: FileJob) -> Path:
    """The folder of this machine for what is under way of a job's edition."""
    return files.work_directory(f"{_folder(type(job))}/{job.pk}-{job.edition}")


def sweep(model: type[FileJob]) -> None:
    """Deletes what this machine has of jobs that nobody does any more: they ended, were deleted or begun anew.

    Those that failed are tried again for a while, and go on where they were.
    """
    root = files.work_directory(_folder(model))
    found = {path.name for path in root.iterdir()} if root.is_dir() else set()
    if found:
        retried = Q(state=State.FAILED, finished_at__gt=timezone.now() - RETRIED)
        rows: Any = JobQuerySet(model).filter(Q(state__in=OPEN) | retried).values_list("pk", "edition")
        for name in found - {f"{pk}-{edition}" for pk, edition in rows}:
            shutil.rmtree(root / name, ignore_errors=True)


def _folder(model: type[FileJob]) -> str:
    return f"{model._meta.model_name}s"


def remake(job: FileJob, task: Task[Any, Any], *, first: bool = False, last: bool = False) -> None:
    """Withdraws what was made, at once, and has it made anew; `first`: before all others, as somebody asks for it;
    `last`: after them."""
    with transaction.atomic():
        rows: Any = type(job)._default_manager.select_for_update().filter(pk=job.pk)
        now = rows.first()
        if now is None:
            return
        now.withdraw()
        rows.restart()
        if now.state != State.WAITING:  # a task for it waits in the queue already
            enqueue(task, job.pk, first=first, last=last)


def delete(job: FileJob) -> None:
    """The row and its files go."""
    with transaction.atomic():
        rows: Any = type(job)._default_manager.select_for_update().filter(pk=job.pk)
        now = rows.first()  # its files of now: a worker may have ended it since it was read
        if now is not None:
            now.withdraw()
            now.delete()
