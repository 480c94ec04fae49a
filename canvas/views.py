"""The page the canvas lives on. What happens on it afterwards goes through the socket."""

from __future__ import annotations

import json

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_safe

from canvas import daily, degrees
from canvas.degrees import Degree
from canvas.models import Canvas, Rules


def canvas(request: HttpRequest, slug: str = "") -> HttpResponse:
    if slug == settings.CANVAS_SLUG:
        return redirect("canvas")  # one address for each canvas; the default one is created there if it is missing
    canvas = daily.today(get_object_or_404(Canvas.objects.existing(), slug=slug) if slug else Canvas.objects.default())
    shown = {degree.name: _for_browser(degree) for degree in degrees.DEGREES}
    guests = settings.GUESTS and not Rules.objects.filter(canvas=canvas, members_only=True).exists()
    context = {
        "canvas": canvas,
        "frame": canvas.frame,
        "guests": guests,
        "socket": f"/ws/c/{canvas.slug}/",
        "degrees": json.dumps(shown),
        "seconds": round(canvas.interval),
        "embeds": canvas.listed and settings.EMBED_ON != ["'none'"],
    }
    return render(request, "canvas/canvas.html", context)


@require_safe
def stage(request: HttpRequest, slug: str) -> HttpResponse:
    """The canvas on the whole screen, live and without controls: for a wall."""
    canvas = daily.today(get_object_or_404(Canvas.objects.existing().select_related("frame"), slug=slug))
    context = {"canvas": canvas, "frame": canvas.frame, "socket": f"/ws/c/{canvas.slug}/"}
    return render(request, "canvas/stage.html", context)


def _for_browser(degree: Degree) -> dict[str, object]:
    """What static/canvas/gate.js needs to say what stands against somebody."""
    names = "may_enter", "may_draw", "must_acknowledge", "line", "sheet", "sheet_effect", "gravity"
    return {name: getattr(degree, name) for name in names}
