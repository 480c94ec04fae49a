"""Days to download: lists of what the worker has made."""

from __future__ import annotations

from datetime import date
from itertools import groupby

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from dreamsite.core.errors import NotFound
from dreamsite.core.tasks.jobs import State
from gallery import licence, media, query_params
from gallery.downloads.models import Download
from gallery.links import canvas_url

ROWS = 120  # on one page: two months


@require_safe
def days(request: HttpRequest) -> HttpResponse:
    """All days of a canvas that can be downloaded, newest first: `?canvas=`, `?skip=` a number of files."""
    canvas = query_params.canvas(request)
    skip = query_params.number(request, "skip") or 0
    every = Download.objects.filter(canvas=canvas).exclude(state__in=[State.EMPTY, State.CANCELLED])
    rows = list(every[skip : skip + ROWS + 1])
    shown = rows[:ROWS]
    canvases = query_params.canvases(canvas)
    context = {
        "section": "films",
        "canvas": canvas,
        "canvases": [(other, canvas_url("downloads", other)) for other in canvases] if len(canvases) > 1 else [],
        "days": [(day, list(group)) for day, group in groupby(shown, key=lambda row: row.day)],
        "older": canvas_url("downloads", canvas, skip=skip + ROWS) if len(rows) > ROWS else "",
        "licence": licence.current(),
        "json": canvas_url("downloads_json", canvas),
    }
    return render(request, "gallery/downloads/list.html", context)


@require_safe
def day(request: HttpRequest, day: date) -> HttpResponse:
    """One day's files, with sizes and checksums."""
    canvas = query_params.canvas(request)
    rows = list(Download.objects.filter(canvas=canvas, day=day).exclude(state=State.EMPTY))
    if not rows:
        raise NotFound(_("There is nothing to download for this day. Downloads are made when a day is over."))
    context = {
        "section": "films",
        "canvas": canvas,
        "day": day,
        "rows": rows,
        "licence": licence.current(),
        "all": canvas_url("downloads", canvas),
        "history": canvas_url("day", canvas, day),
    }
    return render(request, "gallery/downloads/day.html", context)


@require_safe
def as_json(request: HttpRequest) -> JsonResponse:
    """Every file there is, for programs."""
    canvas = query_params.canvas(request)
    rows = Download.objects.filter(canvas=canvas, state=State.DONE)
    return JsonResponse(
        {
            "canvas": canvas.slug,
            "downloads": [
                {
                    "day": f"{row.day:%Y-%m-%d}",
                    "kind": row.kind,
                    "address": media.lasting(request, row.file),
                    "size": row.size,
                    "sha256": row.sha256,
                    "count": row.count,
                }
                for row in rows
            ],
        }
    )
