"""The dashboard's page of the log of acts."""

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
from canvas.moderation.audit import look_ups
from canvas.moderation.models import Act, LookUp
from canvas.moderation.permissions import SEE_AUDIT, moderator_required
from dreamsite.core.numbers import whole

PAGE = 60


@require_safe
@moderator_required(SEE_AUDIT)
def log(request: HttpRequest) -> HttpResponse:
    """The log, newest first, filtered by `verb`, `by`, `person`, `canvas`, `since`, `until`, `q` and `op`."""
    query = {
        name: request.GET.get(name, "").strip()[:200]
        for name in ("verb", "by", "person", "canvas", "since", "until", "q", "op")
    }
    look_ups.fold()
    found = Act.objects.select_related("canvas", "undoes", "undone_by").filter(_test(query))
    if (before := whole(request.GET.get("before", ""))) is not None:
        found = found.filter(pk__lt=before)
    acts = list(found.order_by("-pk")[: PAGE + 1])
    more = len(acts) > PAGE
    acts = acts[:PAGE]
    # Rows of one operation that follow each other are shown as one.
    groups = [list(rows) for _op, rows in itertools.groupby(acts, key=lambda act: act.op)]
    context = {
        "groups": groups,
        "looking": [] if before or any(query.values()) else LookUp.objects.select_related("by", "canvas", "person"),
        "query": query,
        "filtered": any(query.values()),
        "section": "audit",
        "before": acts[-1].pk if more else None,
        "paged": bool(before),
        "canvases": Canvas.objects.order_by("pk"),
        "verbs": sorted(Act.VERBS.items(), key=lambda verb: str(verb[1])),
    }
    return render(request, "moderation/audit.html", context)


def _test(query: dict[str, str]) -> Q:
    test = Q()
    if query["verb"]:
        test &= Q(verb=query["verb"])
    if query["by"]:
        test &= Q(by_name__iexact=query["by"])
    if query["person"]:
        test &= Q(person_name__iexact=query["person"])
    if query["canvas"]:
        test &= Q(canvas__slug=query["canvas"])
    if query["q"]:
        test &= Q(why__icontains=query["q"])
    if (since := _day(query["since"])) is not None:
        test &= Q(at__gte=since)
    if (until := _day(query["until"])) is not None:
        test &= Q(at__lt=datetime.combine(until.date(), datetime.max.time(), UTC))
    if query["op"]:
        try:
            test &= Q(op=UUID(query["op"]))
        except (ValueError, ValidationError):
            test &= Q(pk=None)
    return test


def _day(text: str) -> datetime | None:
    try:
        day = parse_date(text)
    except ValueError:
        day = None
    return datetime(day.year, day.month, day.day, tzinfo=UTC) if day else None
