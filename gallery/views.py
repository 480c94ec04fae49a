"""All frames of a canvas, as a page under the timeline and as JSON."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from canvas.models import Canvas, Frame
from dreamsite.core.languages import in_one_language
from gallery import frames, query_params
from gallery.frame import views as frame_views
from gallery.highlights.models import Highlight
from gallery.links import canvas_query, canvas_url
from gallery.moments.views import jump, moment_url, timeline
from gallery.timeline import activity, chart

HIGHLIGHTS = 8


@require_safe
def history(request: HttpRequest) -> HttpResponse:
    """The timeline, and frames newest first: `?canvas=`, one of `?before=`, `?after=` (numbers), `?at=` (a moment)."""
    if request.GET.get("at", "").strip():
        return jump(request)
    canvas, zone = query_params.canvas(request), query_params.zone(request)
    canvases = query_params.canvases(canvas)
    before, after = query_params.number(request, "before"), query_params.number(request, "after")
    # `all`: every dream by itself; by default those in which nobody drew are folded.
    every = {"all": 1} if "all" in request.GET else {}
    shown: frames.FramePage | frames.FoldedPage
    entries: list[frames.Fold | Frame]
    if every:
        shown = page = frames.page(canvas, before=before, after=after)
        entries = list(page.frames)
    else:
        shown = folded = frames.folded_page(canvas, before=before, after=after)
        entries = folded.entries
    days = [(day, list(group)) for day, group in groupby(entries, key=lambda entry: _day(entry, zone))]
    extent = chart.extent(canvas)
    context: dict[str, Any] = {
        "section": "history",
        "canvas": canvas,
        "query": canvas_query(canvas),
        "canvases": [(other, canvas_url("history", other)) for other in canvases] if len(canvases) > 1 else [],
        "days": days,
        "shown": shown,
        "zone": zone.key,
        "newest": canvas_url("history", canvas, **every),
        "newer": shown.newer and canvas_url("history", canvas, after=shown.newer, **every),
        "older": shown.older and canvas_url("history", canvas, before=shown.older, **every),
        "first": canvas_url("history", canvas, after=0, **every),
        "every": bool(every),
        "folds": any(isinstance(entry, frames.Fold) for entry in entries),
        "other_way": canvas_url("history", canvas, before=before, after=after, all=None if every else 1),
        "history": canvas_url("history", canvas, all=1),
        "json": canvas_url("history_json", canvas, before=before, after=after),
    }
    if extent:
        context["timeline"] = timeline(canvas, extent, zone)
        context["shortcuts"] = _shortcuts(canvas, activity.extent(canvas) or extent, zone)
    if before is None and after is None:
        context["highlights"] = Highlight.objects.newest(canvas, HIGHLIGHTS)
    return render(request, "gallery/history.html", context)


def _day(entry: frames.Fold | Frame, zone: ZoneInfo) -> date:
    frame = entry.newest if isinstance(entry, frames.Fold) else entry
    return frame.made_at.astimezone(zone).date()


def _shortcuts(canvas: Canvas, extent: tuple[int, int], zone: ZoneInfo) -> list[tuple[str, str]]:
    """Shortcuts to moments that the history has, in the viewer's time zone."""
    since, until = (datetime.fromtimestamp(end, UTC) for end in extent)
    today = datetime.now(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    yesterday = (today - timedelta(days=1)).date()
    found: list[tuple[str, str]] = []
    hour_ago = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
    if since <= hour_ago <= until:
        found.append((_("An hour ago"), moment_url(canvas, hour_ago)))
    evening = [(today - timedelta(days=1)).replace(hour=hour).astimezone(UTC) for hour in (18, 23)]
    if today.astimezone(UTC) <= until:
        found.append((_("Today"), canvas_url("day", canvas, today.date())))
    if evening[0] <= until and evening[1] >= since:
        found.append((_("Yesterday evening"), canvas_url("day", canvas, yesterday) + "#hour-18"))
    week = (today - timedelta(days=7)).date()
    if since.astimezone(zone).date() <= week <= until.astimezone(zone).date():
        found.append((_("A week ago"), canvas_url("day", canvas, week)))
    return [*found, (_("The beginning"), moment_url(canvas, since + timedelta(seconds=1)))]


@require_safe
@in_one_language
def history_json(request: HttpRequest) -> HttpResponse:
    """The same, for programs; `?every=` leaves out all but every n-th frame after `?after=`."""
    canvas = query_params.canvas(request)
    before, after = query_params.number(request, "before"), query_params.number(request, "after")
    if (moment := query_params.moment(request, zone=query_params.zone(request))) is not None:
        found = frames.at(canvas, moment)
        before = found.number + 1 if found else None
    shown = frames.page(canvas, before=before, after=after, every=query_params.number(request, "every") or 1)
    quiet = frames.quiet(shown.frames)
    every = {"every": request.GET["every"]} if "every" in request.GET else {}

    def link(**query: Any) -> str:
        return request.build_absolute_uri(canvas_url("history_json", canvas, **query, **every))

    answer = {
        "canvas": canvas.slug,
        "count": shown.newest,
        "frames": [{**frame_views.as_json(request, frame), "quiet": frame.pk in quiet} for frame in shown.frames],
        "newer": shown.newer and link(after=shown.newer),
        "older": shown.older and link(before=shown.older),
    }
    return JsonResponse(answer)
