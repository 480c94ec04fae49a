"""What `/` shows before and after the end, and the last canvas."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.functional import SimpleLazyObject
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from canvas import daily
from canvas import views as canvas_views
from canvas.models import Canvas
from dreamsite.core.models import SiteState
from gallery.farewell import content
from gallery.pages import choosing
from gallery.pages.models import Page

EXPORTING = "DREAMSITE_EXPORT"  # in the request's environment, where no request from outside can put it


@never_cache
def home(request: HttpRequest, slug: str = "") -> HttpResponseBase:
    """A live canvas. After the end the farewell at `/`, and the last canvas at the address of another canvas."""
    if not over(request):
        return canvas_views.canvas(request, slug)
    if not slug or slug == settings.CANVAS_SLUG:
        return redirect("canvas") if slug else farewell(request)
    return last_canvas(request, get_object_or_404(Canvas.objects.existing(), slug=slug))


def over(request: HttpRequest) -> bool:
    """Whether the project has ended; so it has for every page of a static export."""
    return EXPORTING in request.META or SiteState.ended()


def project_ended(request: HttpRequest) -> dict[str, Any]:
    """Context processor: `project_ended`, a query only where a template uses it."""
    return {"project_ended": SimpleLazyObject(lambda: over(request))}


@require_safe
def farewell(request: HttpRequest) -> HttpResponse:
    page = choosing.find(content.FAREWELL, drafts=True) or Page(title="")
    page.published = True  # on this day it is, whatever the box says
    return render(request, "gallery/pages/end.html", {"page": page, "ended": True, **content.context(request)})


@require_safe
def last_canvas(request: HttpRequest, canvas: Canvas | None = None) -> HttpResponseBase:
    """The canvas as everybody left it. Before the end, the canvas itself."""
    if not over(request):
        return redirect("canvas")
    canvas = daily.latest(canvas or Canvas.objects.default())
    return render(request, "gallery/farewell/last.html", {"canvas": canvas, "last": content.last_frame(canvas)})
