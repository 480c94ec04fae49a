"""What the worker does for the studio by the clock."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from dreamsite.core.tasks import enqueue, periodic_task
from dreamsite.core.tasks.jobs import OPEN, State
from gallery.studio import queue, video
from gallery.studio.models import Journey, Original, Work

ORIGINALS_STAY = timedelta(days=7)
TRIES_STAY = timedelta(days=7)  # sketches, previews, and what failed or was cancelled


@periodic_task
def forget() -> None:
    """Deletes originals after a week, unless their owner keeps them, and what was only tried."""
    now = timezone.now()
    for original in Original.objects.filter(keep=False, created_at__lt=now - ORIGINALS_STAY)[:50]:
        original.delete()
    tried = Work.objects.exclude(state__in=OPEN).filter(created_at__lt=now - TRIES_STAY)
    for work in tried.exclude(kind__in=Work.KEPT, state=State.DONE).filter(journey=None)[:200]:
        work.delete()
    for journey in Journey.objects.filter(created_at__lt=now - TRIES_STAY)[:50]:
        if not Work.objects.filter(journey=journey, created_at__gte=now - TRIES_STAY).exists():
            journey.forget()
    video.sweep()


@periodic_task
def take_up() -> None:
    """Works whose turn was lost with a worker or a queue get another one."""
    old = Work.objects.filter(state=State.WAITING, created_at__lt=timezone.now() - timedelta(minutes=2))
    lost = Work.objects.abandoned().exists() or old.exists()
    if lost and not Work.objects.running().exists():
        enqueue(queue.turn)
