"""The site as files: every link in them leads to one of them, and nothing in them needs a server."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.utils import timezone

from canvas import frames as canvas_frames
from canvas.models import Canvas, Frame
from dreamsite.core.models import User
from dreamsite.core.tasks.jobs import State
from gallery import frames
from gallery.downloads.models import Download
from gallery.exhibits.models import Exhibit, Picture
from gallery.export import crawl, rewrite
from gallery.export.addresses import Addresses, ExportOptions
from gallery.films.models import Film, FilmFile
from gallery.pages.models import Page

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def plain_static(settings: Any) -> None:
    """Static files as they lie in the tree: their hashed names are tested where they are made."""
    settings.DEBUG = True
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }


@pytest.fixture
def lived(kept: Frame, canvas: Canvas, staff: User) -> Frame:
    """A site with three frames, one of them hidden, an exhibit, a second canvas, and a person's page."""
    for number in (1, 2):
        made = canvas_frames.encode(canvas_frames.load(kept.pk), Frame.Kind.DREAM)
        people = [person.pk for person in kept.contributors.all()]
        canvas_frames.keep(
            canvas_frames.NewFrame(canvas, made, Frame.Kind.DREAM, 12 + number, authors=people, title="towers")
        )
    canvas_frames.hide(Frame.objects.get(number=2))
    other = Canvas.objects.create(slug="other", title="Other", width=128, height=128)
    made = canvas_frames.encode(canvas_frames.load(kept.pk), Frame.Kind.CHECKPOINT)
    canvas_frames.keep(canvas_frames.NewFrame(other, made, Frame.Kind.CHECKPOINT, 1))
    exhibit = Exhibit.objects.create(
        title="Skies", slug="skies", statement="[A](/frames/1/)", published_at=timezone.now()
    )
    Picture.objects.create(exhibit=exhibit, after_frame=kept, before_frame=Frame.objects.get(number=3))
    Page.objects.create(
        slug="imprint", title="Imprint", footer_order=9, body="[m](mailto:a@example.org) [x](https://example.org/)"
    )
    film = Film.objects.create(
        canvas=canvas,
        kind=Film.Kind.WHOLE,
        starts_at=kept.made_at,
        ends_at=timezone.now(),
        state=State.DONE,
        frames=3,
        width=96,
        height=96,
        seconds=2.0,
        made_at=timezone.now(),
        poster=stored("poster.jpg"),
        chapters=[{"at": 0.0, "title": "towers", "number": 1}],
    )
    FilmFile.objects.create(
        film=film, codec="h264", file=stored("film.mp4"), codecs="avc1.4d4029", size=9, sha256="0" * 64
    )
    Download.objects.create(
        canvas=canvas,
        day=kept.made_at.date(),
        kind="frames",
        state=State.DONE,
        file=stored("day.zip"),
        size=9,
        count=3,
    )
    return kept


def stored(name: str) -> str:
    return default_storage.save(f"films/{name}", ContentFile(b"not really"))


class Links(HTMLParser):
    """(tag, attribute, address) of everything in a page that a browser would go to or load."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, str, str]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in ("href", "xlink:href", "src", "poster", "action", "formaction", "data") and value is not None:
                self.found.append((tag, name, value))
            elif name == "srcset" and value:
                self.found += [(tag, name, part.split()[0]) for part in value.split(",")]
            elif name == "content" and value and re.match(r"(/|https?://)", value):
                self.found.append((tag, name, value))


def links(folder: Path) -> Iterator[tuple[Path, str, str]]:
    for file in folder.rglob("*"):
        if file.suffix == ".html":
            for tag, name, address in Links(file.read_text()).found:
                yield file, f"{tag} {name}", address
        elif file.suffix == ".css":
            for match in re.finditer(r"""url\(\s*["']?([^"')]+)|@import\s+["']([^"']+)""", file.read_text()):
                yield file, "css", match[1] or match[2]
        elif file.suffix == ".js":
            for match in re.finditer(r"""^\s*(?:import|export)\b[^"'=\n]*["']([^"']+)["']""", file.read_text(), re.M):
                yield file, "import", match[1]


def dead(folder: Path) -> list[str]:
    """Links that lead to the server that is gone, or to no file."""
    found = []
    for file, what, address in links(folder):
        parts = urlsplit(address)
        if parts.scheme in ("mailto", "data", "bitcoin") or address.startswith("#"):
            continue
        if parts.netloc:
            if parts.hostname in ("localhost", "testserver"):
                found.append(f"{file.relative_to(folder)}: {what} {address}")
            continue
        to = (file.parent / unquote(parts.path)).resolve()
        if parts.path.startswith("/") or not to.is_file() or not to.is_relative_to(folder.resolve()):
            found.append(f"{file.relative_to(folder)}: {what} {address}")
    return found


def export(folder: Path, *options: str) -> Path:
    call_command("export_static", str(folder), *options, verbosity=0)
    return folder


def test_the_whole_site_needs_no_server(lived: Frame, tmp_path: Path) -> None:
    """One export, looked at from all sides: each takes a second or two."""
    folder = export(tmp_path / "site")
    _every_link_leads_to_a_file(folder, lived)
    _what_is_hidden_is_not_in_it(folder)
    _nothing_in_it_asks_a_server(folder)
    _json_twins_point_into_the_folder(folder)


def _every_link_leads_to_a_file(folder: Path, lived: Frame) -> None:
    assert dead(folder) == []
    assert len(list(links(folder))) > 200
    farewell = (folder / "index.html").read_text()
    assert Page.objects.get(slug="farewell").title in farewell and "data-socket" not in farewell
    for file in (
        "history/index.html",
        "frames/1/index.html",
        "exhibits/skies/index.html",
        "about/index.html",
        "imprint/index.html",
        "people/bruno/index.html",
        "canvas/index.html",
        "frames/1.json",
    ):
        assert (folder / file).is_file(), file
    assert "<video" in farewell and len(list((folder / "media/films").iterdir())) == 3
    assert "<video" in (folder / f"films/{Film.objects.get().pk}/index.html").read_text()
    with default_storage.open(lived.picture.name) as picture:
        assert (folder / "media" / lived.picture.name).read_bytes() == picture.read()
    assert "hidden" in (folder / "frames/2/index.html").read_text()
    assert not (folder / crawl.STATE_FILE).exists()


def _what_is_hidden_is_not_in_it(folder: Path) -> None:
    hidden = Frame.objects.get(number=2)
    names = {file.name for file in folder.rglob("*")}
    assert Path(hidden.picture.name).name not in names and Path(hidden.thumbnail.name).name not in names


def _nothing_in_it_asks_a_server(folder: Path) -> None:
    for file in folder.rglob("*.html"):
        text = file.read_text()
        assert "<form" not in text and "csrfmiddlewaretoken" not in text and "/accounts/" not in text, file
    scripts = {file.relative_to(folder / "static").as_posix() for file in folder.rglob("*.js")}
    assert scripts and scripts <= crawl.SCRIPTS | {"gallery/zone.js", "i18n.js"}  # in English it asks for no words


def _json_twins_point_into_the_folder(folder: Path) -> None:
    data = json.loads((folder / "frames/1.json").read_text())
    assert (folder / "frames" / data["page"]).resolve() == folder / "frames/1/index.html"
    assert (folder / "frames" / data["picture"]).is_file()


def test_without_frames_the_rest_still_holds_together(lived: Frame, tmp_path: Path) -> None:
    folder = export(tmp_path / "site", "--no-frames", "--no-json")
    assert dead(folder) == []
    assert not (folder / "frames").exists() and not (folder / "history").exists()
    assert (folder / "exhibits/skies/index.html").is_file() and not list(folder.rglob("*.json"))


def test_a_run_that_was_cut_short_goes_on(lived: Frame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, written, whole = tmp_path / "site", [], crawl.Export._write

    def falls(self: crawl.Export, target: Any) -> None:
        if len(written) == 12:
            raise KeyboardInterrupt
        written.append(target.file)
        whole(self, target)

    monkeypatch.setattr(crawl, "BATCH", 5)
    monkeypatch.setattr(crawl.Export, "_write", falls)
    with pytest.raises(KeyboardInterrupt):
        export(folder, "--no-frames")
    again: list[str] = []
    monkeypatch.setattr(crawl.Export, "_write", lambda self, target: (again.append(target.file), whole(self, target)))
    export(folder, "--no-frames")
    assert not set(written[:10]) & set(again), "what was noted as done is not done again"
    assert dead(folder) == []
    with pytest.raises(CommandError, match="not empty"):
        export(folder)


def test_a_page_that_fails_stops_it_with_words(lived: Frame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from gallery.exhibits import views

    def fails(request: Any) -> None:
        raise RuntimeError("no")

    monkeypatch.setattr(views, "items_of", fails)
    with pytest.raises(CommandError, match=r"answered 500.*again"):
        export(tmp_path / "site")


def test_the_history_is_a_fixed_grid_however_one_comes_to_it(canvas: Canvas, many: Callable[..., list[Frame]]) -> None:
    many(frames.PAGE * 3)
    addresses, size = Addresses(ExportOptions()), frames.PAGE

    def file(address: str) -> str:
        found = addresses.target(address)
        assert found is not None
        return found.file

    assert file("/history/") == "history/index.html"
    pages = {file(f"/history/?before={number}") for number in range(2, size * 3 + 2)}
    pages |= {file(f"/history/?after={number}") for number in range(size * 3)}
    pages |= {file(f"/history/?before={number + 25}#frame-{number}") for number in range(1, size * 3 + 1)}
    assert pages == {f"history/page-{number}/index.html" for number in (1, 2, 3)}
    assert file(f"/history/?before=9#frame-{size + 1}") == "history/page-2/index.html"
    assert file("/history/?all=1") == "history/page-3/index.html", "the newest"


def test_a_folded_history_is_exported_with_the_way_to_all_of_it(
    canvas: Canvas, many: Callable[..., list[Frame]], tmp_path: Path
) -> None:
    many(12)
    Frame.objects.filter(number__range=(4, 9)).update(seq=3)
    folder = export(tmp_path / "site")
    index = (folder / "history" / "index.html").read_text()
    (way,) = re.findall(r'<a href="([^"]*)">Show every dream by itself', index)
    every = ((folder / "history") / way).resolve()
    assert every == folder.resolve() / "history" / "page-1" / "index.html"
    assert "<details>" in index and "<details>" not in every.read_text()
    assert "Fold the dreams" not in every.read_text()


def test_a_moment_is_the_frame_of_that_moment(canvas: Canvas, many: Callable[..., list[Frame]]) -> None:
    made = many(4)
    found = Addresses(ExportOptions()).target("/history/2026-11-20T12:00:45Z")
    assert found is not None and found.address == made[1].get_absolute_url()


def test_what_asks_for_somebody_is_left_out(canvas: Canvas) -> None:
    addresses = Addresses(ExportOptions())
    for address in (
        "/accounts/login/",
        "/account/",
        "/staff/",
        "/history/mine/",
        "/nothing.json",
        "https://example.org/",
        "/media/../secret-key",
        "/static/../../x",
    ):
        assert addresses.target(address) is None, address


def links_to(address: str) -> str | None:
    return None if "gone" in address else f"to{address}"


@pytest.mark.parametrize(
    ("given", "made"),
    [
        ('<a href="/x?a=1&amp;b=2" class="q">w &amp; v</a>', '<a href="to/x?a=1&amp;b=2" class="q">w &amp; v</a>'),
        ('<p>see <a href="/gone">these <b>words</b></a>.</p>', "<p>see these <b>words</b>.</p>"),
        ('<nav><a href="/gone">x</a><a href="/y">y</a></nav>', '<nav><a href="to/y">y</a></nav>'),
        ('<a class="button" href="/gone">x <a></a></a>!', "!"),
        ('<img src="/gone" alt="x"><br>', "<br>"),
        ('<form action="/x"><div><form></form>q</div></form>z', "z"),
        (
            '<link rel="canonical" href="https://a.example/"><link rel="stylesheet" href="/s.css">',
            '<link rel="stylesheet" href="to/s.css">',
        ),
        ('<img srcset="/a.jpg 1x, /gone.jpg 2x" src="/a.jpg">', '<img srcset="to/a.jpg 1x" src="to/a.jpg">'),
        ('<svg><use href="/i.svg#a"/></svg>', '<svg><use href="to/i.svg#a"/></svg>'),
        (
            '<script src="/no.js"></script><script type="module" src="/yes.js"></script>',
            '<script type="module" src="to/yes.js"></script>',
        ),
        ("<!DOCTYPE html><!-- c --><p>1 &lt; 2 &#8211; é</p>", "<!DOCTYPE html><!-- c --><p>1 &lt; 2 &#8211; é</p>"),
    ],
)
def test_html_is_the_same_but_for_its_links(given: str, made: str) -> None:
    assert rewrite.html(given, links_to, lambda address: "yes" in address) == made


def test_style_sheets_and_modules() -> None:
    assert rewrite.css('a{b:url("/x.svg")} @import "/y.css"; c{d:url(/gone)}', links_to) == (
        'a{b:url("to/x.svg")} @import "to/y.css"; c{d:url(/gone)}'
    )
    text = 'import { a } from "/m.js";\nawait import("/n.js"); const s = "/plain";'
    assert (
        rewrite.module(text, links_to)
        == 'import { a } from "./to/m.js";\nawait import("./to/n.js"); const s = "/plain";'
    )
