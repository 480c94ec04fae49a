"""The room and its gate: rules that change while people draw, sanctions, budgets, ink ownership, the end. In memory."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from canvas import brush, limits, wire
from canvas.gate import Region, Rules, Sanction, UserStatus
from canvas.room import Room
from canvas.wire import RejectReason
from tests.canvas.memory import SIDE, Browser, MemoryJournal, NoLayer, Processes
from tests.canvas.test_room import executor, joined, stroke, until
from tests.sockets import stroke_id


@pytest.fixture
async def journal() -> MemoryJournal:
    return MemoryJournal()


@pytest.fixture
async def room(journal: MemoryJournal) -> AsyncIterator[Room]:
    here = Room(journal, journal.people, NoLayer(), executor)
    await here.start()
    yield here
    await here.stop()


def dab(x: int = 8, y: int = 8, width: int = 16, piece: int = 0, stroke: int = 0) -> wire.Stroke:
    """A stamp at x, y px."""
    stroke = stroke or stroke_id(random.Random())
    points = ((8 * x, 8 * y, width), (8 * x + 4, 8 * y, width))
    return wire.Stroke(stroke, piece, (0, 0, 0), 255, 0 if piece == 0 else 9, points)


def news_of(browser: Browser, kind: str) -> list[dict[str, object]]:
    return [news for news in browser.news if news["type"] == kind]


async def test_a_closed_canvas_is_looked_at_rarely(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "POLL", 0.001)
    monkeypatch.setattr(limits, "POLL_CLOSED", 3600.0)
    reads = {}
    rooms = {}
    for closed in (False, True):
        journal = MemoryJournal()
        journal.rules = Rules(closed=closed)
        rooms[closed] = Room(journal, journal.people, NoLayer(), executor)
        reads[closed] = []
        state = journal.state
        monkeypatch.setattr(journal, "state", lambda reads=reads[closed], state=state: (reads.append(1), state())[1])
        await rooms[closed].start()
    await until(lambda: len(reads[False]) > 10)
    assert len(reads[True]) == 1
    await rooms[True].receive_news({"type": "look"})
    await until(lambda: len(reads[True]) == 2)
    for room in rooms.values():
        await room.stop()


async def test_a_frozen_canvas_takes_nothing_and_says_so_to_everybody(journal: MemoryJournal, room: Room) -> None:
    anna, guest = joined(journal, room, 1), joined(journal, room, None)
    before = dab()
    anna.put(before)
    await until(lambda: not anna.pending)
    journal.rules = Rules(version=1, frozen=True, why="a raid")
    await until(lambda: news_of(anna, "rules") and news_of(guest, "rules"))
    assert news_of(guest, "rules")[-1]["rules"]["frozen"] and news_of(guest, "rules")[-1]["rules"]["why"] == "a raid"
    after = dab()
    anna.put(after)
    anna.put(wire.Undo(before.stroke_id))
    await until(lambda: len(anna.refused) == 2)
    assert (
        anna.refused == [(after.stroke_id, RejectReason.LOCKED), (before.stroke_id, RejectReason.LOCKED)]
        and journal.head == 1
    )
    late = joined(journal, room, None)
    assert news_of(late, "welcome")[-1]["rules"]["frozen"]
    journal.rules = Rules(version=2)
    await until(lambda: not news_of(anna, "rules")[-1]["rules"]["frozen"])
    anna.put(dab())
    await until(lambda: journal.head == 2)


async def test_what_was_let_in_before_the_freeze_is_judged_again_when_it_is_written(
    journal: MemoryJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The room knows nothing of the freeze yet; the journal does."""
    monkeypatch.setattr(limits, "POLL", 3600.0)
    room = Room(journal, journal.people, NoLayer(), executor)
    await room.start()
    anna = joined(journal, room, 1)
    journal.rules = Rules(version=1, frozen=True)
    mark = dab()
    anna.put(mark)
    await until(lambda: anna.refused)
    assert anna.refused == [(mark.stroke_id, RejectReason.LOCKED)] and journal.head == 0
    assert not room.admission.rules.frozen
    await room.stop()


async def test_a_stroke_is_cut_where_it_enters_a_locked_region(journal: MemoryJournal, room: Room) -> None:
    journal.rules = Rules(version=1, regions=(Region(5, "lock", 8, 0, 8, 16),))
    anna = joined(journal, room, 1)
    await until(lambda: room.admission.rules.version == 1)
    one = stroke_id(random.Random(3))
    for piece, x in enumerate((2, 3, 14, 3)):
        anna.put(dab(x, piece=piece, stroke=one))
    await until(lambda: not anna.pending)
    assert anna.refused[0] == (one, RejectReason.LOCKED)
    assert [op.piece for _, op in journal.operations() if isinstance(op, wire.Stroke)] == [0, 1]
    anna.put(wire.Undo(one))  # one's own ink may still be taken back
    await until(lambda: journal.head == 3)


@pytest.mark.parametrize(
    ("degree", "draws", "undoes"),
    [("warn", False, True), ("cool_down", True, True), ("read_only", False, True)],
)
async def test_sanctions_hold_and_say_why(
    journal: MemoryJournal, room: Room, degree: str, draws: bool, undoes: bool
) -> None:
    anna, ben = joined(journal, room, 1), joined(journal, room, 2)
    first = dab()
    anna.put(first)
    await until(lambda: journal.head == 1)
    journal.people.status[1] = UserStatus(
        sanctions=(Sanction(7, degree, "painting over the whale", room.wall_ms() + 60_000),)
    )
    await room.receive_news({"type": "recheck", "users": [1], "from": "another"})
    await until(lambda: news_of(anna, "you") and news_of(anna, "you")[-1]["sanctions"])
    assert news_of(anna, "you")[-1]["sanctions"][0]["reason"] == "painting over the whale"
    mark = dab()
    anna.put(mark)
    await until(lambda: not anna.pending)
    assert (anna.refused == []) == draws and (draws or anna.refused == [(mark.stroke_id, RejectReason.SUSPENDED)])
    anna.put(wire.Undo(first.stroke_id))
    await until(lambda: not anna.pending)
    assert any(isinstance(op, wire.Undo) for _, op in journal.operations()) == undoes
    ben.put(dab())  # nobody else is meant
    await until(lambda: not ben.pending)
    assert ben.refused == [] and ben.closed is None
    journal.people.status[1] = UserStatus()
    await room.receive_news({"type": "recheck", "users": [1], "from": "another"})
    await until(lambda: not news_of(anna, "you")[-1]["sanctions"])
    anna.put(again := dab())
    await until(lambda: not anna.pending)
    assert again.stroke_id not in dict(anna.refused)


async def test_the_suspended_are_shown_out_with_the_reason_and_stay_out(journal: MemoryJournal, room: Room) -> None:
    anna = joined(journal, room, 1)
    await until(lambda: room.admission.known())
    journal.people.status[1] = UserStatus(sanctions=(Sanction(7, "suspend", "threats", None),))
    await room.receive_news({"type": "recheck", "users": [1], "from": "another"})
    await until(lambda: anna.closed)
    assert anna.closed == 4403 and news_of(anna, "you")[-1]["sanctions"][0]["reason"] == "threats"
    again = Browser(journal, 1)
    again.connect(room)
    again.put(dab())
    await until(lambda: again.closed)
    assert again.closed == 4403 and journal.head == 0


async def test_a_lost_message_is_made_good_by_the_recheck(
    journal: MemoryJournal, room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "RECHECK_SECONDS", 0.1)
    anna = joined(journal, room, 1)
    await until(lambda: room.admission.known())
    journal.people.status[1] = UserStatus(sanctions=(Sanction(7, "suspend", "threats", None),))
    await until(lambda: anna.closed)
    assert anna.closed == 4403


async def test_a_newcomer_who_covers_everything_runs_out_of_ink_and_gets_it_back(
    journal: MemoryJournal, room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "INK_LEVELS", ((0, 20_000, 4_000), (1, limits.AREA_RATE, limits.AREA_BURST)))
    monkeypatch.setattr(limits, "MARK_SECONDS", 0.05)
    journal.people.status[2] = UserStatus(hours=1)
    anna, ben = joined(journal, room, 1), joined(journal, room, 2)
    await until(lambda: room.admission.known() == {1, 2})
    for _ in range(40):
        for who in (anna, ben):
            who.put(dab(width=160))
    await until(lambda: not anna.pending and not ben.pending)
    assert {code for _, code in anna.refused} == {RejectReason.BUDGET} and not ben.refused
    assert news_of(anna, "ink") and news_of(anna, "ink")[0]["left"] < limits.INK_LOW and not news_of(ben, "ink")
    await until(lambda: news_of(anna, "ink")[-1]["left"] >= limits.INK_LOW)
    refused = len(anna.refused)
    anna.put(dab(width=160))
    await until(lambda: not anna.pending)
    assert len(anna.refused) == refused and anna.closed is None


async def test_two_processes_are_one_hand(journal: MemoryJournal, room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "INK_LEVELS", ((0, 0.001, 4_000),))
    other = Room(journal, journal.people, NoLayer(), executor)
    await other.start()
    here, there = joined(journal, room, 1), joined(journal, other, 1)
    there.put(dab(width=160))
    await until(lambda: not there.pending)
    for _ in range(40):
        here.put(dab(width=160))
    await until(lambda: not here.pending and other.head == journal.head)
    there.put(dab(width=160))
    await until(lambda: not there.pending)
    assert {code for _, code in there.refused} == {RejectReason.BUDGET} and len(here.refused) < 40
    await other.stop()


async def test_painting_over_others_fresh_ink_costs_more(
    journal: MemoryJournal, room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "INK_LEVELS", ((0, 0.001, 4_000),))
    anna, ben = joined(journal, room, 1), joined(journal, room, 2)
    for _ in range(40):
        anna.put(dab(width=160))
    await until(lambda: not anna.pending)
    for _ in range(40):
        ben.put(dab(width=160))
    await until(lambda: not ben.pending)
    mine, theirs = (40 - len(who.refused) for who in (anna, ben))
    assert 0 < theirs < mine < 40 and theirs == pytest.approx(mine / limits.OVERPAINTING_NEW, abs=1)


async def test_the_end_closes_every_pen_and_then_every_socket(
    journal: MemoryJournal, room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MARK_SECONDS", 0.5)
    anna, guest = joined(journal, room, 1), joined(journal, room, None)
    journal.rules = replace(journal.rules, ended=True)
    await room.receive_news({"type": "look", "from": "another"})
    await until(lambda: news_of(anna, "ended") and news_of(guest, "ended"))
    mark = dab()
    anna.put(mark)
    await until(lambda: anna.closed and guest.closed)
    assert anna.refused == [(mark.stroke_id, RejectReason.ENDED)] and journal.head == 0
    assert (anna.closed, guest.closed) == (4410, 4410)
    late = joined(journal, room, None)
    await until(lambda: late.closed)
    assert late.closed == 4410


async def test_a_known_piece_is_acknowledged_whatever_the_rules_are_by_now(journal: MemoryJournal, room: Room) -> None:
    anna, mark = joined(journal, room, 1), dab()
    anna.put(mark)
    await until(lambda: not anna.pending)
    journal.rules = Rules(version=1, frozen=True)
    await until(lambda: room.admission.rules.frozen)
    anna.pending = [mark]  # its acknowledgement was lost with the connection
    anna.drop()
    anna.head = 0
    anna.connect(room)
    await until(lambda: not anna.pending)
    assert anna.refused == [] and journal.head == 1


# --- stories ---------------------------------------------------------------------------------------------------------

events = st.sampled_from(
    ["draw", "draw", "draw", "undo", "drop", "freeze", "open", "lock", "sanction", "pardon", "wait"]
)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32), story=st.lists(events, min_size=4, max_size=16))
async def test_whatever_changes_while_people_draw_nothing_forbidden_is_written_and_all_see_the_same(
    seed: int, story: list[str]
) -> None:
    chance, journal = random.Random(seed), MemoryJournal()
    world, rooms = Processes(chance), []
    for _ in range(2):
        layer = world.layer()
        layer.room = room = Room(journal, journal.people, layer, executor)
        world.rooms.append(room)
        await room.start()
        rooms.append(room)
    browsers = [joined(journal, chance.choice(rooms), person) for person in (1, 2, None)]
    drawn: list[tuple[Browser, int]] = []
    for version, event in enumerate(story, 1):
        browser = chance.choice(browsers[:2])
        match event:
            case "draw":
                cut = stroke(chance)
                drawn.append((browser, cut[0].stroke_id))
                for piece in cut:
                    browser.put(piece)
            case "undo" if drawn:
                author, number = chance.choice(drawn)
                author.put(wire.Undo(number))
            case "drop":
                browser.drop()
                browser.connect(chance.choice(rooms))
            case "freeze" | "open":
                journal.change(replace(journal.rules, version=version, frozen=event == "freeze"))
            case "lock":
                region = Region(version, "lock", chance.randrange(SIDE), chance.randrange(SIDE), 6, 6)
                journal.change(replace(journal.rules, version=version, regions=(region,)))
            case "sanction" | "pardon":
                against = (Sanction(version, "read_only", "", None),) if event == "sanction" else ()
                journal.people.status[1] = UserStatus(sanctions=against)
                for room in rooms:
                    await room.receive_news({"type": "recheck", "users": [1], "from": "another"})
            case "wait":
                await asyncio.sleep(0.03)
    await until(lambda: all(not one.pending and one.head == journal.head for one in browsers))
    for number, op in journal.operations():
        rules = journal.ruled[number]
        assert not rules.frozen, f"operation {number} was written on a frozen canvas"
        for region in rules.regions:
            if isinstance(op, wire.Stroke):
                assert not region.touched_by(op, brush.bounds(op.points)), f"operation {number} is in a locked region"
    truth = journal.canvas()
    for browser in browsers:
        assert browser.closed is None and np.array_equal(browser.canvas(), truth)
    for room in rooms:
        await room.stop()
