"""What is left of a deleted canvas goes some days later: until then moderators can still work on a report about it.

Its row stays, without a title and under an address that nobody has: the log of acts, which forgets nothing, names it.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from canvas.models import Batch, Canvas, Dream, Frame, IndexProgress, Region, Stroke
from canvas.moderation.models import Case, CoverVote
from dreamer.models import Choice, Guess, StyleOff, StyleVote
from gallery.exhibits.models import Picture
from gallery.jobs import files, requests
from gallery.models import Download, Film
from gallery.studio.models import Work
from gallery.timeline.models import QuarterHour

log = logging.getLogger(__name__)

GRACE = timedelta(days=14)
CHUNK = 500  # frames in one transaction
_OF_A_CANVAS: tuple[Any, ...] = (
    Batch,
    Stroke,
    IndexProgress,
    Region,
    Dream,
    CoverVote,
    QuarterHour,
    Guess,
    StyleOff,
    StyleVote,
    Choice,
)


def purge_due() -> int:
    """Purges every canvas whose grace is over; how many there were. Killed at any instant it goes on the next time."""
    due = Canvas.objects.filter(deleted_at__lte=timezone.now() - GRACE).exclude(title="")
    found = list(due)
    for canvas in found:
        purge(canvas)
    return len(found)


def purge(canvas: Canvas) -> None:
    """Films, frames and their files, the journal and all that was counted from it."""
    withdraw(canvas)
    with transaction.atomic():
        Canvas.objects.lock(canvas.pk)
        Canvas.objects.filter(pk=canvas.pk).update(frame=None)
        for model in _OF_A_CANVAS:
            model._default_manager.filter(canvas=canvas).delete()
    while chunk := list(Frame.objects.filter(canvas=canvas).order_by("pk")[:CHUNK]):
        _frames(chunk)
    Canvas.objects.filter(pk=canvas.pk).update(title="", head=0, maker=None)
    log.info("Canvas %s, deleted on %s, is purged.", canvas.pk, canvas.deleted_at)


def withdraw(canvas: Canvas) -> None:
    """Films and downloads go, with their files: whoever kept an address of one sees it no longer."""
    for model in (Film, Download):
        for job in model.objects.filter(canvas=canvas):
            requests.delete(job)


def withdraw_films_of_others(canvas: Canvas) -> None:
    """Films of whoever did not make the canvas."""
    films = Film.objects.filter(canvas=canvas)
    for film in films.exclude(owner=canvas.maker_id) if canvas.maker_id else films:
        requests.delete(film)


@transaction.atomic
def _frames(chunk: list[Frame]) -> None:
    gone = [frame.pk for frame in chunk]
    # Those who pointed at it keep what is their own: a case its evidence, a dream of the studio itself.
    Case.objects.filter(frame__in=gone).update(frame=None)
    Work.objects.filter(frame__in=gone).update(frame=None)
    Picture.objects.filter(Q(after_frame__in=gone) | Q(before_frame__in=gone)).delete()
    files.delete_after_commit(
        str(name) for frame in chunk for name in {frame.picture.name, frame.thumbnail.name} if name
    )
    Frame.objects.filter(pk__in=gone).delete()
