"""Requesting the downloads of a day, and remaking them when what is in them is hidden."""

from __future__ import annotations

from datetime import UTC, date, datetime

from django.db import transaction

from canvas.models import Canvas
from dreamsite.core.tasks import enqueue
from gallery.downloads.models import Download
from gallery.downloads.tasks import make_download
from gallery.jobs import requests


def request_download(canvas: Canvas, day: date, kind: str) -> Download:
    """A download to be made; the same one however often it is requested."""
    with transaction.atomic():
        row, new = Download.objects.get_or_create(canvas=canvas, day=day, kind=kind)
        if new:
            enqueue(make_download, row.pk)
    return row


def remake_frames(canvas_id: int, at: datetime) -> None:
    """A frame of this moment was hidden, or shown again."""
    day = at.astimezone(UTC).date()
    for row in Download.objects.filter(canvas=canvas_id, day=day, kind=Download.Kind.FRAMES):
        requests.remake(row, make_download)


def remake_strokes(canvas: Canvas, first: datetime, last: datetime) -> None:
    """Ink of this time was hidden, or put back."""
    days = first.astimezone(UTC).date(), last.astimezone(UTC).date()
    for row in Download.objects.filter(canvas=canvas, day__range=days, kind=Download.Kind.STROKES):
        requests.remake(row, make_download)
