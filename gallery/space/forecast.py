"""How much room the site takes, and how much it will: from the rows, which know every size."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import Count, F, Q, QuerySet, Sum
from django.utils import timezone

from canvas.models import Canvas, Frame
from gallery.downloads.models import Download
from gallery.films.models import FilmFile
from gallery.frames import is_quiet
from gallery.space import compact, retention

LOOKED_AT = timedelta(days=7)


@dataclass(frozen=True)
class Forecast:
    """In bytes; the last week is what the coming year is reckoned from."""

    frames: int
    films: int
    downloads: int
    a_day: float  # of frames, films and downloads
    a_year: float  # if nothing is thinned; old dreams stored smaller, as KEEP_EXACT_DAYS says
    a_year_thinned: float | None  # by the rule; None where everything is kept
    thinnable: int  # frames that the rule takes now
    thinnable_bytes: int
    free: int | None  # on the disk; None in a bucket

    @property
    def days_left(self) -> float | None:
        return self.free / self.a_day if self.free is not None and self.a_day else None


def forecast() -> Forecast:
    week = timezone.now() - LOOKED_AT
    frames, films, downloads = Frame.objects.all(), FilmFile.objects.all(), Download.objects.all()
    oldest = frames.order_by("pk").values_list("made_at", flat=True).first()
    days = min(LOOKED_AT, timezone.now() - oldest) / timedelta(days=1) if oldest else 1.0
    days = max(days, 1 / 24)  # of the first hour nobody can tell
    new = frames.filter(made_at__gte=week)
    others = _bytes(films.filter(film__made_at__gte=week)) + _bytes(downloads.filter(made_at__gte=week))
    a_day = (_frame_bytes(new) + others) / days
    planned = [each for canvas in Canvas.objects.all() for each in retention.plan(canvas)]
    # What is stored smaller in the course of a year; in the last week, what is older than KEEP_EXACT_DAYS was.
    exact, share = Q(picture__endswith=".jpg"), 1 - compact.SHARE
    kept_exact = min(settings.KEEP_EXACT_DAYS or 365, 365)
    a_year = a_day * 365 - share * _bytes(new.dreams().filter(exact)) / days * (365 - kept_exact)
    thinned = None
    if settings.KEEP_ALL_DAYS:
        # Of what nobody drew on, one in each span stays large; the small pictures of the others stay too.
        quiet = new.filter(is_quiet()).aggregate(count=Count("pk"), large=Sum("size"), exact=Sum("size", filter=exact))
        spans = days * 24 * 60 / settings.KEEP_ONE_MINUTES
        part = max(0.0, 1 - spans / max(quiet["count"], 1))
        kept_whole = min(settings.KEEP_ALL_DAYS, 365)
        goes, smaller = (part * (quiet[name] or 0) / days for name in ("large", "exact"))
        # What goes saves all of it from then on, and not its smaller file as well.
        thinned = a_year - goes * (365 - kept_whole) + share * smaller * (365 - max(kept_whole, kept_exact))
    free = shutil.disk_usage(settings.VAR_DIR).free if settings.SERVE_MEDIA else None
    return Forecast(
        _frame_bytes(frames),
        _bytes(films),
        _bytes(downloads),
        a_day,
        a_year,
        thinned,
        len(planned),
        sum(each.size for each in planned),
        free,
    )


def _frame_bytes(frames: QuerySet[Frame]) -> int:
    # A thinned frame's large file is its small one.
    whole = frames.filter(thinned_at=None).aggregate(total=Sum(F("size") + F("thumbnail_size")))["total"]
    return (whole or 0) + (frames.exclude(thinned_at=None).aggregate(total=Sum("size"))["total"] or 0)


def _bytes(files: QuerySet[Any]) -> int:
    return int(files.aggregate(total=Sum("size"))["total"] or 0)
