"""Where I drew: somebody's own strokes, through time and place."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.decorators import login_required
from django.db.models import OuterRef, Subquery
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from canvas import strokes as index
from canvas.models import Canvas, Frame, Stroke
from gallery import query_params
from gallery.converters import utc_iso
from gallery.links import canvas_query, canvas_url
from gallery.moments import views as moments

PAUSE = timedelta(minutes=10)  # a longer one ends a sitting
READ = 250  # strokes in one page
BOXES = 1_000
COLOURS = 6


@dataclass
class Sitting:
    """Strokes of one person with no long pause between them: newest first among its like."""

    began_at: datetime
    ended_at: datetime
    last: int  # the id of its last stroke
    box: tuple[int, int, int, int]
    count: int = 0
    colours: dict[str, int] = field(default_factory=dict)
    frame: Frame | None = None  # the dream that took the last of it in
    address: str = ""

    def take(self, stroke: Stroke) -> None:
        self.began_at, self.count = stroke.began_at, self.count + 1
        left, top, right, bottom = self.box
        self.box = (min(left, stroke.left), min(top, stroke.top), max(right, stroke.right), max(bottom, stroke.bottom))
        self.colours[stroke.colour] = self.colours.get(stroke.colour, 0) + 1

    @property
    def shown_colours(self) -> list[str]:
        return sorted(self.colours, key=lambda colour: -self.colours[colour])[:COLOURS]


@require_safe
@login_required
def mine(request: HttpRequest) -> HttpResponse:
    """One's sittings, newest first (`?before=`, an ISO moment, turns the page), and a map of all the places."""
    place, zone = query_params.canvas(request), query_params.zone(request)
    before = query_params.moment(request, "before")
    own = _own(request, place)
    strokes = list((own.filter(ended_at__lt=before) if before else own).newest()[: READ + 1])
    sittings = _sittings(strokes[:READ])
    frames = _dreamed(place, [sitting.last for sitting in sittings])
    for sitting in sittings:
        sitting.frame = frames.get(sitting.last)
        sitting.address = moments.address(place, sitting.ended_at + timedelta(seconds=1)) + "#mine"
    context: dict[str, Any] = {
        "section": "history",
        "place": place,
        "query": canvas_query(place),
        "sittings": sittings,
        "boxes": [_shape(place, stroke) for stroke in strokes[:BOXES]],
        "newest": Frame.objects.visible().filter(canvas=place).order_by("-number").first(),
        "count": own.count(),
        "older": canvas_url("mine", place, before=utc_iso(strokes[READ - 1].ended_at)) if len(strokes) > READ else None,
        "before": before,
        "zone": zone.key,
    }
    response = render(request, "gallery/my_strokes.html", context)
    response["Cache-Control"] = "private, no-store"
    return response


@require_safe
@login_required
def mine_json(request: HttpRequest) -> HttpResponse:
    """Boxes [x, y, width, height] and colours of one's own strokes up to `?until=`, newest first."""
    place = query_params.canvas(request)
    until = query_params.moment(request, "until")
    own = _own(request, place)
    found = (own.filter(ended_at__lte=until) if until else own).newest()[:BOXES]
    response = JsonResponse({"canvas": place.slug, "strokes": [_shape(place, stroke) for stroke in found]})
    response["Cache-Control"] = "private, no-store"
    return response


def _own(request: HttpRequest, place: Canvas) -> Any:
    index.index(place)
    return Stroke.objects.filter(canvas=place).by(request.user).shown()


def _shape(place: Canvas, stroke: Stroke) -> dict[str, Any]:
    """Within the canvas: strokes may begin outside of it."""
    x, y = max(stroke.left, 0), max(stroke.top, 0)
    width, height = min(stroke.right, place.width) - x, min(stroke.bottom, place.height) - y
    return {
        "x": x, "y": y, "width": max(width, 0), "height": max(height, 0), "colour": stroke.colour,
        "at": utc_iso(stroke.ended_at),
    }  # fmt: skip


def _dreamed(place: Canvas, strokes: list[int]) -> dict[int, Frame]:
    """The first frame that each of these strokes is in, as far as there is one to be seen."""
    later = Frame.objects.visible().filter(canvas=place, seq__gte=OuterRef("last_seq")).order_by("seq", "number")
    rows = Stroke.objects.filter(pk__in=strokes).annotate(frame_id=Subquery(later.values("pk")[:1]))
    found = dict(rows.exclude(frame_id=None).values_list("pk", "frame_id"))
    frames = Frame.objects.defer("recipe").in_bulk(found.values())
    return {stroke: frames[frame] for stroke, frame in found.items()}


def _sittings(strokes: list[Stroke]) -> list[Sitting]:
    found: list[Sitting] = []
    for stroke in strokes:
        if not found or found[-1].began_at - stroke.ended_at > PAUSE:
            found.append(Sitting(stroke.began_at, stroke.ended_at, stroke.pk, stroke.box))
        found[-1].take(stroke)
    return found
