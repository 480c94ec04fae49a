"""Whose own film still finds a place in the queue: bounds for a person, for guests together, and for the site."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from canvas.models import Canvas
from dreamsite.core.models import User
from dreamsite.core.tasks.jobs import State
from gallery.films import own
from gallery.films.models import Film
from tests.films.conftest import BEGUN

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own, "SHARED", 4)
    monkeypatch.setattr(own, "WAITING", 8)


def somebody(name: str, *, guest: bool = False) -> User:
    return User.objects.create(username=name, skeleton=name, guest=guest)


def waits(canvas: Canvas, person: User) -> Film:
    own.may_order(person)
    until = BEGUN + timedelta(hours=1)
    return Film.objects.create(
        canvas=canvas, kind=Film.Kind.PLACE, starts_at=BEGUN, ends_at=until, owner=person, requested_by=person
    )


def refusal(person: User) -> str:
    with pytest.raises(own.InvalidRequest) as refused:
        own.may_order(person)
    return str(refused.value)


def test_whoever_has_none_waiting_still_finds_a_place(canvas: Canvas) -> None:
    keen = [somebody(f"keen{n}") for n in range(2)]
    for person in keen:
        for _ in range(own.AT_ONCE[False]):
            waits(canvas, person)
    assert "still being made" in refusal(keen[0])
    late = [somebody(f"late{n}") for n in range(4)]
    for person in late:
        waits(canvas, person)
    assert Film.objects.count() == 8 and "8 films are waiting" in refusal(somebody("later"))
    Film.objects.filter(owner=keen[0]).update(state=State.DONE)  # 6 wait: more than are shared freely
    assert "each person may have one there" in refusal(late[0])
    waits(canvas, somebody("latest"))
    Film.objects.filter(owner=late[1]).update(state=State.RUNNING)
    waits(canvas, late[1])  # it is being made, so none of this person's waits


def test_guests_together_have_half_of_the_places(canvas: Canvas) -> None:
    for number in range(4):
        waits(canvas, somebody(f"guest{number}", guest=True))
    assert "4 films of guests are waiting" in refusal(somebody("another", guest=True))
    waits(canvas, somebody("member"))


def test_the_bounds_of_a_person_are_told_before(client: Client, canvas: Canvas, kept: Any) -> None:
    kept(1)
    for guest in (False, True):
        client.force_login(somebody(f"one{guest}", guest=guest))
        page = client.get("/films/mine/?canvas=film").content.decode()
        assert f"order {own.A_DAY[guest]} films and clips in 24 hours" in page
        assert ("one after the other" if guest else f"{own.AT_ONCE[guest]} at a time") in page
