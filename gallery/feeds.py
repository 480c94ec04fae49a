"""The newest frames as an Atom feed, each with its picture enclosed."""

from __future__ import annotations

from datetime import datetime
from pathlib import PurePosixPath

from django.contrib.syndication.views import Feed
from django.http import HttpRequest
from django.urls import reverse, reverse_lazy
from django.utils.feedgenerator import Atom1Feed, Enclosure
from django.utils.translation import gettext as _

from canvas.models import Canvas, Frame
from gallery import media, recipe

ENTRIES = 20


class HistoryFeed(Feed):  # type: ignore[type-arg]
    feed_type = Atom1Feed
    link = reverse_lazy("history")
    feed_url = reverse_lazy("history_feed")

    def get_object(self, request: HttpRequest) -> Canvas:
        self.request = request
        return Canvas.objects.default()

    def title(self, place: Canvas) -> str:
        return _("%(canvas)s: the newest dreams") % {"canvas": place.title}

    def subtitle(self, place: Canvas) -> str:
        return _("A canvas that everybody draws on, and what a neural network dreams of it.")

    def items(self, place: Canvas) -> list[Frame]:
        return list(Frame.objects.visible().filter(canvas=place).select_related("canvas").order_by("-number")[:ENTRIES])

    def item_title(self, frame: Frame) -> str:
        return _("Frame %(number)s") % {"number": frame.number} + (f": {frame.title}" if frame.title else "")

    def item_description(self, frame: Frame) -> str:
        return recipe.sentence(frame)

    def item_pubdate(self, frame: Frame) -> datetime:
        return frame.made_at

    def item_updateddate(self, frame: Frame) -> datetime:
        return frame.made_at

    def item_guid(self, frame: Frame) -> str:
        return self.request.build_absolute_uri(reverse("frame", args=[frame.pk]))

    def item_enclosures(self, frame: Frame) -> list[Enclosure]:
        kind = media.TYPES.get(PurePosixPath(frame.picture.name or "").suffix, "application/octet-stream")
        return [Enclosure(self.request.build_absolute_uri(frame.picture.url), str(frame.size), kind)]
