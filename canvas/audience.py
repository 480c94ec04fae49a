"""The sockets of a room: where each is in the journal, what all are told, and how those who fell behind catch up."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
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
        self._rounds = 0  # of marks

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
        if member.joined and (member.seq < self._tail.head or member.behind_since is not None):
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
        if member.seq < self._tail.head or (member.behind_since is not None and member.full):
            self._is_behind(member)
        elif member.behind_since is not None:
            member.behind_since = None
            member.push(wire.news(self._welcome(member)))  # the news that it missed

    def catch_up_all(self) -> None:
        for member in list(self.members):
            if member.joined:
                self.catch_up(member)

    def _is_behind(self, member: Member) -> None:
        if member.behind_since is None:
            member.behind_since = self._clock()
        member.mark(secrets.randbits(64))

    # --- all of them -----------------------------------------------------------------------------------------------

    def send(self, message: dict[str, Any]) -> None:
        """News to everybody who reads; the `welcome` at the end of catching up tells the others."""
        data = wire.news(message)
        ready = wire.websocket_message(data)
        for member in self.members:
            if not member.joined:
                continue
            if member.full:
                self._is_behind(member)
            else:
                member.push(data, ready)

    def broadcast(self, batch: wire.Batch) -> Iterator[None]:
        """The next batch of the journal: encoded once, the same bytes to each socket.

        Stops after each slice of sockets, so that others have their turn: who joins meanwhile gets the batch from the
        tail, and is left out here by the number that they have.
        """
        message = batch.message()
        ready, before, last = wire.websocket_message(message), batch.first - 1, batch.last
        for number, member in enumerate(list(self.members), 1):
            if member.seq == before and member.joined:
                if member.full:
                    self.catch_up(member)  # says how far it is, and waits for its echo
                else:
                    member.push(message, ready)
                    member.seq = last
            elif before < member.seq < last and member.joined:
                self.catch_up(member)  # who joined within a message of several batches
            if number % limits.BROADCAST_SLICE == 0:
                yield

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
        """Asks to confirm what was sent: those who were sent much, and now and then everybody.

        Those who have been behind for long are closed. An echo costs as much as three messages of ink, so there are
        as few as tell a reader that has stopped. Each gets a token of its own: with one for all, a socket that reads
        could tell others what to echo, which would then read nothing and yet never count as full.
        """
        now = self._clock()
        self._rounds += 1
        all_of_them = self._rounds % limits.MARK_ROUNDS == 0
        for member in list(self.members):
            if member.behind_since is not None and now - member.behind_since > limits.BEHIND_SECONDS:
                member.close(CloseCode.BEHIND)
            elif all_of_them or member.unmarked >= limits.MARK_BYTES:
                member.mark(secrets.randbits(64))

    def close(self, code: CloseCode) -> None:
        for member in list(self.members):
            member.close(code)
