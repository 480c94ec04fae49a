"""One canvas in one process: its sockets, what comes in from them, and the tick that writes and broadcasts it.

Plain Python: no Django, no Channels. The journal, the people and the layer are handed in, so that tests bring their
own. Where each socket is in the journal is canvas/audience.py, who may be here canvas/access.py, what other processes
are told canvas/publisher.py.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from concurrent.futures import Executor
from dataclasses import replace
from typing import Any

from canvas import limits, metrics, wire
from canvas.access import AccessMonitor
from canvas.admission import Admission
from canvas.audience import Audience
from canvas.deduplication import Deduplication
from canvas.gate import Rules
from canvas.member import Member, Person
from canvas.ports import Journal, Layer, People, Result, State
from canvas.presence import Presence
from canvas.publisher import Publisher
from canvas.rate_limits import check
from canvas.tail import Tail
from canvas.together import Together
from canvas.wall_clock import WallClock
from canvas.wire import CloseCode, RejectReason

log = logging.getLogger(__name__)
AGAIN_SECONDS = 1.0  # after an error that nobody foresaw
LONGEST_PAUSE = 1.0  # seconds between two tries to write: after an outage nobody's ink waits for much longer than it
TROUBLE = "The ink cannot be saved at the moment. It is kept and tried again."


class Room:
    def __init__(
        self,
        journal: Journal,
        people: People,
        layer: Layer,
        executor: Executor,
        *,
        clock: Callable[[], float] = time.monotonic,
        wall_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._journal, self._people, self._executor = journal, people, executor
        self.clock, self.wall_ms = clock, wall_ms
        self.deduplication, self.tail, self.presence, self.admission = Deduplication(), Tail(), Presence(), Admission()
        self.audience = Audience(self.tail, self._welcome, lambda: self.clock())
        self.publisher = Publisher(layer)
        self.access = AccessMonitor(people, self.admission, self.members, self.blocking, clock=clock, wall_ms=wall_ms)
        self.together = Together(
            self.audience,
            self.admission,
            self.presence,
            self.publisher.publish,
            lambda: self.clock(),
            lambda: self.wall_ms(),
        )
        self._wall_clock = WallClock(lambda: self.clock(), lambda: self.wall_ms())
        self.trouble: str | None = None
        self._trouble_since = 0.0
        self.tick_seconds = limits.TICK
        self._drafts: deque[tuple[Member, wire.Stroke | wire.Undo]] = deque()
        self._wake = asyncio.Event()
        self._poll_now = asyncio.Event()
        self._last_people: dict[str, Any] = {}
        self._ready: asyncio.Future[None] | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._broadcasting: asyncio.Task[None] | None = None  # the newest batch to everybody, after those before it
        self._broadcast_to = 0  # the last number that was sent to everybody who reads
        self._published = self._forgotten = clock()
        self._people_told = float("-inf")

    @property
    def members(self) -> set[Member]:
        return self.audience.members

    @property
    def state(self) -> State:
        """The canvas as the database had it at the last poll."""
        return self.audience.state

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
            state = self._journal.state()
            tail = self._journal.since(state.base_seq)
            recent = self._journal.recent(self.wall_ms() - limits.REMEMBER_MS)
            for batch in [*recent, *tail]:
                self.deduplication.learn(batch)
            for batch in recent:
                self.admission.ownership.learn(batch)
                age = max(0.0, (self.wall_ms() - batch.at) / 1000)
                self.presence.shows(_drew([batch]), self.clock() - age)
            return state, tail

        self.audience.state, tail = await self.blocking(read)
        self.admission.rules = self.state.rules
        self._look_at_picture()
        self.tail.start(self.state.base_seq, tail)
        await self._announce_names(tail)
        loops = self._ticks, self._polls, self._heartbeats, self.access.run, self.publisher.run
        self._tasks = [asyncio.create_task(self._keep(loop), name=f"room-{loop.__qualname__}") for loop in loops]

    @staticmethod
    async def _keep(loop: Callable[[], Awaitable[None]]) -> None:
        """Runs one of the room's loops for ever: an error that nobody foresaw is logged, and the loop begins anew."""
        while True:
            try:
                await loop()
            except Exception:
                log.exception("%s of a room ended, and begins anew.", loop.__qualname__)
                await asyncio.sleep(AGAIN_SECONDS)

    async def stop(self) -> None:
        if self._ready is not None:
            await asyncio.gather(self._ready, return_exceptions=True)
        tasks = [*self._tasks, self._broadcasting] if self._broadcasting else self._tasks
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._tasks, self._ready, self._broadcasting = [], None, None

    async def blocking(self, call: Callable[..., Result], *args: Any) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._executor, call, *args)

    # --- members ---------------------------------------------------------------------------------------------------

    def enter(self, member: Member) -> None:
        self.members.add(member)
        member.entered_at = self.clock()
        if member.person:
            member.inbound = self.admission.inbound(member.person.id)
            self.presence.names[member.person.id] = member.person.name
            self.access.meet(member.person)

    def leave(self, member: Member) -> None:
        self.members.discard(member)
        self.together.left(member)

    def receive(self, member: Member, data: bytes) -> None:
        """One message of a browser. Never waits, never asks the database; raises ProtocolError with the close code."""
        now, inbound = self.clock(), member.inbound
        inbound.message(len(data), now)
        if wire.kind_of(data) == wire.INK:
            if not member.joined:
                raise wire.ProtocolError("INK before JOIN")
            count, stroke_id, piece = wire.first_of_ink(data)
            if member.person is None:
                inbound.unread_ink(now)
                member.push(wire.reject(stroke_id, piece, RejectReason.SIGN_IN))
                return
            inbound.operations(count, now)
        match wire.from_client(data):
            case wire.Join(frame, seq):
                inbound.join(now)
                self.audience.join(member, frame, seq)
                self.together.greet(member)
            case wire.Seen(token):
                self.audience.seen(member, token)
            case wire.Ink(operations) if member.person is not None:
                if any(isinstance(op, wire.Stroke) for op in operations):  # they may take back what they drew before
                    self.together.stop(member)  # a follower does not draw
                self._ink(member, member.person, operations)
            case wire.React() | wire.Who() | wire.Follow() | wire.View() | wire.Dismiss() as message:
                self.together.receive(member, message)

    def _welcome(self, member: Member) -> dict[str, Any]:
        person = member.person
        known = person is not None and not self.admission.unknown([person.id])
        return {
            "type": "welcome",
            "you": {"id": person.id, "name": person.name} if person else None,
            "status": self.admission.status(person.id).news() if person and known else None,
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

    @property
    def waiting(self) -> int:
        """Operations that are not written yet."""
        return len(self._drafts)

    @property
    def stuck(self) -> bool:
        """Whether ink could not be written for longer than a busy disk or a full pool takes to come round."""
        return self.trouble is not None and self.clock() - self._trouble_since >= limits.STUCK_SECONDS

    def people(self) -> int:
        """Sockets here and in the other processes."""
        return len(self.members) + self.presence.elsewhere(self.clock())

    def _ink(self, member: Member, person: Person, operations: tuple[wire.Stroke | wire.Undo, ...]) -> None:
        now, now_ms = self.clock(), self.wall_ms()
        overloaded = len(self._drafts) > limits.QUEUE_OPS
        for op in operations:
            if isinstance(op, wire.Stroke):
                check(op, self.state.canvas["width"], self.state.canvas["height"])
            op = replace(op, author=person.id)
            reason: RejectReason | None = RejectReason.UNAVAILABLE
            if not overloaded:
                reason = self.admission.refuses(
                    op, now, now_ms, known=self.deduplication.knows(op), address=member.address
                )
            if reason is not None:
                member.push(_refusal(op, reason))
                if reason == RejectReason.BUDGET:
                    self._tell_ink(member, now, now_ms)
                continue
            self._drafts.append((member, op))
            self.presence.draws(op.author, now)
        self._wake.set()

    # --- the tick --------------------------------------------------------------------------------------------------

    async def _ticks(self) -> None:
        began = pause = 0.0
        if self._drafts:  # an error ended the loop before
            self._wake.set()
        while True:
            await self._wake.wait()
            # The first stroke after a quiet moment is written at once; what follows is gathered for a tick.
            await asyncio.sleep(max(0.0, began + self.tick_seconds - self.clock(), pause))
            self._wake.clear()
            began = self.clock()
            try:
                sending = self._broadcasting
                write = asyncio.ensure_future(self._write())
                if not (await asyncio.wait({write}, timeout=limits.HANG_SECONDS))[0]:
                    self._set_trouble(TROUBLE)
                await write
            except Exception:
                log.exception("The journal could not be written; the ink waits and is tried again.")
                self._set_trouble(TROUBLE)
                self._wake.set()
                pause = min(LONGEST_PAUSE, pause * 2 or 0.5)
                continue
            self._set_trouble(None)
            pause = 0.0
            # While one batch is sent the next one may be written; not the one after that, so a slow crowd gets fewer,
            # larger ones. That is no trouble: what they wait for is written.
            if sending is not None:
                await asyncio.wait({sending})
            if self._drafts:
                self._wake.set()
            # Under load fewer, larger ticks: each costs a transaction and a send to every socket.
            self.tick_seconds = min(limits.TICK_SLOW, max(limits.TICK, 2 * (self.clock() - began)))

    async def _write(self) -> None:
        """Writes everything that waits as one batch, and only then begins to send it to anybody."""
        began = self.clock()
        drafts = self._next_drafts()
        if not drafts:
            return
        await self.access.know({op.author for _, op in drafts})  # nobody's ink enters before their status is known
        answers: list[tuple[Member, bytes]] = []
        now_ms, *before_ms = self._wall_clock.readings()

        def admit(missed: list[wire.Batch], dreamed: int, rules: Rules) -> list[wire.Operation]:
            for batch in missed:
                self.deduplication.learn(batch)
            try:
                wanted, answers[:] = self.deduplication.admit(
                    drafts, now_ms, dreamed, lambda op: self.admission.judge(op, rules, now_ms), before_ms
                )
            except Exception:
                # Not the database's failure, so trying again would fail for ever and hold everybody's ink.
                log.exception("These drafts cannot be judged and are refused: %r", drafts[:3])
                answers[:] = [(who, _refusal(op, RejectReason.GAP)) for who, op in drafts]
                return []
            return wanted

        with metrics.WRITE.time():
            missed, written = await self.blocking(self._journal.append, self.head, admit, now_ms)
        for _ in drafts:  # new ones may have come in behind them
            self._drafts.popleft()
        await self.absorb(missed)
        if written:
            await self.absorb([written], ours=True)
            metrics.OPERATIONS.inc(written.count)
            metrics.STROKES.inc(sum(isinstance(op, wire.Stroke) and op.piece == 0 for _, op in drafts))
        self._broadcast(None, answers, began)
        if written:
            self.publisher.publish(
                {
                    "type": "ink",
                    "first": written.first,
                    "at": written.at,
                    "count": written.count,
                    "payload": written.payload,
                }
            )

    def _next_drafts(self) -> list[tuple[Member, wire.Stroke | wire.Undo]]:
        """What fits one message of the protocol; the rest waits for the next tick."""
        taken, size = 0, 0
        for _, op in self._drafts:
            size += wire.size(op)
            if size > limits.BATCH_BYTES:
                break
            taken += 1
        return list(itertools.islice(self._drafts, taken))

    # --- what the journal has --------------------------------------------------------------------------------------

    async def absorb(self, batches: list[wire.Batch], *, ours: bool = False) -> None:
        """Takes batches of the journal in, and tells everybody: remembered, the authors' names, then the ink.

        Those that are here already do nothing; a gap makes the room read the database. `ours`: came in here.
        """
        for batch in batches:
            self.deduplication.learn(batch)
        self.presence.shows(_drew(batches), self.clock())
        await self._announce_names(batches)
        for batch in batches:
            if batch.last <= self.head:
                continue
            if not self.tail.append(batch):
                self._poll_now.set()
                return
            self.admission.learn(batch, self.clock(), ours=ours)
            self._broadcast(batch)

    def _broadcast(
        self, batch: wire.Batch | None, answers: Sequence[tuple[Member, bytes]] = (), began: float | None = None
    ) -> None:
        """Begins to send, in turn: a batch to everybody, and then what single ones are answered."""
        self._broadcasting = asyncio.create_task(self._broadcast_after(self._broadcasting, batch, answers, began))

    async def _broadcast_after(
        self,
        before: asyncio.Task[None] | None,
        batch: wire.Batch | None,
        answers: Sequence[tuple[Member, bytes]],
        began: float | None,
    ) -> None:
        if before is not None:
            await asyncio.wait({before})
        if batch is not None and batch.last > self._broadcast_to:
            # Where more has come meanwhile, as much of it as fits goes in the same message.
            sent = self.tail.after(batch.first - 1) if self.head > batch.last else batch
            self._broadcast_to = sent.last
            try:
                for _ in self.audience.broadcast(sent):
                    await asyncio.sleep(0)
            except Exception:
                log.exception("A batch did not reach everybody; who missed it is sent it again.")
                self.audience.catch_up_all()
        for member, answer in answers:
            member.push(answer)
        if began is not None:
            metrics.TICK.observe(self.clock() - began)

    async def _broadcast_all(self) -> None:
        """Returns when everybody has been sent what there was when it was called."""
        if self._broadcasting is not None:
            await asyncio.wait({self._broadcasting})

    async def _announce_names(self, batches: list[wire.Batch]) -> None:
        """Names of authors not met before, told before their ink. Without the database they have none for now."""
        authors = {author for batch in batches for _, author, _, _ in wire.scan(batch.payload, batch.count)} - {0}
        if unknown := authors - self.presence.names.keys():
            try:
                self.presence.names |= dict.fromkeys(unknown, "") | await self.blocking(self._people.names, unknown)
            except Exception as error:
                log.warning("Names could not be read: %s", error)
        if names := self.presence.introduce(authors):
            self.audience.send({"type": "names", "names": {str(key): name for key, name in names.items()}})

    async def receive_news(self, message: dict[str, Any]) -> None:
        """A message of another process, through the layer. Lost ones are made good by the poll."""
        match message["type"]:
            case "ink":
                batch = wire.Batch(message["first"], message["at"], message["count"], message["payload"])
                if batch.first == self.head + 1:
                    await self.absorb([batch])
                elif batch.last > self.head:
                    self._poll_now.set()
            case "people":
                self.presence.heard(message["from"], message["count"], self.clock())
            case "reaction" | "view" | "release" | "here":
                self.together.heard(message)
            case "look":
                self._poll_now.set()
            case "cover":
                news = wire.news({"type": "cover", "request": message["request"]})
                for member in self.members:
                    if member.joined and member.person and self.admission.status(member.person.id).trusted:
                        member.push(news)
            case "recheck":
                self.access.recheck(message["users"])

    # --- polling the database -------------------------------------------------------------------------------------

    async def _polls(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                pause = limits.POLL_CLOSED if self.state.rules.closed else limits.POLL
                async with asyncio.timeout(pause):  # wait_for may swallow the room's end
                    await self._poll_now.wait()
            self._poll_now.clear()
            try:
                await self._poll_once()
            except Exception as error:
                log.warning("The canvas could not be read: %s", error)
                await asyncio.sleep(1)

    async def _poll_once(self) -> None:
        """Asks the database for what may have been missed: ink of others, rules, a new frame, the dream's progress.

        Everything is read first; then the room changes in one go, so that nobody meets half of it.
        """
        state = await self.blocking(self._journal.state)
        self._apply_rules(state)
        if state.head > self.head:
            await self.absorb(await self.blocking(self._journal.since, self.head))
        # A base that went back (a frame was hidden): the journal is needed again from there.
        backward = state.base_id != self.state.base_id and state.base_seq < self.state.base_seq
        read = await self.blocking(self._journal.since, state.base_seq) if backward else None
        if read is not None:
            await self._announce_names(read)
        # Whoever drew what the new base holds hears that it is written before the base replaces it.
        await self._broadcast_all()
        before = self.state
        if state.canvas.get("slug") != before.canvas.get("slug"):
            self.audience.close(CloseCode.NO_CANVAS)  # it has another address now, which is not everybody's to know
        if state.base_id != before.base_id:
            self.audience.rebase(state, read)
            self.presence.only(self.tail.authors())
        self.audience.state = state
        if state.base_id == before.base_id and state.earlier != before.earlier:
            self.audience.send({"type": "frame", "frame": state.frame})
        self._look_at_picture()
        if state.dream != before.dream:
            self.audience.send({"type": "dream", "dream": state.dream})

    def _look_at_picture(self) -> None:
        canvas = self.state.canvas
        self.admission.picture = self.state.frame is not None
        self.admission.earlier = frozenset((0, *self.state.earlier[: limits.EARLIER]))
        self.admission.pixels = float(canvas.get("width", 0) * canvas.get("height", 0))

    def _apply_rules(self, state: State) -> None:
        """The rules come first: whatever else is to be read, a switch acts at once."""
        before, self.admission.rules = self.admission.rules, state.rules
        if state.rules != before:
            self.audience.send({"type": "rules", "rules": state.rules.news()})
        if state.rules.ended and not before.ended:
            self.audience.send({"type": "ended"})

    # --- once a second ---------------------------------------------------------------------------------------------

    def _tell_time(self) -> None:
        """After the machine's clock was set everybody is welcomed anew: that says what time it is."""
        self._wall_clock.readings()
        if self._wall_clock.was_set:
            self._wall_clock.was_set = False
            log.warning("The clock of this machine was set. Everybody at %s is told.", self.state.canvas.get("slug"))
            for member in self.members:
                if member.joined and not member.full:
                    member.push(wire.news(self._welcome(member)))

    async def _heartbeats(self) -> None:
        """Marks for the readers, an end for those who do not read, how many people there are, and tidying up."""
        while True:
            await asyncio.sleep(limits.MARK_SECONDS)
            now, now_ms = self.clock(), self.wall_ms()
            self._tell_time()
            if self.admission.rules.ended:
                self.audience.close(CloseCode.ENDED)
            for member in list(self.members):
                self._tell_ink(member, now, now_ms)
            for member in list(self.members):
                if not member.joined and now - (member.entered_at or now) > limits.JOIN_SECONDS:
                    member.close(CloseCode.BEHIND)
            self.audience.mark()
            people = {"type": "people", "count": self.people(), "drawing": self.presence.drawing(now)}
            if people != self._last_people and now - self._people_told >= len(self.members) / limits.PEOPLE_RATE:
                self._last_people, self._people_told = people, now
                self.audience.send(people)
            if now - self._published >= limits.PEOPLE_SECONDS:
                self._published = now
                self.publisher.publish({"type": "people", "count": len(self.members)})
                self.publisher.publish(self.together.heartbeat())
                self.together.tidy()
            if now - self._forgotten >= limits.FORGET_SECONDS:
                self._forgotten = now
                oldest = min(self._wall_clock.readings()) - limits.REMEMBER_MS
                self.deduplication.forget_before(oldest, self.state.base_seq)
                self.admission.forget({member.person.id for member in self.members if member.person}, now)

    def _tell_ink(self, member: Member, now: float, now_ms: int) -> None:
        """How much ink they have left, while that is little, and once more when it is enough again."""
        if member.person is None or not member.joined or member.full:
            return
        ink = self.admission.ink(member.person.id, now, now_ms, member.address)
        last, little = member.last_ink, ink["left"] < limits.INK_LOW
        if ink != last if little else last is not None:
            member.push(wire.news({"type": "ink", **ink}))
        member.last_ink = ink if little else None

    def _set_trouble(self, message: str | None) -> None:
        if message != self.trouble:
            self.trouble, self._trouble_since = message, self.clock()
            self.audience.send({"type": "trouble", "message": message})


def _drew(batches: Iterable[wire.Batch]) -> set[int]:
    """Whose strokes these are. What moderators did, and what people took back, is not among them."""
    scanned = (wire.scan(batch.payload, batch.count) for batch in batches)
    return {author for one in scanned for kind, author, _, _ in one if kind == wire.STROKE}


def _refusal(op: wire.Stroke | wire.Undo, reason: RejectReason) -> bytes:
    return wire.reject(op.stroke_id, op.piece if isinstance(op, wire.Stroke) else 0, reason)
