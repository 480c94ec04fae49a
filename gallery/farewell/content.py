"""What the farewell shows, for the day itself and for the staff's look at it before."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from canvas.models import Canvas, Frame
from gallery.donations.options import ways
from gallery.farewell import drinks, totals, whole_film
from gallery.pages.models import Page

FAREWELL, AFTERWARDS = "farewell", "afterwards"


def context(request: HttpRequest) -> dict[str, Any]:
    place = Canvas.objects.default()
    last = last_frame(place)
    return {
        "place": place,
        "last": last,
        "card": last and request.build_absolute_uri(last.picture.url),
        "film": whole_film.whole(place),
        "numbers": totals.read(),
        "questions": Page.objects.filter(slug=AFTERWARDS).first(),
        "ways": ways(),
        "drinks": drinks.all_of_them(),
    }


def last_frame(place: Canvas) -> Frame | None:
    return Frame.objects.visible().filter(canvas=place).order_by("-number").first()
