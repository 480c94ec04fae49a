"""The moderators' dashboard over HTTP: who comes in, the queue, the log, the summary, signals."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from canvas import frames, picture
from canvas.models import Canvas, Frame, Region, Sanction, Stroke
from canvas.moderation import undo
from canvas.moderation.cases import services as cases
from canvas.moderation.models import Act, Case, CoverVote, IpDigest, Note, Signal
from canvas.moderation.sanctions import services as sanctions
from canvas.moderation.signals import detection, stroke_anomalies
from dreamsite.core.models import User

from .persons import person, signed_in

pytestmark = pytest.mark.django_db


def reported(canvas: Canvas, x: int = 20, **more: Any) -> Case:
    where = cases.Where(canvas, None, x, 20, 16)
    return cases.report(where, "hate", "", **{"reporter": None, "address": "there", **more}).case


# --- Doors ----------------------------------------------------------------------------------------------------------


def test_every_address_opens_for_those_it_is_for(canvas: Canvas, people: list[User], mona: User) -> None:
    """Each address of the dashboard, and what strangers, people, suspended people, moderators and owners get there."""
    case = reported(canvas)
    sanction = sanctions.issue(mona, people[1], "cool_down", "Slower.")
    signal = Signal.objects.create(person=people[0], kind="rate", day=timezone.now().date(), value=400, limit=300)
    suspended, owner = person("gone"), person("owner", is_superuser=True)
    sanctions.issue(mona, suspended, "suspend", "Away.")
    evidence = case.reports.get().pk
    here = [302, 403, 302, 200, 200]
    acts = [302, 403, 302, 302, 302]
    table = [
        ("get", "/moderation/", here),
        ("get", f"/moderation/cases/{case.pk}/", here),
        ("get", f"/moderation/evidence/{evidence}.jpg", here),
        ("get", f"/moderation/cases/{case.pk}/now.jpg", here),
        ("get", "/moderation/sanctions/", here),
        ("get", "/moderation/sanctions/new/", here),
        ("get", f"/moderation/sanctions/{sanction.pk}/", here),
        ("get", "/moderation/people/", here),
        ("get", f"/moderation/people/{people[0].pk}/", here),
        ("get", "/moderation/signals/", here),
        ("get", "/moderation/log/", here),
        ("post", f"/moderation/signals/{signal.pk}/seen", acts),
        ("post", f"/moderation/people/{people[0].pk}/note", [302, 403, 302, 422, 422]),
        ("post", f"/moderation/cases/{case.pk}/claim", [302, 403, 302, 409, 409]),
        ("post", f"/moderation/cases/{case.pk}/release", [302, 403, 302, 409, 409]),
        ("post", f"/moderation/cases/{case.pk}/decide", [302, 403, 302, 422, 422]),
        ("post", f"/moderation/cases/{case.pk}/reopen", [302, 403, 302, 409, 409]),
        ("post", f"/moderation/cases/{case.pk}/note", [302, 403, 302, 422, 422]),
        ("post", f"/moderation/cases/{case.pk}/frame", [302, 403, 302, 404, 404]),
        ("post", f"/moderation/cases/{case.pk}/appeal", [302, 403, 302, 404, 404]),
        ("post", "/moderation/sanctions/new/", [302, 403, 302, 422, 422]),
        ("get", "/moderation/summary/", [200, 200, 302, 200, 200]),
        ("get", "/moderation/summary/2026/13/", [404, 404, 302, 404, 404]),
        ("get", "/account-status/", [302, 200, 302, 200, 200]),
        ("get", "/report/", [404, 404, 302, 404, 404]),
        ("get", "/suspended/made-up/", [404, 404, 302, 404, 404]),
    ]
    for method, address, expected in table:
        got = []
        for who in (None, people[0], suspended, mona, owner):
            client = signed_in(who) if who else Client()
            got.append(getattr(client, method)(address).status_code)
        assert got == expected, (method, address)


def test_nothing_of_the_dashboard_stays_in_a_cache(canvas: Canvas, people: list[User], mona: User) -> None:
    case, here = reported(canvas), signed_in(mona)
    for address in ("", f"cases/{case.pk}/", f"people/{people[0].pk}/", "log/", "sanctions/", "signals/"):
        assert "no-store" in here.get(f"/moderation/{address}")["Cache-Control"]


def test_moderators_need_not_be_staff_and_a_narrow_group_sees_its_part(canvas: Canvas) -> None:
    narrow = person("narrow")
    narrow.user_permissions.add(Permission.objects.get(codename="review_report"))
    case, here = reported(canvas), signed_in(narrow)
    page = here.get(f"/moderation/cases/{case.pk}/")
    assert page.status_code == 200 and "/moderation/log/" not in page.content.decode()
    for address in ("/moderation/sanctions/", "/moderation/people/", "/moderation/log/", "/moderation/signals/"):
        assert here.get(address).status_code == 403


def test_menus_lead_moderators_to_their_dashboard_and_nobody_else(people: list[User], mona: User) -> None:
    assert 'href="/moderation/"' in signed_in(mona).get("/").content.decode()
    assert 'href="/moderation/"' not in signed_in(people[0]).get("/").content.decode()


# --- The queue ------------------------------------------------------------------------------------------------------


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


def test_a_cover_in_the_queue_is_lifted_by_the_decision_that_nothing_is_wrong(
    canvas: Canvas, people: list[User], mona: User
) -> None:
    region = Region.objects.create(
        canvas=canvas, kind="cover", x=0, y=0, width=20, height=20, until=timezone.now() + timedelta(minutes=10)
    )
    CoverVote.objects.create(canvas=canvas, user=people[0], x=0, y=0, width=20, height=20, region=region)
    case = Case.objects.create(kind="cover", canvas=canvas, region=region, x=10, y=10, r=10)
    here = signed_in(mona)
    page = here.get(f"/moderation/cases/{case.pk}/").content.decode()
    assert "Put up together by" in page and ">ann</a>" in page
    below = here.get(f"/moderation/cases/{case.pk}/now.jpg")
    assert below["Content-Type"] == "image/jpeg" and below["Cache-Control"] == "no-store"
    answer = here.post(f"/moderation/cases/{case.pk}/decide", {"version": case.version, "outcome": "dismissed"})
    assert answer.status_code == 302
    region.refresh_from_db()
    assert region.lifted_by == mona and not Region.objects.in_force().exists()


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


# --- The log and the summary -----------------------------------------------------------------------------------------


def test_looking_at_a_person_is_recorded(people: list[User], mona: User, otto: User) -> None:
    signed_in(mona).get(f"/moderation/people/{people[0].pk}/")
    assert Act.objects.get(verb="view-person").person == people[0]
    assert "mona" in signed_in(otto).get(f"/moderation/people/{people[0].pk}/").content.decode()


def test_the_log_is_filtered_and_paged(canvas: Canvas, people: list[User], mona: User, otto: User) -> None:
    for _ in range(61):
        cases.note(mona, "x", person=people[0])
    last = cases.note(otto, "y", person=people[1])
    here = signed_in(otto)

    def rows(query: str = "") -> list[Act]:
        return [act for group in here.get(f"/moderation/log/{query}").context["groups"] for act in group]

    assert len(rows()) == 60 and rows()[0].what["note"] == last.pk
    assert [act.pk for act in rows(f"?before={rows()[-1].pk}")] == [act.pk for act in Act.objects.order_by("pk")[:2]][
        ::-1
    ]
    assert len(rows("?by=OTTO")) == 1 and len(rows("?person=ben")) == 1 and not rows("?verb=rollback")
    assert len(rows(f"?op={rows()[0].op}")) == 1 and not rows("?op=nonsense")
    assert not rows("?until=2020-01-01") and len(rows("?since=2020-01-01")) == 60 and rows("?since=nonsense")
    assert not rows("?q=no-such-word") and not rows("?canvas=here") and rows("?before=a")


def test_the_summary_counts_and_names_nobody(canvas: Canvas, people: list[User], mona: User, otto: User) -> None:
    case = reported(canvas, reporter=people[0])
    case.refresh_from_db()
    cases.decide(case, case.version, mona, "acted", "secret words")
    first = sanctions.issue(mona, people[1], "read_only", "secret reason")
    appeal = sanctions.appeal(first, "secret plea")
    sanctions.decide(appeal, 1, otto, "overturned", "secret answer")
    page = Client().get("/moderation/summary/")
    month = page.context["month"]
    assert [(row.title, row.count) for row in month.sanctions] == [("Read only", 1)]
    assert [(row.title, row.count) for row in month.appeals] == [("The sanction was overturned", 1)]
    assert [(row.title, row.count) for row in month.reports] == [("Hate or harassment", 1)]
    assert {row.title: row.count for row in month.acts}["Issued a sanction"] == 1
    words = page.content.decode()
    assert "secret" not in words and all(f">{name}<" not in words for name in ("mona", "otto", "ann"))


def test_a_quiet_month_says_so_and_months_lead_to_each_other(canvas: Canvas) -> None:
    assert "quiet month" in Client().get("/moderation/summary/").content.decode()
    case = reported(canvas)
    case.reports.update(at=datetime(2024, 2, 29, tzinfo=UTC))
    page = Client().get("/moderation/summary/2024/2/")
    assert page.status_code == 200 and page.context["month"].after.month == 3 and page.context["month"].before is None
    assert Client().get("/moderation/summary/2199/1/").status_code == 404
    assert Client().get("/moderation/summary/1066/10/").status_code == 404


# --- Signals --------------------------------------------------------------------------------------------------------


def strokes_of(canvas: Canvas, user: User, times: list[float], side: int = 8) -> None:
    start = timezone.now() - timedelta(hours=20)
    Stroke.objects.bulk_create(
        Stroke(
            canvas=canvas,
            author=user.pk,
            stroke_id=number,
            first_seq=number + 1,
            last_seq=number + 1,
            colour="#000000",
            began_at=start + timedelta(seconds=at),
            ended_at=start + timedelta(seconds=at + 0.1),
            left=0,
            top=0,
            right=side,
            bottom=side,
            opacity=255,
            width=4.0,
            pieces=1,
            points=9,
            finished=True,
        )
        for number, at in enumerate(times)
    )


def test_odd_hands_are_listed_once_and_nothing_happens_to_them(canvas: Canvas, people: list[User], mona: User) -> None:
    Canvas.objects.filter(pk=canvas.pk).update(width=640, height=640)
    robot, human = people
    strokes_of(canvas, robot, [2.0 * number for number in range(40)])
    pauses = [1.1, 2.7, 0.9, 3.8, 1.6, 0.7, 5.2, 2.2]
    strokes_of(canvas, human, [sum(pauses[at % 8] for at in range(number)) for number in range(40)])
    assert detection.detect() == 1 and detection.detect() == 0
    signal = Signal.objects.get()
    assert (signal.person, signal.kind, signal.seen_at) == (robot, "regular", None)
    assert not Sanction.objects.exists() and not Act.objects.exists() and not Case.objects.exists()
    here = signed_in(mona)
    assert "Perfectly regular timing" in here.get("/moderation/signals/").content.decode()
    here.post(f"/moderation/signals/{signal.pk}/seen")
    assert not here.get("/moderation/signals/").context["page"].object_list
    assert [each.seen_by for each in here.get("/moderation/signals/?state=seen").context["page"]] == [mona]


def test_a_stronger_signal_of_the_same_day_comes_back(people: list[User], mona: User) -> None:
    many = [person(f"p{number}") for number in range(6)]
    IpDigest.objects.bulk_create(IpDigest(person=each, what="sign-in", digest="d") for each in many[:5])
    call_command("moderation", "signals", verbosity=0)
    assert set(Signal.objects.values_list("kind", "value")) == {("address", 5.0)}
    Signal.objects.update(seen_at=timezone.now(), seen_by=mona)
    IpDigest.objects.create(person=many[5], what="sign-in", digest="d")
    assert detection.detect() == 6 and not Signal.objects.exclude(seen_at=None).exists()


def drawn(
    times: list[float], *, box: float = 50, width: float = 4, points: int = 5
) -> list[stroke_anomalies.DrawnStroke]:
    return [stroke_anomalies.DrawnStroke(at, at + 0.1, box, width, points) for at in times]


@pytest.mark.parametrize(
    ("strokes", "kinds"),
    [
        ([], set()),
        (drawn([0.0]), set()),
        (drawn([0.19 * number + 0.01 * (number % 3) for number in range(400)]), {"rate"}),
        (drawn([0.25 * number + 0.01 * (number % 3) for number in range(400)]), set()),
        (drawn([7.0 + 11 * number % 5 for number in range(9)], box=60_000, width=60, points=80), {"area"}),
        (drawn([4.0 * number for number in range(31)]), {"regular"}),
        (drawn([4.0 * number for number in range(30)]), set()),  # one pause too few to tell
        (drawn([0.2 * number for number in range(100)]), set()),  # too fast for the journal's clock to tell
        (drawn([20.0 * 60 * number + 200 * (number % 2) for number in range(37)]), {"session"}),
        (drawn([40.0 * 60 * number for number in range(37)]), set()),  # with rests
    ],
)
def test_what_is_odd_and_what_is_not(strokes: list[stroke_anomalies.DrawnStroke], kinds: set[str]) -> None:
    assert {
        finding.kind for finding in stroke_anomalies.find(sorted(strokes, key=lambda one: one.began), 1_000_000)
    } == kinds


def test_a_note_is_written_from_a_cases_page_and_from_a_persons(mona: User, canvas: Canvas) -> None:
    case, somebody = reported(canvas), person("somebody")
    for page in (f"/moderation/cases/{case.pk}/", f"/moderation/people/{somebody.pk}/"):
        shown = signed_in(mona).get(page).content.decode()
        action = re.search(r'<form class="form" method="post" action="([^"]+/note)"', shown)
        assert action, f"{page} has no form for notes"
        signed_in(mona).post(action.group(1), {"text": "Seen before."})
        assert "Seen before." in signed_in(mona).get(page).content.decode()
