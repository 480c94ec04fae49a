"""What a request asks of the history: a canvas, a number, a moment, a time zone. Nonsense is a 404 with words."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import cache
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo, available_timezones

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from canvas.models import Canvas
from dreamsite.errors import NotHere

ZONE_COOKIE = "zone"  # set by static/gallery/zone.js
NAME = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?Z"


class MomentConverter:
    """`2026-11-20T12:34:56Z` in an address; fractions of a second only where they are needed."""

    regex = NAME

    def to_python(self, value: str) -> datetime:
        found = datetime.fromisoformat(value)  # ValueError (the 30th of February): no such address
        if not 2000 <= found.year <= 9000:  # further out a time zone, or a step, leads out of what a datetime knows
            raise ValueError
        return found

    def to_url(self, value: datetime) -> str:
        return name_of(value)


def name_of(moment: datetime) -> str:
    """A moment as it stands in addresses and JSON: UTC, ending in Z."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat().rstrip("0" if moment.microsecond else "") + "Z"


def canvas(request: HttpRequest) -> Canvas:
    """`?canvas=`, or the one at `/`."""
    slug = request.GET.get("canvas", "")
    found = Canvas.objects.filter(slug=slug or settings.CANVAS_SLUG).first()
    if found is None and slug:
        raise NotHere(_("There is no canvas called “%(slug)s”.") % {"slug": slug[:40]})
    return found or Canvas.objects.default()


def number(request: HttpRequest, name: str) -> int | None:
    raw = request.GET.get(name)
    if raw is None:
        return None
    if not (raw.isascii() and raw.isdigit() and len(raw) <= 9):
        raise NotHere(_("“%(name)s” must be a whole number, not “%(raw)s”.") % {"name": name, "raw": raw[:40]})
    return int(raw)


def moment(request: HttpRequest, name: str = "at", zone: ZoneInfo | None = None) -> datetime | None:
    """An ISO date or date and time; without an offset it is in `zone`, else UTC. None where it is not asked for."""
    raw = request.GET.get(name, "").strip()
    if not raw:
        return None
    try:
        found = parse_datetime(raw if len(raw) > 10 else f"{raw}T00:00")
        # In UTC here already: an offset can lead out of the years that a datetime knows.
        found = found and found.replace(tzinfo=found.tzinfo or zone or UTC).astimezone(UTC)
    except (ValueError, OverflowError):
        found = None
    if found is None:
        raise NotHere(_("“%(raw)s” is no moment. Write it like 2026-11-20T12:34.") % {"raw": raw[:40]})
    return found


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def zone(request: HttpRequest) -> ZoneInfo:
    """The viewer's time zone: `?zone=`, else what their browser told us last, else UTC."""
    asked = request.GET.get("zone", "")
    if asked:
        if asked not in _zones():
            raise NotHere(_("“%(zone)s” is no time zone. Write it like Europe/Lisbon.") % {"zone": asked[:40]})
        return ZoneInfo(asked)
    told = request.COOKIES.get(ZONE_COOKIE, "")
    return ZoneInfo(told if re.fullmatch(r"[\w+/-]{1,40}", told) and told in _zones() else "UTC")


def address(name: str, place: Canvas, *args: Any, **query: Any) -> str:
    """The address of a page about this canvas."""
    whole: dict[str, Any] = {} if is_default(place) else {"canvas": place.slug}
    whole |= {key: value for key, value in query.items() if value is not None}
    return reverse(name, args=args) + (f"?{urlencode(whole)}" if whole else "")


def is_default(place: Canvas) -> bool:
    return bool(place.slug == settings.CANVAS_SLUG)


def query(place: Canvas) -> str:
    """What addresses about this canvas end with; empty for the one at `/`."""
    return "" if is_default(place) else urlencode({"canvas": place.slug})
