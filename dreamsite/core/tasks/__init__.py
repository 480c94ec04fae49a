"""Background work: what takes longer than a page may, done by `manage.py worker`.

    from dreamsite.core.tasks import enqueue, task

    @task()                                  # or @task(queue_name=SLOW) for what takes minutes
    def make_export(export_id: int) -> None: ...

    enqueue(make_export, export.pk)          # with the transaction around it, whichever queue is in use

A task is a function of a module, with arguments that JSON can write. It may be run more than once: its worker may be
killed at any instant, and whatever raises is tried again, a little later each time (`retries`). So every task looks
first at what is done already. Long ones call `pause_point()` often: it raises Interrupted when the worker should end,
and the task then goes on in the next worker without having failed.
"""

from __future__ import annotations

import secrets
import socket
import threading
from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import Any

from django.conf import settings
from django.db import transaction
from django_tasks import task
from django_tasks.base import TASK_MAX_PRIORITY, TASK_MIN_PRIORITY, Task

__all__ = [
    "NETWORKS",
    "QUICK",
    "SLOW",
    "STUDIO",
    "WORKER",
    "Interrupted",
    "enqueue",
    "pause_point",
    "periodic_task",
    "stopping",
    "task",
]

QUICK = "default"  # seconds: exports, mails
SLOW = "slow"  # minutes and hours: films. Quick ones never wait behind them
NETWORKS = "networks"  # minutes: fetching, importing and trying networks. No film stands in their way
STUDIO = "studio"  # seconds and minutes: people's own pictures. Nobody who waits for one waits for a film
QUEUES = (QUICK, SLOW, NETWORKS, STUDIO)

# This process, as queues and rows name it; at most 64 characters.
WORKER = f"{socket.gethostname()[:40]}-{secrets.token_hex(6)}"
stopping = threading.Event()  # set when this process should end


# Each asks itself whether there is something to do; what takes long it enqueues.
periodic_tasks: list[Callable[[], None]] = []


def periodic_task(do: Callable[[], None]) -> Callable[[], None]:
    """Registers a function without arguments that every worker calls about every ten seconds, several at once too."""
    periodic_tasks.append(do)
    return do


class Interrupted(BaseException):
    """The worker ends. A BaseException, so that no task takes it for a failure of its own."""


def pause_point() -> None:
    """Raises Interrupted when this worker is to end."""
    if stopping.is_set():
        raise Interrupted("the worker ends; the task goes on in the next one")


def enqueue(job: Task[Any, Any], *args: Any, first: bool = False, last: bool = False, **kwargs: Any) -> None:
    """Queues a task so that it runs if, and not before, the transaction around this call is committed.

    `first`: before all others that wait, since somebody waits for it; `last`: after those that come later, too.
    """
    if settings.TASKS_BACKEND == "database":
        row = job.using(priority=TASK_MAX_PRIORITY if first else TASK_MIN_PRIORITY) if first or last else job
        row.enqueue(*args, **kwargs)  # a row like any other of the transaction
    else:
        transaction.on_commit(partial(_to_redis, job, first, last, args, kwargs))


def _to_redis(job: Task[Any, Any], first: bool, last: bool, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    queued = job.enqueue(*args, **kwargs)
    if first or last:
        redis = import_module("dreamsite.core.tasks.redis")
        (redis.to_the_front if first else redis.wait_for_others)(job.queue_name, queued.id)
