"""The page the canvas lives on. What happens on it afterwards goes through the socket."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from canvas.models import Canvas


def canvas(request: HttpRequest, slug: str = "") -> HttpResponse:
    if slug == settings.CANVAS_SLUG:
        return redirect("canvas")  # one address for each place; it is made there if need be
    canvas = get_object_or_404(Canvas, slug=slug) if slug else Canvas.objects.default()
    return render(request, "canvas/canvas.html", {"canvas": canvas, "socket": f"/ws/c/{canvas.slug}/"})
