"""Which pieces of which strokes the journal holds: the memory that makes sending twice harmless."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from canvas import limits, wire
from canvas.wire import RejectReason

Who = TypeVar("Who")

Key = tuple[int, int]  # author, stroke id


@dataclass(slots=True)
class Entry:
    next_piece: int = 0
    last_seq: int = 0
    undone: bool = False


class Deduplication:
    """Learns from every batch of the journal; decides which drafts may enter it, in the order they came."""

    def __init__(self) -> None:
        self._entries: dict[Key, Entry] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def learn(self, batch: wire.Batch) -> None:
        for number, (kind, author, stroke_id, piece) in enumerate(wire.scan(batch.payload, batch.count), batch.first):
            if kind == wire.STROKE:
                entry = self._entries.setdefault((author, stroke_id), Entry())
                entry.next_piece = max(entry.next_piece, piece + 1)
                entry.last_seq = max(entry.last_seq, number)
            elif kind == wire.UNDO:
                self._entries.setdefault((author, stroke_id), Entry()).undone = True

    def forget_before(self, ms: int, base_seq: int) -> None:
        """Drops strokes begun before `ms` (since 1970) that a frame holds.

        New pieces of them would be refused as stale anyway, and their undo as dreamed.
        """
        oldest = ms << 12
        # In place: the journal's thread may be learning into the same dict.
        for key, entry in list(self._entries.items()):
            if key[1] < oldest and entry.last_seq <= base_seq:
                del self._entries[key]

    def knows(self, op: wire.Stroke | wire.Undo) -> bool:
        """Whether the journal has it already: then it is no new ink, and answered with an ACK."""
        entry = self._entries.get((op.author, op.stroke_id))
        if entry is None:
            return False
        return op.piece < entry.next_piece if isinstance(op, wire.Stroke) else entry.undone

    def admit(
        self,
        drafts: Iterable[tuple[Who, wire.Operation]],
        now_ms: int,
        dreamed: int,
        refuses: Callable[[wire.Operation], RejectReason | None] = lambda op: None,
        before_ms: Iterable[int] = (),
    ) -> tuple[list[wire.Operation], list[tuple[Who, bytes]]]:
        """(operations to write, answers to send): what is new and in order, and an ACK or REJECT for the rest.

        `dreamed` is the newest number that a frame or a running dream holds; `refuses` says why something may not
        enter for another reason; `before_ms`: what time it would be, had the clock not been set (canvas.wall_clock).
        Nothing is remembered here: the batch that gets written is learned like any other, so a failed transaction
        leaves no trace.
        """
        wanted: list[wire.Operation] = []
        answers: list[tuple[Who, bytes]] = []
        fresh: dict[Key, Entry] = {}
        times = (now_ms, *before_ms)
        for who, op in drafts:
            key = (op.author, op.stroke_id)
            entry = fresh.get(key) or self._copy(key)
            match op:
                case wire.Stroke() if op.piece < entry.next_piece:
                    answers.append((who, wire.ack(op.stroke_id, entry.next_piece)))
                    continue
                case wire.Stroke() if op.piece > entry.next_piece or entry.undone:
                    answers.append((who, wire.reject(op.stroke_id, op.piece, RejectReason.GAP)))
                    continue
                case wire.Stroke() if not op.piece and not any(self._timely(op.stroke_id, time) for time in times):
                    answers.append((who, wire.reject(op.stroke_id, op.piece, RejectReason.STALE)))
                    continue
                case wire.Stroke() if (reason := refuses(op)) is not None:
                    answers.append((who, wire.reject(op.stroke_id, op.piece, reason)))
                    continue
                case wire.Stroke():
                    entry.next_piece += 1
                    entry.last_seq = dreamed + 1  # newer than any dream; the true number comes with the commit
                case wire.Undo() if entry.undone:
                    answers.append((who, wire.ack(op.stroke_id, wire.ALL_OF_IT)))
                    continue
                case wire.Undo() if entry.last_seq <= dreamed:
                    answers.append((who, wire.reject(op.stroke_id, 0, RejectReason.DREAMED)))
                    continue
                case wire.Undo() if (reason := refuses(op)) is not None:
                    answers.append((who, wire.reject(op.stroke_id, 0, reason)))
                    continue
                case wire.Undo():
                    entry.undone = True
            fresh[key] = entry
            wanted.append(op)
        return wanted, answers

    def _copy(self, key: Key) -> Entry:
        known = self._entries.get(key)
        return Entry(known.next_piece, known.last_seq, known.undone) if known else Entry()

    @staticmethod
    def _timely(stroke_id: int, now_ms: int) -> bool:
        begun = stroke_id >> 12
        return now_ms - limits.STALE_MS <= begun <= now_ms + limits.FUTURE_MS
