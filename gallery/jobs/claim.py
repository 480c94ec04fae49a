"""Claiming a job, saying how far it is, and letting go.

A row belongs to the worker its `holder` names, for as long as that worker lives. Whatever is written to it asks for
holder and edition: a job that was cancelled, withdrawn or taken over meanwhile takes no more updates.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, TypeVar

from django.utils import timezone

from dreamsite.core.tasks import WORKER, Interrupted, heartbeats, pause_point
from gallery.jobs.models import BackgroundJob, State

log = logging.getLogger(__name__)

JobT = TypeVar("JobT", bound=BackgroundJob)
UPDATE_SECONDS = 1.0
CLAIMABLE = (State.WAITING, State.MAKING, State.FAILED)


class ClaimLost(Exception):
    """It was cancelled, withdrawn or taken over: what was made so far is not wanted."""


class Progress:
    """Writes how far the job is, about once a second. Raises ClaimLost or Interrupted where it must not go on."""

    def __init__(self, job: BackgroundJob) -> None:
        self._job = job
        self._written_at = 0.0
        self._began: tuple[float, float] | None = None  # when, and at which fraction

    def __call__(self, fraction: float) -> None:
        now = time.monotonic()
        if self._began is None:
            self._began = now, fraction
        if now - self._written_at < UPDATE_SECONDS:
            return
        pause_point()
        self._written_at = now
        began, done = self._began
        expected = None
        if fraction - done > 0.005:
            expected = timezone.now() + timedelta(seconds=(now - began) / (fraction - done) * (1 - fraction))
        update(self._job, fraction=round(fraction, 4), expected_at=expected)

    def pause(self) -> None:
        """During long work whose progress is unknown."""
        pause_point()


def update(job: BackgroundJob, **columns: Any) -> None:
    """Writes to a row that this worker holds. Raises ClaimLost."""
    if not _held(job).update(**columns):
        raise ClaimLost(f"{job} is not wanted any more, or is made by another worker")


@contextlib.contextmanager
def claimed(model: type[JobT], pk: int) -> Iterator[JobT | None]:
    """The row, held by this worker; None where there is nothing to do: it is made, or another worker holds it."""
    job = _claim(model, pk)
    try:
        yield job
    except ClaimLost as error:
        log.info("Dropped: %s.", error)
    except Interrupted:
        if job:
            _held(job).update(state=State.WAITING, holder="", expected_at=None)
        raise
    except Exception as error:
        if job:
            _held(job).update(state=State.FAILED, holder="", expected_at=None, message=f"{error}"[:300])
        raise


def _held(job: BackgroundJob) -> Any:
    return type(job)._default_manager.filter(pk=job.pk, holder=WORKER, edition=job.edition, state=State.MAKING)


def _claim(model: type[JobT], pk: int) -> JobT | None:
    rows = model._default_manager.filter(pk=pk)
    job = rows.first()
    if job is None or job.state not in CLAIMABLE:
        return None
    if job.state == State.MAKING and job.holder in heartbeats.alive():
        return None
    free = rows.filter(state=job.state, holder=job.holder, edition=job.edition)
    if not free.update(state=State.MAKING, holder=WORKER, message="", expected_at=None):
        return None
    return rows.get()
