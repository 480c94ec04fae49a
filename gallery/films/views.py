"""The films' pages, their tracks and their JSON versions."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from dreamsite.core.errors import NotFound
from dreamsite.core.tasks.jobs import State
from gallery import licence, media, query_params
from gallery.converters import utc_iso
from gallery.films import captions, own, source
from gallery.films import previews as tiles
from gallery.films.chapters import Chapter
from gallery.films.models import BULKY, Film, FilmFile
from gallery.films.requests import remake, request_whole_film
from gallery.links import canvas_query, canvas_url

DAYS = 7  # on one page of the list
SPEEDS = ("0.25", "0.5", "1", "1.5", "2", "4", "8")
MAY_MAKE = "gallery.change_film"


@require_safe
def films(request: HttpRequest) -> HttpResponse:
    """All films of a canvas, by day, newest first: `?canvas=`, `?before=` a date."""
    canvas = query_params.canvas(request)
    before = _before(request)
    every = Film.objects.filter(canvas=canvas, owner=None).whole().defer(*BULKY).select_related("canvas")
    timed = every.filter(kind__in=[Film.Kind.HOURS, Film.Kind.DAY]).exclude(state__in=[State.EMPTY, State.CANCELLED])
    if before:
        timed = timed.filter(starts_at__lt=datetime.combine(before, time(), UTC))
    newest = timed.values_list("starts_at", flat=True).first()
    # Whole days on a page, from the newest one there is.
    since = newest and _midnight(newest) - timedelta(days=DAYS - 1)
    shown = list(timed.filter(starts_at__gte=since)) if since else []
    older = timed.filter(starts_at__lt=since).exists() if since else False
    days = [
        (day, sorted(group, key=lambda film: (film.kind != Film.Kind.DAY, -film.starts_at.timestamp())))
        for day, group in groupby(shown, key=lambda film: film.starts_at.astimezone(UTC).date())
    ]
    others = every.filter(kind__in=[Film.Kind.WHOLE, Film.Kind.PART]).exclude(state__in=[State.EMPTY, State.CANCELLED])
    canvases = query_params.canvases(canvas)
    context = {
        "section": "films",
        "canvas": canvas,
        "query": canvas_query(canvas),
        "canvases": [(other, canvas_url("films", other)) for other in canvases] if len(canvases) > 1 else [],
        "days": [(day, [card(film) for film in group]) for day, group in days],
        "whole": [] if before else [card(film) for film in others.order_by("-id")[:12]],
        "older": since and older and canvas_url("films", canvas, before=f"{since:%Y-%m-%d}"),
        "newest": canvas_url("films", canvas) if before else "",
        "json": canvas_url("films_json", canvas),
        "may_make": request.user.has_perm(MAY_MAKE),
        "under_way": any(film.is_open for film in shown),
    }
    return render(request, "gallery/films/films.html", context)


@require_safe
def films_json(request: HttpRequest) -> JsonResponse:
    """The finished films of a canvas, newest first: 200 at a time, `?before=` an id."""
    canvas = query_params.canvas(request)
    found = Film.objects.ready().filter(canvas=canvas).prefetch_related("files").select_related("canvas")
    if (before := query_params.number(request, "before")) is not None:
        found = found.filter(pk__lt=before)
    listed = list(found.order_by("-id")[:200])
    older = listed[-1].pk if len(listed) == 200 else None
    return JsonResponse(
        {
            "canvas": canvas.slug,
            "films": [_as_json(request, film) for film in listed],
            "older": older and request.build_absolute_uri(canvas_url("films_json", canvas, before=older)),
        }
    )


@require_safe
def film(request: HttpRequest, pk: int) -> HttpResponse:
    """A film with its player; one that is still being made says how far it is. `?t=` seconds, or 1m30s."""
    this = find(request, pk)
    is_own = this.owner_id is not None
    files = {file.codec: file for file in this.files.all()}
    same = Film.objects.ready().filter(canvas=this.canvas, kind=this.kind).exclude(pk=this.pk)
    if is_own or this.shape:
        same = same.none()
    title = captions.title(this)
    original = files.get(FilmFile.Codec.LOSSLESS) or files.get(FilmFile.Codec.H264)
    context = {
        "section": "films",
        "film": this,
        "title": title,
        "span": captions.span(this),
        "all": canvas_url("own_films" if is_own else "films", this.canvas if this.canvas.listed else None),
        "is_own": is_own,
        "kept_until": this.requested_at + own.KEPT if is_own or this.shape else None,
        "clips": _clips(this) if this.state == State.DONE and not this.shape else [],
        # What a page plays; the lossless one is for keeping.
        "sources": [files[codec] for codec in (FilmFile.Codec.AV1, FilmFile.Codec.H264) if codec in files],
        "files": [files[codec] for codec in FilmFile.Codec.values if codec in files],
        "original": original,
        "filename": _filename(this),
        "licence": licence.LICENCES.get(this.licence) or licence.current(),
        "address": request.build_absolute_uri(this.get_absolute_url()),
        "poster": this.poster and media.lasting(request, this.poster),
        "begin": _seconds(request),
        "speeds": SPEEDS,
        "previous": same.filter(starts_at__lt=this.starts_at).order_by("-starts_at").first(),
        "following": same.filter(starts_at__gt=this.starts_at).order_by("starts_at").first(),
        "may_make": request.user.has_perm(MAY_MAKE),
        "may_drop": is_own and (this.state != State.CANCELLED or this.has_changed),
        "json": reverse("film_json", args=[this.pk]),
    }
    response = render(request, "gallery/films/film.html", context)
    if is_own:
        response["Cache-Control"] = "private, no-store"
    return response


@never_cache
@require_safe
def film_json(request: HttpRequest, pk: int) -> JsonResponse:
    """The same, for programs; also how far a film is that is being made."""
    return JsonResponse(_as_json(request, find(request, pk)))


@require_safe
def chapters(request: HttpRequest, pk: int) -> HttpResponse:
    """The chapters as WebVTT."""
    this = _ready(request, pk)
    return _vtt(tiles.chapters_vtt([Chapter(**chapter) for chapter in this.chapters], this.seconds))


@require_safe
def previews(request: HttpRequest, pk: int) -> HttpResponse:
    """Which part of the sheet of previews belongs to which time, as WebVTT."""
    this = _ready(request, pk)
    address = media.lasting(request, this.sprite)
    return _vtt(tiles.previews_vtt(address, tiles.Tiles(**this.tiles), this.seconds))


@require_safe
def frame_at(request: HttpRequest, pk: int) -> HttpResponse:
    """Leads from a moment of the film, `?t=`, to the frame's own page."""
    found = source.frame_at(_ready(request, pk), _seconds(request))
    if found is None:
        raise NotFound(_("The film no longer has a frame at this moment."))
    return redirect("frame", found)


@require_POST
@permission_required(MAY_MAKE, raise_exception=True)
def request_whole(request: HttpRequest) -> HttpResponse:
    """Requests the whole film so far, with the options of its form."""
    canvas = query_params.canvas(request)
    if not canvas.listed:
        raise PermissionDenied(_("Films are made of canvases that are listed."))
    lossless, drawing = (name in request.POST for name in ("lossless", "drawing"))
    made = request_whole_film(canvas, lossless=lossless, drawing=drawing, requested_by=request.user)
    if made is None:
        messages.error(request, _("There is no frame yet to make a film of."))
        return redirect(canvas_url("films", canvas))
    messages.success(request, _("The film is waiting for the worker. This page shows its progress."))
    return redirect(made)


@require_POST
def change(request: HttpRequest, pk: int) -> HttpResponse:
    """`cancel` cancels the job of a film, `again` withdraws it and makes it anew; `drop` deletes one of one's own."""
    this = Film.objects.seen_by(request.user).select_related("canvas").filter(pk=pk).first()
    is_own = this is not None and this.owner_id is not None
    if not (is_own or request.user.has_perm(MAY_MAKE)):
        raise PermissionDenied
    if this is None:
        raise NotFound(_("There is no film with this address."))
    if is_own and request.POST.get("do") == "drop":
        own.drop(this)
        messages.success(request, _("The film was deleted."))
        return redirect(canvas_url("own_films", this.canvas if this.canvas.listed else None))
    if request.POST.get("do") == "cancel":
        if Film.objects.filter(pk=this.pk).cancel():
            messages.success(request, _("The film was cancelled."))
        else:
            messages.error(request, _("There was nothing to cancel: the film is finished, or was cancelled before."))
    elif request.POST.get("do") == "again" and not is_own:
        remake(this, first=True)
        messages.success(request, _("The film is waiting for the worker. This page shows its progress."))
    return redirect(this)


def find(request: HttpRequest, pk: int) -> Film:
    """A film that whoever asks may see."""
    found = Film.objects.seen_by(request.user).select_related("canvas").prefetch_related("files").filter(pk=pk).first()
    if found is None:
        raise NotFound(_("There is no film with this address."))
    return found


def _ready(request: HttpRequest, pk: int) -> Film:
    found = find(request, pk)
    if found.state != State.DONE:
        raise NotFound(_("This film is not finished yet."))
    return found


def card(film: Film) -> dict[str, Any]:
    """A film for the list of them."""
    return {"film": film, "title": captions.title(film), "span": captions.span(film)}


def _clips(film: Film) -> list[dict[str, Any]]:
    """What a film's page offers to post: each shape with its clip, where there is one."""
    made = {clip.shape: clip for clip in film.clips.exclude(state__in=[State.CANCELLED, State.EMPTY])}
    return [{"shape": shape.value, "label": shape.label, "clip": made.get(shape.value)} for shape in Film.Shape]


def _filename(film: Film) -> str:
    shape = f"-{film.shape}" if film.shape else ""
    return f"dreamsite-{film.canvas.file_name}{shape}-{film.starts_at:%Y-%m-%d-%H%M}-{film.kind}"


def _before(request: HttpRequest) -> date | None:
    raw = request.GET.get("before", "")
    try:
        found = parse_date(raw) if raw else None
    except ValueError:
        found = None
    if raw and found is None:
        raise NotFound(_("“%(raw)s” is not a day. Write it like 2026-11-20.") % {"raw": raw[:40]})
    return found


def _seconds(request: HttpRequest) -> float:
    """`?t=`: 75, 75.5, 1m15s or 1:15; nonsense is the beginning."""
    raw = request.GET.get("t", "").strip().lower()
    for mark in ("h", "m"):
        raw = raw.replace(mark, ":")
    total = 0.0
    try:
        for part in raw.rstrip("s").split(":"):
            total = total * 60 + float(part or 0)
    except ValueError:
        return 0.0
    return total if 0 <= total < 1e6 else 0.0


def _midnight(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def _vtt(text: str) -> HttpResponse:
    return HttpResponse(text, content_type="text/vtt; charset=utf-8")


def _as_json(request: HttpRequest, film: Film) -> dict[str, Any]:
    absolute = request.build_absolute_uri
    answer: dict[str, Any] = {
        "id": film.pk,
        "canvas": film.canvas.slug if film.canvas.listed else "",
        "kind": film.kind,
        "shape": film.shape,
        "state": film.state,
        "title": captions.title(film),
        "page": absolute(film.get_absolute_url()),
        "starts_at": utc_iso(film.starts_at),
        "ends_at": utc_iso(film.ends_at),
    }
    if film.state != State.DONE:
        return {
            **answer,
            "fraction": round(film.fraction, 3),
            "seconds_left": film.seconds_left,
            "message": film.message,
        }
    terms = licence.LICENCES.get(film.licence) or licence.current()
    return {
        **answer,
        "description": film.description,
        "made_at": film.made_at and utc_iso(film.made_at),
        "seconds": round(film.seconds, 3),
        "fps": film.fps,
        "width": film.width,
        "height": film.height,
        "frames": film.frames,
        "first_number": film.first_number,
        "last_number": film.last_number,
        "files": [
            {
                "codec": file.codec,
                "type": file.mime,
                "address": media.lasting(request, file.file),
                "size": file.size,
                "sha256": file.sha256,
            }
            for file in film.files.all()
        ],
        "poster": media.lasting(request, film.poster),
        "chapters": [
            {**chapter, "address": f"{absolute(film.get_absolute_url())}?t={chapter['at']:g}"}
            for chapter in film.chapters
        ],
        "chapters_vtt": absolute(reverse("film_chapters", args=[film.pk])),
        "previews_vtt": absolute(reverse("film_previews", args=[film.pk])),
        "licence": {"name": str(terms.name), "address": terms.address},
        "music": {"credit": film.credit, "link": film.credit_link} if film.credit else None,
    }
