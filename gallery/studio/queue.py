"""Whose work is next: the person's whom the studio has served least lately, of theirs the smallest.

Everybody's first small work is done before anybody's third, and nobody waits without end: whoever has been served
moves back. The order is decided when a worker is free, so a task of the queue is a turn, not a work.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta

from django.db.models import Case, F, Sum, When
from django.utils import timezone

from dreamsite.core.tasks import STUDIO, WORKER, enqueue, task
from dreamsite.core.tasks.jobs import State, claim
from gallery.studio import cost
from gallery.studio.models import Work

log = logging.getLogger(__name__)

_doing: set[int] = set()  # what this process is at

LATELY = timedelta(minutes=30)  # how long a served person stays behind
TURN_LOST = timedelta(minutes=2)
CLOSED_SECONDS = 30 * 60.0  # of waiting work, and no more is taken


def submit(work: Work) -> None:
    """Saves a work in this transaction, and queues a turn for it."""
    work.save()
    enqueue(turn)


@task(queue_name=STUDIO)
def turn() -> None:
    """Does the next work, whosever it is."""
    from gallery.studio import jobs

    work = take()
    if work is None:
        return
    _doing.add(work.pk)
    try:
        again = jobs.run(work, submit)
    finally:
        _doing.discard(work.pk)
    if again:
        enqueue(turn)


def lost() -> bool:
    """Whether a work has no turn: its worker is gone, or could not write how it ended, or the queue was lost."""
    forgotten = Work.objects.filter(state=State.RUNNING, holder=WORKER).exclude(pk__in=_doing)
    if Work.objects.running().exclude(pk__in=forgotten.values("pk")).exists():
        return False  # its worker looks for the next one
    old = Work.objects.filter(state=State.WAITING, created_at__lt=timezone.now() - TURN_LOST)
    old = old.exclude(pk__in=Work.objects.arriving().values("pk"))
    return Work.objects.abandoned().exists() or forgotten.exists() or old.exists()


def take() -> Work | None:
    """Claims the next work for this worker; None where nothing waits."""
    return next(filter(None, (claim(Work, work.pk) for work in in_order())), None)


def waiting() -> list[Work]:
    """What nobody is at: new works, and those whose worker has ended."""
    fields = ("pk", "owner_id", "units", "fraction", "network")
    claimable = Work.objects.claimable().exclude(pk__in=Work.objects.arriving().values("pk"))
    return list(claimable.only(*fields).order_by("pk"))


def in_order() -> Iterator[Work]:
    """What waits, in the order in which it will be done if nothing more comes."""
    of: dict[int, list[Work]] = defaultdict(list)
    for work in waiting():
        of[work.owner_id].append(work)
    for works in of.values():
        works.sort(key=lambda work: (left(work), work.pk))
    since = timezone.now() - LATELY
    served = dict.fromkeys(of, 0.0) | dict(
        Work.objects.filter(owner__in=of, started_at__gte=since)
        .values_list("owner")
        # A film that gave way to others has been served in part.
        .annotate(sum=Sum(Case(When(state=State.WAITING, then=F("units") * F("fraction")), default=F("units"))))
    )
    while of:
        person = min(of, key=lambda one: (served[one], of[one][0].pk))
        work = of[person].pop(0)
        served[person] += left(work)
        if not of[person]:
            del of[person]
        yield work


def left(work: Work) -> float:
    """What is left to do of a work, in units."""
    return work.units * (1 - work.fraction)


def ahead(work: Work) -> tuple[int, float]:
    """(how many works come before, seconds until this one is done) as things stand."""
    speed = cost.speed(work.network)
    running = Work.objects.running().exclude(pk=work.pk)
    units = sum(u * (1 - f) for u, f in running.values_list("units", "fraction"))
    count = len(running)
    for other in in_order():
        if other.pk == work.pk:
            break
        units += left(other)
        count += 1
    return count, (units + left(work)) / speed


def closed() -> bool:
    """Whether so much waits that nothing more is taken."""
    return sum(left(work) / cost.USUAL_SPEED for work in waiting()) > CLOSED_SECONDS
