"""Reporting, from outside: what anybody may send, what becomes of it, and who may see it."""

from __future__ import annotations

import io
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.test import Client
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from canvas import frames
from canvas.models import Canvas, Frame
from canvas.moderation.cases import scores
from canvas.moderation.cases import services as cases
from canvas.moderation.models import Case, Evidence, Report
from dreamsite.core.models import User
from tests.moderation.helpers import signed_in

pytestmark = pytest.mark.django_db


def send(client: Client, at: Canvas | None = None, **fields: Any) -> Any:
    where = {"canvas": at.slug, "x": 20, "y": 30, "r": 16} if at else {}
    return client.post("/report/", {**where, "category": "hate", **fields})


def test_anybody_reports_a_spot_and_moderators_see_it_as_it_was(
    canvas: Canvas, moderator: User, client: Client
) -> None:
    page = client.get("/report/", {"canvas": canvas.slug, "x": 20, "y": 30, "r": 16})
    assert page.status_code == 200 and 'name="category"' in page.content.decode()
    assert send(client, canvas, text="Ugly <b>words</b>").status_code == 201

    report = Report.objects.get()
    assert (report.reporter, report.x, report.y, report.r, report.category) == (None, 20, 30, 16, "hate")
    assert report.address and "127.0.0.1" not in report.address
    here = signed_in(moderator)
    shown = here.get(f"/moderation/cases/{report.case_id}/").content.decode()
    assert "Ugly &lt;b&gt;words&lt;/b&gt;" in shown and f"/moderation/evidence/{report.pk}.jpg" in shown
    picture = here.get(f"/moderation/evidence/{report.pk}.jpg")
    assert picture["Content-Type"] == "image/jpeg" and "private" in picture["Cache-Control"]
    with Image.open(io.BytesIO(picture.content)) as image:
        assert image.size == (64, 64) and image.getpixel((5, 5)) == (255, 255, 255)


def test_evidence_is_not_among_the_public_files_and_nobody_else_gets_it(
    canvas: Canvas, people: list[User], client: Client, settings: Any
) -> None:
    send(client, canvas)
    address = f"/moderation/evidence/{Report.objects.get().pk}.jpg"
    assert client.get(address).status_code == 302
    assert signed_in(people[0]).get(address).status_code == 403
    assert not [each for each in Path(settings.MEDIA_ROOT).rglob("*") if each.is_file()]


def test_a_frame_is_reported_by_a_plain_form(canvas: Canvas, moderator: User, client: Client) -> None:
    blue = frames.encode(np.full((64, 64, 3), (0, 0, 255), np.uint8), Frame.Kind.CHECKPOINT)
    frame = frames.keep(frames.NewFrame(canvas, blue, Frame.Kind.CHECKPOINT, 0))
    assert client.get(f"/report/?frame={frame.pk}").status_code == 200
    assert send(client, frame=frame.pk).status_code == 201
    assert send(client, frame=frame.pk).status_code == 201
    case = Case.objects.get()  # both are one case
    assert case.frame == frame and case.reports.count() == 2
    evidence = bytes(Evidence.objects.first().image)
    with Image.open(io.BytesIO(evidence)) as image:
        assert image.getpixel((32, 32))[2] > 240
    frames.hide(frame)
    assert client.get(f"/report/?frame={frame.pk}").status_code == 404  # what is hidden tells nothing of itself


@pytest.mark.parametrize(
    "fields",
    [
        {"category": "no-such"},
        {"category": ""},
        {"x": 64},
        {"y": -1},
        {"x": "a"},
        {"canvas": "nowhere"},
        {"text": "x" * 1001},
        {"frame": 99, "canvas": ""},
    ],
)
def test_what_is_no_report_is_refused_in_words(canvas: Canvas, client: Client, fields: dict[str, Any]) -> None:
    answer = send(client, canvas, **fields)
    assert answer.status_code == 422 and "errorlist" in answer.content.decode()
    assert not Report.objects.exists()


def test_the_dialog_gets_only_its_part_of_the_page(canvas: Canvas, client: Client) -> None:
    part = client.get("/report/", {"canvas": canvas.slug, "x": 1, "y": 1}, headers={"X-Part": "1"}).content.decode()
    assert "<html" not in part and "<form" in part and "csrfmiddlewaretoken" in part


def test_a_report_needs_the_forms_token(canvas: Canvas) -> None:
    assert send(Client(enforce_csrf_checks=True), canvas).status_code == 403


def test_limits_strangers_share_their_address_and_accounts_have_their_own(
    canvas: Canvas, people: list[User], client: Client
) -> None:
    assert [send(client, canvas).status_code for _ in range(4)] == [201, 201, 201, 429]
    late = send(client, canvas)
    assert 0 < int(late["Retry-After"]) <= 601 and "Enough for now" in late.content.decode()
    assert send(Client(REMOTE_ADDR="10.9.8.7"), canvas).status_code == 201
    mine = signed_in(people[0])
    assert [send(mine, canvas).status_code for _ in range(6)] == [201] * 5 + [429]
    Report.objects.update(at=timezone.now() - timedelta(minutes=11))
    assert send(client, canvas).status_code == 201


def test_reports_of_one_spot_are_one_case_and_far_ones_are_another(canvas: Canvas, client: Client) -> None:
    Canvas.objects.filter(pk=canvas.pk).update(width=500, height=500)
    for x, y in ((20, 20), (30, 28), (400, 400)):
        assert send(client, canvas, x=x, y=y).status_code == 201
    assert sorted(case.reports.count() for case in Case.objects.all()) == [1, 2]


def test_one_person_who_reports_often_weighs_once_and_strangers_little(canvas: Canvas, people: list[User]) -> None:
    for _ in range(3):
        cases.report(cases.Where(canvas, None, 9, 9, 20), "spam", "", reporter=people[0], address="a")
    assert Case.objects.get().score == 1.0
    for number in range(9):
        cases.report(cases.Where(canvas, None, 9, 9, 20), "spam", "", reporter=None, address=f"{number}")
    assert Case.objects.get().score == 2.0  # all strangers together weigh as much as one newcomer


people_and_strangers = st.lists(
    st.tuples(st.none() | st.integers(1, 5), st.sampled_from("abc"), st.floats(0, 2)), max_size=12
)


@given(people_and_strangers, st.tuples(st.none() | st.integers(1, 5), st.sampled_from("abc"), st.floats(0, 2)))
def test_no_number_of_strangers_and_no_persistence_makes_a_score(reports: Any, another: Any) -> None:
    before, after = scores.score(reports), scores.score([*reports, another])
    accounts = {person for person, _, _ in reports if person is not None}
    assert 0 <= before <= 2 * len(accounts) + scores.ANONYMOUS_MOST
    assert before - 1e-9 <= after <= before + 2
    assert scores.score([*reports, *reports]) == pytest.approx(before)


@given(st.integers(0, 1000), st.integers(0, 1000))
def test_a_weight_grows_with_being_right_and_stays_in_bounds(right: int, wrong: int) -> None:
    assert 0 < scores.weight(right, wrong) < 2
    assert scores.weight(right, wrong + 1) < scores.weight(right, wrong) < scores.weight(right + 1, wrong)
    assert scores.weight(right, right) == 1


def test_weights_follow_how_often_somebody_was_right(canvas: Canvas, people: list[User], moderator: User) -> None:
    def judged(outcome: str) -> None:
        case = cases.report(cases.Where(canvas, None, 9, 9, 20), "spam", "", reporter=people[0], address="").case
        case.refresh_from_db()
        cases.decide(case, case.version, moderator, outcome)
        Report.objects.update(at=timezone.now() - timedelta(days=2))

    judged("moot")
    assert cases.accuracy(people[0]) == (0, 0)
    judged("acted")
    judged("acted")
    judged("dismissed")
    assert cases.accuracy(people[0]) == (2, 1)
    latest = cases.report(cases.Where(canvas, None, 9, 9, 20), "spam", "", reporter=people[0], address="")
    assert latest.weight == scores.weight(2, 1) == 2 * 3 / 5
