"""Asking for films, and taking them back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Max, Min

from canvas.models import Batch, Canvas, Frame
from dreamsite.core.tasks import enqueue
from gallery.films import files
from gallery.films.models import Download, Film, FilmFile, State, Track

DRAWING = {Film.Kind.HOURS: True, Film.Kind.PART: True}  # which kinds show strokes unless told otherwise


def film(canvas: Canvas, kind: str, starts_at: datetime, ends_at: datetime, **more: Any) -> Film:
    """A film to be made; the same one for the same hours or day however often it is asked for."""
    from gallery.films.tasks import make_film

    defaults = {"ends_at": ends_at, "drawing": DRAWING.get(Film.Kind(kind), False), "track": music(), **more}
    with transaction.atomic():
        if kind in (Film.Kind.HOURS, Film.Kind.DAY):
            row, made = Film.objects.get_or_create(canvas=canvas, kind=kind, starts_at=starts_at, defaults=defaults)
        else:
            row, made = Film.objects.create(canvas=canvas, kind=kind, starts_at=starts_at, **defaults), True
        if made:
            enqueue(make_film, row.pk)
    return row


def whole(canvas: Canvas, **more: Any) -> Film | None:
    """The film of everything so far; None where there is nothing."""
    moments = Frame.objects.visible().filter(canvas=canvas).order_by("number").values_list("made_at", flat=True)
    first, last = moments.first(), moments.last()
    if first is None or last is None:
        return None
    return film(canvas, Film.Kind.WHOLE, first, last + timedelta(milliseconds=1), **more)


def music() -> Track | None:
    return Track.objects.filter(for_new=True).order_by("-id").first()


def download(canvas: Canvas, day: Any, kind: str) -> Download:
    from gallery.films.tasks import make_download

    with transaction.atomic():
        row, made = Download.objects.get_or_create(canvas=canvas, day=day, kind=kind)
        if made:
            enqueue(make_download, row.pk)
    return row


def again(row: Film | Download) -> None:
    """Withdraws what was made, at once, and has it made anew."""
    from gallery.films.tasks import make_download, make_film

    with transaction.atomic():
        rows: Any = type(row).objects.select_for_update().filter(pk=row.pk)
        now = rows.first()
        if now is None:
            return
        _take_away(now)
        rows.update(state=State.WAITING, edition=now.edition + 1, holder="", fraction=0.0, message="", expected_at=None)
        if now.state != State.WAITING:  # a task for it waits in the queue already
            enqueue(make_film if isinstance(now, Film) else make_download, now.pk)


def cancel(row: Film | Download) -> bool:
    """Stops the making of it; False where there is nothing to stop."""
    rows: Any = type(row).objects.filter(pk=row.pk, state__in=[State.WAITING, State.MAKING, State.FAILED])
    return bool(rows.update(state=State.CANCELLED, holder="", expected_at=None))


def delete(row: Film | Download) -> None:
    """The row and its files go."""
    with transaction.atomic():
        _take_away(row)
        row.delete()


def frame_changed(sender: Any, frame: Frame, **kwargs: Any) -> None:
    """A frame was hidden, or shown again: films and downloads that it belongs to are withdrawn and made anew."""
    for one in Film.objects.showing(frame.canvas_id, frame.made_at).exclude(state=State.CANCELLED):
        again(one)
    day = frame.made_at.astimezone(UTC).date()
    for other in Download.objects.filter(canvas=frame.canvas_id, day=day, kind=Download.Kind.FRAMES):
        again(other)


def ink_changed(sender: Any, canvas: Canvas, numbers: list[int], **kwargs: Any) -> None:
    """Ink was hidden, or put back: what shows strokes of its time is withdrawn and made anew."""
    written = Batch.objects.filter(canvas=canvas, first__lte=max(numbers), last__gte=min(numbers))
    span = written.aggregate(first=Min("at"), last=Max("at"))
    if span["first"] is None:
        return
    drawn = Film.objects.filter(canvas=canvas, drawing=True, ends_at__gt=span["first"], starts_at__lte=span["last"])
    for one in drawn.exclude(state=State.CANCELLED):
        again(one)
    days = span["first"].astimezone(UTC).date(), span["last"].astimezone(UTC).date()
    for other in Download.objects.filter(canvas=canvas, day__range=days, kind=Download.Kind.STROKES):
        again(other)


def _take_away(row: Film | Download) -> None:
    if isinstance(row, Film):
        names = [str(name) for name in row.files.values_list("file", flat=True)]
        files.doom([*names, str(row.poster), str(row.sprite)])
        FilmFile.objects.filter(film=row).delete()
        Film.objects.filter(pk=row.pk).update(poster="", sprite="", chapters=[], tiles={}, made_at=None)
    else:
        files.doom([str(row.file)])
        Download.objects.filter(pk=row.pk).update(file="", size=0, sha256="", count=0, made_at=None)


def hours() -> timedelta:
    return timedelta(hours=settings.FILM_HOURS)
