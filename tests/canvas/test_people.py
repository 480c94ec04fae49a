"""The people at a canvas as the database has them: names, sessions, accounts. Their status has a file of its own."""

from __future__ import annotations

import pytest
from django.contrib.sessions.models import Session
from django.test import Client

from canvas.member import Person
from canvas.people import DatabasePeople
from canvas.wire import CloseCode
from dreamsite.core.models import User
from dreamsite.core.sessions import stored

pytestmark = pytest.mark.django_db


def test_sessions_that_ended_and_accounts_that_may_not_be_here(client: Client) -> None:
    users = User.objects
    people = {}
    for name in ("stays", "leaves", "changes", "banned"):
        user = users.create_user(name, password="x")
        client.force_login(user)
        people[name] = Person(user.pk, name, stored(client.session.session_key or ""))
        client.cookies.clear()
    here = DatabasePeople()
    assert here.ended(people.values()) == {}
    Session.objects.filter(session_key=people["leaves"].session).delete()
    changed = users.get(username="changes")
    changed.set_password("y")
    changed.save()
    users.filter(username="banned").update(is_active=False)
    gone = Person(9999, "deleted", "none")
    assert here.ended([*people.values(), gone]) == {
        people["leaves"]: CloseCode.SIGNED_OUT,
        people["changes"]: CloseCode.SIGNED_OUT,
        people["banned"]: CloseCode.FORBIDDEN,
        gone: CloseCode.FORBIDDEN,
    }


def test_names_of_those_who_are_still_here(people: list[User]) -> None:
    ann, ben = people
    User.objects.filter(pk=ben.pk).update(closed_at=ben.date_joined)
    assert DatabasePeople().names([ann.pk, ben.pk, 9999]) == {ann.pk: "ann"}
