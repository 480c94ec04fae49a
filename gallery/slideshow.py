"""The slideshow."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from canvas.models import Frame
from gallery import frames, query_params
from gallery.links import canvas_url


@require_safe
def slideshow(request: HttpRequest) -> HttpResponse:
    """From `?from=` (a frame's number) or `?at=` on; without either the newest hour's frames."""
    canvas = query_params.canvas(request)
    at = query_params.moment(request, zone=query_params.zone(request))
    found = frames.at(canvas, at) if at else None
    newest = Frame.objects.filter(canvas=canvas).order_by("-number").first()
    begin = (
        found.number
        if found
        else query_params.number(request, "from") or max((newest.number if newest else 1) - 120, 1)
    )
    first = Frame.objects.visible().filter(canvas=canvas, number__gte=begin).order_by("number").first()
    context: dict[str, Any] = {
        "section": "history",
        "canvas": canvas,
        "first": first,
        "newest": newest.number if newest else 0,
        "begin": begin,
        "json": canvas_url("history_json", canvas),
    }
    return render(request, "gallery/slideshow.html", context)
