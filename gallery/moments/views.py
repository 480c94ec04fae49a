"""`/history/2026-11-20T12:34:56Z`: the canvas at that time, as a page, as JSON, as its ink, and as a picture."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib.staticfiles.storage import staticfiles_storage
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from canvas.frames import FrameGone
from canvas.models import Batch, Canvas, Frame
from canvas.moderation.sanctions.middleware import same_for_everybody
from canvas.wire import milliseconds
from dreamsite.core.errors import NotFound
from gallery import frames, media, query_params, recipe
from gallery.converters import utc_iso
from gallery.links import canvas_query, canvas_url, frame_url
from gallery.moments import ink, paint
from gallery.timeline import buckets, chart

STEPS = {"day": timedelta(days=1), "hour": timedelta(hours=1)}
CLOCK_TOLERANCE = timedelta(seconds=2)  # clocks differ: somebody may ask for a "now" that is not here yet


def moment_url(canvas: Canvas, moment: datetime, **query: Any) -> str:
    return canvas_url("moment", canvas, moment, **query)


def moment_of(frame: Frame) -> datetime:
    """The first whole second at which everybody saw this frame."""
    return (frame.made_at + timedelta(microseconds=999_999)).astimezone(UTC).replace(microsecond=0)


@require_safe
def jump(request: HttpRequest) -> HttpResponse:
    """Where the form leads: `?at=` in `?zone=`, limited to the history."""
    canvas = query_params.canvas(request)
    moment = query_params.moment(request, zone=query_params.zone(request))
    extent = chart.extent(canvas)
    if moment is None or extent is None:
        return redirect(canvas_url("history", canvas))
    return redirect(moment_url(canvas, _within(moment, extent)))


@require_safe
def now(request: HttpRequest) -> HttpResponse:
    """From the live canvas into its history: the page of this moment."""
    response = redirect(moment_url(query_params.canvas(request), timezone.now().replace(microsecond=0)))
    response["Cache-Control"] = "no-store"
    return response


def _within(moment: datetime, extent: tuple[int, int]) -> datetime:
    since, until = (datetime.fromtimestamp(end, UTC) for end in extent)
    return min(max(moment, since), until).replace(microsecond=0)


@require_safe
def page(request: HttpRequest, moment: datetime) -> HttpResponse:
    canvas = query_params.canvas(request)
    _reject_future(moment)
    zone = query_params.zone(request)
    span = ink.span_at(canvas, moment)
    extent = chart.extent(canvas)
    info = _description(request, span, moment, extent)
    context: dict[str, Any] = {
        "section": "history",
        "canvas": canvas,
        "query": canvas_query(canvas),
        "moment": moment,
        "name": utc_iso(moment),
        "info": info,
        "base": span.base,
        "following": span.following,
        "sentence": info["sentence"],
        "zone": zone.key,
        "address": request.build_absolute_uri(moment_url(canvas, moment)),
        "picture": request.build_absolute_uri(canvas_url("moment_png", canvas, moment)),
        "width": span.base.width if span.base else canvas.width,
        "height": span.base.height if span.base else canvas.height,
        "blank": staticfiles_storage.url("favicon.svg"),
    }
    if extent:
        context["timeline"] = timeline(canvas, extent, zone, moment)
    return render(request, "gallery/moment.html", context)


def timeline(canvas: Canvas, extent: tuple[int, int], zone: Any, moment: datetime | None = None) -> dict[str, Any]:
    """What parts/timeline.html needs."""
    found = chart.build(canvas, *extent, zone)
    return {
        "canvas": canvas,
        "zone": zone.key,
        "offset": buckets.offset(extent[1], zone),
        "svg": chart.as_svg(found),
        "since": utc_iso(datetime.fromtimestamp(extent[0], UTC)),
        "until": utc_iso(datetime.fromtimestamp(extent[1], UTC)),
        "moment": moment,
        "share": moment and round(100 * min(max((moment.timestamp() - extent[0]) / (extent[1] - extent[0]), 0), 1), 3),
        "json": canvas_url("timeline_json", canvas),
    }


@require_safe
def as_json(request: HttpRequest, moment: datetime) -> HttpResponse:
    """The same for programs, and for the page itself while somebody drags through time."""
    canvas = query_params.canvas(request)
    _reject_future(moment)
    return JsonResponse(_description(request, ink.span_at(canvas, moment), moment, chart.extent(canvas)))


def _reject_future(moment: datetime) -> None:
    if moment > timezone.now() + CLOCK_TOLERANCE:
        raise NotFound(_("That moment is in the future."))


def _description(
    request: HttpRequest, span: ink.Span, moment: datetime, extent: tuple[int, int] | None
) -> dict[str, Any]:
    canvas, zone = span.canvas, query_params.zone(request)
    last = Batch.objects.filter(canvas=canvas, at__lte=moment).order_by("-at", "-last").values_list("last", flat=True)
    earlier = (
        Frame.objects.visible().filter(canvas=canvas, number__lt=span.base.number).order_by("-number").first()
        if span.base
        else None
    )
    steps: dict[str, str | None] = {
        "frame_back": moment_url(canvas, moment_of(earlier)) if earlier else None,
        "frame_on": moment_url(canvas, moment_of(span.following)) if span.following else None,
    }
    for name, length in STEPS.items():
        for sign, way in ((-1, "back"), (1, "on")):
            to = _within(moment + sign * length, extent) if extent else moment
            steps[f"{name}_{way}"] = moment_url(canvas, to) if (to - moment) * sign > timedelta(0) else None
    local = moment.astimezone(zone)
    return {
        "at": utc_iso(moment),
        "utc": buckets.utc(moment),
        "local": buckets.local(moment, zone),
        "zone": zone.key,
        "offset": buckets.offset(int(moment.timestamp()), zone),
        "canvas": canvas.slug,
        "sentence": sentence(span.base),
        "seq": max(last.first() or 0, span.seq),
        "frame": _frame(request, span.base),
        "following": _frame(request, span.following),
        "page": request.build_absolute_uri(moment_url(canvas, moment)),
        "picture": request.build_absolute_uri(canvas_url("moment_png", canvas, moment)),
        "ink": canvas_url("ink", canvas, frame=span.base.pk if span.base else 0),
        "earlier": ink.earlier(span),
        "day": canvas_url("day", canvas, local.date()),
        "around": _around(canvas, span),
        "slideshow": canvas_url("slideshow", canvas, **{"from": span.base.number if span.base else 1}),
        "steps": steps,
    }


def sentence(base: Frame | None) -> str:
    return recipe.sentence(base) if base else _("Before the first dream: only what people drew.")


def _around(canvas: Canvas, span: ink.Span) -> str:
    if span.base is None:
        return canvas_url("history", canvas, after=0)
    return around(canvas, span.base.number)


def around(canvas: Canvas, number: int) -> str:
    """The page of the history with this frame in its middle, every dream by itself."""
    return f"{canvas_url('history', canvas, before=number + frames.PAGE // 2 + 1, all=1)}#frame-{number}"


def _frame(request: HttpRequest, frame: Frame | None) -> dict[str, Any] | None:
    if frame is None:
        return None
    return {
        "id": frame.pk,
        "number": frame.number,
        "kind": frame.kind,
        "title": frame.title,
        "seq": frame.seq,
        "made_at": utc_iso(frame.made_at),
        "made_ms": milliseconds(frame.made_at),
        "page": frame.get_absolute_url(),
        "json": frame_url("frame_json", frame),
        "picture": media.lasting(request, frame.picture),
        "thumbnail": media.lasting(request, frame.thumbnail),
        "width": frame.width,
        "height": frame.height,
    }


@require_safe
def ink_of(request: HttpRequest) -> HttpResponse:
    """The visible ink on a frame (`?frame=`, its id; 0: none yet) as BATCH frames, each after its length (u32)."""
    canvas = query_params.canvas(request)
    pk = query_params.number(request, "frame") or 0
    base = Frame.objects.visible().filter(canvas=canvas, pk=pk).first() if pk else None
    if pk and base is None:
        raise NotFound(_("There is no visible frame with this number on this canvas."))
    found = ink.read(ink.span_of(canvas, base))
    if not found.complete:
        return HttpResponse(_("More was drawn on this frame than one answer can hold."), status=413)
    response = HttpResponse(b"".join(itertools.chain(ink.messages(found))), content_type="application/octet-stream")
    response["Cache-Control"] = "private, max-age=20"  # strokes can be hidden at any time
    return response


@same_for_everybody
@require_safe
def picture(request: HttpRequest, moment: datetime) -> HttpResponseBase:
    """The canvas at that time as PNG."""
    canvas = query_params.canvas(request)
    _reject_future(moment)
    span = ink.span_at(canvas, moment)

    def paint_it() -> bytes:
        found = ink.read(span)
        if not found.complete:
            raise paint.TooManyOperations
        return paint.png(span, found.until(moment), request.META.get("REMOTE_ADDR", ""))

    return painted_response(paint_it)


def painted_response(painted: Callable[[], bytes], content_type: str = "image/png") -> HttpResponseBase:
    """A painted picture, or an error that says why there is none."""
    try:
        data = painted()
    except paint.TooManyOperations:
        return HttpResponse(_("Too much was drawn here at once for the server to paint."), status=413)
    except FrameGone:
        return HttpResponse(_("The file of the frame below is lost."), status=404)
    except paint.PainterBusy:
        response = HttpResponse(_("The server is painting something else. Try again in a moment."), status=503)
        response["Retry-After"] = "5"
        return response
    response = HttpResponse(data, content_type=content_type)
    response["Cache-Control"] = "public, max-age=300"  # not for ever: strokes can be hidden at any time
    response["Cross-Origin-Resource-Policy"] = "cross-origin"  # it is what other sites show of the page
    return response
