"""What other sites show of the history: embeds, feeds, lists for search engines, highlights."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.utils import timezone
from PIL import Image

from canvas import frames
from canvas.models import Canvas, Dream, Frame
from canvas.moderation.models import Act
from dreamer.engine.recipe import Recipe
from dreamer.styles import Style
from dreamsite.core.models import User
from dreamsite.core.turns import Pace
from gallery.exhibits.models import Exhibit
from gallery.highlights.models import Highlight
from gallery.sharing import cards, sitemap
from tests.gallery.conftest import RECIPE

pytestmark = pytest.mark.django_db
Many = Callable[..., list[Frame]]


@pytest.fixture
def moderator(client: Client) -> User:
    user = User.objects.create_user("warden")
    user.groups.add(Group.objects.get(name="Moderators"))
    client.force_login(user)
    return user


class TestEmbedding:
    def test_the_page_says_how_and_the_answer_works(self, client: Client, kept: Frame) -> None:
        page = client.get(f"/frames/{kept.pk}/").content.decode()
        found = re.search(r'type="application/json\+oembed" href="([^"]+)"', page)
        assert found
        answer = client.get(found.group(1).replace("&amp;", "&")).json()
        assert (answer["version"], answer["type"], answer["title"]) == ("1.0", "rich", f"Frame 1: {kept.title}")
        assert answer["thumbnail_url"] == f"http://localhost:8000{kept.thumbnail.url}"
        source = re.search(r'src="http://localhost:8000([^"]+)"', answer["html"])
        assert source
        assert kept.picture.url in client.get(source.group(1)).content.decode()

    def test_only_the_embed_may_be_framed(self, client: Client, kept: Frame) -> None:
        embed = client.get(f"/frames/{kept.pk}/embed/")
        assert "frame-ancestors *" in embed["Content-Security-Policy"]
        assert "script-src" not in embed["Content-Security-Policy"]
        assert "X-Frame-Options" not in embed
        for address in (f"/frames/{kept.pk}/", "/history/", "/highlights/"):
            answer = client.get(address)
            assert "frame-ancestors 'none'" in answer["Content-Security-Policy"]
            assert answer["X-Frame-Options"] == "DENY"

    def test_it_keeps_to_the_size_that_was_asked_for(self, client: Client, kept: Frame) -> None:
        url = f"http://localhost:8000/frames/{kept.pk}/"
        answer = client.get("/oembed", {"url": url, "maxwidth": "300", "maxheight": "900"}).json()
        assert answer["width"] <= 300 and answer["height"] <= 900
        assert f'width="{answer["width"]}"' in answer["html"]

    def test_xml(self, client: Client, kept: Frame) -> None:
        answer = client.get("/oembed", {"url": f"/frames/{kept.pk}/", "format": "xml"})
        assert ElementTree.fromstring(answer.content).findtext("provider_name") == "Dreamsite"

    @pytest.mark.parametrize("query", ["", "url=http://localhost:8000/history/", "url=http://[", "url=/frames/99999/"])
    def test_nonsense(self, client: Client, query: str) -> None:
        assert client.get(f"/oembed?{query}").status_code == 404
        assert client.get("/oembed?format=yaml").status_code == 501

    def test_hidden_frames(self, client: Client, many: Many) -> None:
        (frame,) = many(1, hidden_at=timezone.now())
        embed = client.get(f"/frames/{frame.pk}/embed/")
        assert embed.status_code == 410 and frame.picture.url not in embed.content.decode()
        assert client.get("/oembed", {"url": f"/frames/{frame.pk}/"}).status_code == 404


class TestCards:
    """What a chat shows of a link."""

    def test_a_dream_is_shown_before_and_after(self, client: Client, kept: Frame) -> None:
        page = client.get(f"/frames/{kept.pk}/").content.decode()
        found = re.search(r'property="og:image" content="http://localhost:8000([^"]+)"', page)
        assert found
        answer = client.get(found.group(1))
        assert answer["Content-Type"] == "image/jpeg" and answer["Cross-Origin-Resource-Policy"] == "cross-origin"
        with Image.open(io.BytesIO(answer.content)) as image:
            assert image.size == (1200, 630)
            halves = np.asarray(image.convert("RGB"), np.int16)
        # Nothing was drawn on the white canvas before this frame of noise.
        assert halves[:, :590].min() > 245
        assert halves[:, 610:].std() > 20

    def test_a_drawing_stands_alone(self, client: Client, canvas: Canvas) -> None:
        pixels = np.full((96, 192, 3), (200, 30, 30), np.uint8)
        made = frames.encode(pixels, Frame.Kind.CHECKPOINT)
        frame = frames.keep(frames.NewFrame(canvas, made, Frame.Kind.CHECKPOINT, 1))
        with Image.open(io.BytesIO(client.get(f"/frames/{frame.pk}/card.jpg").content)) as image:
            assert image.size == (1200, 630)
            assert np.asarray(image.convert("RGB"))[315, 600, 0] > 180

    def test_the_canvas_shows_its_newest_frame(self, client: Client, kept: Frame) -> None:
        page = client.get("/").content.decode()
        assert f'<meta property="og:image" content="http://localhost:8000/frames/{kept.pk}/card.jpg">' in page
        assert '<meta name="twitter:card" content="summary_large_image">' in page
        frames.hide(kept)
        assert "og:image" not in client.get("/").content.decode()
        assert client.get(f"/frames/{kept.pk}/card.jpg").status_code == 410

    def test_another_canvas_shows_its_own(self, client: Client, kept: Frame) -> None:
        Canvas.objects.create(slug="other", title="The other one")
        page = client.get("/c/other/").content.decode()
        assert 'property="og:title" content="The other one"' in page and "og:image" not in page

    @pytest.mark.parametrize("address", ["/", "/c/main/", "http://localhost:8000/"])
    def test_oembed_of_a_canvas_is_its_newest_picture(self, client: Client, kept: Frame, address: str) -> None:
        answer = client.get("/oembed", {"url": address}).json()
        assert (answer["type"], answer["title"]) == ("rich", "Dreamsite")
        assert answer["thumbnail_url"] == f"http://localhost:8000{kept.thumbnail.url}"
        source = re.search(r'src="http://localhost:8000([^"]+)"', answer["html"])
        assert source
        embed = client.get(source.group(1))
        assert kept.picture.url in embed.content.decode() and 'http-equiv="refresh"' in embed.content.decode()
        assert "frame-ancestors *" in embed["Content-Security-Policy"]
        assert "script-src 'self'" in embed["Content-Security-Policy"]  # it lives

    def test_the_strip_for_strangers_shows_a_real_dream(self, client: Client, kept: Frame) -> None:
        page = client.get("/").content.decode()
        assert page.count(f'<img src="/frames/{kept.pk}/pair.jpg"') == 2
        with Image.open(io.BytesIO(client.get(f"/frames/{kept.pk}/pair.jpg").content)) as image:
            assert image.size == (326, 160)
        frames.hide(kept)
        assert client.get(f"/frames/{kept.pk}/pair.jpg").status_code == 410
        assert "pair.jpg" not in client.get("/").content.decode()

    def test_an_empty_canvas_can_be_embedded_too(self, client: Client, canvas: Canvas) -> None:
        assert "thumbnail_url" not in client.get("/oembed", {"url": "/"}).json()
        assert "<img" not in client.get("/c/main/embed/").content.decode()


class TestRecipe:
    def test_the_recipe_is_one_that_the_dreamer_takes(self, client: Client, kept: Frame) -> None:
        written = json.loads(client.get(f"/frames/{kept.pk}/recipe.json").content)
        assert Recipe.from_json(written).seed == 7
        page = client.get(f"/frames/{kept.pk}/").content.decode()
        assert "manage.py dream dreamsite-main-000001-drawing.png" in page
        assert f"http://localhost:8000/frames/{kept.pk}/drawing.png" in page

    def test_a_drawing_has_none(self, client: Client, many: Many) -> None:
        (frame,) = many(1, kind=Frame.Kind.CHECKPOINT)
        Frame.objects.update(recipe={})
        assert client.get(f"/frames/{frame.pk}/recipe.json").status_code == 404
        assert "manage.py dream" not in client.get(f"/frames/{frame.pk}/").content.decode()

    def test_a_moderator_lets_the_canvas_dream_of_it(self, client: Client, kept: Frame, moderator: User) -> None:
        assert "Let the canvas dream of this next" in client.get(f"/frames/{kept.pk}/").content.decode()
        client.post(f"/frames/{kept.pk}/dream-again/")
        style = Dream.objects.get(canvas=kept.canvas).style_named
        read = Style.from_json(style)
        assert read and (read.layer, read.channel, read.model) == (
            "inception_4c/output",
            63,
            "googlenet",
        )
        assert Act.objects.get().verb == "this-style"

    def test_a_moderator_hides_a_frame(self, client: Client, many: Many, moderator: User) -> None:
        frame = many(2)[0]
        client.post(f"/frames/{frame.pk}/hide/", {"why": "somebody's address"})
        assert Client().get(f"/frames/{frame.pk}/").status_code == 410
        assert (Act.objects.get().verb, Act.objects.get().why) == ("hide-frame", "somebody's address")
        client.post(f"/frames/{frame.pk}/hide/")
        assert Act.objects.count() == 1

    def test_nobody_else_does(self, client: Client, kept: Frame) -> None:
        client.force_login(User.objects.create_user("anybody"))
        assert "Let the canvas dream of this next" not in client.get(f"/frames/{kept.pk}/").content.decode()
        for act in ("dream-again", "hide"):
            assert client.post(f"/frames/{kept.pk}/{act}/").status_code == 403
        assert not Dream.objects.exclude(style_named=None).exists()


class TestHighlights:
    def test_a_moderator_chooses(self, client: Client, many: Many, moderator: User) -> None:
        frame = many(3)[1]
        client.post(f"/frames/{frame.pk}/highlight/", {"caption": "  The cat  "})
        assert Highlight.objects.get().caption == "The cat"
        for address in ("/highlights/", "/history/", "/highlights/feed/", f"/frames/{frame.pk}/"):
            assert "The cat" in Client().get(address).content.decode(), address
        client.post(f"/frames/{frame.pk}/highlight/", {"drop": ""})
        assert not Highlight.objects.exists()
        assert [act.verb for act in Act.objects.order_by("pk")] == ["highlight", "drop-highlight"]
        assert "Nothing chosen yet" in client.get("/highlights/").content.decode()

    def test_nobody_else_does(self, client: Client, many: Many) -> None:
        (frame,) = many(1)
        assert client.post(f"/frames/{frame.pk}/highlight/").status_code == 302
        client.force_login(User.objects.create_user("anybody"))
        assert client.post(f"/frames/{frame.pk}/highlight/").status_code == 403
        assert not Highlight.objects.exists()

    def test_one_that_is_hidden_is_shown_nowhere(self, client: Client, many: Many, moderator: User) -> None:
        (frame,) = many(1)
        client.post(f"/frames/{frame.pk}/highlight/", {"caption": "Gone"})
        Frame.objects.update(hidden_at=timezone.now())
        for address in ("/highlights/", "/history/", "/highlights/feed/"):
            assert "Gone" not in Client().get(address).content.decode()
        assert client.post(f"/frames/{frame.pk}/highlight/").status_code == 403

    def test_pages(self, client: Client, many: Many) -> None:
        Highlight.objects.bulk_create(Highlight(frame=frame, caption=f"nr {frame.number}") for frame in many(30))
        first = client.get("/highlights/").content.decode()
        assert "nr 30" in first and first.count("tile-caption") == 24 and 'rel="next"' in first
        second = client.get("/highlights/?page=2").content.decode()
        assert second.count("tile-caption") == 6 and 'rel="next"' not in second and 'rel="prev"' in second


class TestSitemap:
    def test_every_visible_frame_once(self, client: Client, many: Many, monkeypatch: Any) -> None:
        monkeypatch.setattr(sitemap, "PART", 40)
        frames = many(100)
        many(3, canvas=Canvas.objects.create(slug="night", title="The night"))
        Frame.objects.filter(number=50).update(hidden_at=timezone.now())
        # The last twenty in another month.
        for frame in frames[80:]:
            Frame.objects.filter(pk=frame.pk).update(made_at=frame.made_at.replace(month=12))
        assert "Sitemap: http://localhost:8000/sitemap.xml" in client.get("/robots.txt").content.decode()
        parts = _locations(client.get("/sitemap.xml").content)
        assert parts[0] == "http://localhost:8000/sitemap/pages.xml"
        listed = [location for part in parts[1:] for location in _locations(client.get(part).content)]
        visible = Frame.objects.visible().values_list("pk", flat=True)
        assert sorted(listed) == sorted(f"http://localhost:8000/frames/{pk}/" for pk in visible)
        assert {part.rpartition("/")[2].partition(".")[0] for part in parts[1:]} == {
            "2026-11-1",
            "2026-11-2",
            "2026-12-1",
        }
        assert client.get(listed[0]).status_code == 200
        assert client.get("/sitemap/2026-11-9.xml").status_code == 404
        assert client.get("/sitemap/1999-01-1.xml").status_code == 404

    def test_pages(self, client: Client, many: Many) -> None:
        many(2)
        Exhibit.objects.create(title="Skies", slug="skies", published_at=timezone.now())
        Exhibit.objects.create(title="Draft", slug="draft")
        listed = _locations(client.get("/sitemap/pages.xml").content)
        for location in listed:
            assert client.get(location).status_code == 200, location
        paths = {location.removeprefix("http://localhost:8000") for location in listed}
        assert {"/films/", "/exhibits/skies/", "/about/", "/donate/"} <= paths
        assert not paths & {"/exhibits/draft/", "/farewell/"}


def _locations(xml: bytes) -> list[str]:
    return [element.text or "" for element in ElementTree.fromstring(xml).iter() if element.tag.endswith("}loc")]


class TestSlideshow:
    def test_it_begins_where_one_asks(self, client: Client, many: Many) -> None:
        many(200)
        assert client.get("/history/slideshow/").context["first"].number == 80
        assert client.get("/history/slideshow/?from=7").context["first"].number == 7
        assert client.get("/history/slideshow/?at=2026-11-20T12:05").context["first"].number == 11

    def test_every_so_manieth_frame(self, client: Client, many: Many) -> None:
        many(100)
        answer = client.get("/history.json?after=10&every=20").json()
        assert [frame["number"] for frame in answer["frames"]] == [90, 70, 50, 30]

    def test_nothing_yet(self, client: Client) -> None:
        assert "Nothing to show yet" in client.get("/history/slideshow/").content.decode()


def test_cards_have_a_pace_by_address(client: Client, canvas: Canvas, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each card is two pictures read and made smaller: not as many as a stranger likes."""
    monkeypatch.setattr(cards, "_pace", Pace("cards", 3, 60.0))
    made = [frames.encode(np.full((96, 96, 3), 40 * grey, np.uint8), Frame.Kind.DREAM) for grey in range(4)]
    shown = [frames.keep(frames.NewFrame(canvas, one, Frame.Kind.DREAM, 0)) for one in made]
    addresses = [f"/frames/{frame.pk}/{kind}.jpg" for frame in shown for kind in ("card", "pair")]

    def ask(address: str, at: str = "198.51.100.7") -> Any:
        return client.get(address, REMOTE_ADDR=at)

    answers = [ask(address) for address in addresses]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429, 429, 429, 429]
    assert 1 <= int(answers[3]["Retry-After"]) <= 60
    assert ask(addresses[0]).status_code == 200, "what is painted already costs nothing"
    assert ask(addresses[3], "203.0.113.1").status_code == 200
    assert ask(addresses[3]).status_code == 200, "it is kept now"


def test_the_recipe_of_the_fixture_is_a_real_one() -> None:
    assert Recipe.from_json({name: value for name, value in RECIPE.items() if name != "device"}).octaves == 6
