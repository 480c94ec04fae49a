"""One canvas in one process: its sockets, the tick that writes and broadcasts, and what it knows of the journal.

Plain Python: no Django, no Channels. The journal and the layer are handed in, so that tests bring their own.
"""

from __future__ import annotations

import asyncio
import bisect
import contextlib
import itertools
import logging
import secrets
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import replace
from typing import Any, TypeVar

from canvas import ledger, limits, wire
from canvas.ledger import Ledger
from canvas.member import Member
from canvas.pen import Pen, check
from canvas.ports import Journal, Layer, State

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
        self._journal, self._layer, self._executor = journal, layer, executor
        self._clock, self._wall_ms = clock, wall_ms
        self.members: set[Member] = set()
        self._ledger = Ledger()
        self._state = State({}, 0)
        self.head = 0
        self._tail: list[wire.Ops] = []  # the journal after the base
        self._names: dict[int, str] = {}  # of everybody met
        self._present: dict[int, str] = {}  # of those with ink since the base: what newcomers are told
        self._drafts: deque[tuple[Member, wire.Stroke | wire.Undo]] = deque()
        self._outgoing: deque[dict[str, Any]] = deque(maxlen=limits.LAYER_MESSAGES)
        self._publish_now = asyncio.Event()
        self._wake = asyncio.Event()
        self._poll_now = asyncio.Event()
        self._pens: dict[int, Pen] = {}  # by person
        self._ready: asyncio.Future[None] | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._trouble: str | None = None
        self._drawing: dict[int, float] = {}
        self._elsewhere: dict[str, tuple[int, float]] = {}  # process -> sockets there, and when it said so
        self._told_people: dict[str, Any] = {}
        self.tick_seconds = limits.TICK

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
        def read() -> tuple[State, list[wire.Ops]]:
            state = self._journal.state()
            tail = self._journal.since(state.base_seq)
            for batch in [*self._journal.recent(self._wall_ms() - limits.REMEMBER_MS), *tail]:
                self._ledger.learn(batch)
            return state, tail

        self._state, self._tail = await self._blocking(read)
        self.head = max([self._state.base_seq, *(batch.last for batch in self._tail)])
        await self._learn_names(self._tail)
        self._tasks = [
            asyncio.create_task(loop(), name=f"room-{loop.__name__}")
            for loop in (self._ticks, self._polls, self._beats, self._publishes)
        ]

    async def stop(self) -> None:
        if self._ready is not None:
            await asyncio.gather(self._ready, return_exceptions=True)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks, self._ready = [], None

    async def _blocking(self, call: Callable[..., Result], *args: Any) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._executor, call, *args)

    # --- members ---------------------------------------------------------------------------------------------------

    def enter(self, member: Member) -> None:
        self.members.add(member)
        if member.person:
            self._names[member.person.id] = member.person.name

    def leave(self, member: Member) -> None:
        self.members.discard(member)

    def receive(self, member: Member, data: bytes) -> None:
        """One message of a browser. Never waits, never asks the database; raises ProtocolError with the close code."""
        now = self._clock()
        if not member.messages.take(1, now):
            raise wire.ProtocolError(f"more than {limits.MESSAGES_RATE} messages a second", 4429)
        match wire.from_client(data):
            case wire.Join(frame, seq):
                if not member.messages.take(limits.JOIN_MESSAGES - 1, now):
                    raise wire.ProtocolError("more JOINs than anybody needs", 4429)
                self._join(member, frame, seq)
            case wire.Seen(token):
                member.seen(token)
                if member.joined and member.seq < self.head:
                    self._catch_up(member)
            case wire.Ink(operations):
                if not member.joined:
                    raise wire.ProtocolError("INK before JOIN")
                self._ink(member, operations, now)

    def _join(self, member: Member, frame: int, seq: int) -> None:
        base = self._state.base_id
        member.joined = True
        member.frame = base
        # What it has counts only on the same base; a number from the future (a restored database) counts for nothing.
        member.seq = seq if frame == base and self._state.base_seq <= seq <= self.head else self._state.base_seq
        member.push(wire.news(self._welcome(member)))
        self._catch_up(member)

    def _welcome(self, member: Member) -> dict[str, Any]:
        person = member.person
        return {
            "type": "welcome",
            "you": {"id": person.id, "name": person.name} if person else None,
            "canvas": self._state.canvas,
            "frame": self._state.frame,
            "head": self.head,
            "people": self.people(),
            "dream": self._state.dream,
            "names": {str(key): name for key, name in self._present.items()},
            "now": self._wall_ms(),
            "trouble": self._trouble,
        }

    def _catch_up(self, member: Member) -> None:
        """Sends what the member lacks, as much as it may have unread; the echo of the mark brings the next part."""
        if member.frame != self._state.base_id or member.seq < self._state.base_seq:
            member.frame, member.seq = self._state.base_id, self._state.base_seq
            member.push(wire.news(self._welcome(member)))
        while member.seq < self.head and not member.full:
            chunk = self._after(member.seq)
            member.push(chunk.frame())
            member.seq = chunk.last
        if member.seq < self.head:
            member.behind_since = member.behind_since or self._clock()
            member.mark(secrets.randbits(64))
        elif member.behind_since is not None:
            member.behind_since = None
            member.push(wire.news(self._welcome(member)))  # the news that it missed

    def _after(self, seq: int) -> wire.Ops:
        """The operations from seq + 1 on, as many as one frame to a latecomer holds."""
        at = bisect.bisect_right(self._tail, seq, key=lambda batch: batch.last)
        first = self._tail[at]
        if first.first <= seq:  # it has the beginning of this batch already
            first = wire.without(first, seq)
        payloads, count, size = [first.payload], first.count, len(first.payload)
        for index in range(at + 1, len(self._tail)):
            batch = self._tail[index]
            if size + len(batch.payload) > limits.CHUNK or count + batch.count > 0xFFFF:
                break
            payloads.append(batch.payload)
            count, size = count + batch.count, size + len(batch.payload)
        return wire.Ops(first.first, first.at, count, b"".join(payloads))

    def _ink(self, member: Member, operations: tuple[wire.Stroke | wire.Undo, ...], now: float) -> None:
        person = member.person
        crowded = len(self._drafts) > limits.QUEUE_OPS
        pen = self._pens.setdefault(person.id, Pen()) if person else None
        for op in operations:
            if isinstance(op, wire.Stroke):
                check(op, self._state.canvas["width"], self._state.canvas["height"])
            if pen is None or person is None or crowded:
                code = ledger.UNAVAILABLE if person else ledger.SIGN_IN
                member.push(wire.reject(op.stroke, getattr(op, "piece", 0), code))
                continue
            if not pen.take(op, now):
                raise wire.ProtocolError("more strokes, points or painted area a second than one hand can make", 4429)
            self._drafts.append((member, replace(op, author=person.id)))
            self._drawing[person.id] = now
        self._wake.set()

    # --- the tick --------------------------------------------------------------------------------------------------

    async def _ticks(self) -> None:
        began = pause = 0.0
        while True:
            await self._wake.wait()
            # The first stroke after a quiet moment is written at once; what follows is gathered for a tick.
            await asyncio.sleep(max(0.0, began + self.tick_seconds - self._clock(), pause))
            self._wake.clear()
            began = self._clock()
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
            self.tick_seconds = min(limits.TICK_SLOW, max(limits.TICK, 2 * (self._clock() - began)))

    async def _write(self) -> None:
        """Writes everything that waits as one batch, and only then tells it to anybody."""
        drafts = self._next_drafts()
        if not drafts:
            return
        answers: list[tuple[Member, bytes]] = []
        now_ms = self._wall_ms()

        def admit(missed: list[wire.Ops], dreamed: int) -> list[wire.Operation]:
            for batch in missed:
                self._ledger.learn(batch)
            try:
                wanted, answers[:] = self._ledger.admit(drafts, now_ms, dreamed)
            except Exception:
                # Not the database's failure, so trying again would fail for ever and hold everybody's ink.
                log.exception("These drafts cannot be judged and are refused: %r", drafts[:3])
                answers[:] = [
                    (who, wire.reject(op.stroke, getattr(op, "piece", 0) & 0xFFFF, ledger.GAP)) for who, op in drafts
                ]
                return []
            return wanted

        missed, written = await self._blocking(self._journal.append, self.head, admit, now_ms)
        for _ in drafts:  # new ones may have come in behind them
            self._drafts.popleft()
        await self._learn_names(missed)
        for batch in missed:
            self._apply(batch)
        if written:
            self._ledger.learn(written)
            await self._learn_names([written])
            self._apply(written)
        for member, answer in answers:
            member.push(answer)
        if written:
            self._publish({"type": "ink", "first": written.first, "at": written.at, "count": written.count,
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

    def _apply(self, batch: wire.Ops) -> None:
        """The next batch of the journal, to everybody: encoded once, the same bytes to each socket."""
        if batch.last <= self.head:
            return
        if batch.first != self.head + 1:  # a hole: the poll reads what is missing
            self._poll_now.set()
            return
        self._tail.append(batch)
        self.head = batch.last
        frame = batch.frame()
        for member in self.members:
            if member.joined and member.seq == batch.first - 1:
                if member.full:
                    self._catch_up(member)  # says how far it is, and waits for its echo
                else:
                    member.push(frame)
                    member.seq = batch.last

    # --- news from elsewhere ---------------------------------------------------------------------------------------

    async def hear(self, message: dict[str, Any]) -> None:
        """A message of another process, through the layer. Lost ones are made good by the poll."""
        match message["type"]:
            case "ink":
                batch = wire.Ops(message["first"], message["at"], message["count"], message["payload"])
                if batch.first == self.head + 1:
                    self._ledger.learn(batch)
                    await self._learn_names([batch])
                self._apply(batch)
            case "people":
                self._elsewhere[message["from"]] = (message["count"], self._clock())
            case "look":
                self._poll_now.set()

    def _publish(self, message: dict[str, Any]) -> None:
        self._outgoing.append(message)
        self._publish_now.set()

    async def _publishes(self) -> None:
        """Beside the tick, which a layer that hangs must not hold. It only carries news: the others' polls find it."""
        while True:
            await self._publish_now.wait()
            self._publish_now.clear()
            while self._outgoing:
                try:
                    async with asyncio.timeout(limits.LAYER_SECONDS):  # wait_for may swallow the room's end
                        await self._layer.publish(self._outgoing.popleft())
                except Exception as error:
                    self._outgoing.clear()
                    log.warning("The channel layer did not take the news: %s", str(error) or type(error).__name__)

    async def _polls(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):  # as above
                async with asyncio.timeout(limits.POLL):
                    await self._poll_now.wait()
            self._poll_now.clear()
            try:
                await self._look()
            except Exception as error:
                log.warning("The canvas could not be looked at: %s", error)
                await asyncio.sleep(1)

    async def _look(self) -> None:
        """Asks the database for what may have been missed: ink of others, a new frame, the dream's progress.

        Everything is read first; then the room changes in one go, so that nobody meets half of it.
        """
        state = await self._blocking(self._journal.state)
        if state.head > self.head:
            missed = await self._blocking(self._journal.since, self.head)
            for batch in missed:
                self._ledger.learn(batch)
            await self._learn_names(missed)
            for batch in missed:
                self._apply(batch)
        # A base that went back (a frame was hidden): the journal is needed again from there.
        backward = state.base_id != self._state.base_id and state.base_seq < self._state.base_seq
        read = await self._blocking(self._journal.since, state.base_seq) if backward else None
        if read is not None:
            await self._learn_names(read)
        before, self._state = self._state, state
        if state.base_id != before.base_id:
            self._rebase(before, read)
        if state.dream != before.dream:
            self._tell({"type": "dream", "dream": state.dream})

    def _rebase(self, before: State, read: list[wire.Ops] | None) -> None:
        """A new base. Forward: the browsers hold the operations after it. Backward: `read` is the journal after it."""
        base_seq = self._state.base_seq
        if read is None:
            self._tail = [batch for batch in self._tail if batch.last > base_seq]
            self.head = max(self.head, base_seq)
            for member in self.members:
                if member.joined and member.frame == before.base_id and member.seq >= base_seq:
                    member.frame = self._state.base_id
                    member.push(wire.news({"type": "frame", "frame": self._state.frame}))
        else:
            known = max([base_seq, *(batch.last for batch in read)])
            # What was applied while the database was asked comes after what it said.
            self._tail = read + [batch for batch in self._tail if batch.first > known]
            self.head = max(known, self.head)
        for member in self.members:
            if member.joined and member.frame != self._state.base_id:
                self._catch_up(member)
        authors = {who for batch in self._tail for _, who, _, _ in wire.scan(batch.payload, batch.count)}
        self._present = {who: name for who, name in self._present.items() if who in authors}

    async def _beats(self) -> None:
        """Marks for the readers, an end for those who do not read, how many people there are, and tidying up."""
        told_layer = rechecked = forgotten = self._clock()
        while True:
            await asyncio.sleep(limits.MARK_SECONDS)
            now, token = self._clock(), secrets.randbits(64)
            for member in list(self.members):
                if member.behind_since is not None and now - member.behind_since > limits.BEHIND_SECONDS:
                    member.close(4408)
                else:
                    member.mark(token)
            self._drawing = {who: at for who, at in self._drawing.items() if now - at < 3}
            people = {"type": "people", "count": self.people(), "drawing": sorted(self._drawing)[:50]}
            if people != self._told_people:
                self._told_people = people
                self._tell(people)
            if now - told_layer >= limits.PEOPLE_SECONDS:
                told_layer = now
                self._publish({"type": "people", "count": len(self.members)})
            if now - forgotten >= limits.FORGET_SECONDS:
                forgotten = now
                self._ledger.forget_before(self._wall_ms() - limits.REMEMBER_MS, self._state.base_seq)
                self._pens = {who: pen for who, pen in self._pens.items() if not pen.rested(now)}
            if now - rechecked >= limits.RECHECK_SECONDS:
                rechecked = now
                await self._recheck()

    async def _recheck(self) -> None:
        """Closes the sockets of those who signed out, changed their password, or may no longer be here."""
        people = {member.person for member in self.members if member.person}
        try:
            ended = await self._blocking(self._journal.ended, people) if people else {}
        except Exception as error:
            log.warning("The sessions could not be looked at: %s", error)
            return
        for member in list(self.members):
            if member.person in ended:
                member.close(ended[member.person])

    def people(self) -> int:
        """Sockets here and in the other processes that have been heard lately."""
        recently = self._clock() - 3 * limits.PEOPLE_SECONDS
        self._elsewhere = {who: heard for who, heard in self._elsewhere.items() if heard[1] > recently}
        return len(self.members) + sum(count for count, _ in self._elsewhere.values())

    async def _learn_names(self, batches: list[wire.Ops]) -> None:
        """Names of authors not met before, told before their ink. Without the database they have none for now."""
        authors = {author for batch in batches for _, author, _, _ in wire.scan(batch.payload, batch.count)}
        new = authors - self._present.keys() - {0}
        if unknown := new - self._names.keys():
            try:
                self._names |= dict.fromkeys(unknown, "") | await self._blocking(self._journal.names, unknown)
            except Exception as error:
                log.warning("Names could not be read: %s", error)
        told = {who: self._names[who] for who in sorted(new & self._names.keys())[: limits.NAMES - len(self._present)]}
        if told:
            self._present |= told
            self._tell({"type": "names", "names": {str(key): name for key, name in told.items()}})

    def _say_trouble(self, message: str | None) -> None:
        if message != self._trouble:
            self._trouble = message
            self._tell({"type": "trouble", "message": message})

    def _tell(self, message: dict[str, Any]) -> None:
        """News to everybody who is not behind; the `welcome` at the end of catching up tells the others."""
        data = wire.news(message)
        for member in self.members:
            if member.joined and not member.full:
                member.push(data)
