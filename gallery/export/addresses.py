"""Which addresses of the site are exported, and to which file.

A site answers an endless number of addresses; files are finite. Each address becomes one of a finite set: a page of the
history the one of a fixed grid, a moment the frame that everybody saw then, a canvas its last frame.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import SplitResult, parse_qs, unquote, urlencode, urlsplit

from django.conf import settings
from django.core.files.storage import default_storage
from django.urls import Resolver404, ResolverMatch, resolve, reverse

from canvas.models import Canvas, Frame
from dreamsite.core.files import is_within
from gallery import frames
from gallery.studio.models import Work
from gallery.uploads.models import Upload

HISTORY = {
    "calendar",
    "calendar_month",
    "canvas",
    "day",
    "download_day",
    "downloads",
    "downloads_json",
    "frame",
    "frame_json",
    "frame_picture",
    "frame_recipe",
    "highlights",
    "history",
    "history_json",
    "moment",
    "person",
}
OTHERS = {
    None,
    "accent_css",
    "bitcoin_code",
    "dreams",
    "donate",
    "exhibit",
    "exhibit_json",
    "exhibits",
    "film",
    "film_chapters",
    "film_json",
    "films",
    "films_json",
    "last_canvas",
    "logo",
    "page",
    "studio_work",
    "upload",
    "webmanifest",
}
JSON = {
    "downloads_json",
    "exhibit_json",
    "film_json",
    "films_json",
    "frame_json",
    "frame_recipe",
    "history_json",
}
BY_CANVAS = {
    "calendar",
    "calendar_month",
    "day",
    "download_day",
    "downloads",
    "downloads_json",
    "films",
    "films_json",
    "highlights",
    "history",
    "history_json",
}
# Paginated lists, and their query parameter.
PAGED = {
    "downloads": "skip",
    "downloads_json": "skip",
    "films": "before",
    "films_json": "before",
    "dreams": "page",
    "highlights": "page",
}
PLACE_IN_LIST = re.compile(r"[0-9-]{1,10}\Z")
UNDER_FRAME = re.compile(r"frame-(\d{1,9})\Z")


@dataclass(frozen=True)
class Target:
    """`address` is requested from the site for a page, of the storage or the static files otherwise (`kind`)."""

    kind: str  # page, media, static
    address: str
    file: str  # in the folder, with /


@dataclass(frozen=True)
class ExportOptions:
    """What to export."""

    frames: bool = True  # the history, with every frame's page and picture
    json: bool = True
    drawings: bool = False  # what each frame was dreamed of, painted anew: seconds for each


class Addresses:
    """From an address on this site to its file in the folder."""

    def __init__(self, options: ExportOptions) -> None:
        self._options = options
        site = urlsplit(settings.SITE_URL)
        self._origins = {f"{site.scheme}://{site.netloc}", *settings.SITE_ORIGINS}
        # Media have two addresses where they lie in a bucket: what comes before a name there is asked of the storage.
        self._media = {settings.MEDIA_URL, default_storage.url("probe").split("?")[0].removesuffix("probe")}
        self._at = lru_cache(maxsize=8192)(self._frame_at)

    def target(self, address: str, *, in_exhibit: bool = False) -> Target | None:
        """`address`: whole, or from the root on. None: not this site's, or not exported (`is_ours` tells which).

        `in_exhibit`: an exhibit links to it. An address that would lead to a file outside of the folder is not
        exported, however it is written: the name is looked at when it is final.
        """
        found = self._target(address, in_exhibit)
        return found if found and is_within(found.file) else None

    def _target(self, address: str, in_exhibit: bool) -> Target | None:
        parts = urlsplit(address)
        bare = address.split("#")[0].split("?")[0]
        for before in self._media:
            for stored in (bare, self._path(bare)):
                if stored.startswith(before):
                    name = unquote(stored.removeprefix(before))
                    return Target("media", name, f"media/{name}")
        if not self.is_ours(address):
            return None
        path = parts.path or "/"
        if path.startswith(settings.STATIC_URL):
            name = unquote(path.removeprefix(settings.STATIC_URL))
            return Target("static", name, f"static/{name}")
        try:
            found = resolve(path)
        except Resolver404:
            return None
        return self._page(found, parts, in_exhibit)

    def is_ours(self, address: str) -> bool:
        parts = urlsplit(address)
        return not parts.netloc or f"{parts.scheme}://{parts.netloc}" in self._origins

    def _path(self, address: str) -> str:
        return urlsplit(address).path if self.is_ours(address) else address

    def _page(self, found: ResolverMatch, parts: SplitResult, in_exhibit: bool) -> Target | None:
        name, of, path, query = found.url_name, found.kwargs, parts.path or "/", parse_qs(parts.query)
        if name == "frame_drawing":
            included = in_exhibit or (self._options.drawings and self._options.frames)
            return Target("page", path, file_of(path)) if included else None
        if name not in OTHERS and not (name in HISTORY and self._options.frames):
            return None
        if name in JSON and not self._options.json:
            return None
        slug = of.get("slug") if name == "canvas" else query.get("canvas", [""])[0]
        other = slug if slug and slug != settings.CANVAS_SLUG else ""
        match name:
            case "canvas":
                return self._last_of(str(other)) if other else Target("page", "/", "index.html")
            case "moment":
                return self._frame(self._at(other, of["moment"]))
            case "frame_picture":
                frame = Frame.objects.visible().filter(pk=of["pk"]).first()
                return self.target(frame.picture.url) if frame else None
            case "studio_work":
                if not Work.objects.published().filter(key=of["key"]).exists():
                    return None
            case "upload":
                upload = Upload.objects.of_key(of["key"])
                return self.target(upload.picture.url) if upload else None
            case "history" | "history_json":
                return self._history(name, other, query, parts.fragment)
        chosen = {"canvas": other} if other and name in BY_CANVAS else {}
        word = PAGED.get(name or "", "")
        if word in query and PLACE_IN_LIST.match(query[word][0]):
            chosen[word] = query[word][0]
        more = [value if key == "canvas" else f"{key}-{value}" for key, value in chosen.items()]
        return Target("page", path + (f"?{urlencode(chosen)}" if chosen else ""), file_of(path, *more))

    def _history(self, name: str, other: str, query: dict[str, list[str]], fragment: str) -> Target | None:
        """Pages of a fixed grid: page k has the numbers (k - 1) * PAGE + 1 to k * PAGE."""
        base = reverse(name)
        number = None
        if moment := query.get("at"):
            return self._frame(self._at(other, moment[0]))
        if at := UNDER_FRAME.match(fragment):
            number = int(at[1])
        elif (before := query.get("before")) and before[0].isdigit():
            number = int(before[0]) - 1
        elif (after := query.get("after")) and after[0].isdigit():
            number = int(after[0]) + 1
        elif "all" in query:
            number = self._newest(other)
        chosen = {"canvas": other} if other else {}
        if number is None:
            return Target("page", base + (f"?{urlencode(chosen)}" if chosen else ""), file_of(base, other))
        page = max(1, -(-number // frames.PAGE))
        question = urlencode({**chosen, "before": page * frames.PAGE + 1, "all": 1})
        return Target("page", f"{base}?{question}", file_of(base, *filter(None, (other, f"page-{page}"))))

    def _frame(self, pk: int | None) -> Target | None:
        if pk is None:
            return None
        path = reverse("frame", args=[pk])
        return Target("page", path, file_of(path))

    def _newest(self, slug: str) -> int | None:
        numbers = Frame.objects.filter(canvas__slug=slug or settings.CANVAS_SLUG, canvas__deleted_at=None)
        return numbers.order_by("-number").values_list("number", flat=True).first()

    def _frame_at(self, slug: str, moment: Any) -> int | None:
        canvas = Canvas.objects.existing().filter(slug=slug or settings.CANVAS_SLUG).first()
        found = frames.at(canvas, moment) if canvas and not isinstance(moment, str) else None
        return found.pk if found else None

    def _last_of(self, slug: str) -> Target | None:
        found = Frame.objects.visible().filter(canvas__slug=slug, canvas__deleted_at=None).order_by("-number").first()
        return self._frame(found.pk if found else None)


def file_of(path: str, *more: str) -> str:
    """`/history/` is history/index.html; what has a suffix keeps it; `more` makes another of the same path."""
    # No colons: not every file system has them.
    clean = unquote(path).strip("/").replace(":", "-")
    extra = [re.sub(r"[^A-Za-z0-9._-]", "-", word) for word in more if word]
    stem, dot, suffix = clean.rpartition(".")
    if dot and suffix in ("json", "png", "svg", "vtt", "xml"):
        return "/".join([f"{stem}.{suffix}"] if not extra else [stem, f"{'-'.join(extra)}.{suffix}"])
    return "/".join([part for part in (clean, *extra, "index.html") if part])
