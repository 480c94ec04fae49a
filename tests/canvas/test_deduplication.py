from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from canvas import wire
from canvas.deduplication import Deduplication
from canvas.wire import RejectReason

NOW = 1_800_000_000_000
STROKE = NOW << 12


def piece(number: int, stroke: int = STROKE, author: int = 1) -> wire.Stroke:
    return wire.Stroke(stroke, number, (0, 0, 0), 255, 0, ((0, 0, 8),), False, author)


def batch(first: int, *operations: wire.Operation) -> wire.Batch:
    return wire.Batch(first, NOW, len(operations), b"".join(map(wire.encode, operations)))


def admitted(
    book: Deduplication, *operations: wire.Operation, dreamed: int = 0
) -> tuple[list[wire.Operation], list[bytes]]:
    wanted, answers = book.admit([("me", op) for op in operations], NOW, dreamed)
    return wanted, [answer for _, answer in answers]


def test_a_piece_enters_once() -> None:
    book = Deduplication()
    wanted, answers = admitted(book, piece(0), piece(1), piece(0))
    assert wanted == [piece(0), piece(1)] and answers == [wire.ack(STROKE, 2)]
    book.learn(batch(1, *wanted))
    assert admitted(book, piece(1), piece(2)) == ([piece(2)], [wire.ack(STROKE, 2)])


def test_nothing_is_remembered_of_a_write_that_failed() -> None:
    book = Deduplication()
    admitted(book, piece(0), wire.Undo(STROKE, 1))
    assert admitted(book, piece(0)) == ([piece(0)], [])


def test_a_piece_from_the_future_is_a_gap() -> None:
    assert admitted(Deduplication(), piece(1)) == ([], [wire.reject(STROKE, 1, RejectReason.GAP)])


def test_old_ink_that_nobody_knows_is_stale_and_known_ink_is_not() -> None:
    old = (NOW - 11 * 60_000) << 12
    assert admitted(Deduplication(), piece(0, old)) == ([], [wire.reject(old, 0, RejectReason.STALE)])
    book = Deduplication()
    book.learn(batch(1, piece(0, old)))
    assert admitted(book, piece(1, old)) == ([piece(1, old)], [])


def test_people_do_not_share_stroke_ids() -> None:
    book = Deduplication()
    book.learn(batch(1, piece(0, author=1)))
    assert admitted(book, piece(0, author=2)) == ([piece(0, author=2)], [])
    assert admitted(book, wire.Undo(STROKE, 2), dreamed=0)[1] == [wire.reject(STROKE, 0, RejectReason.DREAMED)]


def test_undo_until_it_is_dreamed_and_once() -> None:
    book = Deduplication()
    book.learn(batch(5, piece(0), piece(1)))
    undo = wire.Undo(STROKE, 1)
    assert admitted(book, undo, dreamed=6) == ([], [wire.reject(STROKE, 0, RejectReason.DREAMED)])
    assert admitted(book, undo, undo, dreamed=5) == ([undo], [wire.ack(STROKE, wire.ALL_OF_IT)])
    book.learn(batch(7, undo))
    assert admitted(book, piece(2)) == ([], [wire.reject(STROKE, 2, RejectReason.GAP)])


@given(st.integers(0, 2**32))
def test_whatever_is_resent_in_whatever_order_each_piece_is_written_once_and_in_order(seed: int) -> None:
    chance, book, journal = random.Random(seed), Deduplication(), []
    to_send = {author: [piece(number, STROKE + author, author) for number in range(6)] for author in (1, 2)}
    done = {1: 0, 2: 0}
    for _ in range(60):
        author = chance.choice((1, 2))
        start = chance.randint(0, done[author])
        drafts = to_send[author][start : start + chance.randint(1, 3)]
        wanted, _ = book.admit([(None, op) for op in drafts], NOW, 0)
        if chance.random() < 0.3 or not wanted:
            continue  # the transaction failed, or the process died before it
        book.learn(batch(len(journal) + 1, *wanted))
        journal += wanted
        if chance.random() < 0.8:  # else the acknowledgement was lost
            done[author] = max(op.piece + 1 for op in journal if op.author == author)
    for author in (1, 2):
        written = [op.piece for op in journal if op.author == author]
        assert written == list(range(len(written)))


def test_forgetting_keeps_what_may_still_grow() -> None:
    book = Deduplication()
    book.learn(batch(1, piece(0), piece(0, (NOW - 3_600_000) << 12)))
    book.learn(batch(3, piece(0, (NOW - 3_600_000) << 12, author=3)))
    book.forget_before(NOW - 60_000, base_seq=2)
    assert len(book) == 2  # the young one, and the old one that no frame holds: it can still be undone
    assert admitted(book, wire.Undo((NOW - 3_600_000) << 12, 3), dreamed=2)[0]
