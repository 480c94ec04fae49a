"""A frame in other sites' pages: oEmbed, and the page that they may put into an iframe."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit
from xml.sax.saxutils import escape

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import Resolver404, resolve, reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.views.decorators.clickjacking import xframe_options_exempt
from django.views.decorators.http import require_safe

from canvas.models import Frame
from dreamsite.core.errors import NotFound, json_error
from dreamsite.core.middleware import policy
from gallery import licence, recipe
from gallery.frame import views as frame_views

WIDTH, HEIGHT = 480, 560  # px of the frame that others put up, picture and a line of words
WORDS = HEIGHT - WIDTH


@require_safe
@xframe_options_exempt
def embed(request: HttpRequest, pk: int) -> HttpResponse:
    """The picture and where it is from: the only page that other sites may put into an iframe."""
    this = frame_views.find(pk)
    hidden = this.hidden_at is not None
    context = {"frame": this, "hidden": hidden, "sentence": "" if hidden else recipe.sentence(this)}
    response = render(request, "gallery/embed.html", context, status=410 if hidden else 200)
    response["Content-Security-Policy"] = policy(
        {
            **{name: ["'none'"] for name in ("default-src", "base-uri", "form-action")},
            "style-src": ["'self'"],
            "img-src": settings.SECURE_CSP["img-src"],
            "frame-ancestors": ["*"],
        }
    )
    return response


@require_safe
def oembed(request: HttpRequest) -> HttpResponse:
    """oembed.com: `?url=` of a frame's page, `?maxwidth=`, `?maxheight=`, `?format=` json or xml."""
    form = request.GET.get("format", "json")
    if form not in ("json", "xml"):
        return json_error(501, "format", _("The format can be json or xml."))
    this = _frame_at(request.GET.get("url", ""))
    if this.hidden_at is not None:
        raise NotFound(_("This frame is hidden."))
    width = min(_size(request, "maxwidth") or WIDTH, (_size(request, "maxheight") or HEIGHT) - WORDS)
    width = max(width, 160)
    absolute = request.build_absolute_uri
    title = _title(this)
    share = min(1.0, 480 / max(this.width, this.height))
    answer: dict[str, Any] = {
        "type": "rich",
        "version": "1.0",
        "title": title,
        "author_name": ", ".join(person.get_username() for person in this.contributors.all()[:5]),
        "provider_name": "Dreamsite",
        "provider_url": absolute("/"),
        "cache_age": 86_400,
        "thumbnail_url": absolute(this.thumbnail.url),
        "thumbnail_width": round(this.width * share),
        "thumbnail_height": round(this.height * share),
        "html": format_html(
            '<iframe src="{}" width="{}" height="{}" title="{}" loading="lazy" frameborder="0"></iframe>',
            absolute(reverse("frame_embed", args=[this.pk])),
            width,
            width + WORDS,
            title,
        ),
        "width": width,
        "height": width + WORDS,
        "license_url": licence.current().address,
    }
    response: HttpResponse = JsonResponse(answer) if form == "json" else HttpResponse(_xml(answer), "text/xml")
    response["Access-Control-Allow-Origin"] = "*"
    return response


def _frame_at(address: str) -> Frame:
    try:
        match = resolve(urlsplit(address).path)
    except (Resolver404, ValueError):
        match = None
    if match is None or match.url_name not in ("frame", "frame_embed"):
        raise NotFound(_("“url” must be the address of a frame's page."))
    return frame_views.find(match.kwargs["pk"])


def _size(request: HttpRequest, name: str) -> int | None:
    raw = request.GET.get(name, "")
    return int(raw) if re.fullmatch(r"[0-9]{1,5}", raw) else None


def _title(this: Frame) -> str:
    return _("Frame %(number)s") % {"number": this.number} + (f": {this.title}" if this.title else "")


def _xml(answer: dict[str, Any]) -> str:
    rows = "".join(f"<{name}>{escape(str(value))}</{name}>" for name, value in answer.items())
    return f'<?xml version="1.0" encoding="utf-8"?><oembed>{rows}</oembed>'
