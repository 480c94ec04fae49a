"""History's pages: all frames, one frame, and the same as JSON."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import groupby
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from canvas.models import Canvas, Frame
from dreamsite.errors import NotHere
from gallery import frames, recipe

SHOWN_PEOPLE = 60


@require_safe
def history(request: HttpRequest) -> HttpResponse:
    """All frames of a canvas, newest first: `?canvas=`, and one of `?before=`, `?after=` (numbers) or `?at=` (UTC)."""
    places = list(Canvas.objects.order_by("pk"))
    place = _place(request, places)
    if (moment := _moment(request)) is not None:
        found = frames.at(place, moment)
        if found is None:
            return redirect(_address("history", place))
        around = found.number + frames.PAGE // 2 + 1
        return redirect(f"{_address('history', place, before=around)}#frame-{found.number}")
    shown = frames.page(place, before=_number(request, "before"), after=_number(request, "after"))
    days = [(day, list(group)) for day, group in groupby(shown.frames, key=lambda frame: frame.made_at.date())]
    context = {
        "section": "history",
        "place": place,
        "places": [(other, _address("history", other)) for other in places] if len(places) > 1 else [],
        "days": days,
        "shown": shown,
        "newest": _address("history", place),
        "newer": shown.newer and _address("history", place, after=shown.newer),
        "older": shown.older and _address("history", place, before=shown.older),
        "first": _address("history", place, after=0),
        "json": _address("history_json", place, **_cursor(request)),
        "latest": shown.frames[0] if shown.frames else None,
    }
    return render(request, "gallery/history.html", context)


@require_safe
def history_json(request: HttpRequest) -> HttpResponse:
    """The same, for programs."""
    place = _place(request, list(Canvas.objects.order_by("pk")))
    before, after = _number(request, "before"), _number(request, "after")
    if (moment := _moment(request)) is not None:
        found = frames.at(place, moment)
        before = found.number + 1 if found else None
    shown = frames.page(place, before=before, after=after)
    answer = {
        "canvas": place.slug,
        "count": shown.newest,
        "frames": [_as_json(request, frame) for frame in shown.frames],
        "newer": shown.newer and request.build_absolute_uri(_address("history_json", place, after=shown.newer)),
        "older": shown.older and request.build_absolute_uri(_address("history_json", place, before=shown.older)),
    }
    return JsonResponse(answer)


@require_safe
def frame(request: HttpRequest, pk: int) -> HttpResponse:
    """A frame's permanent page; for a hidden one the page says so and leads on (410)."""
    this = _frame(pk)
    previous, following = frames.neighbours(this)
    context: dict[str, Any] = {
        "section": "history",
        "frame": this,
        "previous": previous,
        "following": following,
        "around": f"{_address('history', this.canvas, before=this.number + frames.PAGE // 2 + 1)}#frame-{this.number}",
        "address": request.build_absolute_uri(this.get_absolute_url()),
    }
    if _hidden_from(request, this):
        return render(request, "gallery/hidden.html", context, status=410)
    people = [person.get_username() for person in this.contributors.all()]
    context |= {
        "people": people[:SHOWN_PEOPLE],
        "more_people": max(len(people) - SHOWN_PEOPLE, 0),
        "sentence": recipe.sentence(this),
        "facts": recipe.facts(this),
        "picture": request.build_absolute_uri(this.picture.url),
        "filename": _filename(this),
    }
    return render(request, "gallery/frame.html", context)


@require_safe
def frame_json(request: HttpRequest, pk: int) -> HttpResponse:
    """The same, for programs."""
    this = _frame(pk)
    previous, following = frames.neighbours(this)
    answer = _as_json(request, this, people=[person.get_username() for person in this.contributors.all()])
    answer["previous"] = previous and _json_address(request, previous)
    answer["next"] = following and _json_address(request, following)
    return JsonResponse(answer, status=410 if this.hidden_at else 200)


@require_safe
def picture(request: HttpRequest, pk: int) -> HttpResponse:
    """A lasting address for a frame's picture, wherever the storage keeps it."""
    this = _frame(pk)
    if _hidden_from(request, this):
        return HttpResponse(_("This frame is hidden."), status=410, content_type="text/plain; charset=utf-8")
    return redirect(this.picture.url)


def _frame(pk: int) -> Frame:
    found = Frame.objects.with_people().filter(pk=pk).first()
    if found is None:
        raise NotHere(_("There is no frame with this address. Perhaps it is still to be dreamed."))
    return found


def _hidden_from(request: HttpRequest, this: Frame) -> bool:
    return this.hidden_at is not None and not request.user.is_staff


def _place(request: HttpRequest, places: list[Canvas]) -> Canvas:
    slug = request.GET.get("canvas", "")
    for place in places:
        if place.slug == (slug or settings.CANVAS_SLUG):
            return place
    if slug:
        raise NotHere(_("There is no canvas called “%(slug)s”.") % {"slug": slug[:40]})
    return Canvas.objects.default()


def _number(request: HttpRequest, name: str) -> int | None:
    raw = request.GET.get(name)
    if raw is None:
        return None
    if not (raw.isascii() and raw.isdigit() and len(raw) <= 9):
        raise NotHere(_("“%(name)s” must be a frame's number, not “%(raw)s”.") % {"name": name, "raw": raw[:40]})
    return int(raw)


def _moment(request: HttpRequest) -> datetime | None:
    """`?at=`: an ISO date or date and time; without an offset it is UTC."""
    raw = request.GET.get("at", "").strip()
    if not raw:
        return None
    try:
        moment = parse_datetime(raw if len(raw) > 10 else f"{raw}T00:00")
        # In UTC here already: an offset can lead out of the years that a datetime knows.
        moment = moment and moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError):
        moment = None
    if moment is None:
        raise NotHere(_("“%(raw)s” is no moment. Write it like 2026-11-20T12:34.") % {"raw": raw[:40]})
    return moment


def _address(name: str, place: Canvas, **query: int) -> str:
    asked: dict[str, Any] = {} if place.slug == settings.CANVAS_SLUG else {"canvas": place.slug}
    asked |= query
    return reverse(name) + (f"?{urlencode(asked)}" if asked else "")


def _cursor(request: HttpRequest) -> dict[str, int]:
    return {name: number for name in ("before", "after") if (number := _number(request, name)) is not None}


def _filename(this: Frame) -> str:
    return f"dreamsite-{this.canvas.slug}-{this.number:06}{PurePosixPath(this.picture.name or '').suffix}"


def _json_address(request: HttpRequest, this: Frame) -> str:
    return request.build_absolute_uri(reverse("frame_json", args=[this.pk]))


def _as_json(request: HttpRequest, this: Frame, people: list[str] | None = None) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "id": this.pk,
        "canvas": this.canvas.slug,
        "number": this.number,
        "kind": this.kind,
        "made_at": this.made_at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "page": request.build_absolute_uri(this.get_absolute_url()),
        "hidden": this.hidden_at is not None,
    }
    if this.hidden_at is not None:
        return answer
    answer |= {
        "title": this.title,
        "seq": this.seq,
        "width": this.width,
        "height": this.height,
        "size": this.size,
        "sha256": this.sha256,
        "seconds": this.seconds,
        "recipe": this.recipe,
        "picture": request.build_absolute_uri(this.picture.url),
        "thumbnail": request.build_absolute_uri(this.thumbnail.url),
    }
    return answer if people is None else {**answer, "contributors": people}
