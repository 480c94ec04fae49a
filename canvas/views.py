"""The page the canvas lives on. What happens on it afterwards goes through the socket."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from canvas.models import Canvas
from canvas.moderation import switches
from canvas.moderation.permissions import moderator_required


def canvas(request: HttpRequest, slug: str = "") -> HttpResponse:
    if slug == settings.CANVAS_SLUG:
        return redirect("canvas")  # one address for each place; it is made there if need be
    place = get_object_or_404(Canvas, slug=slug) if slug else Canvas.objects.default()
    return render(request, "canvas/canvas.html", {"canvas": place, "socket": f"/ws/c/{place.slug}/"})


@require_POST
@moderator_required()
def next_style(request: HttpRequest, slug: str) -> HttpResponse:
    """Asks the dreamer for another style with its next dream."""
    place = get_object_or_404(Canvas, slug=slug)
    switches.turn(place, "style", "next", request.user)
    messages.success(request, _("The next dream will be of something else."))
    return redirect(place)
