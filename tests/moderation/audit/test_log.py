"""The page of the log over HTTP."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db.models import F

from canvas.models import Canvas
from canvas.moderation.audit import look_ups
from canvas.moderation.cases import services as cases
from canvas.moderation.models import Act, LookUp
from dreamsite.core.models import User
from tests.moderation.helpers import reported, signed_in

pytestmark = pytest.mark.django_db


def test_looking_at_a_person_is_recorded(people: list[User], mona: User, otto: User) -> None:
    signed_in(mona).get(f"/moderation/people/{people[0].pk}/")
    assert LookUp.objects.get(verb="view-person").person == people[0]
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


def test_look_ups_stand_in_the_log_folded_by_the_hour(
    canvas: Canvas, people: list[User], mona: User, otto: User
) -> None:
    case = reported(canvas)
    report = case.reports.get()
    here, ann, ben = signed_in(mona), *people
    panel = f"/c/{canvas.slug}/moderation"
    preview = {"people": [ann.pk], "since": None, "rect": None, "frame": None, "area": "ink"}
    for _ in range(3):
        assert here.get(f"{panel}/at?x=20&y=20&r=9").status_code == 200
        assert here.get(f"{panel}/people").status_code == 200
        assert here.get(f"{panel}/ink?people={ann.pk}").status_code == 200
        assert here.get(f"/moderation/evidence/{report.pk}.jpg").status_code == 200
        assert here.get(f"/moderation/people/{ben.pk}/").status_code == 200
        assert here.post(f"{panel}/preview", preview, content_type="application/json").status_code == 200
    assert not Act.objects.filter(verb__in=look_ups.VERBS).exists()
    words = signed_in(otto).get("/moderation/log/").content.decode()
    assert "Looked up in this hour" in words and "3 ×" in words and "Looked at evidence" in words
    # No look-up can be taken out of the log before the hour is over, and when it is, it is an act.
    LookUp.objects.update(hour=F("hour") - timedelta(hours=1))
    signed_in(otto).get("/moderation/log/")
    folded = {act.verb: act for act in Act.objects.filter(verb__in=look_ups.VERBS)}
    assert set(folded) == set(look_ups.VERBS) and Act.objects.filter(verb__in=look_ups.VERBS).count() == len(folded)
    assert {act.by for act in folded.values()} == {mona} and {act.what["count"] for act in folded.values()} == {3}
    assert folded["look-up-ink"].what["people"] == [ann.pk] and folded["view-person"].person == ben
    assert folded["look-up-evidence"].what["reports"] == [report.pk] and folded["look-up"].what["places"] == ["20,20"]
    assert not LookUp.objects.exists()
    assert "mona" in signed_in(otto).get(f"/moderation/people/{ben.pk}/").content.decode()
    # What the panel lists as done on the canvas are acts on it, not looks.
    assert not here.get(f"{panel}/log").json()["acts"]
