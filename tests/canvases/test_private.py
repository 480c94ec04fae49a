"""A canvas by link is known to nobody who has not been given its link: in no list, feed, JSON or guessed address."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.validators import validate_slug
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from canvas import daily, journal
from canvas.frames import visibility
from canvas.models import Canvas, CleanHours, Frame, secret_slug
from canvas.moderation.cases import listing
from canvas.moderation.models import Act
from dreamer import voting
from dreamer.networks import choosing, shelves
from dreamsite import logs
from dreamsite.accounts import export
from dreamsite.canvases import services
from dreamsite.core.models import User
from gallery.films.schedule import films_due
from gallery.frame.files import filename
from gallery.highlights.models import Highlight
from gallery.models import Download, Film
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


@pytest.mark.parametrize("role", ROLES)
def test_a_report_about_its_frame_needs_the_link_and_never_tells_it(
    role: str, browser: Callable[[str], Client], private: Canvas, kept: Frame
) -> None:
    client, address = browser(role), f"/report/?frame={kept.pk}"
    for guessed in ("", "&canvas=main", "&canvas=", "&x=1&y=1"):
        answer = client.get(address + guessed)
        assert answer.status_code == 404 and private.slug.encode() not in answer.content
        sent = client.post("/report/", {"frame": kept.pk, "category": "spam", "canvas": guessed.partition("=")[2]})
        assert sent.status_code == 422 and private.slug.encode() not in sent.content
    assert client.get(f"{address}&canvas={private.slug}").status_code == 200
    link = f"{address}&amp;canvas={private.slug}"
    assert link in client.get(kept.get_absolute_url()).content.decode()
    data = {"frame": kept.pk, "category": "spam", "canvas": private.slug}
    assert client.post("/report/", data).status_code == 201


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


def test_whoever_was_thrown_out_keeps_no_film_of_it(
    private: Canvas, maker: User, kept: Frame, browser: Callable[[str], Client]
) -> None:
    client, bruno = browser("member"), User.objects.get(username="bruno")
    span = {"starts_at": kept.made_at, "ends_at": kept.made_at + timedelta(seconds=1), "state": "done"}
    hers, his = (Film.objects.create(canvas=private, kind="place", owner=who, **span) for who in (maker, bruno))
    clip = Film.objects.create(canvas=private, kind="place", owner=bruno, of=his, shape="square", **span)
    assert client.get(f"/films/{his.pk}.json").status_code == 200
    services.new_link(private)
    assert {client.get(f"/films/{film.pk}.json").status_code for film in (his, clip)} == {404}
    assert list(Film.objects.all()) == [hers]


def test_whoever_was_thrown_out_is_not_told_the_new_link(
    private: Canvas, maker: User, browser: Callable[[str], Client]
) -> None:
    client, bruno = browser("member"), User.objects.get(username="bruno")
    drawn = frame_of(private, authors=[bruno.pk, maker.pk])
    data = {"frame": drawn.pk, "category": "spam", "canvas": private.slug}
    assert client.post("/report/", data).status_code == 201
    services.new_link(private)
    drawn = Frame.objects.get(pk=drawn.pk)
    for address in ("/account/", "/account-status/"):
        page = client.get(address).content.decode()
        assert private.slug not in page and f"/frames/{drawn.pk}/?" not in page, address
    rows = {part.file: list(part.rows(bruno)) for part in export.PARTS}
    assert private.slug not in str(rows)
    assert rows["frames.jsonl"][0]["number"] == drawn.number and rows["frames.jsonl"][0]["page"] == ""
    # Its maker has it, and so has everybody once it is listed.
    assert drawn.get_absolute_url() in browser("maker").get("/account/").content.decode()
    assert next(export.frames(maker))["page"] == drawn.get_absolute_url()
    Canvas.objects.filter(pk=private.pk).update(listed=True)
    assert f"/frames/{drawn.pk}/" in client.get("/account/").content.decode()


def test_a_deleted_one_opens_for_nobody(
    private: Canvas, maker: User, kept: Frame, own: Client, browser: Callable[[str], Client]
) -> None:
    services.delete(private)
    for address in (
        f"/c/{private.slug}/",
        f"/c/{private.slug}/stage/",
        f"/history/?canvas={private.slug}",
        f"/history.json?canvas={private.slug}",
        f"/frames/{kept.pk}/?canvas={private.slug}",
        f"/report/?frame={kept.pk}&canvas={private.slug}",
        f"/report/?canvas={private.slug}&x=1&y=1",
        reverse("canvas_settings", args=[private.slug]),
        reverse("style_vote", args=[private.slug]),
    ):
        assert own.get(address).status_code == 404, address
    assert own.post(reverse("canvas_act", args=[private.slug, "reopen"])).status_code == 404
    assert journal.find(private.slug) is None
    assert private.slug not in str([list(part.rows(maker)) for part in (export.PARTS[0], export.PARTS[1])])
    # Moderators may have a report about it to decide.
    assert browser("moderator").get(f"/frames/{kept.pk}/?canvas={private.slug}").status_code == 200


def test_no_file_carries_the_key(private: Canvas, kept: Frame) -> None:
    assert not [name for name in (kept.picture.name, kept.thumbnail.name, filename(kept)) if private.slug in str(name)]
    assert visibility.hide(kept)
    kept.refresh_from_db()
    assert private.slug not in f"{kept.picture.name} {kept.thumbnail.name}"


def test_a_key_is_masked_in_logs() -> None:
    for _ in range(200):
        slug = secret_slug()
        validate_slug(slug)
        assert len(slug) == 32 and logs.redact(f"GET /c/{slug}/ 200") == f"GET /c/{logs.MASK}/ 200"
        assert slug not in logs.redact(f"{slug}: dreamed; /history/?canvas={slug}")


def test_dreams_on_it_earn_no_trust(private: Canvas, maker: User) -> None:
    frame_of(private, authors=[maker.pk])
    assert not CleanHours.objects.filter(user=maker).exists()
    Canvas.objects.filter(pk=private.pk).update(listed=True)
    private.refresh_from_db()
    frame_of(private, 2, authors=[maker.pk])
    assert CleanHours.objects.filter(user=maker).exists()


def test_a_rename_makes_the_open_case_another_one(private: Canvas) -> None:
    case = listing.ask(private)
    services.change(private, guests=True, title=private.title)
    case.refresh_from_db()
    seen = case.version
    services.change(private, guests=True, title="What no moderator has read")
    case.refresh_from_db()
    assert case.version == seen + 1 and case.closed_at is None


def test_what_makers_choose_for_their_own_is_no_act(private: Canvas, maker: User, settings: Any) -> None:
    settings.HOUSE_MODEL = True
    files = voting.network(private)
    assert files is not None
    assert shelves.turn(private, files, [], True, maker)
    choosing.use(private, files.name, maker)
    assert not Act.objects.exists()
    owner = User.objects.create_user("owner", is_staff=True, is_superuser=True)
    choosing.use(private, "", owner)
    assert Act.objects.count() == 1


@pytest.mark.parametrize("place", ("/history/", "/history/calendar/", "/films/", "/downloads/", "/highlights/", "day"))
def test_search_engines_keep_none_of_its_pages(place: str, private: Canvas, kept: Frame, client: Client) -> None:
    address = reverse("day", args=[kept.made_at.date()]) if place == "day" else place
    answer = client.get(f"{address}?canvas={private.slug}", follow=True)
    assert answer.status_code == 200 and b'name="robots" content="noindex"' in answer.content
    frame_of(Canvas.objects.default())
    assert b"noindex" not in client.get(address, follow=True).content


def test_films_and_downloads_go_with_the_list(private: Canvas, kept: Frame) -> None:
    Canvas.objects.filter(pk=private.pk).update(listed=True)
    span = {"starts_at": kept.made_at, "ends_at": kept.made_at + timedelta(hours=1)}
    for taken in (services.unlist, services.delete):
        Film.objects.create(canvas=private, kind=Film.Kind.DAY, state="done", **span)
        Download.objects.create(canvas=private, kind=Download.Kind.FRAMES, day=kept.made_at.date(), state="done")
        taken(private)
        assert not Film.objects.exists() and not Download.objects.exists()


def test_who_is_leaving_is_not_named_in_the_list(private: Canvas, maker: User, client: Client) -> None:
    Canvas.objects.filter(pk=private.pk).update(listed=True)
    assert "by ada" in client.get("/canvases/").content.decode()
    User.objects.filter(pk=maker.pk).update(closes_at=timezone.now() + timedelta(days=3))
    assert "by ada" not in client.get("/canvases/").content.decode()


def test_a_day_of_one_has_a_key_of_its_own(private: Canvas) -> None:
    Canvas.objects.filter(pk=private.pk).update(daily=True)
    private.refresh_from_db()
    day = daily.today(private)
    assert day.day_of == private and len(day.slug) == 32 and private.slug[:20] not in day.slug
    assert not day.listed and daily.today(private) == day


def test_makers_change_a_canvas_so_often_and_no_more(own: Client, private: Canvas, settings: Any) -> None:
    settings.ACCOUNT_RATE_LIMITS = settings.ACCOUNT_RATE_LIMITS | {"canvas_changed": "2/h/user"}
    base = f"/c/{private.slug}/settings/"
    answers = [own.post(base, {"title": f"Title {turn}", "guests": "on"}).status_code for turn in range(3)]
    assert answers == [302, 302, 429] and own.get(base).status_code == 200
    assert own.post(f"{base}styles", {"surprises": "on"}).status_code == 429
