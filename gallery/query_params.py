"""What a query string asks for: a canvas, a number, a moment, a time zone. Invalid ones are a 404 that says why."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from django.conf import settings
from django.http import HttpRequest
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from canvas import daily
from canvas.models import Canvas
from dreamsite.core.errors import NotFound

ZONE_COOKIE = "zone"  # set by static/gallery/zone.js


SHOWN_CANVASES = 12


def canvases(chosen: Canvas) -> list[Canvas]:
    """What a page about one canvas offers beside it: the site's own, then the listed ones that dreamed last."""
    others = Canvas.objects.listed().current().filter(day_of=None, daily=False)
    found = list(others.own_first()[:SHOWN_CANVASES])
    found.sort(key=lambda other: other.pk)
    return found if chosen in found else [*found, chosen]


def canvas(request: HttpRequest) -> Canvas:
    """`?canvas=`, or the one at `/`."""
    slug = request.GET.get("canvas", "")
    found = Canvas.objects.existing().filter(slug=slug or settings.CANVAS_SLUG).first()
    if found is None and slug:
        raise NotFound(_("There is no canvas called “%(slug)s”.") % {"slug": slug[:40]})
    return daily.today(found or Canvas.objects.default())


def number(request: HttpRequest, name: str) -> int | None:
    raw = request.GET.get(name)
    if raw is None:
        return None
    if not (raw.isascii() and raw.isdigit() and len(raw) <= 9):
        raise NotFound(_("“%(name)s” must be a whole number, not “%(raw)s”.") % {"name": name, "raw": raw[:40]})
    return int(raw)


def moment(request: HttpRequest, name: str = "at", zone: ZoneInfo | None = None) -> datetime | None:
    """An ISO date or date and time; without an offset it is in `zone`, else UTC. None where it is missing."""
    raw = request.GET.get(name, "").strip()
    if not raw:
        return None
    try:
        parsed = parse_datetime(raw if len(raw) > 10 else f"{raw}T00:00")
        # In UTC here already: an offset can lead out of the years that a datetime can hold.
        parsed = parsed and parsed.replace(tzinfo=parsed.tzinfo or zone or UTC).astimezone(UTC)
    except (ValueError, OverflowError):
        parsed = None
    if parsed is None:
        raise NotFound(_("“%(raw)s” is not a date or time. Write it like 2026-11-20T12:34.") % {"raw": raw[:40]})
    return parsed


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def zone(request: HttpRequest) -> ZoneInfo:
    """The viewer's time zone: `?zone=`, else the cookie that their browser set, else UTC."""
    name = request.GET.get("zone", "")
    if name:
        if name not in _zones():
            raise NotFound(_("“%(zone)s” is not a time zone. Write it like Europe/Lisbon.") % {"zone": name[:40]})
        return ZoneInfo(name)
    stored = request.COOKIES.get(ZONE_COOKIE, "")
    return ZoneInfo(stored if re.fullmatch(r"[\w+/-]{1,40}", stored) and stored in _zones() else "UTC")
