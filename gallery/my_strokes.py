"""Where I drew: a person's own strokes, by time and on a map."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from canvas import strokes as index
from canvas.models import Canvas, Frame, Stroke
from dreamsite.core.models import User
from dreamsite.core.rect import Rect
from dreamsite.core.turns import Pace
from gallery import drawn_over as drawn_over_by
from gallery import query_params
from gallery.converters import utc_iso
from gallery.frames import dreamed_in
from gallery.links import canvas_query, canvas_url
from gallery.moments import views as moments

SESSION_GAP = timedelta(minutes=10)  # a longer one ends a session
PAGE_STROKES = 250  # strokes in one page
MAX_BOXES = 1_000
COLOURS = 6
_pace = Pace("somebody's own strokes", 30, 3.0)
_pace_over = Pace("who drew over somebody's", 10, 15.0)  # thousands of pieces are read and compared for each


@dataclass
class DrawingSession:
    """Strokes of one person with no long pause between them."""

    began_at: datetime
    ended_at: datetime
    last: int  # the id of its last stroke
    box: Rect
    count: int = 0
    colours: dict[str, int] = field(default_factory=dict)
    frame: Frame | None = None  # the dream that took the last of it in
    address: str = ""

    def add(self, stroke: Stroke) -> None:
        self.began_at, self.count = stroke.began_at, self.count + 1
        self.box = self.box.union(stroke.box)
        if stroke.colour:  # the undream brush has none
            self.colours[stroke.colour] = self.colours.get(stroke.colour, 0) + 1

    @property
    def shown_colours(self) -> list[str]:
        return sorted(self.colours, key=lambda colour: -self.colours[colour])[:COLOURS]


@require_safe
@login_required
def my_strokes(request: HttpRequest) -> HttpResponse:
    """The user's drawing sessions, newest first (`?before=`, an ISO moment, for the next page), and a map of them."""
    _pace.take_as(_person(request).pk)
    canvas, zone = query_params.canvas(request), query_params.zone(request)
    before = query_params.moment(request, "before")
    own = _own(request, canvas)
    strokes = list((own.filter(ended_at__lt=before) if before else own).newest()[: PAGE_STROKES + 1])
    sessions = _sessions(strokes[:PAGE_STROKES])
    frames = dreamed_in(canvas, [session.last for session in sessions])
    for session in sessions:
        session.frame = frames.get(session.last)
        session.address = moments.moment_url(canvas, session.ended_at + timedelta(seconds=1)) + "#mine"
    context: dict[str, Any] = {
        "section": "history",
        "canvas": canvas,
        "query": canvas_query(canvas),
        "sessions": sessions,
        "boxes": [_shape(canvas, stroke) for stroke in strokes[:MAX_BOXES]],
        "newest": Frame.objects.visible().filter(canvas=canvas).order_by("-number").first(),
        "count": own.count(),
        "older": canvas_url("my_strokes", canvas, before=utc_iso(strokes[PAGE_STROKES - 1].ended_at))
        if len(strokes) > PAGE_STROKES
        else None,
        "before": before,
        "zone": zone.key,
    }
    response = render(request, "gallery/my_strokes.html", context)
    response["Cache-Control"] = "private, no-store"
    return response


@require_safe
@login_required
def drawn_over(request: HttpRequest) -> HttpResponse:
    """Who painted over the user's newest strokes later, and whose ink is in the same frames."""
    _pace_over.take_as(_person(request).pk)
    canvas, zone = query_params.canvas(request), query_params.zone(request)
    context = {
        "section": "history",
        "canvas": canvas,
        "query": canvas_query(canvas),
        "zone": zone.key,
        "meetings": drawn_over_by.over(request.user, canvas),
        "people": drawn_over_by.people(request.user, canvas),
    }
    response = render(request, "gallery/drawn_over.html", context)
    response["Cache-Control"] = "private, no-store"
    return response


@require_safe
@login_required
def my_strokes_json(request: HttpRequest) -> HttpResponse:
    """Boxes and colours of the user's own strokes up to `?until=`, newest first."""
    _pace.take_as(_person(request).pk)
    canvas = query_params.canvas(request)
    until = query_params.moment(request, "until")
    own = _own(request, canvas)
    found = (own.filter(ended_at__lte=until) if until else own).newest()[:MAX_BOXES]
    response = JsonResponse({"canvas": canvas.slug, "strokes": [_shape(canvas, stroke) for stroke in found]})
    response["Cache-Control"] = "private, no-store"
    return response


def _person(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # the views ask for a sign-in
    return request.user


def _own(request: HttpRequest, canvas: Canvas) -> Any:
    index.index(canvas)
    return Stroke.objects.filter(canvas=canvas).by(request.user).shown()


def _shape(canvas: Canvas, stroke: Stroke) -> dict[str, Any]:
    """Within the canvas: strokes may begin outside of it."""
    box = stroke.box.intersection(Rect(0, 0, canvas.width, canvas.height))
    return {
        "x": box.left,
        "y": box.top,
        "width": max(box.width, 0),
        "height": max(box.height, 0),
        "colour": stroke.colour,
        "at": utc_iso(stroke.ended_at),
    }


def _sessions(strokes: list[Stroke]) -> list[DrawingSession]:
    found: list[DrawingSession] = []
    for stroke in strokes:
        if not found or found[-1].began_at - stroke.ended_at > SESSION_GAP:
            found.append(DrawingSession(stroke.began_at, stroke.ended_at, stroke.pk, stroke.box))
        found[-1].add(stroke)
    return found
