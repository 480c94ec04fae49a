"""What other sites show of a canvas or a frame: cards, oEmbed, and the pages that they may put into an iframe."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit
from xml.sax.saxutils import escape

from django.conf import settings
from django.core.cache import caches
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.urls import Resolver404, resolve, reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.views.decorators.clickjacking import xframe_options_exempt
from django.views.decorators.http import require_safe

from canvas import daily, thumbnails
from canvas.models import Canvas, Frame
from canvas.moderation.sanctions.middleware import same_for_everybody
from dreamsite.core import appearance
from dreamsite.core.errors import NotFound, json_error
from dreamsite.core.languages import in_one_language
from dreamsite.core.middleware import policy
from gallery import licence, media, recipe
from gallery.frame import views as frame_views
from gallery.moments.views import painted_response
from gallery.sharing import cards
from gallery.studio.models import Work

WIDTH, HEIGHT = 480, 560  # px of the frame that others put up, picture and a line of words
WORDS = HEIGHT - WIDTH
EXAMPLE_SECONDS = 600
LIVE_SECONDS = 30  # how often the embedded canvas looks for a newer picture where no script runs


@same_for_everybody
@require_safe
def frame_card(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Before and after as one picture of 1200 x 630."""
    this = frame_views.find(request, pk)
    if this.hidden_at is not None:
        return HttpResponse(_("This frame is hidden."), status=410, content_type="text/plain; charset=utf-8")
    return painted_response(lambda: cards.card(this, address=request.META.get("REMOTE_ADDR", "")), "image/jpeg")


@same_for_everybody
@require_safe
def frame_pair(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The same, small, for a page of our own."""
    this = frame_views.find(request, pk)
    if this.hidden_at is not None:
        return HttpResponse(_("This frame is hidden."), status=410, content_type="text/plain; charset=utf-8")
    return painted_response(lambda: cards.card(this, cards.PAIR, request.META.get("REMOTE_ADDR", "")), "image/jpeg")


@require_safe
@xframe_options_exempt
def embed(request: HttpRequest, pk: int) -> HttpResponse:
    """The picture and where it is from. This page and the next are the only ones that may be put into an iframe."""
    this = frame_views.find(request, pk)
    hidden = this.hidden_at is not None or not this.canvas.listed
    context = {"frame": this, "hidden": hidden, "sentence": "" if hidden else recipe.sentence(this)}
    return _framed(render(request, "gallery/embed.html", context, status=410 if hidden else 200))


@require_safe
@xframe_options_exempt
def canvas_embed(request: HttpRequest, slug: str) -> HttpResponse:
    """A canvas as it lives, to look at, and the way to it: the one live page that may be put into an iframe."""
    canvas = get_object_or_404(Canvas.objects.listed(), slug=slug)
    address, canvas = canvas.get_absolute_url(), daily.today(canvas)
    context = {
        "canvas": canvas,
        "frame": newest(canvas),
        "seconds": LIVE_SECONDS,
        "socket": f"/ws/c/{canvas.slug}/",
        "address": address,
    }
    response = render(request, "gallery/canvas_embed.html", context)
    response["Cache-Control"] = f"public, max-age={LIVE_SECONDS // 2}"
    return _framed(response, live=True)


def newest(canvas: Canvas) -> Frame | None:
    return Frame.objects.visible().filter(canvas=canvas).order_by("-number").first()


def example(canvas: Canvas) -> int | None:
    """A dream that shows what the site is about, by its id: people drew for it. The same one for some minutes."""
    key = f"example:{canvas.pk}"
    known: int | None = caches["pages"].get(key)
    dreams = Frame.objects.visible().filter(canvas=canvas, kind=Frame.Kind.DREAM)
    if known is None or not dreams.filter(pk=known).exists():
        drawn = dreams.exclude(contributors=None).order_by("-number").values_list("pk", flat=True)
        known = drawn.first() or dreams.order_by("number").values_list("pk", flat=True).first()
        if known is not None:
            caches["pages"].set(key, known, EXAMPLE_SECONDS)
    return known


def _framed(response: HttpResponse, *, live: bool = False) -> HttpResponse:
    """Lets the sites of the owner's choice show this page; only a `live` one runs a script and talks to this site."""
    script = ("script-src", "connect-src") if live else ()
    response["Content-Security-Policy"] = policy(
        {
            **{name: ["'none'"] for name in ("default-src", "base-uri", "form-action")},
            "style-src": ["'self'"],
            **{name: settings.SECURE_CSP[name] for name in ("img-src", *script)},
            "frame-ancestors": settings.EMBED_ON,
        }
    )
    return response


@require_safe
@in_one_language
def oembed(request: HttpRequest) -> HttpResponse:
    """oembed.com: `?url=` of a frame's page, `?maxwidth=`, `?maxheight=`, `?format=` json or xml."""
    form = request.GET.get("format", "json")
    if form not in ("json", "xml"):
        return json_error(501, "format", _("The format can be json or xml."))
    shown = _shown_at(request, request.GET.get("url", ""))
    answer = _photo(request, shown) if isinstance(shown, Work) else _rich(request, shown)
    response: HttpResponse = JsonResponse(answer) if form == "json" else HttpResponse(_xml(answer), "text/xml")
    response["Access-Control-Allow-Origin"] = "*"
    return response


def _photo(request: HttpRequest, work: Work) -> dict[str, Any]:
    """A dream of the studio: its small picture where the whole one is larger than allowed."""
    limits = [_size(request, "maxwidth") or work.width, _size(request, "maxheight") or work.height]
    small = thumbnails.size(work.width, work.height)
    fits = work.width <= limits[0] and work.height <= limits[1]
    width, height = (work.width, work.height) if fits else small
    share = min(1.0, limits[0] / width, limits[1] / height)  # shown smaller, where even that is too large
    return {
        "type": "photo",
        "version": "1.0",
        "title": str(work),
        "author_name": work.owner.get_username(),
        "provider_name": appearance.current().name,
        "provider_url": request.build_absolute_uri("/"),
        "cache_age": 3600,
        "url": media.lasting(request, work.picture if fits else work.thumbnail),
        "width": int(width * share),
        "height": int(height * share),
        "thumbnail_url": media.lasting(request, work.thumbnail),
        "thumbnail_width": small[0],
        "thumbnail_height": small[1],
    }


def _rich(request: HttpRequest, shown: Frame | Canvas) -> dict[str, Any]:
    frame = shown if isinstance(shown, Frame) else newest(daily.today(shown))
    width = min(_size(request, "maxwidth") or WIDTH, (_size(request, "maxheight") or HEIGHT) - WORDS)
    width = max(width, 160)
    absolute = request.build_absolute_uri
    if isinstance(shown, Frame):
        title, page = _title(shown), reverse("frame_embed", args=[shown.pk])
    else:
        title, page = shown.title, reverse("canvas_embed", args=[shown.slug])
    answer: dict[str, Any] = {
        "type": "rich",
        "version": "1.0",
        "title": title,
        "provider_name": appearance.current().name,
        "provider_url": absolute("/"),
        "cache_age": 86_400 if isinstance(shown, Frame) else LIVE_SECONDS,
        "html": format_html(
            '<iframe src="{}" width="{}" height="{}" title="{}" loading="lazy" frameborder="0"></iframe>',
            absolute(page),
            width,
            width + WORDS,
            title,
        ),
        "width": width,
        "height": width + WORDS,
        "license_url": licence.current().address,
    }
    if frame is not None:
        width, height = thumbnails.size(frame.width, frame.height)
        answer |= {
            "author_name": ", ".join(person.get_username() for person in frame.contributors.all()[:5]),
            "thumbnail_url": media.lasting(request, frame.thumbnail),
            "thumbnail_width": width,
            "thumbnail_height": height,
        }
    return answer


def _shown_at(request: HttpRequest, address: str) -> Frame | Canvas | Work:
    """What the page at this address is about; NotFound where that is no frame, no canvas and no published dream."""
    try:
        match = resolve(urlsplit(address).path or "/") if address else None
    except (Resolver404, ValueError):
        match = None
    if match is not None and match.url_name in ("frame", "frame_embed"):
        frame = frame_views.find(request, match.kwargs["pk"])
        if frame.hidden_at is not None or not frame.canvas.listed:
            raise NotFound(_("This frame is hidden."))
        return frame
    if match is not None and match.url_name == "studio_work":
        if work := Work.objects.published().filter(key=match.kwargs["key"]).first():
            return work
        raise NotFound(_("There is no dream with this address that everybody can see."))
    # The canvas' own addresses are the farewell's, which have no names (gallery.farewell.urls).
    if match is not None and (match.url_name or "canvas") in ("canvas", "canvas_embed", "last_canvas"):
        slug = match.kwargs.get("slug") or settings.CANVAS_SLUG
        if canvas := Canvas.objects.listed().filter(slug=slug).first():
            return canvas
    raise NotFound(_("“url” must be the address of a canvas, or of a frame's or a dream's page."))


def _size(request: HttpRequest, name: str) -> int | None:
    raw = request.GET.get(name, "")
    return int(raw) if re.fullmatch(r"[0-9]{1,5}", raw) else None


def _title(this: Frame) -> str:
    return _("Frame %(number)s") % {"number": this.number} + (f": {this.title}" if this.title else "")


def _xml(answer: dict[str, Any]) -> str:
    rows = "".join(f"<{name}>{escape(str(value))}</{name}>" for name, value in answer.items())
    return f'<?xml version="1.0" encoding="utf-8"?><oembed>{rows}</oembed>'
