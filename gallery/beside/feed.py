"""The feed itself, at an address that only its person knows."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from allauth.core.internal import ratelimit
from django.conf import settings
from django.contrib.syndication.views import Feed
from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse
from django.utils import translation
from django.utils.cache import get_conditional_response
from django.utils.feedgenerator import Enclosure
from django.utils.html import format_html, format_html_join
from django.utils.http import quote_etag
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from canvas.moderation.sanctions.middleware import same_for_everybody
from dreamsite.core.errors import Busy, NotFound
from dreamsite.core.languages import speaking_to
from gallery import media
from gallery.atom import Atom
from gallery.beside import finding
from gallery.beside.finding import Beside
from gallery.beside.models import BesideFeed
from gallery.moments.views import moment_of, moment_url

RETRY_SECONDS = 120.0
ZOOM = 2


@dataclass(frozen=True)
class FeedEntry:
    """What was found, and the absolute addresses it has for who requests it."""

    beside: Beside
    place: str
    moment: str  # "" where it is not dreamed yet
    picture: str


class _Entries(Feed[FeedEntry, tuple[BesideFeed, HttpRequest]]):
    feed_type = Atom

    def get_object(self, request: HttpRequest, feed: BesideFeed) -> tuple[BesideFeed, HttpRequest]:
        return feed, request

    def feed_extra_kwargs(self, scope: tuple[BesideFeed, HttpRequest]) -> dict[str, Any]:
        return {"since": scope[0].switched_on_at}

    def title(self) -> str:
        return _("Drawn beside your strokes")

    def subtitle(self) -> str:
        return _("Only you know this feed’s address. Switch it off, or get another address, on your account’s page.")

    def link(self) -> str:
        return reverse("account")

    def feed_url(self, scope: tuple[BesideFeed, HttpRequest]) -> str:
        return scope[0].get_absolute_url()

    def feed_guid(self, scope: tuple[BesideFeed, HttpRequest]) -> str:
        return _tag(f"beside/{scope[0].pk}")

    def items(self, scope: tuple[BesideFeed, HttpRequest]) -> list[FeedEntry]:
        feed, request = scope
        return [_entry(found, request) for found in finding.find(feed.user)]

    def item_title(self, entry: FeedEntry) -> str:
        many = len(entry.beside.authors)
        words = ngettext("%(who)s drew beside your strokes", "%(who)s drew beside your strokes", many)
        return words % {"who": _who(entry.beside)}

    def item_description(self, entry: FeedEntry) -> SafeString:
        found = entry.beside
        words = ngettext("%(count)s stroke on %(canvas)s.", "%(count)s strokes on %(canvas)s.", found.count)
        links = [(entry.place, _("See the place"))]
        if entry.moment:
            links.append((entry.moment, _("See the dream it went into")))
        picture = format_html('<p><img src="{}" alt=""></p>', entry.picture) if entry.picture else ""
        said = words % {"count": found.count, "canvas": found.canvas.title}
        return format_html("<p>{} {}</p>{}", said, format_html_join(" · ", '<a href="{}">{}</a>', links), picture)

    def item_link(self, entry: FeedEntry) -> str:
        return entry.place

    def item_guid(self, entry: FeedEntry) -> str:
        found = entry.beside
        return _tag(f"beside/{found.canvas.pk}/{found.hour}/{found.column}/{found.row}")

    def item_author_name(self, entry: FeedEntry) -> str:
        return ", ".join(entry.beside.names) or _("Somebody")

    def item_pubdate(self, entry: FeedEntry) -> datetime:
        return entry.beside.oldest.ended_at

    def item_updateddate(self, entry: FeedEntry) -> datetime:
        return entry.beside.newest.ended_at

    def item_enclosures(self, entry: FeedEntry) -> list[Enclosure]:
        if not entry.picture or not entry.beside.frame:
            return []
        return [Enclosure(entry.picture, str(entry.beside.frame.thumbnail_size), "image/jpeg")]


_entries = _Entries()


@same_for_everybody
@require_safe
def feed(request: HttpRequest, person: int, key: str) -> HttpResponseBase:
    """What others drew beside this person's strokes, in their language; 404 for any other key."""
    found = BesideFeed.objects.select_related("user").filter(pk=person, user__closes_at=None).first()
    if found is None or not found.opens_with(key):
        raise NotFound(_("No feed has this address. It may have been switched off, or moved to another address."))
    kept = {"app": "allauth.account", "action": "beside_feed", "key": str(found.pk), "limit_get": True}
    if not ratelimit.consume(request, **kept):
        raise Busy("this feed", status=429, seconds=RETRY_SECONDS)
    with speaking_to(found.user):
        response = _entries(request, feed=found)
        response["Content-Language"] = translation.get_language() or settings.LANGUAGE_CODE
    etag = quote_etag(hashlib.sha256(response.content).hexdigest()[:32])
    answer = get_conditional_response(request, etag, None, response) or response
    answer["ETag"] = etag
    answer["Cache-Control"] = "private, max-age=600"
    answer["X-Robots-Tag"] = "noindex"
    return answer


def _entry(found: Beside, request: HttpRequest) -> FeedEntry:
    absolute, (x, y) = request.build_absolute_uri, found.middle
    picture = media.lasting(request, found.frame.thumbnail) if found.frame else ""
    moment = absolute(moment_url(found.canvas, moment_of(found.frame))) if found.frame else ""
    return FeedEntry(found, absolute(f"{found.canvas.get_absolute_url()}#x={x}&y={y}&zoom={ZOOM}"), moment, picture)


def _who(found: Beside) -> str:
    """Names of those who may be named; the others are counted."""
    named = found.names[: finding.NAMES]
    more = len(found.authors) - len(named)
    if not named:
        return ngettext("Somebody", "%(count)s people", more) % {"count": more}
    listed = ", ".join(named)
    if not more:
        return listed
    return ngettext("%(names)s and %(count)s more", "%(names)s and %(count)s more", more) % {
        "names": listed,
        "count": more,
    }


def _tag(what: str) -> str:
    """RFC 4151: a name that stays, whatever becomes of addresses."""
    return f"tag:{urlsplit(settings.SITE_URL).hostname},2026:{what}"
