"""The panel's log of one canvas, and taking an act back."""

from __future__ import annotations

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_GET, require_POST

from canvas.models import Canvas
from canvas.moderation import undo
from canvas.moderation.audit import look_ups
from canvas.moderation.models import Act
from canvas.moderation.panel import Answer, act_json, body, endpoint, pending_json
from canvas.moderation.pending import services as pending
from canvas.moderation.switches import services as switches

LOG = 30


@require_GET
@endpoint
def log(request: HttpRequest, canvas: Canvas) -> Answer:
    """What was done on this canvas, newest first; ?before an act's id."""
    rows = Act.objects.with_undone().filter(canvas=canvas).exclude(verb__in=look_ups.VERBS).order_by("-id")
    if request.GET.get("before"):
        rows = rows.filter(pk__lt=int(request.GET["before"]))
    return {"acts": [act_json(act) for act in rows[:LOG]]}


@require_POST
@endpoint
def take_back(request: HttpRequest, canvas: Canvas) -> Answer:
    """Takes an act back, with all of its operation: {"act": id}. One of many steps in the background."""
    data = body(request)
    act = get_object_or_404(Act.objects.filter(canvas=canvas), pk=int(data["act"]))
    if Act.objects.filter(op=act.op, canvas=canvas).count() > switches.FRAMES_ALONE:
        waits = pending.undo_all(act.op, canvas, request.user, str(data.get("why", "")))
        return {"acts": [], "pending": pending_json(waits)}
    return {"acts": [act_json(done) for done in undo.undo(act, request.user, str(data.get("why", "")))]}
