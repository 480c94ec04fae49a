"""What search engines may list: an index, and each month's frames in parts.

Months because a month that is over never changes; parts because a month of frames every half minute is more than one
file may hold, and because a part must be written within an ordinary request.
"""

from __future__ import annotations

from datetime import date
from xml.sax.saxutils import escape

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from canvas.models import Canvas, Frame
from dreamsite.core.errors import NotFound
from gallery import query_params
from gallery.exhibits.models import Exhibit
from gallery.films.models import Film
from gallery.links import canvas_url
from gallery.pages.models import Page
from gallery.studio.models import Work
from gallery.timeline import activity

PART = 5_000  # addresses in one file
SCHEMA = "http://www.sitemaps.org/schemas/sitemap/0.9"
PAGES = ("canvas", "history", "calendar", "highlights", "films", "downloads", "exhibits", "studio", "dreams")


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    absolute = request.build_absolute_uri
    parts = [absolute(reverse("sitemap_pages"))]
    for canvas in Canvas.objects.listed().order_by("pk"):
        for month, (first, last) in _months(canvas).items():
            parts += [
                absolute(canvas_url("sitemap_frames", canvas, month, 1 + number))
                for number in range(-(-(last - first + 1) // PART))
            ]
    rows = "".join(f"<sitemap><loc>{escape(part)}</loc></sitemap>" for part in parts)
    return _xml(f'<sitemapindex xmlns="{SCHEMA}">{rows}</sitemapindex>')


@require_safe
def pages(request: HttpRequest) -> HttpResponse:
    """Everything but frames: the lists, and each public page, exhibit, film, and dream of the studio."""
    paths = [reverse(name) for name in PAGES]
    for found in (
        Page.objects.of_every_language().published(),
        Exhibit.objects.published(),
        Film.objects.ready().only("pk"),
        Work.objects.published().select_related(None).only("key"),
    ):
        paths += [one.get_absolute_url() for one in found]
    return _urls([request.build_absolute_uri(path) for path in paths])


@require_safe
def frames(request: HttpRequest, month: date, part: int) -> HttpResponse:
    """The visible frames of a month, in UTC: part 1 has its first `PART` numbers."""
    canvas = query_params.canvas(request)
    first, last = _months(canvas).get(month, (1, 0))
    begin = first + (part - 1) * PART
    if part < 1 or begin > last:
        raise NotFound(_("The sitemap has no such part."))
    found = Frame.objects.visible().filter(canvas=canvas, number__gte=begin, number__lt=min(begin + PART, last + 1))
    prefix = request.build_absolute_uri(reverse("frame", args=[0])).removesuffix("0/")
    return _urls([f"{prefix}{pk}/" for pk in found.order_by("number").values_list("pk", flat=True)])


def _months(canvas: Canvas) -> dict[date, tuple[int, int]]:
    """Each month's first and last number."""
    found: dict[date, tuple[int, int]] = {}
    extent = activity.extent(canvas)
    if extent is None:
        return found
    for tally in activity.tallies(canvas, *extent):
        if tally.first is None or tally.last is None:
            continue
        month = activity.moment(tally.at).date().replace(day=1)
        first, last = found.get(month, (tally.first, tally.last))
        found[month] = (min(first, tally.first), max(last, tally.last))
    return found


def _urls(addresses: list[str]) -> HttpResponse:
    rows = "".join(f"<url><loc>{escape(address)}</loc></url>" for address in addresses)
    return _xml(f'<urlset xmlns="{SCHEMA}">{rows}</urlset>')


def _xml(body: str) -> HttpResponse:
    return HttpResponse(f'<?xml version="1.0" encoding="UTF-8"?>{body}', content_type="application/xml")
