"""The sockets of a room: where each is in the journal, what all are told, and how those who fell behind catch up."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

from canvas import limits, wire
from canvas.member import Member
from canvas.ports import State
from canvas.tail import Tail
from canvas.wire import CloseCode


class Audience:
    """`welcome` says everything that a newcomer must know; `state` and `tail` are the room's, as they are now."""

    def __init__(self, tail: Tail, welcome: Callable[[Member], dict[str, Any]], clock: Callable[[], float]) -> None:
        self.members: set[Member] = set()
        self.state = State({}, 0)
        self._tail, self._welcome, self._clock = tail, welcome, clock

    # --- one of them -----------------------------------------------------------------------------------------------

    def join(self, member: Member, frame: int, seq: int) -> None:
        """A member that has the base `frame` and the journal up to `seq` gets what it lacks, and hears from now on."""
        base, since = self.state.base_id, self.state.base_seq
        member.joined, member.frame = True, base
        # What it has counts only on the same base; a number from the future (a restored database) counts for nothing.
        member.seq = seq if frame == base and since <= seq <= self._tail.head else since
        member.push(wire.news(self._welcome(member)))
        self.catch_up(member)

    def seen(self, member: Member, token: int) -> None:
        """The echo of a mark: there may be room for more."""
        member.seen(token)
        if member.joined and member.seq < self._tail.head:
            self.catch_up(member)

    def catch_up(self, member: Member) -> None:
        """Sends what the member lacks, as much as it may have unread; the echo of the mark brings the next part."""
        if member.frame != self.state.base_id or member.seq < self.state.base_seq:
            member.frame, member.seq = self.state.base_id, self.state.base_seq
            member.push(wire.news(self._welcome(member)))
        while member.seq < self._tail.head and not member.full:
            chunk = self._tail.after(member.seq)
            member.push(chunk.message())
            member.seq = chunk.last
        if member.seq < self._tail.head:
            member.behind_since = member.behind_since or self._clock()
            member.mark(secrets.randbits(64))
        elif member.behind_since is not None:
            member.behind_since = None
            member.push(wire.news(self._welcome(member)))  # the news that it missed

    # --- all of them -----------------------------------------------------------------------------------------------

    def send(self, message: dict[str, Any]) -> None:
        """News to everybody who is not behind; the `welcome` at the end of catching up tells the others."""
        data = wire.news(message)
        for member in self.members:
            if member.joined and not member.full:
                member.push(data)

    def broadcast(self, batch: wire.Batch) -> None:
        """The next batch of the journal: encoded once, the same bytes to each socket."""
        message = batch.message()
        for member in self.members:
            if member.joined and member.seq == batch.first - 1:
                if member.full:
                    self.catch_up(member)  # says how far it is, and waits for its echo
                else:
                    member.push(message)
                    member.seq = batch.last

    def rebase(self, state: State, read: list[wire.Batch] | None) -> None:
        """A new base. Forward: the browsers hold the operations after it. Backward: `read` is the journal after it."""
        before, self.state = self.state, state
        if read is None:
            self._tail.forward(state.base_seq)
            for member in self.members:
                if member.joined and member.frame == before.base_id and member.seq >= state.base_seq:
                    member.frame = state.base_id
                    member.push(wire.news({"type": "frame", "frame": state.frame}))
        else:
            self._tail.back(state.base_seq, read)
        for member in self.members:
            if member.joined and member.frame != state.base_id:
                self.catch_up(member)

    def mark(self) -> None:
        """Asks everybody to confirm what they were sent; those who have been behind for long are closed."""
        now, token = self._clock(), secrets.randbits(64)
        for member in list(self.members):
            if member.behind_since is not None and now - member.behind_since > limits.BEHIND_SECONDS:
                member.close(CloseCode.BEHIND)
            else:
                member.mark(token)

    def close(self, code: CloseCode) -> None:
        for member in list(self.members):
            member.close(code)
