"""What the farewell page shows, on the day itself and in the staff's preview."""

from __future__ import annotations

import random
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from canvas.models import Canvas, Frame
from gallery import media
from gallery.donations.options import donation_options
from gallery.farewell import totals, whole_film
from gallery.pages import choosing

FAREWELL, AFTERWARDS = "farewell", "afterwards"  # slugs of pages

# What a donation could buy; the page shows one at random.
DRINKS = [
    _("a cup of tea"),
    _("a strong coffee"),
    _("a glass of wine"),
    _("a beer"),
    _("a cocoa with cream"),
    _("a ginger ale"),
    _("a cider"),
    _("a maté"),
    _("a lemonade"),
    _("a hot milk with honey"),
    _("a sherry"),
    _("an elderflower water"),
    _("a malt whisky"),
    _("a bubble tea"),
    _("an oat latte"),
]


def context(request: HttpRequest) -> dict[str, Any]:
    canvas = Canvas.objects.default()
    last = last_frame(canvas)
    return {
        "canvas": canvas,
        "last": last,
        "card": last and media.lasting(request, last.picture),
        "film": whole_film.newest(canvas),
        "totals": totals.read(),
        "questions": choosing.find(AFTERWARDS, drafts=True),
        "donation_options": donation_options(),
        "drinks": random.sample([str(drink) for drink in DRINKS], len(DRINKS)),
    }


def last_frame(canvas: Canvas) -> Frame | None:
    return Frame.objects.visible().filter(canvas=canvas).order_by("-number").first()
