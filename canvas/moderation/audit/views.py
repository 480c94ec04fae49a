"""What everybody may know and what moderators may: the log of acts, and its public monthly summary."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.dateparse import parse_date
from django.views.decorators.http import require_safe

from canvas.models import Canvas
from canvas.moderation.models import Act
from canvas.moderation.permissions import SEE_AUDIT, moderator_required

PAGE = 60


@require_safe
@moderator_required(SEE_AUDIT)
def log(request: HttpRequest) -> HttpResponse:
    """The log, newest first, filtered by `verb`, `by`, `person`, `canvas`, `since`, `until`, `q` and `op`."""
    asked = {
        name: request.GET.get(name, "").strip()[:200]
        for name in ("verb", "by", "person", "canvas", "since", "until", "q", "op")
    }
    found = Act.objects.select_related("canvas", "undoes", "undone_by").filter(_test(asked))
    if (before := request.GET.get("before", "")).isdecimal() and len(before) < 19:
        found = found.filter(pk__lt=int(before))
    acts = list(found.order_by("-pk")[: PAGE + 1])
    more = len(acts) > PAGE
    acts = acts[:PAGE]
    # Rows of one operation that follow each other are shown as one.
    groups = [list(rows) for _op, rows in itertools.groupby(acts, key=lambda act: act.op)]
    context = {
        "groups": groups,
        "asked": asked,
        "filtered": any(asked.values()),
        "section": "audit",
        "before": acts[-1].pk if more else None,
        "paged": bool(before),
        "canvases": Canvas.objects.order_by("pk"),
        "verbs": sorted(Act.VERBS.items(), key=lambda verb: str(verb[1])),
    }
    return render(request, "moderation/audit.html", context)


def _test(asked: dict[str, str]) -> Q:
    test = Q()
    if asked["verb"]:
        test &= Q(verb=asked["verb"])
    if asked["by"]:
        test &= Q(by_name__iexact=asked["by"])
    if asked["person"]:
        test &= Q(person_name__iexact=asked["person"])
    if asked["canvas"]:
        test &= Q(canvas__slug=asked["canvas"])
    if asked["q"]:
        test &= Q(why__icontains=asked["q"])
    if (since := _day(asked["since"])) is not None:
        test &= Q(at__gte=since)
    if (until := _day(asked["until"])) is not None:
        test &= Q(at__lt=datetime.combine(until.date(), datetime.max.time(), UTC))
    if asked["op"]:
        try:
            test &= Q(op=UUID(asked["op"]))
        except (ValueError, ValidationError):
            test &= Q(pk=None)
    return test


def _day(text: str) -> datetime | None:
    try:
        day = parse_date(text)
    except ValueError:
        day = None
    return datetime(day.year, day.month, day.day, tzinfo=UTC) if day else None
