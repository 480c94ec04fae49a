"""A cover in the moderators' queue."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from canvas.models import Canvas, Region
from canvas.moderation.models import Case, CoverVote
from dreamsite.core.models import User
from tests.moderation.helpers import signed_in

pytestmark = pytest.mark.django_db


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
