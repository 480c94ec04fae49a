"""The end and its undoing: what stands where, who sees a message, what is counted, what is requested."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from canvas import journal, strokes, wire
from canvas.models import Batch, Canvas, Frame
from canvas.moderation.models import Act
from dreamsite.core.models import SiteState, User
from gallery.farewell import content, ending, totals, whole_film
from gallery.films.models import Film
from gallery.pages.models import Page

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def no_leftovers() -> None:
    from django.core.cache import caches

    caches["pages"].clear()


def test_the_canvas_gives_way_to_the_farewell_and_comes_back(client: Client, kept: Frame, staff: User) -> None:
    assert b'data-socket="' in client.get("/").content
    assert client.get("/canvas/").status_code == 302
    assert ending.end(staff, "It was time.")
    words = client.get("/").content.decode()
    assert Page.objects.get(slug="farewell").title in words and kept.picture.url in words
    assert "data-socket" not in words and "not yet" not in words
    assert kept.picture.url in client.get("/canvas/").content.decode()
    for stays in (reverse("history"), reverse("exhibits"), "/about/", kept.get_absolute_url()):
        assert client.get(stays).status_code == 200, stays
    assert ending.resume(staff)
    assert b'data-socket="' in client.get("/").content
    assert [act.verb for act in Act.objects.order_by("pk")] == ["end-project", "resume-project"]
    assert Act.objects.get(verb="end-project").why == "It was time."


def test_no_page_says_live_or_asks_to_sign_up_any_more(kept: Frame, staff: User) -> None:
    live = [reverse("history"), kept.get_absolute_url(), reverse("calendar")]
    pages = [*live, *map(reverse, ("films", "studio", "canvases")), "/about/"]
    visitor = Client()
    before = {page: visitor.get(page).content.decode() for page in pages}
    assert all(">Sign up<" in words for words in before.values())
    assert [page for page, words in before.items() if ">Live<" in words] == live
    assert "A dream every" in before[reverse("canvases")]
    ending.end(staff)
    for page in pages:
        words = visitor.get(page).content.decode()
        assert ">Sign up<" not in words and ">Sign in<" in words and "Live<" not in words, page
        assert "A dream every" not in words and "draw on each of these" not in words, page
        assert 'href="/canvas/"' in words, page
    assert "Sign-up is closed" in visitor.get(reverse("account_signup")).content.decode()
    visitor.post(reverse("account_signup"), {"username": "late", "password1": "a-long-late-word-7"})
    assert not User.objects.filter(username="late").exists()


def test_other_canvases_have_their_last_picture(client: Client, kept: Frame, staff: User) -> None:
    other = Canvas.objects.create(slug="other", title="Other", width=128, height=128)
    assert b'data-socket="' in client.get("/c/other/").content
    ending.end(staff)
    assert b"Nobody drew on it" in client.get("/c/other/").content
    Frame.objects.update(canvas=other)
    assert kept.picture.url in client.get("/c/other/").content.decode()
    assert client.get("/c/main/")["Location"] == "/"
    assert client.get("/c/nowhere/").status_code == 404


def test_twice_is_once(staff: User) -> None:
    assert ending.end(staff) and not ending.end(staff)
    assert ending.resume(staff) and not ending.resume(staff)
    assert Act.objects.count() == 2


def test_the_numbers_are_counted(canvas: Canvas, many: Callable[..., list[Frame]], staff: User) -> None:
    other = Canvas.objects.create(slug="other", title="Other", width=128, height=128)
    many(5)
    for author, ink, where in ((1, 10, canvas), (2, 20, canvas), (2, 21, other)):
        _draw(where, author, ink)
    Batch.objects.update(at=timezone.now() - timedelta(days=7, hours=1))
    Frame.objects.update(made_at=timezone.now() - timedelta(hours=2))
    ending.end(staff)
    found = totals.read()
    assert (found.days, found.people, found.strokes, found.frames) == (8, 2, 3, 5)


def test_the_page_has_them_the_questions_and_the_drink(client: Client, kept: Frame, staff: User, settings: Any) -> None:
    settings.DONATE_PAYPAL = "https://paypal.me/ada"
    ending.end(staff)
    seen = {client.get("/").content.decode() for _ in range(12)}
    page = next(iter(seen))
    assert "Why did it end?" in page and "paypal.me/ada" in page and "<dt>frame</dt>" in page
    shown = {name for name in map(str, content.DRINKS) for page in seen if f'aria-live="polite">{name}<' in page}
    assert len(shown) > 1, "the drink changes its name"
    settings.DONATE_PAYPAL = ""
    assert "data-drinks" not in client.get("/").content.decode()


def test_a_half_written_language_of_it_stays_with_the_staff(client: Client, kept: Frame, staff: User) -> None:
    for slug in (content.FAREWELL, content.AFTERWARDS):
        Page.objects.create(slug=slug, language="de", title="Halb fertig", body="Noch nicht.", published=False)
    client.cookies["django_language"] = "de"
    ending.end(staff, "The money is gone.")
    words = client.get("/").content.decode()
    assert "Halb fertig" not in words and "Noch nicht." not in words
    Page.objects.exclude(language="").update(published=True)
    assert "Halb fertig" in client.get("/").content.decode()


def test_with_nothing_at_all_it_is_still_a_page(client: Client, staff: User) -> None:
    ending.end(staff)
    assert client.get("/").status_code == 200 and client.get("/canvas/").status_code == 200
    Page.objects.all().delete()
    assert client.get("/").status_code == 200


def test_the_staff_sees_it_before_the_day(client: Client, as_staff: Client, kept: Frame) -> None:
    assert "not yet" in as_staff.get("/farewell/").content.decode()
    assert Client().get("/farewell/").status_code == 404


def test_the_switch_asks_twice_and_knows_what_was_seen(as_staff: Client, staff: User) -> None:
    switch = reverse("admin:core_sitestate_changelist")
    assert b"End the project" in as_staff.get(switch).content
    as_staff.post(switch, {"why": "x", "was_ended": ""})
    assert not SiteState.ended(), "without the box nothing happens"
    as_staff.post(switch, {"why": "x", "was_ended": "", "sure": "on"})
    assert SiteState.ended() and Act.objects.get(verb="end-project").by == staff
    as_staff.post(switch, {"why": "", "was_ended": "", "sure": "on"})
    assert SiteState.ended() and Act.objects.count() == 1, "a second press from a stale page"
    assert b"Open it again" in as_staff.get(switch).content
    as_staff.post(switch, {"why": "", "was_ended": "yes", "sure": "on"})
    assert not SiteState.ended()


def test_nobody_else_presses_it(client: Client, ada: User) -> None:
    client.force_login(ada)
    client.post(reverse("admin:core_sitestate_changelist"), {"sure": "on"})
    helper = User.objects.create_user("helper", is_staff=True)
    client.force_login(helper)
    assert client.post(reverse("admin:core_sitestate_changelist"), {"sure": "on"}).status_code in (302, 403)
    assert not SiteState.ended()


def test_from_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(CommandError, match="--yes"):
        call_command("end_project")
    with pytest.raises(CommandError, match="has not ended"):
        call_command("resume_project")
    call_command("end_project", "--yes", "--why", "The money is gone.")
    assert SiteState.ended() and Act.objects.get().why == "The money is gone."
    with pytest.raises(CommandError, match="already"):
        call_command("end_project", "--yes")
    call_command("resume_project")
    assert not SiteState.ended()


def test_the_whole_film_is_ordered_once_and_after_the_last_frame(canvas: Canvas, kept: Frame, staff: User) -> None:
    whole_film.request_whole_films()
    assert not Film.objects.exists(), "it goes on"
    Canvas.objects.update(head=kept.seq + 3)
    ending.end(staff)
    whole_film.request_whole_films()
    assert not Film.objects.exists(), "there is ink in no frame yet"
    Frame.objects.update(seq=kept.seq + 3)
    whole_film.request_whole_films()
    whole_film.request_whole_films()
    made = Film.objects.get()
    assert made.kind == Film.Kind.WHOLE and made.starts_at <= kept.made_at < made.ends_at


def test_a_dreamer_that_never_comes_does_not_hold_the_film(canvas: Canvas, kept: Frame, staff: User) -> None:
    Canvas.objects.update(head=kept.seq + 3)
    ending.end(staff)
    SiteState.objects.update(ended_at=timezone.now() - whole_film.LAST_FRAME_TIMEOUT - timedelta(seconds=1))
    whole_film.request_whole_films()
    assert Film.objects.count() == 1


def _draw(canvas: Canvas, author: int, stroke: int) -> None:
    op = wire.Stroke(stroke, 0, (0, 0, 0), 255, 0, ((80, 80, 96), (160, 160, 96)), True, author)
    journal.append(canvas, [op])
    strokes.index(canvas)
