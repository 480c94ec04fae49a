"""Which old dreams lose their large picture, and taking it.

The rule, as docs/operating.md tells it: after KEEP_ALL_DAYS, of the dreams that nobody drew on, one is kept in every
KEEP_ONE_MINUTES; the others keep their page, their recipe and their small picture. Whatever somebody drew on stays, and
so does what anybody points to: the base of a canvas, highlights, exhibits, frames that are linked from a page's or an
exhibit's text, reported ones, those in the studio, the first, the last and the chapters of films, and all frames of
films that are not made yet; and what a canvas gets back where a moderator's act is taken back.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone

from canvas import thumbnails
from canvas.models import Canvas, Frame, Growth
from canvas.moderation.cases.models import Case
from canvas.moderation.models import Act
from dreamsite.core.tasks.jobs import State
from gallery.exhibits.models import Exhibit, Picture
from gallery.films.models import Film
from gallery.frames import is_quiet
from gallery.highlights.models import Highlight
from gallery.jobs import files
from gallery.pages.models import Page
from gallery.studio.models import Work

LINK = re.compile(r"/frames/([0-9]{1,18})\b")
AT_ONCE = 200  # frames in a transaction


@dataclass(frozen=True)
class Thinnable:
    """A frame whose picture of `size` bytes goes."""

    pk: int
    number: int
    size: int


def plan(canvas: Canvas, now: datetime | None = None) -> Iterator[Thinnable]:
    """What the rule takes, oldest first; nothing where everything is kept for ever."""
    if not settings.KEEP_ALL_DAYS:
        return
    before = (now or timezone.now()) - timedelta(days=settings.KEEP_ALL_DAYS)
    old = Frame.objects.visible().whole().filter(canvas=canvas, made_at__lt=before).order_by("made_at", "number")
    rows = old.annotate(may_go=_may_go()).values_list("pk", "number", "made_at", "size", "may_go")
    protected, seconds, last = _pointed_to(), 60 * settings.KEEP_ONE_MINUTES, None
    for pk, number, made_at, size, may_go in rows.iterator(chunk_size=2000):
        span = int(made_at.timestamp()) // seconds
        if span != last:  # the first one of the span stays, whatever it is
            last = span
        elif may_go and pk not in protected:
            yield Thinnable(pk, number, size)


def thin(canvas: Canvas, most: int = 10_000) -> tuple[int, int]:
    """Takes the pictures of at most so many frames; how many, and how many bytes."""
    # All of it before the first is taken: SQLite lets no connection write whose open SELECT is older than what others
    # wrote meanwhile.
    planned, count, freed = [each.pk for each in islice(plan(canvas), most)], 0, 0
    for at in range(0, len(planned), AT_ONCE):
        chunk = planned[at : at + AT_ONCE]
        with transaction.atomic():
            Canvas.objects.lock(canvas.pk)  # no base is set meanwhile
            still = Frame.objects.visible().whole().filter(_may_go(), pk__in=chunk).exclude(pk__in=_pointed_to())
            for frame in still.select_for_update(of=("self",)):
                width, height = thumbnails.size(frame.width, frame.height)
                count, freed = count + 1, freed + frame.size
                files.delete_after_commit([str(frame.picture.name)])
                Frame.objects.filter(pk=frame.pk).update(
                    picture=F("thumbnail"),
                    size=F("thumbnail_size"),
                    sha256=F("thumbnail_sha256"),
                    width=width,
                    height=height,
                    thinned_at=timezone.now(),
                )
            Growth.objects.filter(frame__in=chunk, frame__thinned_at__isnull=False).delete()
            # Rooms ask anew which frames can be brought back.
            Canvas.objects.filter(pk=canvas.pk).update(visibility=F("visibility") + 1)
    return count, freed


def _may_go() -> Q:
    """Dreams that nobody drew on, and that no canvas starts from."""
    return is_quiet() & Q(~Exists(Canvas.objects.filter(frame=OuterRef("pk"))), thumbnail_size__gt=0)


def _pointed_to() -> set[int]:
    """The frames that somebody or something points to, by id."""
    found: set[Any] = set(Highlight.objects.values_list("frame", flat=True))
    for name in ("after_frame", "before_frame"):
        found |= set(Picture.objects.values_list(name, flat=True))
    found |= set(Case.objects.values_list("frame", flat=True)) | set(Work.objects.values_list("frame", flat=True))
    found |= Act.objects.frames_to_go_back_to()
    for text in (*Page.objects.values_list("body", flat=True), *Exhibit.objects.values_list("statement", flat=True)):
        found |= {int(pk) for pk in LINK.findall(text)}
    numbers: dict[int, set[int]] = {}
    films = Film.objects.exclude(state__in=[State.CANCELLED, State.EMPTY])  # those show nothing, and will not
    for film in films.only("canvas", "starts_at", "ends_at", "made_at", "first_number", "last_number", "chapters"):
        if film.made_at is None:
            shown = Frame.objects.filter(canvas=film.canvas_id, made_at__gte=film.starts_at, made_at__lt=film.ends_at)
            found |= set(shown.values_list("pk", flat=True))
        else:
            numbers.setdefault(film.canvas_id, set()).update(_named(film))
    for canvas_id, named in numbers.items():
        ordered = iter(sorted(named))
        while some := list(islice(ordered, 500)):  # databases take no lists of any length
            found |= set(Frame.objects.filter(canvas=canvas_id, number__in=some).values_list("pk", flat=True))
    return found - {None}


def _named(film: Film) -> set[int]:
    """The numbers of its first, its last, and its chapters' frames."""
    named = [film.first_number, film.last_number, *(chapter.get("number") for chapter in film.chapters)]
    return {int(number) for number in named if number}
