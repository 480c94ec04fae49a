"""The worker: a thread for each queue, and the main one for periodic tasks and maintenance."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterable
from importlib import import_module
from types import ModuleType

from django.conf import settings
from django.db import close_old_connections, connection

from dreamsite.core.tasks import heartbeats, periodic_tasks, stopping

log = logging.getLogger(__name__)

POLL_SECONDS = 1.0
MAINTENANCE_SECONDS = 10.0
PRUNE_SECONDS = 3600.0


def queue() -> ModuleType:
    """`database` or `redis`: run_one(queue) -> bool, reap() -> int, prune()."""
    return import_module(f"dreamsite.core.tasks.{settings.TASKS_BACKEND}")


def run(queues: Iterable[str]) -> None:
    """Works until `stopping` is set; what it is doing then is taken up again by the next worker."""
    for noisy in ("django_tasks", "django_tasks_db", "rq.worker"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    with heartbeats.sending():
        threads = [threading.Thread(target=_run_queue, args=(name,), name=name, daemon=True) for name in queues]
        for thread in threads:
            thread.start()
        _maintain()
        for thread in threads:
            thread.join()


def empty(queue_name: str) -> None:
    """Runs everything that waits in a queue, in this thread: for tests and commands."""
    with heartbeats.sending():
        while queue().run_one(queue_name):
            pass


def _run_queue(name: str) -> None:
    backend = queue()
    while not stopping.is_set():
        try:
            close_old_connections()
            if not backend.run_one(name):
                stopping.wait(POLL_SECONDS)
        except Exception:
            # The database or Redis is away: nothing here may end the process for good.
            log.exception("The worker failed to take a task; it tries again in two seconds.")
            connection.close()
            stopping.wait(2)
    connection.close()


def _maintain() -> None:
    pruned = 0.0
    while not stopping.is_set():
        close_old_connections()
        now = time.monotonic()
        due = [queue().reap, *periodic_tasks]
        if now - pruned > PRUNE_SECONDS:
            pruned = now
            due += [queue().prune, heartbeats.prune]
        for do in due:
            try:
                do()
            except Exception:
                log.exception("A periodic task failed; the worker goes on.")
                connection.close()
        stopping.wait(MAINTENANCE_SECONDS)
    connection.close()
