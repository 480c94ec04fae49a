"""The room with everything that goes wrong around it, in memory: no database, no sockets, no Django."""

from __future__ import annotations

import asyncio
import dataclasses
import random
import threading
import time
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from canvas import limits, wire
from canvas.admission import Admission
from canvas.member import Member, start
from canvas.room import Room
from canvas.wire import CloseCode, RejectReason
from dreamsite.core.token_bucket import TokenBucket
from tests import wire_client
from tests.canvas.memory import SIDE, Browser, MemoryJournal, NoLayer
from tests.running import PATIENCE
from tests.sockets import pieces, stroke_id

executor = ThreadPoolExecutor(4)


@pytest.fixture
async def journal() -> MemoryJournal:
    return MemoryJournal()


@pytest.fixture
async def room(journal: MemoryJournal) -> AsyncIterator[Room]:
    here = Room(journal, journal.people, NoLayer(), executor)
    await here.start()
    yield here
    await here.stop()


async def until(ready: object) -> None:
    end = time.monotonic() + PATIENCE
    while not ready():
        assert time.monotonic() < end, "it did not come to be"
        await asyncio.sleep(0.005)


def stroke(chance: random.Random, **options: object) -> list[wire.Stroke]:
    path = [(chance.randrange(SIDE * 8), chance.randrange(SIDE * 8), chance.randint(8, 60)) for _ in range(6)]
    return pieces(stroke_id(chance), path, each=2, colour=tuple(chance.randbytes(3)), **options)


def joined(journal: MemoryJournal, room: Room, person: int | None) -> Browser:
    browser = Browser(journal, person)
    browser.connect(room)
    return browser


async def test_ink_reaches_everybody_and_its_author_as_acknowledgement(journal: MemoryJournal, room: Room) -> None:
    anna, guest = joined(journal, room, 1), joined(journal, room, None)
    for piece in stroke(random.Random(1)):
        anna.put(piece)
    await until(lambda: not anna.pending and guest.head == journal.head > 0)
    assert np.array_equal(anna.canvas(), journal.canvas()) and np.array_equal(guest.canvas(), journal.canvas())
    assert any(news["type"] == "names" and news["names"] == {"1": "person1"} for news in guest.news)


@pytest.mark.parametrize("hours", [-7, 7])
async def test_whoever_is_here_draws_on_when_the_clock_is_set(journal: MemoryJournal, hours: int) -> None:
    """Ids of strokes begin with the server's time as it was told at the door."""
    begun, ahead = time.time_ns() // 1_000_000, 0

    def wall_ms() -> int:
        return begun + int(time.monotonic() * 1000 - first) + ahead

    first = time.monotonic() * 1000
    here = Room(journal, journal.people, NoLayer(), executor, wall_ms=wall_ms)
    await here.start()
    anna = joined(journal, here, 1)
    await until(lambda: anna.news)
    told = anna.news[-1]["now"]
    before = [wire.Stroke((told + number) << 12, 0, (1, 2, 3), 255, 0, ((8, 8, 16),), True) for number in range(2)]
    anna.put(before[0])
    await until(lambda: not anna.pending)
    ahead = hours * 3_600_000
    anna.put(before[1])
    await until(lambda: not anna.pending)
    assert not anna.refused and journal.head == 2, "by the time before, for a while"
    await until(lambda: sum(news["type"] == "welcome" for news in anna.news) > 1)
    now = [news["now"] for news in anna.news if news["type"] == "welcome"][-1]
    assert abs(now - wall_ms()) < PATIENCE * 1000 and abs(now - told - ahead) < PATIENCE * 1000
    anna.put(wire.Stroke(now << 12, 0, (1, 2, 3), 255, 0, ((8, 8, 16),), True))
    await until(lambda: not anna.pending)
    assert not anna.refused and journal.head == 3
    anna.put(wire.Stroke((now + 3 * 3_600_000) << 12, 0, (1, 2, 3), 255, 0, ((8, 8, 16),), True))
    await until(lambda: anna.refused)
    await here.stop()


async def test_an_undream_names_one_of_the_newest_frames_or_is_refused(journal: MemoryJournal, room: Room) -> None:
    anna = joined(journal, room, 1)

    def undreams(number: int, frame: int) -> None:
        anna.put(wire.Stroke(stroke_id(random.Random(number)), 0, (0, 0, 0), 255, 0, ((8, 8, 80),), True, 0, frame))

    for _ in range(5):
        journal.land_frame()
    room.audience.state = journal.state()
    room._look_at_picture()
    for number, frame in enumerate((0, 5, 4, 3)):
        undreams(number, frame)
    await until(lambda: not anna.pending)
    assert not anna.refused and [op.frame for _, op in journal.operations() if isinstance(op, wire.Stroke)] == [
        0,
        5,
        4,
        3,
    ]
    for number, frame in enumerate((2, 1, 6, 2**32 - 1), 10):
        undreams(number, frame)
    await until(lambda: len(anna.refused) == 4)
    assert {code for _, code in anna.refused} == {wire.RejectReason.STALE} and journal.head == 4


async def test_what_comes_while_a_batch_is_sent_goes_in_one_message(
    journal: MemoryJournal, room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna = joined(journal, room, 1)
    sent: list[tuple[int, int]] = []
    whole = room.audience.broadcast

    def counted(batch: wire.Batch) -> Iterator[None]:
        sent.append((batch.first, batch.last))
        return whole(batch)

    monkeypatch.setattr(room.audience, "broadcast", counted)
    batches = [
        wire.Batch(number, 0, 1, wire.encode(dataclasses.replace(stroke(random.Random(number))[0], author=1)))
        for number in range(1, 9)
    ]
    for batch in batches:  # eight of another process, before anything of them is sent
        await room.absorb([batch])
    await until(lambda: anna.head == 8)
    assert sent == [(1, 8)]


async def test_everybody_hears_that_an_earlier_frame_was_hidden(journal: MemoryJournal, room: Room) -> None:
    for _ in range(3):
        journal.land_frame()
    anna = joined(journal, room, 1)
    framed = lambda: [news for news in anna.news if news.get("frame")]  # noqa: E731
    await until(framed)
    journal.hide_below(2)
    await until(lambda: [one["id"] for one in framed()[-1]["frame"].get("earlier", [])] == [3, 1])
    assert framed()[-1]["type"] == "frame"
    told = len(anna.news)
    await room._poll_once()
    assert len([news for news in anna.news[told:] if news["type"] == "frame"]) == 0, "once"


async def test_latecomers_are_not_sent_what_moderators_hid(journal: MemoryJournal, room: Room) -> None:
    """Anna draws, Ben too; Ben's ink is hidden, and then shown again."""
    anna, ben = joined(journal, room, 1), joined(journal, room, 2)
    for number, (who, colour) in enumerate(((anna, (1, 2, 3)), (ben, (201, 202, 203)))):
        for piece in pieces(stroke_id(random.Random(number)), [(16, 16, 24), (64, 80, 24), (90, 20, 24)], each=1):
            who.put(replace(piece, colour=colour))
    await until(lambda: not anna.pending and not ben.pending and anna.head == ben.head == journal.head)
    numbers = tuple(number for number, op in journal.operations() if op.author == 2)
    assert numbers

    def moderate(*, show: bool) -> None:
        payload = wire.encode(wire.Hide(numbers, show, 9))
        journal.rows.append(wire.Batch(journal.head + 1, 0, 1, payload))

    def came(browser: Browser) -> list[wire.Operation]:
        return [op for _, op in sorted(browser.operations.items())]

    moderate(show=False)
    await until(lambda: anna.head == journal.head)
    late = joined(journal, room, None)
    await until(lambda: late.head == journal.head)
    assert np.array_equal(late.canvas(), journal.canvas()), "the same picture"
    assert not [op for op in came(late) if isinstance(op, wire.Stroke) and op.author == 2]
    assert [op for op in came(late) if isinstance(op, wire.Stroke) and op.author == 1]
    again = Room(journal, journal.people, NoLayer(), executor)  # and after a restart, from the database
    await again.start()
    other = joined(journal, again, None)
    await until(lambda: other.head == journal.head)
    assert came(other) == came(late)
    await again.stop()
    moderate(show=True)
    await until(lambda: late.head == journal.head)
    newest = joined(journal, room, None)
    await until(lambda: newest.head == journal.head)
    assert np.array_equal(newest.canvas(), journal.canvas()) and len(came(newest)) == journal.head
    assert {op.author for op in came(newest) if isinstance(op, wire.Stroke)} == {1, 2}


async def test_nothing_is_shown_before_it_is_written(
    journal: MemoryJournal, room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna, guest = joined(journal, room, 1), joined(journal, room, None)
    journal.fail = ["before"] * 100_000
    (piece, *_) = stroke(random.Random(2))
    anna.put(piece)
    await until(lambda: guest.news[-1]["type"] == "trouble")
    assert guest.news[-1]["message"] and guest.head == 0 and anna.pending
    monkeypatch.setattr(limits, "STUCK_SECONDS", 3600.0)
    assert not room.stuck, "a moment's trouble sends no reader away"
    monkeypatch.setattr(limits, "STUCK_SECONDS", 0.0)
    assert room.stuck
    journal.fail = []
    await until(lambda: not anna.pending)
    assert [op for _, op in journal.operations()] == [wire_client.by(piece, 1)]
    await until(lambda: guest.news[-1] == {"type": "trouble", "message": None})
    assert not room.stuck


async def test_a_slow_crowd_is_no_trouble(journal: MemoryJournal, room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    """What takes long to send is written, and nobody reads that ink cannot be saved; as when a write hangs."""
    anna, guest = joined(journal, room, 1), joined(journal, room, None)
    sent, began, broadcast = False, 0, room.audience.broadcast

    def slow(batch: wire.Batch) -> Iterator[None]:
        nonlocal began
        began += 1
        while not sent:
            yield
        yield from broadcast(batch)

    monkeypatch.setattr(room.audience, "broadcast", slow)
    monkeypatch.setattr(limits, "HANG_SECONDS", 0.1)
    first, second, third = stroke(random.Random(4))[:1], stroke(random.Random(5))[:1], stroke(random.Random(6))[:1]
    anna.put(*first)
    await until(lambda: began and journal.head == 1)
    anna.put(*second)
    await until(lambda: journal.head == 2)
    anna.put(*third)
    waits_until = time.monotonic() + 5 * limits.HANG_SECONDS
    await until(lambda: time.monotonic() > waits_until)
    assert room.trouble is None and journal.head == 2, "the third batch waits for the crowd"
    sent = True
    await until(lambda: not anna.pending and guest.head == 3)
    assert all(news["type"] != "trouble" for news in guest.news)

    append, may_go_on = journal.append, threading.Event()

    def hang(*args: Any) -> Any:
        assert may_go_on.wait(PATIENCE)
        return append(*args)

    monkeypatch.setattr(journal, "append", hang)
    anna.put(*stroke(random.Random(7))[:1])
    await until(lambda: guest.news[-1]["type"] == "trouble" and guest.news[-1]["message"])
    may_go_on.set()
    await until(lambda: not anna.pending and guest.news[-1] == {"type": "trouble", "message": None})


async def test_a_commit_whose_answer_was_lost_is_not_written_again(journal: MemoryJournal, room: Room) -> None:
    anna, guest = joined(journal, room, 1), joined(journal, room, None)
    journal.fail = ["after"]
    cut = stroke(random.Random(3))
    for piece in cut:
        anna.put(piece)
    await until(lambda: not anna.pending and guest.head == len(cut))
    assert [op for _, op in journal.operations()] == [wire_client.by(piece, 1) for piece in cut]


async def test_visitors_watch_and_are_told_to_sign_in(journal: MemoryJournal, room: Room) -> None:
    guest = joined(journal, room, None)
    (piece, *_) = stroke(random.Random(4))
    guest.put(piece)
    await until(lambda: guest.refused)
    assert guest.refused == [(piece.stroke_id, RejectReason.SIGN_IN)] and journal.head == 0 and guest.closed is None


async def test_a_frame_lands_and_newer_ink_stays_on_top(journal: MemoryJournal, room: Room) -> None:
    chance, anna, guest = random.Random(5), joined(journal, room, 1), joined(journal, room, None)
    for piece in stroke(chance):
        anna.put(piece)
    await until(lambda: not anna.pending)
    journal.land_frame()
    later = stroke(chance)
    for piece in later:
        anna.put(piece)
    await until(lambda: not anna.pending and guest.frame is not None)
    late = joined(journal, room, None)
    for browser in (anna, guest, late):
        await until(lambda browser=browser: browser.head == journal.head)
        assert np.array_equal(browser.canvas(), journal.canvas())
    assert len(late.operations) == len(later)  # a latecomer is not sent what the frame holds


async def test_undo_is_refused_once_it_is_being_dreamed(journal: MemoryJournal, room: Room) -> None:
    anna = joined(journal, room, 1)
    cut = stroke(random.Random(6))
    for piece in cut:
        anna.put(piece)
    await until(lambda: not anna.pending)
    journal.dream = {"state": "dreaming", "position": journal.head}
    await until(lambda: any(news.get("dream", {}).get("state") == "dreaming" for news in anna.news))
    anna.put(wire.Undo(cut[0].stroke_id))
    await until(lambda: anna.refused)
    assert anna.refused == [(cut[0].stroke_id, RejectReason.DREAMED)]


async def test_a_hidden_frame_takes_everybody_back_to_the_one_before(journal: MemoryJournal, room: Room) -> None:
    chance, anna = random.Random(7), joined(journal, room, 1)
    for _ in range(2):
        for piece in stroke(chance):
            anna.put(piece)
        await until(lambda: not anna.pending)
        before = journal.frame
        journal.land_frame()
        await until(lambda: anna.frame == journal.frame)
    journal.frame = before
    await until(lambda: anna.frame == before and anna.head == journal.head)
    assert np.array_equal(anna.canvas(), journal.canvas())


@pytest.mark.parametrize(
    ("piece", "code"),
    [
        (wire.Stroke(1, 0, (0, 0, 0), 255, 0, ((SIDE * 8 + limits.MARGIN * 8 + 1, 0, 80),)), 4400),
        (wire.Stroke(1, 0, (0, 0, 0), 255, 0, ((0, 0, limits.MAX_WIDTH + 1),)), 4400),
        (wire.Stroke(1, 0, (0, 0, 0), 255, 0, ((0, 0, limits.MIN_WIDTH - 1),)), 4400),
    ],
)
async def test_out_of_bounds_ink_closes_the_socket(
    journal: MemoryJournal, room: Room, piece: wire.Stroke, code: int
) -> None:
    anna = joined(journal, room, 1)
    anna.put(piece)
    await until(lambda: anna.closed)
    assert anna.closed == code and not room.members


async def test_more_than_a_pen_can_do_closes_the_socket_and_nobody_else_waits(
    journal: MemoryJournal, room: Room
) -> None:
    mallory, anna = joined(journal, room, 1), joined(journal, room, 2)
    huge = tuple((x * 8, x * 8, limits.MAX_WIDTH) for x in (0, SIDE) * 256)
    for number in range(400):
        mallory.put(wire.Stroke(stroke_id(random.Random(number)), 0, (0, 0, 0), 255, 0, huge))
        if mallory.closed or mallory.member is None:
            break
    await until(lambda: mallory.closed)
    assert mallory.closed == 4429
    for piece in stroke(random.Random(8)):
        anna.put(piece)
    await until(lambda: not anna.pending)


async def test_a_reader_that_stops_is_left_behind_and_catches_up(
    journal: MemoryJournal, room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "OUTBOX_BYTES", 4096)
    monkeypatch.setattr(limits, "MARK_SECONDS", 0.02)
    chance, anna, slow = random.Random(9), joined(journal, room, 1), Browser(journal, None)
    slow.reading = False
    slow.connect(room)
    for _ in range(60):
        for piece in stroke(chance):
            anna.put(piece)
        await asyncio.sleep(0.01)
    await until(lambda: not anna.pending)
    assert slow.member is not None
    assert slow.head < journal.head and slow.member.outstanding < 3 * 4096 + limits.CHUNK
    slow.reading = True
    slow._say(wire_client.join(0, slow.head))  # a browser that comes back to life answers its marks; here it asks anew
    await until(lambda: slow.head == journal.head)
    assert np.array_equal(slow.canvas(), journal.canvas())


async def test_a_reader_that_never_comes_back_is_closed(
    journal: MemoryJournal, room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "OUTBOX_BYTES", 2048)
    monkeypatch.setattr(limits, "MARK_SECONDS", 0.05)
    anna, dead = joined(journal, room, 1), Browser(journal, None)
    dead.reading = False
    dead.connect(room)
    chance = random.Random(10)
    for _ in range(40):
        for piece in stroke(chance):
            anna.put(piece)
        await asyncio.sleep(0.01)
    here, gone = anna.member, dead.member
    assert here and gone
    await until(lambda: not anna.pending and here.behind_since is None and gone.behind_since is not None)
    assert dead.closed is None
    monkeypatch.setattr(room, "clock", lambda: time.monotonic() + limits.BEHIND_SECONDS + 1)
    await until(lambda: dead.closed)
    assert dead.closed == 4408 and anna.closed is None


async def test_a_send_that_waits_is_finished_in_the_background() -> None:
    gate, sent = asyncio.Event(), []

    async def send(data: bytes) -> None:
        await gate.wait()
        sent.append(data)

    async def close(code: int) -> None: ...

    member = Member(send, close, None)
    member.push(b"a")
    member.push(b"b")
    assert sent == [] and member.outstanding == 2
    gate.set()
    await until(lambda: sent == [b"a", b"b"])


async def test_a_coroutine_that_never_waits_needs_no_task() -> None:
    done = []

    async def quick() -> None:
        done.append(1)

    assert start(quick()) is None and done == [1]


def test_a_bucket_fills_at_its_rate() -> None:
    bucket = TokenBucket(rate=10, burst=20)
    assert bucket.take(20, 0.0) and not bucket.take(1, 0.0)
    assert not bucket.take(11, 1.0)  # what does not fit takes nothing
    assert bucket.take(10, 1.0) and not bucket.full(1.5) and bucket.full(3.0)


async def test_a_stroke_may_not_have_more_pieces_than_an_answer_can_count(journal: MemoryJournal, room: Room) -> None:
    anna = joined(journal, room, 1)
    anna.put(wire.Stroke(stroke_id(random.Random(1)), limits.MAX_PIECES, (0, 0, 0), 255, 0, ((8, 8, 80),)))
    await until(lambda: anna.closed)
    assert anna.closed == 4400


async def test_drafts_that_cannot_be_judged_are_refused_and_hold_nobody(
    journal: MemoryJournal, room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna, judge = joined(journal, room, 1), room.deduplication.admit

    def poisoned(drafts: list[tuple[Member, wire.Stroke]], *rest: object) -> object:
        if any(op.colour == (6, 6, 6) for _, op in drafts):
            raise ArithmeticError("a mistake of ours")
        return judge(drafts, *rest)

    monkeypatch.setattr(room.deduplication, "admit", poisoned)
    anna.put(wire.Stroke(stroke_id(random.Random(2)), 0, (6, 6, 6), 255, 0, ((8, 8, 80),)))
    await until(lambda: anna.refused)
    for piece in stroke(random.Random(3)):
        anna.put(piece)
    await until(lambda: not anna.pending)
    assert journal.head > 0 and anna.closed is None


async def test_twenty_tabs_are_one_hand(journal: MemoryJournal, room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "STROKES_BURST", 30)
    monkeypatch.setattr(limits, "STROKES_RATE", 0)
    tabs = [joined(journal, room, 1) for _ in range(20)]
    for number, tab in enumerate(tabs * 2):
        tab.put(wire.Stroke(stroke_id(random.Random(number)), 0, (0, 0, 0), 255, 0, ((8, 8, 80),)))
    await until(lambda: any(tab.closed for tab in tabs))
    assert {tab.closed for tab in tabs if tab.closed} == {4429} and journal.head <= 30


def test_a_thin_line_is_no_cheaper_than_the_stamps_it_is_made_of() -> None:
    zigzag = tuple((x * 8, x * 8, 8) for x in (0, 1400) * 256)
    admission, pieces_taken = Admission(), 0
    with pytest.raises(wire.ProtocolError):
        while True:
            admission.refuses(wire.Stroke(1, 1, (0, 0, 0), 255, 1, zigzag, author=1), 0.0, 0, known=False)
            pieces_taken += 1
    stamps = pieces_taken * 511 * 1400 * 2**0.5
    assert stamps < 200_000  # about a second of painting, for whatever one hand has saved up


async def test_a_joiner_that_gives_up_does_not_wedge_the_canvas(journal: MemoryJournal) -> None:
    def slowly() -> object:
        time.sleep(0.1)
        return MemoryJournal.state(journal)

    journal.state = slowly
    room = Room(journal, journal.people, NoLayer(), executor)
    first = asyncio.create_task(room.start())
    await asyncio.sleep(0.02)
    first.cancel()
    await asyncio.wait_for(room.start(), PATIENCE)
    assert joined(journal, room, None).member
    await room.stop()


async def test_who_joins_while_a_frame_is_taken_away_gets_the_whole_truth(journal: MemoryJournal, room: Room) -> None:
    chance, anna = random.Random(11), joined(journal, room, 1)
    for _ in range(2):
        for piece in stroke(chance):
            anna.put(piece)
        await until(lambda: not anna.pending)
        before = journal.frame
        journal.land_frame()
        await until(lambda: anna.frame == journal.frame)
    since = MemoryJournal.since

    def slowly(seq: int) -> list[wire.Batch]:
        time.sleep(0.2)
        return since(journal, seq)

    journal.since = slowly
    journal.frame = before
    newcomers = []
    for _ in range(30):
        newcomers.append(joined(journal, room, None))
        await asyncio.sleep(0.03)
    for newcomer in newcomers:
        await until(lambda newcomer=newcomer: newcomer.frame == before and newcomer.head == journal.head)
        assert np.array_equal(newcomer.canvas(), journal.canvas())


async def test_who_signed_out_or_was_banned_is_shown_out(
    journal: MemoryJournal, room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "RECHECK_SECONDS", 0.05)
    monkeypatch.setattr(limits, "MARK_SECONDS", 0.02)
    anna, ben, guest = joined(journal, room, 1), joined(journal, room, 2), joined(journal, room, None)
    await asyncio.sleep(0.1)
    journal.people.gone = {1: CloseCode.SIGNED_OUT, 2: CloseCode.FORBIDDEN}
    await until(lambda: anna.closed and ben.closed)
    assert (anna.closed, ben.closed, guest.closed) == (4401, 4403, None)


async def test_how_many_people_there_are_is_told_less_often_in_a_crowd(
    journal: MemoryJournal, room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thousand hear of every change of a thousand: what each costs must not grow with both."""
    told: list[int] = []

    def send(message: dict[str, Any]) -> None:
        if message["type"] == "people":
            told.append(message["count"])

    monkeypatch.setattr(limits, "MARK_SECONDS", 0.01)
    monkeypatch.setattr(room.audience, "send", send)
    joined(journal, room, None)
    await until(lambda: told == [1])
    joined(journal, room, None)
    await until(lambda: told == [1, 2])
    monkeypatch.setattr(limits, "PEOPLE_RATE", 1e-6)
    joined(journal, room, None)
    rounds = room.audience._rounds
    await until(lambda: room.audience._rounds > rounds + 3)
    assert told == [1, 2]
    monkeypatch.setattr(limits, "PEOPLE_RATE", 300.0)
    await until(lambda: told == [1, 2, 3])
