"""A canvas that begins anew each day: its days are canvases of their own, and go to the archive when they are over."""

from __future__ import annotations

from datetime import date, datetime

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Coalesce
from django.utils import timezone, translation
from django.utils.formats import date_format

from canvas import notify
from canvas.models import Canvas, Rules, secret_slug
from dreamsite.core.models import SiteState

# What a day has of the canvas it is a day of.
SAME = ("width", "height", "background", "front", "growth", "hold", "rhythm", "listed")
SAME_RULES = ("members_only", "reactions")
NAME = 29  # letters of its slug; with the date they fit the column


def day_at(moment: datetime) -> date:
    """Which day it is then, where the site's days begin (settings.DAILY_ZONE)."""
    return moment.astimezone(settings.DAILY_ZONE).date()


def today(canvas: Canvas) -> Canvas:
    """What people see and draw on at this canvas' address: for a daily one its day, made as the first one comes."""
    if not canvas.daily:
        return canvas
    if SiteState.ended() or canvas.closed_at or canvas.deleted_at:
        return latest(canvas)
    day = day_at(timezone.now())
    found = canvas.days.select_related("frame", "day_of").filter(day=day).first()
    return found or _begin(canvas, day)


def latest(canvas: Canvas) -> Canvas:
    """The newest day there is; the canvas itself where there is none, or it is no daily one."""
    days = canvas.days.select_related("frame", "day_of") if canvas.daily else Canvas.objects.none()
    return days.order_by("-day").first() or canvas


@transaction.atomic
def _begin(canvas: Canvas, day: date) -> Canvas:
    with translation.override(settings.LANGUAGE_CODE):  # whoever comes first does not name it for all
        written = date_format(day, "DATE_FORMAT")
    name = canvas.slug if len(canvas.slug) <= NAME else f"{canvas.slug[: NAME - 10]}-{canvas.pk}"
    fields = {name: getattr(canvas, name) for name in SAME} | {
        # A part of a key and a date would be a key that logs do not know.
        "slug": f"{name}-{day:%Y-%m-%d}" if canvas.listed else secret_slug(),
        "title": f"{canvas.title[:50]}, {written}",
    }
    made, new = Canvas.objects.get_or_create(day_of=canvas, day=day, defaults=fields)
    if new and (rules := Rules.objects.filter(canvas=canvas).first()):
        Rules.objects.create(canvas=made, **{name: getattr(rules, name) for name in SAME_RULES})
    return made


def put_away() -> int:
    """Archives the days that are over; how many there were. Whoever is still there is told."""
    now = timezone.now()
    over = Canvas.objects.filter(day__lt=day_at(now), archived_at=None)
    slugs = list(over.values_list("slug", flat=True))
    if slugs:
        over.filter(slug__in=slugs).update(archived_at=now, closed_at=Coalesce("closed_at", now))
    for slug in slugs:
        notify.look(slug)
    return len(slugs)
