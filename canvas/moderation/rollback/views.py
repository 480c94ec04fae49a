"""The moderators' JSON on a canvas, for the panel: looking up, preview, apply, undo."""

from __future__ import annotations

import base64
import io
import uuid
from datetime import timedelta

from django.http import HttpRequest
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST
from PIL import Image

from canvas.brush import Pixels
from canvas.models import Canvas, Frame
from canvas.moderation.audit import look_ups
from canvas.moderation.panel import Answer, act_json, body, endpoint, pending_json
from canvas.moderation.pending import services as pending
from canvas.moderation.rollback import lookup, plans
from canvas.moderation.rollback import services as rollback
from canvas.moderation.rollback.plans import Plan, RollbackRequest
from canvas.moderation.rollback.selection import moment, rectangle
from canvas.wire import milliseconds
from dreamsite.core.rect import Rect

SHOWN = 480  # px a side of a preview's pictures


# --- looking up ------------------------------------------------------------------------------------------------------


@require_GET
@endpoint
def at(request: HttpRequest, canvas: Canvas) -> Answer:
    """Who drew at ?x&y within ?r px, newest first. The look-up itself is logged."""
    x, y = float(request.GET["x"]), float(request.GET["y"])
    radius = min(64.0, max(0.0, float(request.GET.get("r", 2))))
    found = lookup.who_drew(canvas, x, y, radius)
    seen = {"people": {stroke["author"] for stroke in found}, "places": [f"{round(x)},{round(y)}"]}
    look_ups.record(request.user, look_ups.WHO_DREW, canvas=canvas, **seen)
    return {"strokes": found}


@require_GET
@endpoint
def people(request: HttpRequest, canvas: Canvas) -> Answer:
    """Who has drawn in the last ?minutes, within ?rect=x,y,w,h."""
    minutes = min(60 * 24 * 30, max(1, int(request.GET.get("minutes", 15))))
    rect = rectangle(request.GET["rect"].split(",")) if request.GET.get("rect") else None
    found = lookup.people(canvas, timezone.now() - timedelta(minutes=minutes), rect)
    look_ups.record(request.user, look_ups.RECENT, canvas=canvas, people=[person["id"] for person in found])
    return {"people": found}


@require_GET
@endpoint
def ink(request: HttpRequest, canvas: Canvas) -> Answer:
    """The lines of ?people=1,2 drawn since ?since (ms)."""
    chosen = [int(person) for person in request.GET["people"].split(",")][: lookup.PEOPLE]
    look_ups.record(request.user, look_ups.INK, canvas=canvas, people=chosen)
    return lookup.ink_of(canvas, chosen, moment(request.GET.get("since")))


@require_GET
@endpoint
def pictures(request: HttpRequest, canvas: Canvas) -> Answer:
    before = request.GET.get("before")
    return {"frames": lookup.pictures(canvas, int(before) if before else None)}


# --- preview and apply ------------------------------------------------------------------------------------------------


@require_POST
@endpoint
def preview(request: HttpRequest, canvas: Canvas) -> Answer:
    """What an act would do: counts, lines, and the picture before and after; nothing is changed."""
    wanted = RollbackRequest.of(body(request))
    planned = plans.plan(canvas, wanted)
    rect = planned.rect()
    base_seq = planned.canvas.frame.seq if planned.canvas.frame else 0
    authors: dict[int, int] = {}
    for stroke in planned.strokes:
        authors[stroke.author] = authors.get(stroke.author, 0) + 1
    look_ups.record(request.user, look_ups.PREVIEW, canvas=canvas, people=authors)
    known = lookup.names(authors)
    return {
        "strokes": len(planned.strokes),
        "dreamed": sum(stroke.first_seq <= base_seq for stroke in planned.strokes),
        "people": [
            {"id": author, "name": known.get(author, ""), "strokes": count}
            for author, count in sorted(authors.items(), key=lambda item: -item[1])
        ],
        "restores": planned.restores,
        "covers": _covers(planned, wanted.selection.rect),
        "source": _frame(planned.source) if planned.restores else None,
        "rect": [rect[0], rect[1], rect[2] - rect[0], rect[3] - rect[1]],
        "lines": lookup.lines(canvas, list(planned.strokes)),
        "before": None if planned.empty else _data(planned.before(), rect),
        "after": None if planned.empty else _data(planned.after(), rect),
    }


def _covers(planned: Plan, rect: Rect | None) -> float:
    """The share of the rectangle, or of the whole canvas, in which an earlier picture would come back: 0 to 1."""
    if not planned.restores:
        return 0.0
    left, top, right, bottom = rect or (0, 0, planned.canvas.width, planned.canvas.height)
    return round(float(planned.alpha[top:bottom, left:right].mean()) / 255, 3)


def _frame(frame: Frame | None) -> Answer | None:
    return {"id": frame.pk, "number": frame.number, "at": milliseconds(frame.made_at)} if frame else None


def _data(pixels: Pixels, rect: Rect) -> str:
    """A part of the picture as a data: address, small enough for a phone's connection."""
    left, top, right, bottom = rect
    image = Image.fromarray(pixels[top:bottom, left:right])
    image.thumbnail((SHOWN, SHOWN), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()


@require_POST
@endpoint
def apply(request: HttpRequest, canvas: Canvas) -> Answer:
    """Does it; with "hide_frames" the frames that hold the ink leave the history too, in the same operation."""
    data = body(request)
    op = uuid.uuid4()
    act = rollback.apply(canvas, RollbackRequest.of(data), request.user, str(data.get("why", "")), op)
    if data.get("hide_frames") and act.what["frame"]:
        spoilt = Frame.objects.visible().filter(canvas=canvas, number__lt=act.what["next"])
        if act.what["first"]:
            spoilt = spoilt.filter(seq__gte=act.what["first"])
        elif act.what["source"]:
            spoilt = spoilt.filter(number__gt=Frame.objects.get(pk=act.what["source"]).number)
        ids = spoilt.values_list("pk", flat=True)
        _done, waits = pending.frames(canvas, ids, True, request.user, str(data.get("why", "")), op)
        if waits:
            return {"act": act_json(act), "pending": pending_json(waits)}
    return {"act": act_json(act)}
