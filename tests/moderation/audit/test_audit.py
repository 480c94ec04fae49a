"""The log of acts takes rows and gives none away; moderators have what the group says and nothing more."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import Group
from django.db import DatabaseError, connection, transaction
from django.http import HttpResponse
from django.test import RequestFactory

from canvas.models import Canvas
from canvas.moderation import permissions
from canvas.moderation.audit import triggers
from canvas.moderation.audit.models import AppendOnly
from canvas.moderation.models import Act
from dreamsite.core.models import User


@pytest.fixture
def protected(db: None) -> Iterator[None]:
    triggers.protect()
    yield
    triggers.release()


def test_an_act_is_recorded_with_who_what_and_why(canvas: Canvas, people: list[User]) -> None:
    ann, ben = people
    act = Act.objects.record(ann, "rollback", canvas=canvas, person=ben, why="  Painted over everything. ", strokes=3)
    read = Act.objects.get()
    assert (read.by, read.person, read.canvas, read.what, read.why) == (ann, ben, canvas, {"strokes": 3}, act.why)
    assert read.why == "Painted over everything."
    assert "ann: Removed strokes" in str(read)
    again = Act.objects.record(ann, "undo", canvas=canvas, op=act.op, undoes=act)
    assert again.op == act.op and Act.objects.with_undone().get(pk=act.pk).undone_by == again


def test_names_stay_when_the_accounts_go(people: list[User]) -> None:
    ann, ben = people
    Act.objects.record(ann, "rollback", person=ben)
    ann.delete()
    ben.delete()
    read = Act.objects.get()
    assert (read.by_name, read.person_name) == ("ann", "ben")


def test_an_unknown_verb_is_refused(people: list[User]) -> None:
    with pytest.raises(ValueError, match="'explode' is unknown"):
        Act.objects.record(people[0], "explode")


def test_python_cannot_change_the_log(people: list[User]) -> None:
    act = Act.objects.record(people[0], "freeze")
    act.why = "another"
    for change in (act.save, act.delete, Act.objects.all().delete, lambda: Act.objects.update(why="another")):
        with pytest.raises(AppendOnly):
            change()


# What empties or overwrites a table without saying DELETE or UPDATE, in each database's own words.
BESIDE = {
    "sqlite": "REPLACE INTO moderation_act SELECT * FROM moderation_act",
    "postgresql": "TRUNCATE moderation_act CASCADE",
}


@pytest.mark.parametrize("statement", ["UPDATE moderation_act SET why = 'another'", "DELETE FROM moderation_act", ""])
def test_the_database_refuses_too(protected: None, people: list[User], statement: str) -> None:
    Act.objects.record(people[0], "freeze", why="so")
    statement = statement or BESIDE[connection.vendor]
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert Act.objects.get().why == "so"
    Act.objects.record(people[0], "unfreeze")  # and goes on taking rows
    assert Act.objects.count() == 2


def test_the_group_has_what_it_needs_and_keeps_what_its_owner_gave_it(db: None) -> None:
    group = Group.objects.get(name=permissions.MODERATORS)
    assert set(group.permissions.values_list("codename", flat=True)) == set(permissions.PERMISSIONS)
    group.permissions.remove(group.permissions.get(codename="sanction"))
    permissions.make_group()
    assert not group.permissions.filter(codename="sanction").exists()


def test_who_passes_moderator_required(db: None, people: list[User], rf: RequestFactory) -> None:
    ann, ben = people
    ben.groups.add(Group.objects.get(name=permissions.MODERATORS))

    @permissions.moderator_required(json=True)
    def view(request: object) -> HttpResponse:
        return HttpResponse("in")

    from django.contrib.auth.models import AnonymousUser

    def status(user: object) -> int:
        request = rf.get("/")
        request.user = user
        return view(request).status_code

    assert status(AnonymousUser()) == 401
    assert status(ann) == 403
    assert status(User.objects.get(pk=ben.pk)) == 200
