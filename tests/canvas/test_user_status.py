"""The gate's rows in the database, as the journal hands them to a room: switches, regions, sanctions, clean hours."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from canvas import gate, limits, wire
from canvas.journal import DatabaseJournal
from canvas.models import Canvas, CleanHours, Region, Rules, Sanction
from canvas.people import DatabasePeople
from dreamsite.core.models import SiteState, User

NOW = 1_800_000_000_000


def ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def rules_at_write(journal: DatabaseJournal) -> gate.Rules:
    """The rules that the journal hands over under its lock."""
    found: list[gate.Rules] = []

    def admit(missed: list[wire.Batch], dreamed: int, rules: gate.Rules) -> list[wire.Operation]:
        found.append(rules)
        return []

    journal.append(0, admit, NOW)
    return found[0]


def test_switches_reach_the_room_by_the_poll_and_by_the_write(canvas: Canvas) -> None:
    polled, writing = DatabaseJournal(canvas.pk), DatabaseJournal(canvas.pk)
    assert polled.state().rules == rules_at_write(writing) == gate.Rules()
    rules = Rules.objects.of(canvas)
    rules.frozen, rules.frozen_why, rules.slow, rules.newcomers_after = True, "a raid", 3, timezone.now()
    rules.save()
    lock = Region.objects.create(canvas=canvas, x=1, y=2, width=3, height=4, why="a memorial")
    tomorrow = timezone.now() + timedelta(days=1)
    cover = Region.objects.create(canvas=canvas, kind="cover", x=9, y=9, width=9, height=9, until=tomorrow)
    expected = gate.Rules(
        version=Rules.objects.get().version,
        frozen=True,
        why="a raid",
        slow=3,
        newcomers_after=ms(rules.newcomers_after),
        regions=(
            gate.Region(lock.pk, "lock", 1, 2, 3, 4, None, "a memorial"),
            gate.Region(cover.pk, "cover", 9, 9, 9, 9, ms(tomorrow)),
        ),
    )
    assert polled.state().rules == rules_at_write(writing) == expected
    lock.lift()
    assert [one.id for one in polled.state().rules.regions] == [cover.pk]
    cover.delete()
    assert rules_at_write(writing).regions == ()


def test_looking_costs_one_query_and_writing_no_more_than_before_while_nothing_changes(canvas: Canvas) -> None:
    journal = DatabaseJournal(canvas.pk)
    Rules.objects.of(canvas)
    Region.objects.create(canvas=canvas, x=1, y=2, width=3, height=4)
    journal.state()
    with CaptureQueriesContext(
        connection,
    ) as queries:
        journal.state()
    assert len(queries) == 1
    with CaptureQueriesContext(connection) as queries:
        rules_at_write(journal)
    assert len([one for one in queries.captured_queries if one["sql"].startswith("SELECT")]) == 2


def test_every_save_of_the_switches_counts(canvas: Canvas) -> None:
    one, two = Rules.objects.of(canvas), Rules.objects.of(canvas)
    before = one.version
    one.frozen = True
    one.save(update_fields=["frozen"])
    two.slow = 2
    two.save(update_fields=["slow"])
    found = Rules.objects.get()
    assert (found.frozen, found.slow, found.version) == (True, 2, before + 2) and two.version == before + 2


def test_the_sites_end_ends_every_canvas(canvas: Canvas) -> None:
    journal = DatabaseJournal(canvas.pk)
    assert not SiteState.ended()
    SiteState.end(timezone.now() + timedelta(hours=1))
    assert not journal.state().rules.ended and not SiteState.ended()
    SiteState.end(timezone.now())
    assert journal.state().rules.ended and rules_at_write(journal).ended and SiteState.ended()
    SiteState.end(None)
    assert not journal.state().rules.ended


def test_what_stands_against_somebody_now(canvas: Canvas, people: list[User]) -> None:
    ann, ben = people
    now = timezone.now()

    def put(degree: str, **more: Any) -> Sanction:
        return Sanction.objects.create(user=ann, degree=degree, reason=f"{degree} it is", **more)

    put("suspend", until=now - timedelta(seconds=1))
    put("suspend", starts_at=now + timedelta(hours=1))
    put("suspend", lifted_at=now)
    put("warn", acknowledged_at=now)
    held = [put("warn"), put("cool_down", until=now + timedelta(hours=1)), put("read_only")]
    assert set(Sanction.objects.in_force(ann)) == set(held) and not Sanction.objects.in_force(ben).exists()
    assert all(one.stands(timezone.now()) for one in held)
    found = DatabasePeople().statuses([ann.pk, ben.pk, 9999])
    assert {one.id for one in found[ann.pk].sanctions} == {one.pk for one in held}
    assert found[ann.pk].sanctions[0].reason.endswith("it is")
    assert found[ben.pk] == gate.UserStatus(joined=ms(ben.date_joined)) and found[9999] == gate.UserStatus()


def test_an_hour_whose_ink_was_dreamed_counts_once_some_a_day_and_not_under_a_sanction(
    canvas: Canvas, people: list[User]
) -> None:
    ann, ben = people
    earlier = timezone.now() - timedelta(days=1)
    Sanction.objects.create(user=ben, degree="cool_down", reason="slowly", starts_at=earlier)
    midnight = datetime(2030, 1, 1, tzinfo=UTC)
    for minutes in (0, 20, 59, 60, 61):
        CleanHours.objects.dreamed([ann.pk, ben.pk], midnight + timedelta(minutes=minutes))
    assert dict(CleanHours.objects.values_list("user", "hours")) == {ann.pk: 2, ben.pk: 0}
    assert DatabasePeople().statuses([ann.pk])[ann.pk].hours == 2
    for hour in range(24):  # a dot an hour
        CleanHours.objects.dreamed([ann.pk], midnight + timedelta(hours=hour))
    assert CleanHours.objects.get(user=ann).hours == limits.HOURS_DAILY
    CleanHours.objects.dreamed([ann.pk], midnight + timedelta(days=1))
    assert CleanHours.objects.get(user=ann).hours == limits.HOURS_DAILY + 1


def test_a_clock_that_went_wrong_takes_nobodys_hours_for_ever(canvas: Canvas, people: list[User]) -> None:
    ann = people[0]
    now = datetime(2030, 1, 1, tzinfo=UTC)
    for at in (now, now + timedelta(days=4000), now + timedelta(hours=1)):
        CleanHours.objects.dreamed([ann.pk], at)
    assert CleanHours.objects.get(user=ann).hours == 3


def test_who_is_trusted(canvas: Canvas, people: list[User]) -> None:
    ann, _ = people
    people_of = DatabasePeople()

    def trusted() -> bool:
        return people_of.statuses([ann.pk])[ann.pk].trusted

    CleanHours.objects.create(user=ann, hours=limits.TRUSTED_HOURS)
    assert not trusted()
    User.objects.update(date_joined=timezone.now() - timedelta(days=limits.TRUSTED_DAYS))
    assert trusted()
    over = Sanction.objects.create(
        user=ann,
        degree="cool_down",
        reason="",
        starts_at=timezone.now() - timedelta(days=3),
        until=timezone.now() - timedelta(days=2),
    )
    assert not trusted()
    over.starts_at -= timedelta(days=limits.TRUSTED_AFTER_DAYS)
    over.save()
    assert trusted()
    CleanHours.objects.update(hours=limits.TRUSTED_HOURS - 1)
    assert not trusted()


@pytest.mark.parametrize("power", ["is_staff", "is_superuser"])
def test_staff_stand_like_anybody_else(canvas: Canvas, people: list[User], power: str) -> None:
    """The gate is not even told of it."""
    ann, ben = people
    User.objects.filter(pk=ann.pk).update(**{power: True}, date_joined=ben.date_joined)
    found = DatabasePeople().statuses([ann.pk, ben.pk])
    assert found[ann.pk] == found[ben.pk]


def test_a_region_has_a_size(canvas: Canvas) -> None:
    with pytest.raises(IntegrityError):
        Region.objects.create(canvas=canvas, x=0, y=0, width=0, height=5)
