"""The queue and the pages of cases over HTTP: two moderators at one case, filters, notes, hiding a frame."""

from __future__ import annotations

import re

import pytest
from django.utils import timezone

from canvas import frames, picture
from canvas.models import Canvas, Frame, Stroke
from canvas.moderation import undo
from canvas.moderation.cases import services as cases
from canvas.moderation.models import Act, Note
from dreamsite.core.models import User
from tests.moderation.helpers import person, reported, signed_in

pytestmark = pytest.mark.django_db


def test_of_two_moderators_the_slower_one_learns_who_was_faster_and_with_what(
    canvas: Canvas, mona: User, otto: User
) -> None:
    case = reported(canvas)
    case.refresh_from_db()
    seen = case.version
    assert signed_in(mona).post(f"/moderation/cases/{case.pk}/claim", {"version": seen}).status_code == 302
    late = signed_in(otto).post(
        f"/moderation/cases/{case.pk}/decide", {"version": seen, "outcome": "dismissed", "why": "my long reason"}
    )
    words = late.content.decode()
    assert late.status_code == 409 and "mona, took it on" in words and "my long reason" in words
    case.refresh_from_db()
    assert case.is_open and case.claimed_by == mona
    # And with the page as it is now: it is somebody else's until it is taken over.
    again = signed_in(otto).post(
        f"/moderation/cases/{case.pk}/decide", {"version": case.version, "outcome": "dismissed"}
    )
    assert again.status_code == 409 and "mona is working on this" in again.content.decode()
    signed_in(otto).post(f"/moderation/cases/{case.pk}/claim", {"version": case.version})
    case.refresh_from_db()
    done = signed_in(otto).post(
        f"/moderation/cases/{case.pk}/decide", {"version": case.version, "outcome": "dismissed", "why": "A flower."}
    )
    assert done.status_code == 302
    assert list(Act.objects.filter(op=case.op).order_by("pk").values_list("by_name", "verb")) == [
        ("mona", "claim-case"),
        ("otto", "claim-case"),
        ("otto", "decide-case"),
    ]


def test_a_report_that_came_in_meanwhile_is_not_decided_unseen(canvas: Canvas, mona: User) -> None:
    case = reported(canvas)
    case.refresh_from_db()
    seen = case.version
    reported(canvas, address="elsewhere")
    late = signed_in(mona).post(f"/moderation/cases/{case.pk}/decide", {"version": seen, "outcome": "dismissed"})
    assert late.status_code == 409 and "a report came in" in late.content.decode()


def test_the_queue_is_filtered_and_sorted(canvas: Canvas, people: list[User], mona: User) -> None:
    Canvas.objects.filter(pk=canvas.pk).update(width=900, height=900)
    low, high = reported(canvas), reported(canvas, x=700, reporter=people[0])
    here = signed_in(mona)

    def listed(query: str = "") -> list[int]:
        return [case.pk for case in here.get(f"/moderation/{query}").context["page"]]

    assert listed() == [high.pk, low.pk]
    assert listed("?sort=oldest") == [low.pk, high.pk]
    assert listed("?kind=appeal") == [] and listed("?category=spam") == [] and len(listed("?category=hate")) == 2
    low.refresh_from_db()
    cases.claim(low, low.version, mona)
    assert listed("?state=mine") == [low.pk] and listed("?state=free") == [high.pk]
    cases.decide(low, low.version, mona, "moot")
    assert listed("?state=closed") == [low.pk] and listed() == [high.pk]
    assert "page" in here.get("/moderation/?page=99&state=nonsense").context


def test_a_decided_case_can_be_opened_again_and_keeps_its_story(canvas: Canvas, mona: User) -> None:
    case = reported(canvas)
    case.refresh_from_db()
    cases.decide(case, case.version, mona, "acted", "Taken out.")
    answer = signed_in(mona).post(f"/moderation/cases/{case.pk}/reopen", {"version": case.version, "why": "Wrong one."})
    assert answer.status_code == 302
    case.refresh_from_db()
    assert case.is_open and case.outcome == ""
    story = signed_in(mona).get(f"/moderation/cases/{case.pk}/").content.decode()
    assert "Taken out." in story and "Wrong one." in story


def test_notes_are_for_moderators_and_the_log_tells_only_that_they_are(
    canvas: Canvas, people: list[User], mona: User
) -> None:
    case, here = reported(canvas), signed_in(mona)
    here.post(f"/moderation/cases/{case.pk}/note", {"text": "Look <i>again</i>"})
    here.post(f"/moderation/people/{people[0].pk}/note", {"text": "Kind on the phone"})
    assert "Look &lt;i&gt;again&lt;/i&gt;" in here.get(f"/moderation/cases/{case.pk}/").content.decode()
    assert "Kind on the phone" in here.get(f"/moderation/people/{people[0].pk}/").content.decode()
    assert "Kind on the phone" not in signed_in(people[0]).get("/account-status/").content.decode()
    assert Note.objects.count() == Act.objects.filter(verb="note").count() == 2
    assert not Act.objects.filter(why__contains="phone").exists()


def test_who_drew_at_the_spot_is_named_and_the_canvas_is_a_click_away(
    canvas: Canvas, people: list[User], mona: User
) -> None:
    now = timezone.now()
    Stroke.objects.create(
        canvas=canvas,
        author=people[1].pk,
        stroke_id=1,
        first_seq=1,
        last_seq=1,
        began_at=now,
        ended_at=now,
        left=10,
        top=10,
        right=30,
        bottom=30,
        colour="#000000",
        opacity=255,
        width=4,
        pieces=1,
        points=5,
        finished=True,
    )
    case = reported(canvas)
    page = signed_in(mona).get(f"/moderation/cases/{case.pk}/")
    assert [row["person"] for row in page.context["drawers"]] == [people[1]]
    assert f"/c/here/?moderate={case.x}%2C{case.y}%2C{case.r}" in page.content.decode()
    assert f"/moderation/sanctions/new/?person={people[1].pk}&amp;case={case.pk}" in page.content.decode()


def test_a_reported_frame_is_hidden_from_its_case_and_shown_again(canvas: Canvas, mona: User) -> None:
    made = frames.encode(picture.blank(64, 64, (9, 9, 9)), Frame.Kind.CHECKPOINT)
    frame = frames.keep(frames.NewFrame(canvas, made, Frame.Kind.CHECKPOINT, 0))
    case = cases.report(cases.Where(canvas, frame), "sexual", "", reporter=None, address="").case
    here = signed_in(mona)
    assert "Hide the frame" in here.get(f"/moderation/cases/{case.pk}/").content.decode()
    here.post(f"/moderation/cases/{case.pk}/frame")
    assert not Frame.objects.visible().exists()
    assert "Show it again" in here.get(f"/moderation/cases/{case.pk}/").content.decode()
    here.post(f"/moderation/cases/{case.pk}/frame", {"show": "yes"})
    assert Frame.objects.visible().get() == frame
    shown, hidden = Act.objects.filter(op=case.op)
    assert (shown.verb, hidden.verb) == ("show-frame", "hide-frame")
    assert undo.can_undo(shown) and undo.undo(shown, mona)
    assert Frame.objects.visible().get() == frame, "all of the case's acts are taken back, to what was before"


def test_a_note_is_written_from_a_cases_page_and_from_a_persons(mona: User, canvas: Canvas) -> None:
    case, somebody = reported(canvas), person("somebody")
    for page in (f"/moderation/cases/{case.pk}/", f"/moderation/people/{somebody.pk}/"):
        shown = signed_in(mona).get(page).content.decode()
        action = re.search(r'<form class="form" method="post" action="([^"]+/note)"', shown)
        assert action, f"{page} has no form for notes"
        signed_in(mona).post(action.group(1), {"text": "Seen before."})
        assert "Seen before." in signed_in(mona).get(page).content.decode()
