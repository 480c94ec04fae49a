"""Several trusted people together cover an area, from the outside: over HTTP."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from canvas import limits
from canvas.models import Canvas, CleanHours, Region, Sanction
from canvas.moderation.models import Act, Case, CoverVote
from dreamsite.core.models import User

AREA = {"x": 10, "y": 10, "width": 20, "height": 20}


@pytest.fixture
def trusted(canvas: Canvas) -> list[User]:
    joined = timezone.now() - timedelta(days=limits.TRUSTED_DAYS)
    people = [
        User.objects.create(username=f"old{number}", date_joined=joined) for number in range(limits.COVER_QUORUM + 1)
    ]
    for person in people:
        CleanHours.objects.create(user=person, hours=limits.TRUSTED_HOURS)
    return people


def ask(user: User | None, area: Any = AREA) -> tuple[int, dict[str, Any]]:
    client = Client()
    if user:
        client.force_login(user)
    answer = client.post("/c/here/cover", area, content_type="application/json")
    return answer.status_code, answer.json()


def cover(people: list[User], canvas: dict[str, int] = AREA) -> Region:
    for user in people[: limits.COVER_QUORUM]:
        assert ask(user, canvas)[0] == 200
    return Region.objects.filter(kind="cover").latest("pk")


def test_enough_trusted_people_cover_an_area_for_a_while_and_a_moderator_is_asked(trusted: list[User]) -> None:
    shifted = [AREA | {"x": 10 + step} for step in (0, 2, 9)]
    for number, user in enumerate(trusted[: limits.COVER_QUORUM]):
        status, content = ask(user, shifted[number])
        assert (status, content["votes"]) == (200, number + 1)
        assert content["covered"] == (number + 1 == limits.COVER_QUORUM)
    region = Region.objects.get()
    assert (region.kind, region.x, region.y, region.width, region.height) == ("cover", 12, 10, 20, 20)  # the median
    assert region.until and timedelta(0) < region.until - timezone.now() <= timedelta(minutes=limits.COVER_MINUTES)
    assert Case.objects.get().region == region and Case.objects.get().is_open
    act = Act.objects.get(verb="cover")
    assert act.by is None and act.what["people"] == sorted(user.pk for user in trusted[: limits.COVER_QUORUM])
    assert not Sanction.objects.exists()


def test_one_person_is_one_vote_and_other_areas_are_other_votes(trusted: list[User]) -> None:
    for _ in range(4):
        assert ask(trusted[0])[1]["votes"] == 1
    assert ask(trusted[1], AREA | {"x": 40})[1]["votes"] == 1
    assert not Region.objects.exists() and CoverVote.objects.count() == 2


def test_old_votes_and_votes_of_those_no_longer_trusted_do_not_count(trusted: list[User]) -> None:
    ask(trusted[0])
    ask(trusted[1])
    CoverVote.objects.filter(user=trusted[0]).update(
        at=timezone.now() - timedelta(minutes=limits.COVER_VOTES_MINUTES + 1)
    )
    Sanction.objects.create(user=trusted[1], degree="warn", reason="no")
    assert ask(trusted[2])[1]["votes"] == 1 and not Region.objects.exists()


def test_what_a_moderator_has_looked_at_stays_open_for_a_while(trusted: list[User], people: list[User]) -> None:
    cover(trusted).lift(people[0])
    status, content = ask(trusted[3])
    assert status == 409 and "moderator" in content["detail"]
    Region.objects.update(lifted_at=timezone.now() - timedelta(minutes=limits.COVER_PAUSE_MINUTES + 1))
    assert ask(trusted[3])[0] == 200


def test_a_covered_area_cannot_be_covered_again_and_nobody_asks_all_day(trusted: list[User]) -> None:
    cover(trusted)
    assert ask(trusted[3])[0] == 409
    CoverVote.objects.bulk_create(
        CoverVote(canvas=Canvas.objects.get(slug="here"), user=trusted[3], region=Region.objects.get(), **AREA)
        for _ in range(limits.COVER_VOTES_HOURLY)
    )
    assert ask(trusted[3], AREA | {"x": 40})[0] == 429


def test_strangers_and_newcomers_cover_nothing(trusted: list[User], people: list[User]) -> None:
    assert ask(None)[0] == 401
    status, content = ask(people[0])
    assert status == 403 and str(limits.TRUSTED_HOURS) in content["detail"]
    User.objects.filter(pk=people[0].pk).update(is_staff=True, is_superuser=True)
    assert ask(people[0])[0] == 403  # staff have switches of their own, and no other pen than anybody
    assert not CoverVote.objects.exists()


@pytest.mark.parametrize(
    "area",
    [
        "nonsense",
        [],
        {},
        AREA | {"x": "1"},
        AREA | {"x": 1.5},
        AREA | {"x": True},
        AREA | {"width": 0},
        AREA | {"x": -1},
        AREA | {"width": limits.COVER_SIDE + 1},
        AREA | {"x": 60},
        AREA | {"x": 10**30},
    ],
)
def test_nonsense_is_refused_with_a_reason(trusted: list[User], area: Any) -> None:
    status, content = ask(trusted[0], area)
    assert status == 400 and content["detail"]


def test_other_canvases_and_forged_requests(trusted: list[User]) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(trusted[0])
    assert client.post("/c/here/cover", AREA, content_type="application/json").status_code == 403
    assert Client().get("/c/here/cover").status_code == 405
    assert Client().post("/c/nowhere/cover", AREA, content_type="application/json").status_code == 404
