"""The journal after the base: what everybody has on top of the newest frame, and what a latecomer is sent."""

from __future__ import annotations

import bisect

from canvas import limits, wire


class Tail:
    def __init__(self) -> None:
        self._batches: list[wire.Batch] = []
        self.head = 0  # the last number known
        self._hidden: set[int] = set()  # numbers of strokes that moderators hid: no latecomer is sent them
        self._told: dict[int, wire.Batch] = {}  # batches without them, by their first number

    def start(self, base_seq: int, batches: list[wire.Batch]) -> None:
        self._batches = batches
        self.head = max([base_seq, *(batch.last for batch in batches)])
        self._hidden, self._told = set(), {}
        for batch in batches:
            self._look_for_hides(batch)

    def append(self, batch: wire.Batch) -> bool:
        """Takes the next batch; False where it does not follow."""
        if batch.first != self.head + 1:
            return False
        self._batches.append(batch)
        self.head = batch.last
        self._look_for_hides(batch)
        return True

    def forward(self, base_seq: int) -> None:
        """A new base holds everything up to `base_seq`."""
        self._batches = [batch for batch in self._batches if batch.last > base_seq]
        self.head = max(self.head, base_seq)
        self._hidden = {number for number in self._hidden if number > base_seq}
        self._told.clear()

    def back(self, base_seq: int, read: list[wire.Batch]) -> None:
        """An older base holds again; `read` is the journal after it, as the database had it a moment ago."""
        known, head = max([base_seq, *(batch.last for batch in read)]), self.head
        # What was appended while the database was read comes after that.
        self.start(base_seq, read + [batch for batch in self._batches if batch.first > known])
        self.head = max(self.head, head)

    def after(self, seq: int) -> wire.Batch:
        """The operations from seq + 1 on, as many as one message to a latecomer holds."""
        at = bisect.bisect_right(self._batches, seq, key=lambda batch: batch.last)
        first = self._without_hidden(self._batches[at])
        if first.first <= seq:  # it has the beginning of this batch already
            first = wire.without(first, seq)
        payloads, count, size = [first.payload], first.count, len(first.payload)
        for index in range(at + 1, len(self._batches)):
            batch = self._without_hidden(self._batches[index])
            if size + len(batch.payload) > limits.CHUNK or count + batch.count > 0xFFFF:
                break
            payloads.append(batch.payload)
            count, size = count + batch.count, size + len(batch.payload)
        return wire.Batch(first.first, first.at, count, b"".join(payloads))

    def _look_for_hides(self, batch: wire.Batch) -> None:
        if any(kind == wire.HIDE for kind, *_ in wire.scan(batch.payload, batch.count)):
            for _, op in batch.operations():
                if isinstance(op, wire.Hide):
                    (self._hidden.difference_update if op.show else self._hidden.update)(op.numbers)
            self._told.clear()

    def _without_hidden(self, batch: wire.Batch) -> wire.Batch:
        if self._hidden.isdisjoint(range(batch.first, batch.last + 1)):
            return batch
        return self._told.setdefault(batch.first, wire.blanked(batch, self._hidden))

    def authors(self) -> set[int]:
        return {who for batch in self._batches for _, who, _, _ in wire.scan(batch.payload, batch.count)}
