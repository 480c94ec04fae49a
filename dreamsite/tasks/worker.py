"""The worker: a thread for each queue, one for the housekeeping."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable
from types import ModuleType

from django.conf import settings
from django.db import close_old_connections, connection

from dreamsite.tasks import beats, stopping

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
KEEP_HOUSE_SECONDS = 10.0

# What somebody wants done now and then: each asks itself whether there is something to do, and enqueues it.
_chores: list[Callable[[], None]] = []


def chore(do: Callable[[], None]) -> Callable[[], None]:
    """Registers a function without arguments that workers call every ten seconds or so; several may, at once."""
    _chores.append(do)
    return do


def queue() -> ModuleType:
    """`database` or `redis`: run_one(queue) -> bool, reap() -> int, prune()."""
    if settings.TASKS_BACKEND == "redis":
        from dreamsite.tasks import redis as found
    else:
        from dreamsite.tasks import database as found  # type: ignore[no-redef]
    return found


def run(queues: Iterable[str]) -> None:
    """Works until `stopping` is set; what it is doing then is taken up again by the next worker."""
    for noisy in ("django_tasks", "django_tasks_db", "rq.worker"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    with beats.beating():
        threads = [threading.Thread(target=_lane, args=(name,), name=name, daemon=True) for name in queues]
        for thread in threads:
            thread.start()
        _keep_house()
        for thread in threads:
            thread.join()


def empty(queue_name: str) -> None:
    """Runs everything that waits in a queue, in this thread: for tests and commands."""
    with beats.beating():
        while queue().run_one(queue_name):
            pass


def _lane(name: str) -> None:
    work = queue()
    while not stopping.is_set():
        try:
            close_old_connections()
            if not work.run_one(name):
                stopping.wait(LOOK_SECONDS)
        except Exception:
            # The database or Redis is away: nothing here may end the process for good.
            log.exception("The worker stumbled and goes on in two seconds.")
            connection.close()
            stopping.wait(2)
    connection.close()


def _keep_house() -> None:
    pruned = 0.0
    while not stopping.is_set():
        close_old_connections()
        now = time.monotonic()
        todo = [queue().reap, *_chores]
        if now - pruned > 3600:
            pruned = now
            todo += [queue().prune, beats.bury]
        for do in todo:
            try:
                do()
            except Exception:
                log.exception("The worker's housekeeping stumbled and goes on.")
                connection.close()
        stopping.wait(KEEP_HOUSE_SECONDS)
    connection.close()
