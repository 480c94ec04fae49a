"""The newest frames as an Atom feed, each with its picture enclosed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath

from django.conf import settings
from django.contrib.syndication.views import Feed
from django.http import HttpRequest
from django.urls import reverse, reverse_lazy
from django.utils.feedgenerator import Enclosure
from django.utils.translation import gettext as _

from canvas.models import Canvas, Frame
from gallery import media, recipe
from gallery.atom import Atom
from gallery.highlights.models import Highlight

ENTRIES = 20


@dataclass(frozen=True)
class FeedEntry:
    """A frame, and the absolute addresses it has for who requests it: one feed object answers all requests at once."""

    frame: Frame
    page: str
    picture: str
    caption: str = ""
    chosen_at: datetime | None = None


class HistoryFeed(Feed[FeedEntry, tuple[Canvas, HttpRequest]]):
    feed_type = Atom
    language = settings.LANGUAGE_CODE
    link = reverse_lazy("history")
    feed_url = reverse_lazy("history_feed")

    def get_object(self, request: HttpRequest) -> tuple[Canvas, HttpRequest]:
        return Canvas.objects.default(), request

    def title(self, scope: tuple[Canvas, HttpRequest]) -> str:
        return _("%(canvas)s: the newest dreams") % {"canvas": scope[0].title}

    def subtitle(self, scope: tuple[Canvas, HttpRequest]) -> str:
        return _("A canvas that everybody draws on, and what a neural network dreams of it.")

    def items(self, scope: tuple[Canvas, HttpRequest]) -> list[FeedEntry]:
        canvas, request = scope
        frames = Frame.objects.visible().filter(canvas=canvas).select_related("canvas").order_by("-number")[:ENTRIES]
        absolute = request.build_absolute_uri
        return [
            FeedEntry(frame, absolute(reverse("frame", args=[frame.pk])), media.lasting(request, frame.picture))
            for frame in frames
        ]

    def item_title(self, entry: FeedEntry) -> str:
        frame = entry.frame
        return _("Frame %(number)s") % {"number": frame.number} + (f": {frame.title}" if frame.title else "")

    def item_description(self, entry: FeedEntry) -> str:
        return recipe.sentence(entry.frame)

    def item_link(self, entry: FeedEntry) -> str:
        return entry.page

    def item_pubdate(self, entry: FeedEntry) -> datetime:
        return entry.frame.made_at

    def item_updateddate(self, entry: FeedEntry) -> datetime:
        return entry.frame.made_at

    def item_guid(self, entry: FeedEntry) -> str:
        return entry.page

    def item_enclosures(self, entry: FeedEntry) -> list[Enclosure]:
        kind = media.TYPES.get(PurePosixPath(entry.frame.picture.name or "").suffix, "application/octet-stream")
        return [Enclosure(entry.picture, str(entry.frame.size), kind)]


class HighlightsFeed(HistoryFeed):
    """What moderators chose, of every canvas, by when they chose it."""

    link = reverse_lazy("highlights")
    feed_url = reverse_lazy("highlights_feed")

    def title(self, scope: tuple[Canvas, HttpRequest]) -> str:
        return _("%(canvas)s: highlights") % {"canvas": scope[0].title}

    def subtitle(self, scope: tuple[Canvas, HttpRequest]) -> str:
        return _("Dreams worth a second look.")

    def items(self, scope: tuple[Canvas, HttpRequest]) -> list[FeedEntry]:
        absolute = scope[1].build_absolute_uri
        return [
            FeedEntry(
                chosen.frame,
                absolute(chosen.get_absolute_url()),
                media.lasting(scope[1], chosen.frame.picture),
                chosen.caption,
                chosen.chosen_at,
            )
            for chosen in Highlight.objects.shown()[:ENTRIES]
        ]

    def item_description(self, entry: FeedEntry) -> str:
        return " ".join(filter(None, [entry.caption, recipe.sentence(entry.frame)]))

    def item_updateddate(self, entry: FeedEntry) -> datetime:
        return entry.chosen_at or entry.frame.made_at
