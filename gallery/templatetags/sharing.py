"""What the head of a canvas' page tells those who are sent its link."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django import template
from django.urls import reverse

from canvas.models import Canvas
from gallery.sharing import cards
from gallery.sharing.views import example, newest

register = template.Library()


@register.inclusion_tag("gallery/parts/canvas_card.html", takes_context=True)
def canvas_card(context: dict[str, Any], canvas: Canvas) -> dict[str, Any]:
    """Open Graph and oEmbed of a canvas: the newest frame, before and after."""
    absolute = context["request"].build_absolute_uri
    if not canvas.listed:
        return {"secret": True}
    frame = newest(canvas)
    address = absolute(canvas.get_absolute_url())
    return {
        "canvas": canvas,
        "look": context["look"],
        "address": address,
        "card": frame and absolute(reverse("frame_card", args=[frame.pk])),
        "width": cards.WIDTH,
        "height": cards.HEIGHT,
        "seconds": round(canvas.interval),
        "oembed": f"{absolute(reverse('oembed'))}?{urlencode({'url': address})}",
    }


@register.inclusion_tag("gallery/parts/hello.html")
def hello(canvas: Canvas) -> dict[str, Any]:
    """The strip that tells strangers what this is, by one dream before and after."""
    pk = example(canvas)
    return {"pair": pk and reverse("frame_pair", args=[pk]) + canvas.key, "seconds": round(canvas.interval)}
