"""What the worker does for the studio by the clock."""

from __future__ import annotations

from datetime import timedelta

from django.core.files.storage import default_storage
from django.utils import timezone

from dreamsite.core.tasks import enqueue, periodic_task
from dreamsite.core.tasks.jobs import OPEN, State
from gallery.studio import jobs, pieces, queue, reading
from gallery.studio.models import DAY, Journey, Original, Spent, Work

ORIGINALS_STAY = timedelta(days=7)
UNREAD_STAY = timedelta(hours=1)  # of bytes that nothing names
TRIES_STAY = timedelta(days=7)  # sketches, previews, prints, and what failed or was cancelled


@periodic_task
def forget() -> None:
    """Deletes originals after a week, unless their owner keeps them or shows them, and what was only tried."""
    now = timezone.now()
    shown = Work.objects.filter(show_before=True, requested_at__isnull=False, original__isnull=False).values("original")
    old = Original.objects.filter(keep=False, created_at__lt=now - ORIGINALS_STAY).exclude(pk__in=shown)
    for original in old[:50]:
        original.delete()
    tried = Work.objects.exclude(state__in=OPEN).filter(created_at__lt=now - TRIES_STAY)
    for work in tried.exclude(kind__in=Work.KEPT, state=State.DONE).filter(journey=None)[:200]:
        work.delete()
    for journey in Journey.objects.filter(created_at__lt=now - TRIES_STAY)[:50]:
        if not Work.objects.filter(journey=journey, created_at__gte=now - TRIES_STAY).exists():
            journey.forget()
    Spent.objects.filter(at__lt=now - DAY).delete()
    jobs.forget_passing(Work.objects.ended())
    pieces.sweep()
    _forget_unread()


@periodic_task
def take_up() -> None:
    """Works whose turn was lost with a worker or a queue get another one."""
    if queue.lost():
        enqueue(queue.turn)


def _forget_unread() -> None:
    """Deletes videos that came, and whose request ended before it could say so."""
    Work.objects.arriving().filter(created_at__lt=timezone.now() - UNREAD_STAY).delete()
    try:
        _folders, found = default_storage.listdir(reading.UNREAD)
    except FileNotFoundError:
        return
    names = {f"{reading.UNREAD}/{name}" for name in found}
    for name in names - set(Work.objects.filter(upload__in=names).values_list("upload", flat=True)):
        if default_storage.get_modified_time(name) < timezone.now() - UNREAD_STAY:
            default_storage.delete(name)
