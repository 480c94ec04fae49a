"""The chain over the log of acts, from outside: SQL that goes past the site, the command, the page, leaving."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.utils import timezone

from canvas.moderation.audit import chain, triggers
from canvas.moderation.models import Act, Link
from dreamsite.accounts import closing
from dreamsite.core.models import User

pytestmark = pytest.mark.django_db


@pytest.fixture
def protected(db: None) -> Iterator[None]:
    triggers.protect()
    yield
    triggers.release()


@pytest.fixture
def acts(people: list[User]) -> list[Act]:
    ann, ben = people
    first = Act.objects.record(ann, "freeze", why="so")
    second = Act.objects.record(ben, "rollback", person=ann, strokes=3, share=0.1)
    third = Act.objects.record(ann, "undo", undoes=first)
    return [first, second, third]


def sql(statement: str, *values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def check(*known: str) -> str:
    """What the command says, or complains of."""
    out = StringIO()
    try:
        call_command("moderation", "check", *(f"--known={digest}" for digest in known), stdout=out)
    except CommandError as error:
        return str(error)
    return out.getvalue()


def test_the_command_chains_and_finds_nothing_wrong(acts: list[Act]) -> None:
    assert "holds: 3 links" in check()
    Act.objects.record(None, "unfreeze")
    assert "holds: 4 links" in check()
    assert [link.number for link in Link.objects.all()] == [1, 2, 3, 4]


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE moderation_act SET why = 'another' WHERE id = %s",
        "UPDATE moderation_act SET by_id = 12345 WHERE id = %s",
        "UPDATE moderation_act SET by_name = 'somebody' WHERE id = %s",
        "UPDATE moderation_act SET by_name = '', by_salt = '' WHERE id = %s",
        "UPDATE moderation_act SET by_name = 'ann' WHERE id = %s AND by_name <> 'ann'",
        "UPDATE moderation_act SET verb = 'unfreeze' WHERE id = %s",
        """UPDATE moderation_act SET what = '{"strokes": 4, "share": 0.1}' WHERE id = %s""",
        "UPDATE moderation_act SET at = '2026-01-01 00:00:00' WHERE id = %s",
        "UPDATE moderation_act SET person_id = NULL WHERE id = %s",
        "DELETE FROM moderation_link WHERE act_id = %s",
    ],
)
def test_a_change_past_the_site_is_seen_by_command_and_summary(acts: list[Act], tampering: str) -> None:
    assert "holds" in check()
    assert "No: its 3 entries are as they were written." in summary()
    sql(tampering, acts[1].pk)
    assert "tampered with" in check()
    assert "Yes: entries of this month were changed" in summary()


def summary() -> str:
    cache.clear()
    words = Client().get("/moderation/summary/").content.decode()
    assert "ann" not in re.findall(r"\w+", words)
    return words


def test_an_act_that_goes_with_its_link_is_missed(acts: list[Act]) -> None:
    check()
    sql("DELETE FROM moderation_link WHERE act_id = %s", acts[1].pk)
    sql("DELETE FROM moderation_act WHERE id = %s", acts[1].pk)
    assert "links 2 to 2 are missing" in check()


def test_one_that_was_put_there_long_ago_is_seen_until_it_is_chained(acts: list[Act]) -> None:
    check()
    Act.objects.create(verb="freeze", at=timezone.now() - timedelta(hours=1))
    assert not chain.check().holds


def test_a_chain_that_was_made_anew_lacks_the_digest_that_was_public(acts: list[Act]) -> None:
    check()
    public = re.search(r"<code class=\"digest\">(\w{64})</code>", summary())
    assert public and "holds" in check(public[1])
    sql("UPDATE moderation_act SET why = 'another' WHERE id = %s", acts[0].pk)
    sql("DELETE FROM moderation_link")
    assert "holds" in check()
    assert "computed anew" in check(public[1])


# What puts a row in the place of one that has the same unique column, in each database's own words.
COLUMNS = "at, by_name, by_salt, verb, person_name, person_salt, what, why, op, undoes_id"
OVER = {
    "sqlite": f"REPLACE INTO moderation_act ({COLUMNS}) SELECT {COLUMNS} FROM moderation_act WHERE id = %s",
    "postgresql": f"""INSERT INTO moderation_act ({COLUMNS}) SELECT {COLUMNS} FROM moderation_act WHERE id = %s
                      ON CONFLICT (undoes_id) DO UPDATE SET why = 'another'""",
}


def test_replace_takes_no_row_away_by_its_other_unique_column(protected: None, acts: list[Act]) -> None:
    before = list(Act.objects.values_list("pk", "why"))
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        sql(OVER[connection.vendor], acts[2].pk)
    assert list(Act.objects.values_list("pk", "why")) == before


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE moderation_link SET digest = 'x'",
        "DELETE FROM moderation_link",
        "UPDATE moderation_act SET by_name = '~12345', by_salt = ''",
        "UPDATE moderation_act SET by_name = '~' || by_id, by_salt = '', why = ''",
    ],
)
def test_the_database_guards_the_chain_and_names_too(protected: None, acts: list[Act], statement: str) -> None:
    check()
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        sql(statement)
    assert "holds: 3 links" in check()


def test_who_leaves_is_in_the_log_by_no_name_and_the_chain_holds(
    protected: None, acts: list[Act], people: list[User], mona: User
) -> None:
    check()
    ann = people[0]
    closing.close(ann)
    User.objects.filter(pk=ann.pk).update(closes_at=timezone.now() - timedelta(days=1))
    call_command("close_accounts", verbosity=0)
    names = {name for row in Act.objects.values_list("by_name", "person_name") for name in row}
    assert names == {"", "ben", f"~{ann.pk}"}
    assert "holds" in check()
    mona_client = Client()
    mona_client.force_login(mona)
    page = mona_client.get("/moderation/log/").content.decode()
    assert f"~{ann.pk}" in page and ">ann<" not in page


def test_a_name_that_is_taken_out_of_somebody_who_is_here_is_seen(acts: list[Act], people: list[User]) -> None:
    check()
    sql("UPDATE moderation_act SET by_name = %s, by_salt = '' WHERE id = %s", f"~{people[1].pk}", acts[1].pk)
    assert "its account is still here" in check()
