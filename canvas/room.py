"""One canvas in one process: its sockets, what comes in from them, and the tick that writes and broadcasts it.

What it does by the clock, and what it hears from elsewhere, is in canvas/rounds.py. Plain Python: no Django, no
Channels. The journal and the layer are handed in, so that tests bring their own.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import secrets
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import replace
from typing import Any, TypeVar

from canvas import limits, wire
from canvas.admission import Admission
from canvas.deduplication import Deduplication
from canvas.gate import Rules
from canvas.member import Member
from canvas.ports import Journal, Layer, State
from canvas.presence import Presence
from canvas.rate_limits import check
from canvas.rounds import Rounds
from canvas.tail import Tail
from canvas.wire import CloseCode, RejectReason

log = logging.getLogger(__name__)
Result = TypeVar("Result")
TROUBLE = "The ink cannot be saved at the moment. It is kept and tried again."


class Room:
    def __init__(
        self,
        journal: Journal,
        layer: Layer,
        executor: Executor,
        *,
        clock: Callable[[], float] = time.monotonic,
        wall_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self.journal, self.layer, self._executor = journal, layer, executor
        self.clock, self.wall_ms = clock, wall_ms
        self.members: set[Member] = set()
        self.state = State({}, 0)
        self.deduplication, self.tail, self.presence, self.admission = Deduplication(), Tail(), Presence(), Admission()
        self.rounds = Rounds(self)
        self.trouble: str | None = None
        self.tick_seconds = limits.TICK
        self._drafts: deque[tuple[Member, wire.Stroke | wire.Undo]] = deque()
        self._wake = asyncio.Event()
        self._ready: asyncio.Future[None] | None = None
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def head(self) -> int:
        return self.tail.head

    # --- life ------------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Reads the canvas from the journal and begins to tick; joiners may await it any number of times.

        The reading is nobody's own: a joiner that is cancelled while it waits takes nothing down.
        """
        if self._ready is None:
            self._ready = asyncio.ensure_future(self._begin())
        ready = self._ready
        try:
            await asyncio.shield(ready)
        except Exception:
            if self._ready is ready:
                self._ready = None  # the next joiner tries again
            raise

    async def _begin(self) -> None:
        def read() -> tuple[State, list[wire.Batch]]:
            state = self.journal.state()
            tail = self.journal.since(state.base_seq)
            recent = self.journal.recent(self.wall_ms() - limits.REMEMBER_MS)
            for batch in [*recent, *tail]:
                self.deduplication.learn(batch)
            for batch in recent:
                self.admission.ownership.learn(batch)
            return state, tail

        self.state, tail = await self.blocking(read)
        self.admission.rules = self.state.rules
        self.tail.start(self.state.base_seq, tail)
        await self.learn_names(tail)
        self._tasks = [
            asyncio.create_task(loop(), name=f"room-{loop.__name__}") for loop in (self._ticks, *self.rounds.loops)
        ]

    async def stop(self) -> None:
        if self._ready is not None:
            await asyncio.gather(self._ready, return_exceptions=True)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks, self._ready = [], None

    async def blocking(self, call: Callable[..., Result], *args: Any) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._executor, call, *args)

    # --- members ---------------------------------------------------------------------------------------------------

    def enter(self, member: Member) -> None:
        self.members.add(member)
        if member.person:
            self.presence.names[member.person.id] = member.person.name
            self.rounds.meet(member)

    def leave(self, member: Member) -> None:
        self.members.discard(member)

    def receive(self, member: Member, data: bytes) -> None:
        """One message of a browser. Never waits, never asks the database; raises ProtocolError with the close code."""
        now = self.clock()
        if not member.messages.take(1, now):
            raise wire.ProtocolError(f"more than {limits.MESSAGES_RATE} messages a second", CloseCode.TOO_FAST)
        match wire.from_client(data):
            case wire.Join(frame, seq):
                if not member.messages.take(limits.JOIN_MESSAGES - 1, now):
                    raise wire.ProtocolError("more JOINs than anybody needs", CloseCode.TOO_FAST)
                self._join(member, frame, seq)
            case wire.Seen(token):
                member.seen(token)
                if member.joined and member.seq < self.head:
                    self.catch_up(member)
            case wire.Ink(operations):
                if not member.joined:
                    raise wire.ProtocolError("INK before JOIN")
                self._ink(member, operations, now)

    def _join(self, member: Member, frame: int, seq: int) -> None:
        base = self.state.base_id
        member.joined = True
        member.frame = base
        # What it has counts only on the same base; a number from the future (a restored database) counts for nothing.
        member.seq = seq if frame == base and self.state.base_seq <= seq <= self.head else self.state.base_seq
        member.push(wire.news(self._welcome(member)))
        self.catch_up(member)

    def _welcome(self, member: Member) -> dict[str, Any]:
        person = member.person
        known = person is not None and not self.admission.unknown([person.id])
        return {
            "type": "welcome",
            "you": {"id": person.id, "name": person.name} if person else None,
            "standing": self.admission.status(person.id).news() if person and known else None,
            "canvas": self.state.canvas,
            "frame": self.state.frame,
            "head": self.head,
            "people": self.people(),
            "dream": self.state.dream,
            "rules": self.admission.rules.news(),
            "names": {str(key): name for key, name in self.presence.present.items()},
            "now": self.wall_ms(),
            "trouble": self.trouble,
        }

    def people(self) -> int:
        """Sockets here and in the other processes."""
        return len(self.members) + self.presence.elsewhere(self.clock())

    def catch_up(self, member: Member) -> None:
        """Sends what the member lacks, as much as it may have unread; the echo of the mark brings the next part."""
        if member.frame != self.state.base_id or member.seq < self.state.base_seq:
            member.frame, member.seq = self.state.base_id, self.state.base_seq
            member.push(wire.news(self._welcome(member)))
        while member.seq < self.head and not member.full:
            chunk = self.tail.after(member.seq)
            member.push(chunk.message())
            member.seq = chunk.last
        if member.seq < self.head:
            member.behind_since = member.behind_since or self.clock()
            member.mark(secrets.randbits(64))
        elif member.behind_since is not None:
            member.behind_since = None
            member.push(wire.news(self._welcome(member)))  # the news that it missed

    def _ink(self, member: Member, operations: tuple[wire.Stroke | wire.Undo, ...], now: float) -> None:
        person, now_ms = member.person, self.wall_ms()
        crowded = len(self._drafts) > limits.QUEUE_OPS
        for op in operations:
            if isinstance(op, wire.Stroke):
                check(op, self.state.canvas["width"], self.state.canvas["height"])
            if person is None or crowded:
                reason: RejectReason | None = RejectReason.UNAVAILABLE if person else RejectReason.SIGN_IN
            else:
                op = replace(op, author=person.id)
                reason = self.admission.refuses(op, now, now_ms, known=self.deduplication.knows(op))
            if reason is not None:
                member.push(wire.reject(op.stroke_id, getattr(op, "piece", 0), reason))
                if reason == RejectReason.BUDGET:
                    self.rounds.tell_ink(member, now, now_ms)
                continue
            self._drafts.append((member, op))
            self.presence.draws(op.author, now)
        self._wake.set()

    # --- the tick --------------------------------------------------------------------------------------------------

    async def _ticks(self) -> None:
        began = pause = 0.0
        while True:
            await self._wake.wait()
            # The first stroke after a quiet moment is written at once; what follows is gathered for a tick.
            await asyncio.sleep(max(0.0, began + self.tick_seconds - self.clock(), pause))
            self._wake.clear()
            began = self.clock()
            try:
                write = asyncio.ensure_future(self._write())
                if not (await asyncio.wait({write}, timeout=limits.HANG_SECONDS))[0]:
                    self._say_trouble(TROUBLE)
                await write
            except Exception:
                log.exception("The journal could not be written; the ink waits and is tried again.")
                self._say_trouble(TROUBLE)
                self._wake.set()
                pause = min(5.0, pause * 2 or 0.5)
                continue
            self._say_trouble(None)
            pause = 0.0
            if self._drafts:
                self._wake.set()
            # Under load fewer, larger ticks: each costs a transaction and a send to every socket.
            self.tick_seconds = min(limits.TICK_SLOW, max(limits.TICK, 2 * (self.clock() - began)))

    async def _write(self) -> None:
        """Writes everything that waits as one batch, and only then tells it to anybody."""
        drafts = self._next_drafts()
        if not drafts:
            return
        await self.rounds.know({op.author for _, op in drafts})  # nobody's ink enters before it is known how they stand
        answers: list[tuple[Member, bytes]] = []
        now_ms = self.wall_ms()

        def admit(missed: list[wire.Batch], dreamed: int, rules: Rules) -> list[wire.Operation]:
            for batch in missed:
                self.deduplication.learn(batch)
            try:
                wanted, answers[:] = self.deduplication.admit(
                    drafts, now_ms, dreamed, lambda op: self.admission.judge(op, rules, now_ms)
                )
            except Exception:
                # Not the database's failure, so trying again would fail for ever and hold everybody's ink.
                log.exception("These drafts cannot be judged and are refused: %r", drafts[:3])
                answers[:] = [
                    (who, wire.reject(op.stroke_id, getattr(op, "piece", 0) & 0xFFFF, RejectReason.GAP))
                    for who, op in drafts
                ]
                return []
            return wanted

        missed, written = await self.blocking(self.journal.append, self.head, admit, now_ms)
        for _ in drafts:  # new ones may have come in behind them
            self._drafts.popleft()
        await self.learn_names(missed)
        for batch in missed:
            self.apply(batch)
        if written:
            self.deduplication.learn(written)
            await self.learn_names([written])
            self.apply(written, ours=True)
            for who in {op.author for _, op in drafts if isinstance(op, wire.Stroke)}:
                self.admission.drew(who, now_ms)
        for member, answer in answers:
            member.push(answer)
        if written:
            self.rounds.publish({"type": "ink", "first": written.first, "at": written.at, "count": written.count,
                                 "payload": written.payload})  # fmt: skip

    def _next_drafts(self) -> list[tuple[Member, wire.Stroke | wire.Undo]]:
        """What fits one message of the protocol; the rest waits for the next tick."""
        taken, size = 0, 0
        for _, op in self._drafts:
            size += wire.size(op)
            if size > limits.BATCH_BYTES:
                break
            taken += 1
        return list(itertools.islice(self._drafts, taken))

    def apply(self, batch: wire.Batch, *, ours: bool = False) -> None:
        """The next batch of the journal, to everybody: encoded once, the same bytes to each socket."""
        if batch.last <= self.head:
            return
        if not self.tail.append(batch):  # a hole: the poll reads what is missing
            self.rounds.look_now()
            return
        self.admission.learn(batch, self.clock(), ours=ours)
        message = batch.message()
        for member in self.members:
            if member.joined and member.seq == batch.first - 1:
                if member.full:
                    self.catch_up(member)  # says how far it is, and waits for its echo
                else:
                    member.push(message)
                    member.seq = batch.last

    # --- news to everybody -----------------------------------------------------------------------------------------

    async def hear(self, message: dict[str, Any]) -> None:
        """A message of another process, through the layer. Lost ones are made good by the poll."""
        await self.rounds.hear(message)

    async def learn_names(self, batches: list[wire.Batch]) -> None:
        """Names of authors not met before, told before their ink. Without the database they have none for now."""
        authors = {author for batch in batches for _, author, _, _ in wire.scan(batch.payload, batch.count)} - {0}
        if unknown := authors - self.presence.names.keys():
            try:
                self.presence.names |= dict.fromkeys(unknown, "") | await self.blocking(self.journal.names, unknown)
            except Exception as error:
                log.warning("Names could not be read: %s", error)
        if told := self.presence.tell(authors):
            self.tell({"type": "names", "names": {str(key): name for key, name in told.items()}})

    def _say_trouble(self, message: str | None) -> None:
        if message != self.trouble:
            self.trouble = message
            self.tell({"type": "trouble", "message": message})

    def tell(self, message: dict[str, Any]) -> None:
        """News to everybody who is not behind; the `welcome` at the end of catching up tells the others."""
        data = wire.news(message)
        for member in self.members:
            if member.joined and not member.full:
                member.push(data)
