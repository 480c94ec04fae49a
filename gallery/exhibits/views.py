"""The exhibits' list, and one of them."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from dreamsite.core import second_factor
from dreamsite.core.errors import NotFound
from gallery.exhibits.items import ItemImage, items_of
from gallery.exhibits.models import Exhibit

DRAFTS = "gallery.view_exhibit"


@require_safe
def exhibits(request: HttpRequest) -> HttpResponse:
    """All published ones that have something to show, newest first; the staff also sees drafts and empty ones."""
    every = Exhibit.objects.with_pictures()
    staff = second_factor.may(request, DRAFTS)
    found = [(exhibit, items_of(exhibit)) for exhibit in (every if staff else every.published())]
    shown = [(exhibit, items) for exhibit, items in found if items or staff]
    return render(request, "gallery/exhibits/list.html", {"section": "exhibits", "shown": shown})


@require_safe
def exhibit(request: HttpRequest, slug: str) -> HttpResponse:
    this = _find(request, slug)
    items = items_of(this)
    card = request.build_absolute_uri(items[0].after.lasting) if items else ""
    context = {"section": "exhibits", "exhibit": this, "items": items, "card": card}
    return render(request, "gallery/exhibits/exhibit.html", context)


@require_safe
def exhibit_json(request: HttpRequest, slug: str) -> HttpResponse:
    """The same, for programs."""
    this = _find(request, slug)

    def image(shown: ItemImage | None) -> dict[str, Any] | None:
        if shown is None:
            return None
        return {
            "picture": request.build_absolute_uri(shown.lasting),
            "width": shown.width,
            "height": shown.height,
            "page": request.build_absolute_uri(shown.page) if shown.page else None,
        }

    pictures = [
        {
            "caption": item.picture.caption,
            "credit": item.picture.credit,
            "after": image(item.after),
            "before": image(item.before),
        }
        for item in items_of(this)
    ]
    answer = {
        "title": this.title,
        "statement": this.statement,
        "curator": this.curator.get_username() if this.curator else None,
        "page": request.build_absolute_uri(this.get_absolute_url()),
        "opened_at": this.published_at,
        "pictures": pictures,
    }
    return JsonResponse(answer)


def _find(request: HttpRequest, slug: str) -> Exhibit:
    found = Exhibit.objects.with_pictures().filter(slug=slug).first()
    if found is None or not (found.open or second_factor.may(request, DRAFTS)):
        raise NotFound(_("There is no exhibit with this address."))
    return found
