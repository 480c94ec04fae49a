"""Signs of life: a task whose worker has given none for a while was left behind by it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.db import connection
from django.utils import timezone

from dreamsite.tasks import WORKER
from dreamsite.tasks.models import WorkerBeat

log = logging.getLogger(__name__)

BEAT_SECONDS = 4.0
DEAD_SECONDS = 20.0  # without a beat


@contextmanager
def beating() -> Iterator[None]:
    """This process counts as alive inside the block; a thread says so, whatever the others are busy with."""
    ended = threading.Event()
    _beat()
    thread = threading.Thread(target=_go_on, args=(ended,), name="beat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        WorkerBeat.objects.filter(worker=WORKER).delete()


def alive() -> set[str]:
    """The workers that live. Ask after reading what they hold: one that has just begun is among them."""
    since = timezone.now() - timedelta(seconds=DEAD_SECONDS)
    return set(WorkerBeat.objects.filter(at__gt=since).values_list("worker", flat=True))


def bury() -> None:
    """Forgets workers that are long dead."""
    WorkerBeat.objects.filter(at__lt=timezone.now() - timedelta(days=1)).delete()


def _beat() -> None:
    WorkerBeat.objects.update_or_create(worker=WORKER, defaults={"at": timezone.now()})


def _go_on(ended: threading.Event) -> None:
    while not ended.wait(BEAT_SECONDS):
        try:
            _beat()
        except Exception as error:
            log.warning("The worker could not say that it lives: %s", error)
            connection.close()
    connection.close()
