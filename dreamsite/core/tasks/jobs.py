"""Long work as rows: one worker at a time holds a row, writes how far it is, and says how it ended.

    class Film(BackgroundJob): ...

    @task(queue_name=SLOW)
    def make_film(pk: int) -> None:
        if film := jobs.claim(Film, pk):         # None: done, cancelled, or held by another worker
            with jobs.holding(film):             # gives it back, or writes why it failed
                progress = jobs.Progress(film)
                ...                              # progress(0.4), progress.pause()
                jobs.finish(film, frames=12)

A row belongs to the worker that `holder` names for as long as that worker's heartbeat is heard
(`dreamsite.core.tasks.heartbeats`): whoever is killed holds nothing any more, and the next claim finds the row.
Whatever is written to it asks for holder and edition, so a job that was cancelled, begun anew or taken over takes no
more updates.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, ClassVar, TypeVar

from django.db import OperationalError, connection, models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from dreamsite.core.tasks import WORKER, Interrupted, heartbeats, pause_point

log = logging.getLogger(__name__)

UPDATE_SECONDS = 1.0
ATTEMPTS = 5  # workers that may end while they hold a job before it counts as what ended them


class ClaimLost(Exception):
    """It was cancelled, begun anew or taken over: what was made so far is not wanted."""


class JobFailed(Exception):
    """It cannot be done, for a reason that people can read; it is not tried again."""


class State(models.TextChoices):
    WAITING = "waiting", _("Waiting")
    RUNNING = "running", _("Running")
    DONE = "done", _("Done")
    EMPTY = "empty", _("Nothing to show")
    FAILED = "failed", _("Failed")
    CANCELLED = "cancelled", _("Cancelled")


OPEN = (State.WAITING, State.RUNNING)

JobT = TypeVar("JobT", bound="BackgroundJob")


class JobQuerySet(models.QuerySet[JobT]):
    def open(self) -> JobQuerySet[JobT]:
        """What waits or is under way."""
        return self.filter(state__in=OPEN)

    def running(self) -> JobQuerySet[JobT]:
        """What a living worker holds."""
        return self.filter(state=State.RUNNING, holder__in=heartbeats.alive())

    def abandoned(self) -> JobQuerySet[JobT]:
        """What was held by a worker that is gone."""
        return self.filter(state=State.RUNNING).exclude(holder__in=heartbeats.alive())

    def claimable(self) -> JobQuerySet[JobT]:
        """What this worker may claim. What it holds itself it began before, and could not write how that ended."""
        states = (State.WAITING, State.FAILED) if self.model.RETRIED else (State.WAITING,)
        others = heartbeats.alive().exclude(worker=WORKER)
        return self.filter(Q(state__in=states) | Q(state=State.RUNNING) & ~Q(holder__in=others))

    def cancel(self, **columns: Any) -> int:
        """Stops what has not ended; how many. What failed and would be tried again counts as not ended."""
        states = (*OPEN, State.FAILED) if self.model.RETRIED else OPEN
        ended = {"holder": "", "expected_at": None, "finished_at": timezone.now()}
        return self.filter(state__in=states).update(state=State.CANCELLED, **ended, **columns)

    def restart(self, **columns: Any) -> int:
        """Has them done anew: whoever is at one now loses its claim. How many; each needs a task again."""
        begin = {"attempts": 0, "fraction": 0.0, "message": "", "expected_at": None, "finished_at": None}
        return self.update(state=State.WAITING, holder="", edition=F("edition") + 1, **begin, **columns)


class BackgroundJob(models.Model):
    """Something that a worker does. Its manager is a JobQuerySet."""

    RETRIED: ClassVar[bool] = False  # whether whatever raises is tried again by the queue

    state = models.CharField(max_length=9, choices=State.choices, default=State.WAITING, editable=False)
    holder = models.CharField(max_length=64, blank=True, editable=False)  # dreamsite.core.tasks.WORKER of who has it
    edition = models.PositiveIntegerField(default=1, editable=False)  # how often it was begun anew
    attempts = models.PositiveSmallIntegerField(default=0, editable=False)  # claims that were not given back
    fraction = models.FloatField(default=0.0, editable=False)  # how far it is, 0 to 1
    expected_at = models.DateTimeField(null=True, editable=False)  # when it will be done, by its pace so far
    message = models.TextField(blank=True, editable=False)  # why it failed, or what there is to say
    started_at = models.DateTimeField(null=True, editable=False)  # when it was last claimed
    finished_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        abstract = True

    @property
    def is_open(self) -> bool:
        return self.state in OPEN

    @property
    def percent(self) -> int:
        return int(self.fraction * 100)

    @property
    def seconds_left(self) -> int | None:
        if self.state != State.RUNNING or self.expected_at is None:
            return None
        return max(1, round((self.expected_at - timezone.now()).total_seconds()))


def claim(model: type[JobT], pk: int) -> JobT | None:
    """The row, held by this worker from now on; None where there is nothing to do, or another worker holds it."""
    job = _rows(model).filter(pk=pk).claimable().first()
    if job is None:
        return None
    unchanged = _rows(model).filter(pk=pk, state=job.state, holder=job.holder, edition=job.edition)
    now = timezone.now()
    if job.attempts >= ATTEMPTS:
        words = f"{job.attempts} workers ended while they were at it."
        unchanged.update(state=State.FAILED, holder="", message=words, finished_at=now)
        return None
    taken = {"attempts": F("attempts") + 1, "message": "", "expected_at": None, "started_at": now, "finished_at": None}
    if not unchanged.update(state=State.RUNNING, holder=WORKER, **taken):
        return None
    return _rows(model).get(pk=pk)


@contextlib.contextmanager
def holding(job: BackgroundJob) -> Iterator[None]:
    """While this worker is at a job that it claimed: however the block is left, the row says so.

    ClaimLost and JobFailed end here. Interrupted gives the job back and goes on; so does any other error where the
    queue tries it again (`RETRIED`), else it is logged.
    """
    try:
        yield
    except ClaimLost as error:
        log.info("Dropped: %s.", error)
    except JobFailed as error:
        _end(job, State.FAILED, message=str(error))
    except Interrupted:
        give_back(job)
        raise
    except Exception as error:
        words = str(error) or type(error).__name__
        if job.RETRIED:
            _end(job, State.FAILED, message=words, attempts=F("attempts") - 1)
            raise
        log.exception("%s failed.", job)
        _end(job, State.FAILED, message=words)


def finish(job: BackgroundJob, state: State = State.DONE, **columns: Any) -> None:
    """Writes that it is done, and what came out. Raises ClaimLost where that is not wanted any more."""
    fraction = 1.0 if state == State.DONE else job.fraction
    if not _end(job, state, **{"fraction": fraction, **columns}):
        raise _lost(job)


def give_back(job: BackgroundJob) -> bool:
    """Lets go of a job that another worker may go on with; False where it was no longer held."""
    return bool(_held(job).update(state=State.WAITING, holder="", expected_at=None, attempts=F("attempts") - 1))


def write(job: BackgroundJob, **columns: Any) -> None:
    """Writes columns of a job that this worker holds. Raises ClaimLost where it does not any more."""
    if not _held(job).update(**columns):
        raise _lost(job)


def let_go(job: BackgroundJob) -> bool:
    """Lets go of a job that could not be done for a reason that will pass: it counts as an attempt; False where it was
    no longer held, or has had as many attempts as there are."""
    if job.attempts >= ATTEMPTS:
        return False
    return bool(_held(job).update(state=State.WAITING, holder="", expected_at=None))


class Progress:
    """Writes how far a job is, every `seconds`. Raises ClaimLost or Interrupted where it must not go on."""

    def __init__(self, job: BackgroundJob, seconds: float | None = None) -> None:
        self._job = job
        self._seconds = seconds
        self._written_at = float("-inf")
        self._began: tuple[float, float] | None = None  # when, and at which fraction

    def __call__(self, fraction: float, **columns: Any) -> bool:
        """Whether it was time to write."""
        now = time.monotonic()
        if self._began is None:
            self._began = now, fraction
        if not self._due():
            return False
        began, done = self._began
        expected = None
        if fraction - done > 0.005:
            expected = timezone.now() + timedelta(seconds=(now - began) / (fraction - done) * (1 - fraction))
        self.update(fraction=round(fraction, 4), expected_at=expected, **columns)
        return True

    def pause(self) -> None:
        """Where there is nothing new to write: asks, as often, whether the job is still wanted."""
        pause_point()
        if self._due():
            self.update()

    def update(self, **columns: Any) -> None:
        """Writes these columns now; without any, it only asks whether the job is still wanted."""
        pause_point()
        self._written_at = time.monotonic()
        try:
            held = _held(self._job).update(**columns) if columns else _held(self._job).exists()
        except OperationalError as error:  # the database is away for a moment: the work itself needs none
            log.warning("%s: its progress could not be written: %s", self._job, error)
            connection.close_if_unusable_or_obsolete()
            return
        if not held:
            raise _lost(self._job)

    def _due(self) -> bool:
        seconds = UPDATE_SECONDS if self._seconds is None else self._seconds
        return time.monotonic() - self._written_at >= seconds


def _rows(model: type[JobT]) -> JobQuerySet[JobT]:
    return JobQuerySet(model)


def _held(job: BackgroundJob) -> JobQuerySet[Any]:
    return _rows(type(job)).filter(pk=job.pk, holder=WORKER, edition=job.edition, state=State.RUNNING)


def _end(job: BackgroundJob, state: State, **columns: Any) -> bool:
    ended = {"holder": "", "expected_at": None, "finished_at": timezone.now()}
    return bool(_held(job).update(state=state, **ended, **columns))


def _lost(job: BackgroundJob) -> ClaimLost:
    return ClaimLost(f"{job} is not wanted any more, or another worker holds it")
