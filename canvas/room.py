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
from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, TypeVar

from canvas import brush, ledger, limits, wire
from canvas.ledger import Ledger
from canvas.member import Member

log = logging.getLogger(__name__)
Result = TypeVar("Result")
Admit = Callable[[list[wire.Ops]], list[wire.Operation]]


@dataclass(frozen=True)
class State:
    """What the database says of a canvas at one moment."""

    canvas: dict[str, Any]
    head: int
    frame: dict[str, Any] | None = None
    dream: dict[str, Any] = field(default_factory=dict)

    @property
    def base_id(self) -> int:
        return int(self.frame["id"]) if self.frame else 0

    @property
    def base_seq(self) -> int:
        return int(self.frame["seq"]) if self.frame else 0


class Journal(Protocol):
    """The one ordered list. Every method may block: the room calls them in its executor, one at a time."""

    def state(self) -> State: ...
    def since(self, seq: int) -> list[wire.Ops]: ...
    def recent(self, since_ms: int) -> list[wire.Ops]: ...
    def names(self, ids: Iterable[int]) -> dict[int, str]: ...

    def append(self, known: int, admit: Admit, now_ms: int) -> tuple[list[wire.Ops], wire.Ops | None]:
        """Under the canvas' lock: reads what came after `known`, lets `admit` choose with it, writes one batch.

        Returns (what others wrote after `known`, what was written now).
        """
        ...


class Layer(Protocol):
    async def publish(self, message: dict[str, Any]) -> None: ...


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
        self._ready: asyncio.Future[None] | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._trouble: str | None = None
        self._drawing: dict[int, float] = {}
        self._elsewhere: dict[str, tuple[int, float]] = {}  # process -> sockets there, and when it said so
        self._told_people: dict[str, Any] = {}
        self.tick_seconds = limits.TICK

    # --- life ------------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Reads the canvas from the journal and begins to tick; joiners may await it any number of times."""
        if self._ready is None:
            self._ready = asyncio.get_running_loop().create_future()
            try:
                await self._load()
            except Exception as error:
                waiting, self._ready = self._ready, None
                waiting.set_exception(error)
                waiting.exception()  # seen, even if nobody else waits
                raise
            self._tasks = [
                asyncio.create_task(loop(), name=f"room-{loop.__name__}")
                for loop in (self._ticks, self._polls, self._beats, self._publishes)
            ]
            self._ready.set_result(None)
        await asyncio.shield(self._ready)

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks, self._ready = [], None

    async def _load(self) -> None:
        def read() -> tuple[State, list[wire.Ops], list[wire.Ops]]:
            state = self._journal.state()
            return (
                state,
                self._journal.since(state.base_seq),
                self._journal.recent(self._wall_ms() - limits.REMEMBER_MS),
            )

        self._state, self._tail, recent = await self._blocking(read)
        self.head = max([self._state.base_seq, *(batch.last for batch in self._tail)])
        for batch in [*recent, *self._tail]:
            self._ledger.learn(batch)
        await self._learn_names(self._tail)

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
        else:
            member.behind_since = None

    def _after(self, seq: int) -> wire.Ops:
        """The operations from seq + 1 on, as many as one frame to a latecomer holds."""
        at = bisect.bisect_right(self._tail, seq, key=lambda batch: batch.last)
        first = self._tail[at]
        if first.first <= seq:  # it has the beginning of this batch already
            first = wire.without(first, seq)
        payloads, count, size = [first.payload], first.count, len(first.payload)
        for batch in self._tail[at + 1 :]:
            if size + len(batch.payload) > limits.CHUNK or count + batch.count > 0xFFFF:
                break
            payloads.append(batch.payload)
            count, size = count + batch.count, size + len(batch.payload)
        return wire.Ops(first.first, first.at, count, b"".join(payloads))

    def _ink(self, member: Member, operations: tuple[wire.Stroke | wire.Undo, ...], now: float) -> None:
        person = member.person
        crowded = len(self._drafts) > limits.QUEUE_OPS
        for op in operations:
            points = op.points if isinstance(op, wire.Stroke) else ()
            fits = member.points.take(len(points) or 1, now)  # an UNDO costs a place in the journal too
            if isinstance(op, wire.Stroke):
                self._check(op)
                fits = fits and member.area.take(brush.area(op.points, op.carry), now)
            if not fits:
                raise wire.ProtocolError("more points or painted area a second than one pen can make", 4429)
            if person is None or crowded:
                code = ledger.UNAVAILABLE if person else ledger.SIGN_IN
                member.push(wire.reject(op.stroke, getattr(op, "piece", 0), code))
                continue
            self._drafts.append((member, replace(op, author=person.id)))
            self._drawing[person.id] = now
        self._wake.set()

    def _check(self, op: wire.Stroke) -> None:
        margin = limits.MARGIN * 8
        right, bottom = self._state.canvas["width"] * 8 + margin, self._state.canvas["height"] * 8 + margin
        for x, y, w in op.points:
            if not (-margin <= x <= right and -margin <= y <= bottom):
                raise wire.ProtocolError(f"point {x / 8}, {y / 8} is off the canvas by more than {limits.MARGIN} px")
            if not limits.MIN_WIDTH <= w <= limits.MAX_WIDTH:
                raise wire.ProtocolError(f"width {w / 8} px, expected {limits.MIN_WIDTH / 8} to {limits.MAX_WIDTH / 8}")

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
                await self._write()
            except Exception:
                log.exception("The journal could not be written; the ink waits and is tried again.")
                self._say_trouble("The ink cannot be saved at the moment. It is kept and tried again.")
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
        dreamed = max(self._state.base_seq, int(self._state.dream.get("position", 0)))

        def admit(missed: list[wire.Ops]) -> list[wire.Operation]:
            for batch in missed:
                self._ledger.learn(batch)
            wanted, answers[:] = self._ledger.admit(drafts, now_ms, dreamed)
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
        """Asks the database for what may have been missed: ink of others, a new frame, the dream's progress."""
        state = await self._blocking(self._journal.state)
        if state.head > self.head:
            missed = await self._blocking(self._journal.since, self.head)
            for batch in missed:
                self._ledger.learn(batch)
            await self._learn_names(missed)
            for batch in missed:
                self._apply(batch)
        before, self._state = self._state, state
        if state.base_id != before.base_id:
            await self._rebase(before)
        if state.dream != before.dream:
            self._tell({"type": "dream", "dream": state.dream})

    async def _rebase(self, before: State) -> None:
        """A new base. Forward: the browsers hold the operations after it. Backward (a frame was hidden): start over."""
        if self._state.base_seq >= before.base_seq and self._state.base_seq <= self.head:
            self._tail = [batch for batch in self._tail if batch.last > self._state.base_seq]
            for member in self.members:
                if member.joined and member.frame == before.base_id and member.seq >= self._state.base_seq:
                    member.frame = self._state.base_id
                    member.push(wire.news({"type": "frame", "frame": self._state.frame}))
        else:
            read = await self._blocking(self._journal.since, self._state.base_seq)
            known = max([self._state.base_seq, *(batch.last for batch in read)])
            # What was applied while the database was asked comes after what it said.
            self._tail = read + [batch for batch in self._tail if batch.first > known]
            self.head = max(known, self.head)
        for member in self.members:
            if member.joined and member.frame != self._state.base_id:
                self._catch_up(member)
        self._present = {}
        await self._learn_names(self._tail)
        self._ledger.forget_before(self._wall_ms() - limits.REMEMBER_MS)

    async def _beats(self) -> None:
        """Marks for the readers, an end for those who do not read, and how many people there are."""
        told_layer = 0.0
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

    def people(self) -> int:
        """Sockets here and in the other processes that have been heard lately."""
        recently = self._clock() - 3 * limits.PEOPLE_SECONDS
        return len(self.members) + sum(count for count, at in self._elsewhere.values() if at > recently)

    async def _learn_names(self, batches: list[wire.Ops]) -> None:
        """Names of authors not met before, told before their ink."""
        authors = {author for batch in batches for _, author, _, _ in wire.scan(batch.payload, batch.count)}
        new = authors - self._present.keys() - {0}
        if unknown := new - self._names.keys():
            self._names |= dict.fromkeys(unknown, "") | await self._blocking(self._journal.names, unknown)
        if new and len(self._present) < limits.NAMES:
            told = {who: self._names[who] for who in new}
            self._present |= told
            self._tell({"type": "names", "names": {str(key): name for key, name in told.items()}})

    def _say_trouble(self, message: str | None) -> None:
        if message != self._trouble:
            self._trouble = message
            self._tell({"type": "trouble", "message": message})

    def _tell(self, message: dict[str, Any]) -> None:
        """News to everybody who is not behind; `welcome` tells the others."""
        data = wire.news(message)
        for member in self.members:
            if member.joined and not member.full:
                member.push(data)
