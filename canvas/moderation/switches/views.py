"""The switches of a canvas: what the panel asks, and the next style on the page of the canvas."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from canvas.models import Canvas
from canvas.moderation.panel import Answer, act_json, body, endpoint
from canvas.moderation.permissions import moderator_required
from canvas.moderation.switches import services as switches


@require_GET
@endpoint
def state(request: HttpRequest, canvas: Canvas) -> Answer:
    return switches.state(canvas)


@require_POST
@endpoint
def switch(request: HttpRequest, canvas: Canvas) -> Answer:
    """Turns a switch: {"switch": name, "value", "why"}."""
    data = body(request)
    act = switches.turn(canvas, str(data["switch"]), data.get("value"), request.user, str(data.get("why", "")))
    return {"act": act_json(act), "state": switches.state(canvas)}


@require_POST
@moderator_required()
def next_style(request: HttpRequest, slug: str) -> HttpResponse:
    """Asks the dreamer for another style with its next dream."""
    canvas = get_object_or_404(Canvas, slug=slug)
    switches.turn(canvas, "style", "next", request.user)
    messages.success(request, _("The next dream will be of something else."))
    return redirect(canvas)
