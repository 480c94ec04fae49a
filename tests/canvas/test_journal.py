"""The journal in the database: numbers without gaps, one row a batch, all or nothing."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
from django.utils import timezone

from canvas import journal, lease, wire
from canvas.gate import Rules
from canvas.journal import DatabaseJournal
from canvas.models import Batch, Canvas, Dream
from dreamsite.core.models import User

NOW = 1_800_000_000_000


def piece(number: int, stroke: int = 7, author: int = 1) -> wire.Stroke:
    return wire.Stroke(stroke, number, (1, 2, 3), 255, 0, ((8, 8, 80), (80, 80, 80)), False, author)


def write(here: DatabaseJournal, *operations: wire.Operation, known: int = 0) -> wire.Batch | None:
    return here.append(known, lambda missed, dreamed, rules: list(operations), NOW)[1]


def test_numbers_follow_one_another_and_what_was_written_is_read(canvas: Canvas) -> None:
    here = DatabaseJournal(canvas.pk)
    first, second = write(here, piece(0), piece(1)), write(here, piece(2))
    assert first and second and (first.first, first.last, second.first) == (1, 2, 3)
    assert here.since(0) == [first, second] and here.state().head == 3
    assert here.since(3) == []
    assert [op for _, op in here.since(1)[0].operations()] == [piece(1)]  # a batch is cut where the reader stands
    assert journal.operations(canvas, 1, 2) == [(2, piece(1))]


def test_the_site_s_own_canvases_and_closed_ones_are_known_before_a_room_opens(canvas: Canvas) -> None:
    def found() -> journal.Found:
        one = journal.find("here")
        assert one and one.id == canvas.pk
        return one

    assert found().own and not found().closed
    Canvas.objects.update(listed=False)
    assert found().own, "one of the site's own by link"
    Canvas.objects.update(listed=True, by_member=True, maker=User.objects.create_user("anna"))
    assert not found().own
    Canvas.objects.update(maker=None)
    assert not found().own, "left behind by its maker"
    Canvas.objects.update(by_member=False, closed_at=timezone.now() + timedelta(hours=1))
    assert found().own and not found().closed
    Canvas.objects.update(closed_at=timezone.now())
    assert found().closed and not found().own
    assert journal.find("nowhere") is None


def test_nothing_to_write_writes_nothing(canvas: Canvas) -> None:
    assert write(DatabaseJournal(canvas.pk)) is None
    assert not Batch.objects.exists()


def test_a_writer_learns_what_others_wrote_before_it_decides(canvas: Canvas) -> None:
    here, there = DatabaseJournal(canvas.pk), DatabaseJournal(canvas.pk)
    theirs = write(there, piece(0))
    seen: list[wire.Batch] = []

    def admit(missed: list[wire.Batch], dreamed: int, rules: Rules) -> list[wire.Operation]:
        seen.extend(missed)
        return [piece(1)]

    missed, mine = here.append(0, admit, NOW)
    assert seen == missed == [theirs] and mine and mine.first == 2


def test_a_write_that_fails_leaves_no_trace(canvas: Canvas) -> None:
    here = DatabaseJournal(canvas.pk)

    def admit(missed: list[wire.Batch], dreamed: int, rules: Rules) -> list[wire.Operation]:
        raise RuntimeError("on the way")

    with pytest.raises(RuntimeError):
        here.append(0, admit, NOW)
    assert here.state().head == 0
    assert write(here, piece(0)).first == 1


def test_canvases_count_for_themselves(canvas: Canvas) -> None:
    other = Canvas.objects.create(slug="there", title="There", width=64, height=64)
    write(DatabaseJournal(canvas.pk), piece(0))
    assert write(DatabaseJournal(other.pk), piece(0)).first == 1
    assert DatabaseJournal(other.pk).since(0)[0].count == 1


def test_recent_is_by_the_time_of_the_write(canvas: Canvas) -> None:
    here = DatabaseJournal(canvas.pk)
    write(here, piece(0))
    here.append(0, lambda missed, dreamed, rules: [piece(1)], NOW + 60_000)
    assert [batch.first for batch in here.recent(NOW + 1)] == [2]
    assert [batch.at for batch in here.recent(0)] == [NOW, NOW + 60_000]


def test_a_moderators_operations_enter_the_same_journal(canvas: Canvas, people: list[User]) -> None:
    write(DatabaseJournal(canvas.pk), piece(0))
    written = journal.append(canvas, [wire.Hide((1,), author=people[0].pk)])
    assert written and written.first == 2 and abs(written.at - time.time() * 1000) < 60_000


def test_what_browsers_are_told_of_the_dream(canvas: Canvas) -> None:
    here = DatabaseJournal(canvas.pk)
    assert here.state().dream == {"state": "away", "position": 0}
    lease.take(canvas, "me")
    lease.report(canvas, "me", state=Dream.State.DREAMING, position=5, style={"title": "eyes", "layer": "4c"})
    assert (
        here.state().dream | {"title": "eyes", "layer": "4c", "state": "dreaming", "position": 5} == here.state().dream
    )
    Dream.objects.update(expires_at=timezone.now() - timedelta(seconds=5))
    assert here.state().dream == {"state": "away", "position": 5}


def test_what_is_being_dreamed_is_read_under_the_same_lock(canvas: Canvas) -> None:
    here, calls = DatabaseJournal(canvas.pk), []

    def admit(missed: list[wire.Batch], dreamed: int, rules: Rules) -> list[wire.Operation]:
        calls.append(dreamed)
        return []

    here.append(0, admit, NOW)
    Dream.objects.create(canvas=canvas, position=41)
    here.append(0, admit, NOW)
    assert calls == [0, 41]
