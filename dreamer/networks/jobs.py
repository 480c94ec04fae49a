"""The kinds of long work on networks, and what is asked of each: one row for each kind and network.

How a job is claimed, held and ended is the same everywhere (dreamsite.core.tasks.jobs).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import transaction

from dreamer.models import Job
from dreamsite.core.tasks import NETWORKS, QUICK, enqueue, task
from dreamsite.core.tasks.jobs import Progress, State, claim, finish, give_back, holding

FIRST = (Job.Kind.FETCH, Job.Kind.IMPORT, Job.Kind.MEASURE, Job.Kind.PICTURES)  # what goes before what

Handler = Callable[[Job, Progress], str]  # returns what there is to say when it is done
_handlers: dict[str, Handler] = {}


class Deferred(Exception):
    """It goes on behind what waits now."""


def handler(kind: Job.Kind) -> Callable[[Handler], Handler]:
    """Registers what does this kind of job."""

    def register(function: Handler) -> Handler:
        _handlers[kind] = function
        return function

    return register


def request(kind: Job.Kind, network: str, *, by: Any = None, instead: bool = False, **options: Any) -> bool:
    """Requests a job; False where that very job is waiting or under way already. `instead`: then it is dropped."""
    fresh = {"done": 0, "total": 0, "options": options, "by": by}
    with transaction.atomic():
        job, new = Job.objects.get_or_create(kind=kind, network=network, defaults=fresh)
        if not new:
            unchanged = Job.objects.filter(pk=job.pk, edition=job.edition)
            if not instead:
                busy = Job.objects.running() | Job.objects.filter(state=State.WAITING)
                unchanged = unchanged.exclude(pk__in=busy)
            if not unchanged.restart(**fresh):
                return False
        _enqueue(job)
    return True


@task(queue_name=NETWORKS)
def network_job(pk: int) -> None:
    """Does a job that takes minutes."""
    _do(pk)


@task(queue_name=QUICK)
def preview_job(pk: int) -> None:
    """Does a job that somebody waits for."""
    _do(pk)


def _do(pk: int) -> None:
    if job := claim(Job, pk):
        with holding(job):
            try:
                message = _handlers[job.kind](job, Progress(job))
            except Deferred:
                if give_back(job):
                    _enqueue(job)
            else:
                finish(job, message=message)


def _enqueue(job: Job) -> None:
    enqueue(preview_job if job.kind == Job.Kind.PREVIEW else network_job, job.pk)


def give_way(job: Job) -> None:
    """Raises Deferred where something waits that matters more: pictures take long, and nobody needs them now."""
    first = FIRST[: FIRST.index(Job.Kind(job.kind))]
    if Job.objects.filter(state=State.WAITING, kind__in=first).exists():
        raise Deferred
