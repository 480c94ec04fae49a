"""A canvas by link is known to nobody who has not been given its link: in no list, feed, JSON or guessed address."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from canvas.models import Canvas, Frame
from dreamsite.canvases import services
from dreamsite.core.models import User
from gallery.films.schedule import films_due
from gallery.highlights.models import Highlight
from gallery.models import Film
from tests.canvases.conftest import ROLES, frame_of

pytestmark = pytest.mark.django_db

EVERYBODYS = (
    "/",
    "/canvases/",
    "/canvases/archive/",
    "/history/",
    "/history.json",
    "/history/feed/",
    "/history/timeline.json",
    "/history/calendar/",
    "/history/slideshow/",
    "/highlights/",
    "/highlights/feed/",
    "/films/",
    "/films.json",
    "/downloads/",
    "/exhibits/",
    "/studio/",
    "/studio/explained/",
    "/sitemap.xml",
    "/sitemap/pages.xml",
    "/robots.txt",
    "/people/ada/",
    "/moderation/summary/",
)
OF_A_FRAME = (
    "frame",
    "frame_json",
    "frame_picture",
    "frame_drawing",
    "frame_recipe",
    "frame_card",
    "frame_pair",
)


@pytest.fixture
def kept(private: Canvas, maker: User) -> Frame:
    """A dream of it that the maker drew on, and that was chosen while it was listed."""
    frame = frame_of(private, authors=[maker.pk])
    Highlight.objects.create(frame=frame, caption="A secret highlight")
    return frame


@pytest.mark.parametrize("role", [role for role in ROLES if role != "maker"])
def test_no_page_of_others_names_it(role: str, browser: Callable[[str], Client], private: Canvas, kept: Frame) -> None:
    frame_of(Canvas.objects.default())
    client = browser(role)
    for address in EVERYBODYS:
        answer = client.get(address)
        page = b"".join(answer) if answer.streaming else answer.content
        assert answer.status_code == 200, address
        for secret in (private.slug, private.title, f"/frames/{kept.pk}", str(kept.picture.name), "A secret highlight"):
            assert secret.encode() not in page, (address, secret)


@pytest.mark.parametrize("name", OF_A_FRAME)
@pytest.mark.parametrize("role", ROLES)
def test_its_frames_open_with_its_link_and_not_by_counting(
    role: str, name: str, browser: Callable[[str], Client], private: Canvas, kept: Frame
) -> None:
    client, address = browser(role), reverse(name, args=[kept.pk])
    assert client.get(address).status_code == 404
    assert client.get(f"{address}?canvas=main").status_code == 404
    with_key = client.get(f"{address}?canvas={private.slug}")
    # A dream without a recipe has none to show, with or without the link.
    assert with_key.status_code in ((404,) if name == "frame_recipe" else (200, 302)), with_key.content
    if name == "frame_recipe":
        assert b"was not dreamed" in with_key.content


def test_its_own_pages_lead_on_with_the_link(private: Canvas, kept: Frame, client: Client) -> None:
    page = client.get(kept.get_absolute_url()).content.decode()
    assert kept.get_absolute_url() == f"/frames/{kept.pk}/?canvas={private.slug}"
    for name in ("frame_json", "frame_drawing", "frame_origins", "frame_card"):
        assert f"{reverse(name, args=[kept.pk])}?canvas={private.slug}" in page
    history = client.get(f"/history/?canvas={private.slug}").content.decode()
    assert kept.get_absolute_url() in history
    answer = client.get(f"/history.json?canvas={private.slug}").json()["frames"][0]["page"]
    assert answer.endswith(kept.get_absolute_url())


def test_it_is_no_embed_no_card_and_no_oembed(private: Canvas, kept: Frame, client: Client) -> None:
    page = client.get(f"/c/{private.slug}/").content.decode()
    assert 'name="robots" content="noindex"' in page and "og:image" not in page and "oembed" not in page
    assert client.get(f"/c/{private.slug}/embed/").status_code == 404
    assert client.get(f"/frames/{kept.pk}/embed/?canvas={private.slug}").status_code == 410
    for address in (f"/c/{private.slug}/", f"/frames/{kept.pk}/", f"/frames/{kept.pk}/?canvas={private.slug}"):
        asked = {"url": f"http://testserver{address}", "canvas": private.slug}
        assert client.get("/oembed", asked).status_code == 404
    listed = client.get("/").content.decode()
    assert "oembed" in listed and "noindex" not in listed


def test_no_film_is_made_of_it_and_those_made_before_are_gone(private: Canvas, kept: Frame, client: Client) -> None:
    films_due()
    assert not Film.objects.exists()
    span = {"starts_at": kept.made_at, "ends_at": kept.made_at + timedelta(hours=1)}
    film = Film.objects.create(canvas=private, kind=Film.Kind.DAY, state="done", **span)
    assert client.get(f"/films/{film.pk}/").status_code == 404
    assert film.get_absolute_url() not in client.get("/sitemap/pages.xml").content.decode()
    owner = User.objects.create_user("owner", is_staff=True, is_superuser=True)
    client.force_login(owner)
    assert client.post(f"/films/order?canvas={private.slug}").status_code == 403


def test_a_moderator_makes_no_highlight_of_it_and_the_studio_does_not_start_from_it(
    private: Canvas, kept: Frame, browser: Callable[[str], Client]
) -> None:
    moderator = browser("moderator")
    Highlight.objects.all().delete()
    assert moderator.post(f"/frames/{kept.pk}/highlight/?canvas={private.slug}").status_code == 403
    assert not Highlight.objects.exists()
    assert moderator.post(f"/studio/from-frame/{kept.pk}/").status_code == 404


def test_a_new_link_leaves_the_old_one_leading_nowhere(private: Canvas, kept: Frame, client: Client) -> None:
    before = private.slug
    services.new_link(private)
    assert len(private.slug) == 32 and private.slug != before
    for address in (f"/c/{before}/", f"/frames/{kept.pk}/?canvas={before}", f"/history/?canvas={before}"):
        assert client.get(address).status_code == 404
    assert client.get(f"/frames/{kept.pk}/?canvas={private.slug}").status_code == 200
