"""The film of everything, as the farewell shows it and requests it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.db.models import F
from django.utils import timezone

from canvas import strokes
from canvas.models import Canvas
from dreamsite.core.models import SiteState
from dreamsite.core.tasks import periodic_task
from gallery.films.models import Film
from gallery.films.requests import request_whole_film

LAST_FRAME_TIMEOUT = timedelta(minutes=15)  # for the last frame; a dreamer that is not running makes none


@dataclass(frozen=True)
class File:
    address: str
    type: str


@dataclass(frozen=True)
class WholeFilm:
    """The whole film of a canvas: ready, or `percent` of the way there."""

    ready: bool
    percent: int
    page: str = ""
    poster: str = ""
    width: int = 0
    height: int = 0
    files: tuple[File, ...] = ()


def newest(canvas: Canvas) -> WholeFilm | None:
    """The newest one that is ready, else the one being made, else None."""
    every = Film.objects.whole().filter(canvas=canvas, kind=Film.Kind.WHOLE).order_by("-ends_at", "-pk")
    if (film := every.ready().first()) is not None:
        # What nobody could play in a page is offered on the film's own.
        files = tuple(File(file.file.url, file.mime) for file in film.files.exclude(codec="lossless"))
        poster = film.poster.url if film.poster else ""
        return WholeFilm(True, 100, film.get_absolute_url(), poster, film.width, film.height, files)
    film = every.open().first()
    return WholeFilm(False, film.percent) if film else None


def all_ink_in_frames() -> bool:
    """Whether every canvas has all its ink in a frame."""
    return not Canvas.objects.filter(head__gt=0).exclude(frame__seq__gte=F("head")).exists()


@periodic_task
def request_whole_films() -> None:
    """Once the project has ended and the last frames are there: the whole film of each canvas, once."""
    ended_at = SiteState.objects.filter(id=1).values_list("ended_at", flat=True).first()
    now = timezone.now()
    if ended_at is None or ended_at > now or not (all_ink_in_frames() or now - ended_at > LAST_FRAME_TIMEOUT):
        return
    for canvas in Canvas.objects.listed().exclude(frame=None):
        requested = Film.objects.whole().filter(canvas=canvas, kind=Film.Kind.WHOLE, requested_at__gte=ended_at)
        if not requested.exists():
            strokes.index(canvas)  # the farewell counts them
            request_whole_film(canvas)
