"""Heartbeats of workers: a task whose worker has sent none for a while was left behind by it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone

from dreamsite.core.clocks import lately
from dreamsite.core.tasks import WORKER
from dreamsite.core.tasks.models import WorkerHeartbeat

log = logging.getLogger(__name__)

INTERVAL_SECONDS = 4.0
DEAD_SECONDS = 20.0  # without a heartbeat


@contextmanager
def sending() -> Iterator[None]:
    """This process counts as alive inside the block: a thread sends heartbeats, whatever the others are busy with."""
    ended = threading.Event()
    _send()
    thread = threading.Thread(target=_keep_sending, args=(ended,), name="heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        WorkerHeartbeat.objects.filter(worker=WORKER).delete()


def alive() -> QuerySet[WorkerHeartbeat, str]:
    """The names of the workers that are alive.

    As a part of the query that reads what they hold, or asked after it: so one that has just started is among them.
    """
    return WorkerHeartbeat.objects.filter(lately("at", timedelta(seconds=DEAD_SECONDS))).values_list(
        "worker", flat=True
    )


def prune() -> None:
    """Forgets workers that are long dead."""
    WorkerHeartbeat.objects.filter(at__lt=timezone.now() - timedelta(days=1)).delete()


def _send() -> None:
    WorkerHeartbeat.objects.update_or_create(worker=WORKER, defaults={"at": timezone.now()})


def _keep_sending(ended: threading.Event) -> None:
    while not ended.wait(INTERVAL_SECONDS):
        try:
            _send()
        except Exception as error:
            log.warning("The worker could not send its heartbeat: %s", error)
            connection.close()
    connection.close()
