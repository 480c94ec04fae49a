"""Periodic tasks: films of the hours and days that are over, and what a lost task left behind."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from canvas.models import Canvas, Frame
from dreamsite.core.tasks import periodic_task
from gallery.downloads.models import Download
from gallery.downloads.requests import request_download
from gallery.downloads.tasks import make_download
from gallery.films.models import Film
from gallery.films.plan import windows
from gallery.films.requests import request_film, span_of_hours
from gallery.films.tasks import make_film
from gallery.jobs import files, requests

SETTLED = timedelta(seconds=90)  # after a span's end: its last frame may still be being written
LOOK_BACK = timedelta(days=3)  # how long workers may be away until a film has to be requested by hand
DAY = timedelta(days=1)

_looked: dict[int, datetime] = {}  # canvas -> the end of the last span that was looked at


@periodic_task
def films_due() -> None:
    """Requests the films and downloads of spans that are over. Rows are unique: several workers may do so at once."""
    if not settings.FILM_HOURS:
        return
    now = timezone.now() - SETTLED
    span = span_of_hours()
    (over,) = windows([now], int(span.total_seconds()))  # everything before this is over
    for canvas in Canvas.objects.listed():
        if _looked.get(canvas.pk) == over:
            continue
        since = max(over - LOOK_BACK, _earliest(canvas))
        moments = Frame.objects.visible().filter(canvas=canvas, made_at__gte=since, made_at__lt=over)
        made = list(moments.values_list("made_at", flat=True))
        for start in sorted(windows(made, int(span.total_seconds()))):
            request_film(canvas, Film.Kind.HOURS, start, min(start + span, _midnight(start) + DAY))
        for start in sorted(windows(made, 86400)):
            if start + DAY <= over:
                request_film(canvas, Film.Kind.DAY, start, start + DAY)
                for kind in Download.Kind:
                    request_download(canvas, start.date(), kind)
        _looked[canvas.pk] = over


@periodic_task
def leftovers() -> None:
    """Pending deletions, jobs whose task was lost, and pieces of films that nobody makes any more."""
    files.delete_pending()
    requests.take_up_lost(Film, make_film)
    requests.take_up_lost(Download, make_download)
    requests.sweep(Film)
    requests.sweep(Download)


def _earliest(canvas: Canvas) -> datetime:
    """From the beginning of the day before which there is nothing."""
    first = Frame.objects.filter(canvas=canvas).order_by("number").values_list("made_at", flat=True).first()
    return _midnight(first) if first else timezone.now()


def _midnight(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)
