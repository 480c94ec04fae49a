"""Requesting films, and remaking them when what is in them is hidden."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Max, Min

from canvas.models import Batch, Canvas, Frame
from dreamsite.core.tasks import enqueue
from dreamsite.core.tasks.jobs import State
from gallery.downloads.requests import remake_frames, remake_strokes
from gallery.films.models import Film, Track
from gallery.films.tasks import make_film
from gallery.jobs import requests

ORDERED = (Film.Kind.PART, Film.Kind.WHOLE)  # somebody asked for it: it is made before those of the schedule
DRAWING = {Film.Kind.HOURS, Film.Kind.PART, Film.Kind.MINE, Film.Kind.PLACE}  # which kinds show strokes by default


def request_film(canvas: Canvas, kind: str, starts_at: datetime, ends_at: datetime, **more: Any) -> Film:
    """A film to be made; the same one for the same hours or day however often it is requested."""
    defaults = {"ends_at": ends_at, "drawing": kind in DRAWING, "track": default_track(), **more}
    with transaction.atomic():
        if kind in (Film.Kind.HOURS, Film.Kind.DAY):
            film, new = Film.objects.whole().get_or_create(
                canvas=canvas, kind=kind, starts_at=starts_at, defaults=defaults
            )
        else:
            film, new = Film.objects.create(canvas=canvas, kind=kind, starts_at=starts_at, **defaults), True
        if new:
            enqueue(make_film, film.pk, first=kind in ORDERED)
    return film


def request_whole_film(canvas: Canvas, **more: Any) -> Film | None:
    """The film of everything so far; None where there is nothing."""
    moments = Frame.objects.visible().filter(canvas=canvas).order_by("number").values_list("made_at", flat=True)
    first, last = moments.first(), moments.last()
    if first is None or last is None:
        return None
    return request_film(canvas, Film.Kind.WHOLE, first, last + timedelta(milliseconds=1), **more)


def remake(film: Film, *, first: bool = False) -> None:
    """Withdraws a film, at once, and has it made anew; `first`, before all others, where somebody asks for it."""
    requests.remake(film, make_film, first=first)


def default_track() -> Track | None:
    return Track.objects.filter(for_new=True).order_by("-id").first()


def span_of_hours() -> timedelta:
    """How long a film of hours is."""
    return timedelta(hours=settings.FILM_HOURS)


def frame_changed(sender: Any, frame: Frame, **kwargs: Any) -> None:
    """A frame was hidden, or shown again: films and downloads that it belongs to are withdrawn and made anew."""
    for film in Film.objects.showing(frame.canvas_id, frame.made_at).exclude(state=State.CANCELLED):
        remake(film)
    remake_frames(frame.canvas_id, frame.made_at)


def ink_changed(sender: Any, canvas: Canvas, numbers: list[int], **kwargs: Any) -> None:
    """Ink was hidden, or put back: what shows strokes of its time is withdrawn and made anew."""
    written = Batch.objects.filter(canvas=canvas, first__lte=max(numbers), last__gte=min(numbers))
    span = written.aggregate(first=Min("at"), last=Max("at"))
    if span["first"] is None:
        return
    drawn = Film.objects.filter(canvas=canvas, drawing=True, ends_at__gt=span["first"], starts_at__lte=span["last"])
    for film in drawn.exclude(state=State.CANCELLED):
        remake(film)
    remake_strokes(canvas, span["first"], span["last"])
