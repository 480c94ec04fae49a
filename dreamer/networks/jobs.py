"""Long work on networks: ordered as a row, done by a worker, with progress, until it is done, fails or is cancelled.

A row belongs to the worker its `holder` names for as long as that worker lives. Whatever is written to it asks for
holder and edition: work that was cancelled or ordered anew meanwhile takes no more words.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

from django.db import OperationalError, connection, transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from dreamer.models import Job
from dreamsite.core.tasks import NETWORKS, QUICK, WORKER, Interrupted, enqueue, heartbeats, pause_point, task

log = logging.getLogger(__name__)

TELL_SECONDS = 1.0
ATTEMPTS = 3  # workers that may end at one order before it counts as what ended them
FIRST = (Job.Kind.FETCH, Job.Kind.IMPORT, Job.Kind.MEASURE, Job.Kind.PICTURES)  # what goes before what

Work = Callable[[Job, "Progress"], str]  # returns what is to be said of it when it is done
_kinds: dict[str, Work] = {}


class Dropped(Exception):
    """It was cancelled or ordered anew: nobody waits for this any more."""


class Later(Exception):
    """It goes on behind what waits now."""


class Failed(Exception):
    """It cannot be done, for a reason that people can read."""


def work(kind: Job.Kind) -> Callable[[Work], Work]:
    """Registers what does this kind of job."""

    def register(function: Work) -> Work:
        _kinds[kind] = function
        return function

    return register


def order(kind: Job.Kind, network: str, *, by: Any = None, instead: bool = False, **options: Any) -> bool:
    """Orders a job; False where that very work is waiting or under way already. `instead`: then it is dropped."""
    fresh = {
        "state": Job.State.WAITING,
        "holder": "",
        "attempts": 0,
        "done": 0,
        "total": 0,
        "message": "",
        "options": options,
        "by": by,
        "changed_at": timezone.now(),
    }
    with transaction.atomic():
        job, new = Job.objects.get_or_create(kind=kind, network=network, defaults=fresh)
        if not new:
            here = Job.objects.filter(pk=job.pk, edition=job.edition)
            if not (here if instead else here.exclude(_busy())).update(edition=F("edition") + 1, **fresh):
                return False
            job.refresh_from_db()
        _enqueue(job)
    return True


def cancel(job: Job) -> bool:
    """Cancels a job; False where it had ended already. What it had done so far may be kept for the next order."""
    return bool(
        Job.objects.open()
        .filter(pk=job.pk)
        .update(state=Job.State.CANCELLED, holder="", edition=F("edition") + 1, changed_at=timezone.now())
    )


class Progress:
    """Tells how far a job is, about once a second. Raises Dropped or Interrupted where there is no point in going on.

    `also` hears the same figures at the same pace.
    """

    def __init__(self, job: Job, also: Callable[[int, int], None] | None = None) -> None:
        self._job = job
        self._reported_at = 0.0
        self.also = also

    def __call__(self, done: int, total: int, *, force: bool = False) -> None:
        now = time.monotonic()
        if now - self._reported_at < TELL_SECONDS and not force:
            return
        pause_point()
        self._reported_at = now
        self._tell(done=done, total=total)
        if self.also:
            self.also(done, total)

    def pause(self) -> None:
        """Where there is nothing new to say: asks, about once a second, whether it is still wanted."""
        now = time.monotonic()
        if now - self._reported_at >= TELL_SECONDS:
            pause_point()
            self._reported_at = now
            self._tell()

    def check(self) -> None:
        """Asks now whether it is still wanted."""
        pause_point()
        self._tell()

    def say(self, message: str) -> None:
        """What is being done, in words."""
        self._tell(message=message)

    def _tell(self, **what: Any) -> None:
        try:
            still_mine = _mine(self._job).update(changed_at=timezone.now(), **what)
        except OperationalError as error:  # the database is away for a moment: the work itself needs none
            log.warning("%s: its progress could not be written: %s", self._job, error)
            connection.close_if_unusable_or_obsolete()
            return
        if not still_mine:
            raise Dropped(f"{self._job} is not wanted any more")


@task(queue_name=NETWORKS)
def network_job(pk: int, edition: int) -> None:
    """Does a job that takes minutes."""
    _do(pk, edition)


@task(queue_name=QUICK)
def preview_job(pk: int, edition: int) -> None:
    """Does a job that somebody waits for."""
    _do(pk, edition)


def _do(pk: int, edition: int) -> None:
    """Does a job, if that order still waits for it and nobody else is at it."""
    job = _take(pk, edition)
    if job is None:
        return
    try:
        message = _kinds[job.kind](job, Progress(job))
    except Dropped as error:
        log.info("Dropped: %s.", error)
    except Interrupted:
        _mine(job).update(state=Job.State.WAITING, holder="", attempts=F("attempts") - 1)
        raise
    except Later:
        if _mine(job).update(state=Job.State.WAITING, holder="", attempts=F("attempts") - 1):
            _enqueue(job)
    except Failed as error:
        _end(job, Job.State.FAILED, str(error))
    except Exception as error:
        log.exception("%s failed.", job)
        _end(job, Job.State.FAILED, f"{type(error).__name__}: {error}")
    else:
        _end(job, Job.State.DONE, message)


def _enqueue(job: Job) -> None:
    enqueue(preview_job if job.kind == Job.Kind.PREVIEW else network_job, job.pk, job.edition)


def give_way(job: Job) -> None:
    """Raises Later where something waits that matters more: pictures take long, and nobody needs them now."""
    first = FIRST[: FIRST.index(Job.Kind(job.kind))]
    if Job.objects.filter(state=Job.State.WAITING, kind__in=first).exists():
        raise Later


def _take(pk: int, edition: int) -> Job | None:
    job = Job.objects.open().filter(pk=pk, edition=edition).first()
    # What this worker holds it began before, and could not write how it ended.
    others = heartbeats.alive() - {WORKER}
    if job is None or (job.state == Job.State.RUNNING and job.holder in others):
        return None
    free = Job.objects.filter(pk=pk, state=job.state, holder=job.holder, edition=edition)
    if job.attempts >= ATTEMPTS:
        free.update(state=Job.State.FAILED, holder="", message=f"{ATTEMPTS} workers ended while they were at it.")
        return None
    if not free.update(state=Job.State.RUNNING, holder=WORKER, attempts=F("attempts") + 1, changed_at=timezone.now()):
        return None
    return Job.objects.get(pk=pk)


def _mine(job: Job) -> QuerySet[Job]:
    return Job.objects.filter(pk=job.pk, holder=WORKER, edition=job.edition, state=Job.State.RUNNING)


def _busy() -> Q:
    """Jobs that wait, or that a living worker is at."""
    return Q(state=Job.State.WAITING) | Q(state=Job.State.RUNNING, holder__in=heartbeats.alive())


def _end(job: Job, state: Job.State, message: str) -> None:
    _mine(job).update(state=state, holder="", message=message, changed_at=timezone.now())
