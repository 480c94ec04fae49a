"""The dreams that people show, as an Atom feed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.contrib.syndication.views import Feed
from django.http import HttpRequest
from django.urls import reverse_lazy
from django.utils.feedgenerator import Enclosure
from django.utils.translation import gettext as _

from gallery.atom import Atom
from gallery.studio.models import Work

ENTRIES = 20


@dataclass(frozen=True)
class DreamEntry:
    """A dream, and its picture's absolute address for who requests it."""

    work: Work
    picture: str


class DreamsFeed(Feed[DreamEntry, HttpRequest]):
    """The newest first, each with its picture enclosed."""

    feed_type = Atom
    language = settings.LANGUAGE_CODE
    link = reverse_lazy("dreams")
    feed_url = reverse_lazy("dreams_feed")

    def get_object(self, request: HttpRequest) -> HttpRequest:
        return request

    def title(self, request: HttpRequest) -> str:
        return _("Dreams of the studio")

    def items(self, request: HttpRequest) -> list[DreamEntry]:
        absolute = request.build_absolute_uri
        return [DreamEntry(work, absolute(work.picture.url)) for work in Work.objects.published()[:ENTRIES]]

    def item_title(self, entry: DreamEntry) -> str:
        return str(entry.work)

    def item_description(self, entry: DreamEntry) -> str:
        return _("%(title)s, with %(network)s") % {"title": entry.work.title, "network": entry.work.network}

    def item_link(self, entry: DreamEntry) -> str:
        return entry.work.get_absolute_url()

    def item_author_name(self, entry: DreamEntry) -> str:
        return entry.work.owner.get_username()

    def item_pubdate(self, entry: DreamEntry) -> datetime | None:
        return entry.work.published_at

    def item_updateddate(self, entry: DreamEntry) -> datetime | None:
        return entry.work.published_at

    def item_enclosures(self, entry: DreamEntry) -> list[Enclosure]:
        try:
            size = entry.work.picture.size
        except FileNotFoundError:
            size = 0  # it is lost; the others are still told
        return [Enclosure(entry.picture, str(size), "image/jpeg")]
