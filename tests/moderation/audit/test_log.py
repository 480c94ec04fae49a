"""The page of the log over HTTP."""

from __future__ import annotations

import pytest

from canvas.models import Canvas
from canvas.moderation.cases import services as cases
from canvas.moderation.models import Act
from dreamsite.core.models import User
from tests.moderation.helpers import signed_in

pytestmark = pytest.mark.django_db


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
