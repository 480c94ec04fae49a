"""The list of canvases, making one, and what its maker, and nobody else, does with it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.utils import timezone

from canvas import gate, people, user_status, wire
from canvas.journal import DatabaseJournal, append
from canvas.models import Canvas, Rules, Sanction
from canvas.moderation import undo
from canvas.moderation.cases import services as cases
from canvas.moderation.models import Act, Case
from canvas.moderation.permissions import MODERATORS
from canvas.wire import RejectReason
from dreamer.models import Choice
from dreamsite.accounts import closing, export
from dreamsite.canvases import services
from dreamsite.core.models import SiteState, User
from tests.canvases.conftest import ROLES, frame_of
from tests.moderation.helpers import moderator, signed_in

pytestmark = pytest.mark.django_db

FORM = {
    "title": "Night trains",
    "shape": "wide",
    "background": "#102030",
    "listed": "link",
    "guests": "on",
    "network": "",
    "rhythm": "120",
    "spread": "whole",
    "hold": "half",
}


def test_an_empty_list_says_what_will_be_there(client: Client) -> None:
    page = client.get("/canvases/").content.decode()
    assert "No canvases yet" in page and "how many people are there" in page


def test_the_list_shows_picture_people_size_and_rhythm(client: Client) -> None:
    canvas = Canvas.objects.create(slug="night", title="The night", width=320, height=200, rhythm=300)
    frame = frame_of(canvas)
    people.tell_counts({"night": 4, "elsewhere": 9})
    page = client.get("/canvases/").content.decode()
    words = "The night", "4 people there", "320 × 200", "every 5 minutes"
    for said in (*words, frame.thumbnail.url, 'href="/c/night/"'):
        assert said in page
    assert people.counts(["night", "nowhere"]) == {"night": 4, "nowhere": 0}
    assert 'href="/canvases/"' in client.get("/history/").content.decode()
    assert 'href="/canvases/"' in client.get("/").content.decode()


@pytest.mark.parametrize(
    ("role", "status"), [("stranger", 302), ("guest", 302), ("member", 200), ("maker", 200), ("moderator", 200)]
)
def test_members_make_canvases_and_are_told_how_many_before(
    role: str, status: int, browser: Callable[[str], Client]
) -> None:
    client = browser(role)
    page = client.get("/canvases/new/")
    assert page.status_code == status
    if status == 302:
        assert client.post("/canvases/new/", FORM).status_code == 302 and not Canvas.objects.exists()
        return
    assert "You can have 3 canvases" in page.content.decode()
    answer = client.post("/canvases/new/", FORM)
    made = Canvas.objects.get(title="Night trains")
    assert answer["Location"] == f"/c/{made.slug}/" and len(made.slug) == 32
    assert (made.width, made.height, made.background, made.rhythm) == (1536, 864, "#102030", 120)
    assert (made.front, made.growth, made.hold, made.listed) == (0, 0, 0.5, False)
    assert not Rules.objects.get(canvas=made).members_only and not Case.objects.exists()
    assert client.get(answer["Location"]).status_code == 200


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("title", " ", "This field is required"),
        ("title", "x" * 81, "at most 80 characters"),
        ("title", "two\nlines", "one line"),
        ("shape", "9999x9999", "not one of the available choices"),
        ("background", "red", "a colour like #ffffff"),
        ("rhythm", "0.1", "not one of the available choices"),
        ("network", "../../etc", "not one of the available choices"),
        ("listed", "now", "not one of the available choices"),
    ],
)
def test_a_wrong_field_is_said_beside_it_and_nothing_is_made(own: Client, field: str, value: str, words: str) -> None:
    answer = own.post("/canvases/new/", FORM | {field: value})
    page = answer.content.decode()
    assert answer.status_code == 422 and words in page and 'aria-invalid="true"' in page
    assert not Canvas.objects.exists()


def test_nobody_has_more_than_the_limits_say(own: Client, maker: User, settings: Any) -> None:
    settings.CANVASES_PER_PERSON, settings.CANVASES_PER_DAY = 2, 3
    for _ in range(3):
        own.post("/canvases/new/", FORM)
    assert Canvas.objects.count() == 2
    refused = own.post("/canvases/new/", FORM)
    assert refused.status_code == 422 and "You have 2 canvases already" in refused.content.decode()
    assert "You have 2 canvases already" in own.get("/canvases/").content.decode()
    first = Canvas.objects.order_by("pk")[0]
    own.post(f"/c/{first.slug}/settings/archive/")
    assert own.post("/canvases/new/", FORM).status_code == 302  # the third of the day
    services.delete(Canvas.objects.order_by("pk")[1])
    assert "within a day" in own.post("/canvases/new/", FORM).content.decode()
    Canvas.objects.update(created_at=timezone.now() - timedelta(days=2))
    assert own.post("/canvases/new/", FORM).status_code == 302


def test_who_may_not_draw_makes_none_and_an_owner_may_switch_it_off(own: Client, maker: User, settings: Any) -> None:
    sanction = Sanction.objects.create(user=maker, degree="read_only", reason="Spam")
    refused = own.post("/canvases/new/", FORM)
    assert refused.status_code == 422 and "while you may not draw" in refused.content.decode()
    sanction.delete()
    settings.MEMBER_CANVASES = False
    assert own.get("/canvases/new/").status_code == own.post("/canvases/new/", FORM).status_code == 404
    assert "Make a canvas" not in own.get("/canvases/").content.decode()
    settings.MEMBER_CANVASES = True
    SiteState.end(timezone.now() - timedelta(minutes=1))
    assert own.post("/canvases/new/", FORM).status_code == 404
    assert not Canvas.objects.filter(maker=maker).exists()


@pytest.mark.parametrize("role", [role for role in ROLES if role != "maker"])
def test_nobody_but_its_maker_changes_it(role: str, browser: Callable[[str], Client], private: Canvas) -> None:
    client = browser(role)
    expected = 302 if role in ("stranger", "guest") else 403
    base = f"/c/{private.slug}/settings/"
    assert client.get(base).status_code == expected
    assert client.post(base, FORM).status_code == expected
    for act in ("close", "delete", "archive", "ask", "new-link", "unlist", "styles"):
        address = f"{base}{act}" if act == "styles" else f"{base}{act}/"
        assert client.post(address).status_code == expected
    before = (private.title, private.slug, None, None)
    private.refresh_from_db()
    assert (private.title, private.slug, private.closed_at, private.deleted_at) == before
    assert "Settings of this canvas" not in client.get(f"/c/{private.slug}/").content.decode()


def test_its_maker_changes_what_can_be_changed(own: Client, private: Canvas, settings: Any) -> None:
    settings.HOUSE_MODEL = True
    base = f"/c/{private.slug}/settings/"
    assert "Settings of this canvas" in own.get(f"/c/{private.slug}/").content.decode()
    assert private.slug in own.get(base).content.decode()
    changed = {"title": "Another", "rhythm": "3600", "spread": "far", "hold": "none", "network": "house"}
    assert own.post(base, changed | {"width": "9000", "background": "#000000"}).status_code == 302
    private.refresh_from_db()
    assert (private.title, private.rhythm, private.front, private.growth, private.hold) == (
        "Another",
        3600,
        0.3,
        0.2,
        0,
    )
    assert (private.width, private.background) == (96, "#ffffff")
    assert Choice.objects.get(canvas=private).network == "house"
    assert Rules.objects.get(canvas=private).members_only  # the box was left out: guests may not draw
    assert 'data-guest=""' in Client().get(f"/c/{private.slug}/").content.decode()
    assert own.post(base, {"title": ""}).status_code == 422


def test_its_maker_chooses_styles_and_leaves_one_on(own: Client, private: Canvas, settings: Any) -> None:
    settings.HOUSE_MODEL = True
    page = own.get(f"/c/{private.slug}/settings/").content.decode()
    first = page.split('name="style" value="')[1].split('"')[0]
    own.post(f"/c/{private.slug}/settings/styles", {"style": first})
    page = own.get(f"/c/{private.slug}/settings/").content.decode()
    assert page.count('name="style"') > 10 and page.count(" checked><span>") == 1
    assert not Choice.objects.get(canvas=private).surprises
    answer = own.post(f"/c/{private.slug}/settings/styles", {}, follow=True)
    assert "Leave at least one style on" in answer.content.decode()


def stroke(author: int) -> wire.Stroke:
    return wire.Stroke(7 << 12, 0, (0, 0, 0), 255, 0, ((80, 80, 80), (160, 160, 80)), True, author=author)


def test_a_closed_canvas_takes_no_ink_from_the_next_write_on(own: Client, maker: User, private: Canvas) -> None:
    journal, base = DatabaseJournal(private.pk), f"/c/{private.slug}/settings/"
    seen: list[gate.Rules] = []

    def admit(missed: Any, dreamed: int, rules: gate.Rules) -> list[wire.Operation]:
        seen.append(rules)
        status = user_status.read([maker.pk])[maker.pk]
        return [] if gate.judge(stroke(maker.pk), rules, status, 0) else [stroke(maker.pk)]

    assert journal.append(0, admit, 1)[1] is not None
    assert b"data-hello" in Client().get(f"/c/{private.slug}/").content
    own.post(f"{base}close/")
    assert journal.append(1, admit, 2)[1] is None and journal.state().rules.closed
    assert gate.judge(wire.Undo(7 << 12, author=maker.pk), seen[-1], gate.UserStatus(), 0) == RejectReason.LOCKED
    page = Client().get(f"/c/{private.slug}/")
    assert page.status_code == 200, "it stays visible"
    assert b"data-hello" not in page.content, "nobody is invited to draw"
    assert "Open it again" in own.get(base).content.decode()
    own.post(f"{base}reopen/")
    assert journal.append(1, admit, 3)[1] is not None and not seen[-1].closed


def test_an_archived_canvas_stays_with_its_history_and_cannot_be_opened_again(own: Client, private: Canvas) -> None:
    frame = frame_of(private)
    Canvas.objects.filter(pk=private.pk).update(listed=True)
    base = f"/c/{private.slug}/settings/"
    assert "Nothing here yet" in own.get("/canvases/archive/").content.decode()
    own.post(f"{base}archive/")
    own.post(f"{base}reopen/")
    private.refresh_from_db()
    assert private.archived_at and private.closed_at
    stranger = Client()
    assert private.title in stranger.get("/canvases/archive/").content.decode()
    assert private.title not in stranger.get("/canvases/").content.decode()
    assert stranger.get(frame.get_absolute_url()).status_code == 200
    assert stranger.get(f"/history/?canvas={private.slug}").status_code == 200


def test_a_full_archive_takes_no_more(own: Client, private: Canvas, settings: Any) -> None:
    settings.CANVASES_ARCHIVED_PER_PERSON = 0
    answer = own.post(f"/c/{private.slug}/settings/archive/", follow=True)
    assert "is full" in answer.content.decode()
    private.refresh_from_db()
    assert private.archived_at is None and private.closed_at is None


def test_a_deleted_canvas_is_gone_for_everybody(own: Client, private: Canvas) -> None:
    frame = frame_of(private)
    Canvas.objects.filter(pk=private.pk).update(listed=True)
    slug = private.slug
    assert own.post(f"/c/{slug}/settings/delete/")["Location"] == "/canvases/"
    for client in (own, Client(), signed_in(moderator("mod"))):
        for address in (f"/c/{slug}/", f"/history/?canvas={slug}", f"/frames/{frame.pk}/", f"/c/{slug}/settings/"):
            assert client.get(address, follow=True).status_code == 404 or "login" in client.get(address)["Location"]
        assert private.title not in client.get("/canvases/").content.decode()


def test_a_canvas_is_listed_after_a_moderators_yes_and_the_maker_reads_a_no(own: Client, private: Canvas) -> None:
    base, mod = f"/c/{private.slug}/settings/", moderator("mod")
    own.post(f"{base}ask/")
    own.post(f"{base}ask/")  # once is enough
    (case,) = Case.objects.all()
    assert case.kind == Case.Kind.LISTING and private.title not in Client().get("/canvases/").content.decode()
    staff = signed_in(mod)
    assert "wants to be on the list" in staff.get("/moderation/").content.decode()
    page = staff.get(f"/moderation/cases/{case.pk}/").content.decode()
    assert private.title in page and "Not on the list" in page and f"/c/{private.slug}/" in page
    decided = {"version": case.version, "outcome": "unlisted", "why": "The title is an insult."}
    assert staff.post(f"/moderation/cases/{case.pk}/decide", decided).status_code == 302
    assert "The title is an insult." in own.get(base).content.decode()
    own.post(f"{base}ask/")
    case = Case.objects.get(closed_at=None)
    staff.post(f"/moderation/cases/{case.pk}/decide", {"version": case.version, "outcome": "listed"})
    private.refresh_from_db()
    assert private.listed and private.listing_asked_at is None
    assert private.title in Client().get("/canvases/").content.decode()
    verbs = list(Act.objects.filter(op=case.op).order_by("pk").values_list("verb", flat=True))
    assert verbs == ["list-canvas", "decide-case"]
    undo.undo(Act.objects.get(op=case.op, verb="list-canvas"), mod)
    private.refresh_from_db()
    assert not private.listed


def test_who_may_not_review_does_not_decide(own: Client, private: Canvas) -> None:
    own.post(f"/c/{private.slug}/settings/ask/")
    case = Case.objects.get()
    for client, status in ((own, 403), (Client(), 302)):
        answer = client.post(f"/moderation/cases/{case.pk}/decide", {"version": case.version, "outcome": "listed"})
        assert answer.status_code == status
    private.refresh_from_db()
    assert not private.listed


def test_a_moderator_does_not_list_a_canvas_of_their_own(own: Client, maker: User, private: Canvas) -> None:
    maker.groups.add(Group.objects.get(name=MODERATORS))
    own.post(f"/c/{private.slug}/settings/ask/")
    case = Case.objects.get()
    answer = own.post(f"/moderation/cases/{case.pk}/decide", {"version": case.version, "outcome": "listed"})
    assert answer.status_code == 409 and "your own" in answer.content.decode()
    private.refresh_from_db()
    assert not private.listed and Case.objects.get().is_open


def test_another_title_is_read_by_a_moderator_before_it_is_listed(own: Client, private: Canvas) -> None:
    Canvas.objects.filter(pk=private.pk).update(listed=True)
    answer = own.post(f"/c/{private.slug}/settings/", {"title": "Something rude", "guests": "on"}, follow=True)
    assert "once a moderator has read the new title" in answer.content.decode()
    assert "Something rude" not in Client().get("/canvases/").content.decode()
    case = Case.objects.get(kind=Case.Kind.LISTING)
    cases.decide(case, case.version, moderator("mod"), "listed")
    assert "Something rude" in Client().get("/canvases/").content.decode()
    own.post(f"/c/{private.slug}/settings/", {"title": "Something rude", "guests": "on", "rhythm": "60"})
    private.refresh_from_db()
    assert private.listed and private.rhythm == 60


def test_its_maker_asks_no_longer_or_takes_it_off_the_list_to_a_new_address(own: Client, private: Canvas) -> None:
    base = f"/c/{private.slug}/settings/"
    own.post(f"{base}ask/")
    own.post(f"{base}stop-asking/")
    assert Case.objects.get().outcome == Case.Outcome.MOOT
    Canvas.objects.filter(pk=private.pk).update(listed=True)
    assert "keeps its address" in own.post(f"{base}new-link/", follow=True).content.decode()
    own.post(f"{base}unlist/")
    before = private.slug
    private.refresh_from_db()
    assert not private.listed and private.slug != before


def test_when_its_maker_leaves_a_private_one_goes_and_a_listed_one_stays(maker: User, private: Canvas) -> None:
    listed = services.make(maker, guests=True, title="For all")
    Canvas.objects.filter(pk=listed.pk).update(listed=True)
    late = Canvas.objects.create(slug="late", title="Late")
    closing.close(maker)
    assert Client().get(f"/c/{private.slug}/").status_code == 200  # during the grace
    User.objects.filter(pk=maker.pk).update(closes_at=timezone.now() - timedelta(minutes=1))
    closing.scrub_due()
    private.refresh_from_db()
    listed.refresh_from_db()
    assert private.deleted_at and private.maker is None
    assert listed.deleted_at is None and listed.maker is None and Client().get(f"/c/{listed.slug}/").status_code == 200
    assert late.own and not listed.own, "left behind, and not the site's"
    shown = list(Canvas.objects.filter(pk__in=[listed.pk, late.pk]).own_first())
    assert shown == [late, listed] and list(Canvas.objects.own().filter(slug=listed.slug)) == []


def test_ones_data_names_ones_canvases(maker: User, private: Canvas) -> None:
    part = next(part for part in export.PARTS if part.file == "canvases.jsonl")
    (row,) = part.rows(maker)
    assert (row["slug"], row["title"], row["listed"]) == (private.slug, "A quiet corner", False)
    assert list(part.rows(User.objects.create_user("bruno"))) == []


def test_a_canvas_under_another_address_sends_its_room_away(private: Canvas) -> None:
    append(private, [stroke(1)])
    journal = DatabaseJournal(private.pk)
    before = journal.state().canvas["slug"]
    services.new_link(private)
    assert journal.state().canvas["slug"] not in ("", before)
