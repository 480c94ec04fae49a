"""Requesting films, and remaking them when what is in them is hidden."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
from django.conf import settings
from django.db import transaction
from django.db.models import Max, Min

from canvas.models import Batch, Canvas, Frame, Stroke
from dreamsite.core.tasks import enqueue
from dreamsite.core.tasks.jobs import State
from gallery.downloads.requests import remake_frames, remake_strokes
from gallery.films import source
from gallery.films.models import CHANGED, Film, FilmQuerySet, Shots, Track
from gallery.films.tasks import make_film
from gallery.jobs import requests

LOOKED_THROUGH = 100_000  # numbers of the journal, for whose ink was hidden
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
            enqueue(make_film, film.pk, **film.turn)
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
    requests.remake(film, make_film, first=first, last=film.by_member)


def default_track() -> Track | None:
    return Track.objects.filter(for_new=True).order_by("-id").first()


def span_of_hours() -> timedelta:
    """How long a film of hours is."""
    return timedelta(hours=settings.FILM_HOURS)


def frame_changed(sender: Any, frame: Frame, **kwargs: Any) -> None:
    """A frame was hidden, or shown again: films and downloads that it belongs to are withdrawn and made anew."""

    def touched(film: Film) -> bool:
        shots = source.shots(film)
        return shots is None or frame.pk in shots["frame"]

    _changed(Film.objects.showing(frame.canvas_id, frame.made_at), touched)
    remake_frames(frame.canvas_id, frame.made_at)


def ink_changed(sender: Any, canvas: Canvas, numbers: list[int], **kwargs: Any) -> None:
    """Ink was hidden, or put back: what shows strokes of its time is withdrawn and made anew.

    What people have for themselves shows none of the dreams either that had grown from it.
    """
    written = Batch.objects.filter(canvas=canvas, first__lte=max(numbers), last__gte=min(numbers))
    span = written.aggregate(first=Min("at"), last=Max("at"))
    if span["first"] is None:
        return
    after = Film.objects.filter(canvas=canvas, ends_at__gt=span["first"])
    during = after.filter(owner=None, shape="", drawing=True, starts_at__lte=span["last"])
    members = after.exclude(owner=None, shape="")
    boxes = _boxes(canvas, sorted(numbers)) if members.filter(state=State.DONE).exists() else None

    def touched(film: Film) -> bool:
        area = Shots.objects.filter(film=film).values_list("area", flat=True).first()
        if area is None or boxes is None:
            return True
        left, top, right, bottom = boxes.T
        return bool(((left < area[2]) & (right > area[0]) & (top < area[3]) & (bottom > area[1])).any())

    _changed(during, touched)
    _changed(members, touched)
    remake_strokes(canvas, span["first"], span["last"])


def _changed(films: FilmQuerySet, touched: Callable[[Film], bool]) -> None:
    """Films for everybody are made anew. What people have for themselves, and clips, is not: one act may concern
    hundreds, which everybody's films would wait behind. It is withdrawn where its picture is touched."""
    for film in films.exclude(state=State.CANCELLED):
        if not film.by_member or film.is_open:
            remake(film)
        elif film.state == State.DONE and touched(film):
            film.withdraw()
            Film.objects.filter(pk=film.pk).update(state=State.CANCELLED, message=CHANGED)


def _boxes(canvas: Canvas, numbers: list[int]) -> npt.NDArray[np.int64] | None:
    """left, top, right, bottom of the strokes that have any of these numbers, px; None: they may be anywhere."""
    if numbers[-1] - numbers[0] > LOOKED_THROUGH:
        return None
    rows = Stroke.objects.filter(canvas=canvas, first_seq__lte=numbers[-1], last_seq__gte=numbers[0])
    boxes = [
        box
        for first, last, *box in rows.values_list("first_seq", "last_seq", "left", "top", "right", "bottom")
        if bisect_left(numbers, first) < bisect_right(numbers, last)
    ]
    return np.array(boxes, np.int64) if boxes else None
