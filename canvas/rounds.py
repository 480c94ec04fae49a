"""What a room does by the clock, and on hearing from elsewhere: it looks at the database, marks its readers, and sees
to it that those who are here may be here. Plain Python, as the room itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
from collections import deque
from typing import TYPE_CHECKING, Any

from canvas import limits, wire
from canvas.member import Member
from canvas.ports import State
from canvas.wire import CloseCode

if TYPE_CHECKING:
    from canvas.room import Room

log = logging.getLogger(__name__)


class Rounds:
    def __init__(self, room: Room) -> None:
        self._room = room
        self.loops = (self._polls, self._beats, self._checks, self._publishes)
        self._poll_now = asyncio.Event()
        self._check_now = asyncio.Event()
        self._entered: set[int] = set()  # people who have just come in
        self._changed: set[int] = set()  # people of whom something is different now
        self._outgoing: deque[dict[str, Any]] = deque(maxlen=limits.LAYER_MESSAGES)
        self._publish_now = asyncio.Event()
        self._told_people: dict[str, Any] = {}
        self._told_ink: dict[Member, dict[str, Any]] = {}

    # --- between processes -----------------------------------------------------------------------------------------

    async def hear(self, message: dict[str, Any]) -> None:
        room = self._room
        match message["type"]:
            case "ink":
                batch = wire.Batch(message["first"], message["at"], message["count"], message["payload"])
                if batch.first == room.head + 1:
                    room.deduplication.learn(batch)
                    await room.learn_names([batch])
                room.apply(batch)
            case "people":
                room.presence.heard(message["from"], message["count"], room.clock())
            case "look":
                self.look_now()
            case "asked":
                news = wire.news({"type": "asked", "veil": message["veil"]})
                for member in room.members:
                    if member.joined and member.person and room.admission.status(member.person.id).trusted:
                        member.push(news)
            case "recheck":
                self._changed.update(message["users"])
                self._check_now.set()

    def publish(self, message: dict[str, Any]) -> None:
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
                        await self._room.layer.publish(self._outgoing.popleft())
                except Exception as error:
                    self._outgoing.clear()
                    log.warning("The channel layer did not take the news: %s", str(error) or type(error).__name__)

    # --- the database ----------------------------------------------------------------------------------------------

    def look_now(self) -> None:
        self._poll_now.set()

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
        """Asks the database for what may have been missed: ink of others, rules, a new frame, the dream's progress.

        Everything is read first; then the room changes in one go, so that nobody meets half of it.
        """
        room = self._room
        state = await room.blocking(room.journal.state)
        self._obey(state)
        if state.head > room.head:
            missed = await room.blocking(room.journal.since, room.head)
            for batch in missed:
                room.deduplication.learn(batch)
            await room.learn_names(missed)
            for batch in missed:
                room.apply(batch)
        # A base that went back (a frame was hidden): the journal is needed again from there.
        backward = state.base_id != room.state.base_id and state.base_seq < room.state.base_seq
        read = await room.blocking(room.journal.since, state.base_seq) if backward else None
        if read is not None:
            await room.learn_names(read)
        before, room.state = room.state, state
        if state.base_id != before.base_id:
            self._rebase(before, read)
        if state.dream != before.dream:
            room.tell({"type": "dream", "dream": state.dream})

    def _obey(self, state: State) -> None:
        """The rules come first: whatever else is to be read, a switch acts at once."""
        admission = self._room.admission
        before, admission.rules = admission.rules, state.rules
        if state.rules != before:
            self._room.tell({"type": "rules", "rules": state.rules.news()})
        if state.rules.ended and not before.ended:
            self._room.tell({"type": "ended"})

    def _rebase(self, before: State, read: list[wire.Batch] | None) -> None:
        """A new base. Forward: the browsers hold the operations after it. Backward: `read` is the journal after it."""
        room = self._room
        base_id, base_seq = room.state.base_id, room.state.base_seq
        if read is None:
            room.tail.forward(base_seq)
            for member in room.members:
                if member.joined and member.frame == before.base_id and member.seq >= base_seq:
                    member.frame = base_id
                    member.push(wire.news({"type": "frame", "frame": room.state.frame}))
        else:
            room.tail.back(base_seq, read)
        for member in room.members:
            if member.joined and member.frame != base_id:
                room.catch_up(member)
        room.presence.only(room.tail.authors())

    # --- once a second ---------------------------------------------------------------------------------------------

    async def _beats(self) -> None:
        """Marks for the readers, an end for those who do not read, how many people there are, and tidying up."""
        room = self._room
        told_layer = forgotten = counted = room.clock()
        while True:
            await asyncio.sleep(limits.MARK_SECONDS)
            now, now_ms, token = room.clock(), room.wall_ms(), secrets.randbits(64)
            for member in list(room.members):
                if room.admission.rules.ended:
                    member.close(CloseCode.ENDED)
                elif member.behind_since is not None and now - member.behind_since > limits.BEHIND_SECONDS:
                    member.close(CloseCode.BEHIND)
                else:
                    self.tell_ink(member, now, now_ms)
                    member.mark(token)
            people = {"type": "people", "count": room.people(), "drawing": room.presence.drawing(now)}
            if people != self._told_people:
                self._told_people = people
                room.tell(people)
            if now - told_layer >= limits.PEOPLE_SECONDS:
                told_layer = now
                self.publish({"type": "people", "count": len(room.members)})
            if now - counted >= limits.HOUR_SECONDS:
                counted = now
                await self._count_hours(now_ms)
            if now - forgotten >= limits.FORGET_SECONDS:
                forgotten = now
                room.deduplication.forget_before(now_ms - limits.REMEMBER_MS, room.state.base_seq)
                self._told_ink = {member: ink for member, ink in self._told_ink.items() if member in room.members}
                room.admission.forget({member.person.id for member in room.members if member.person}, now)

    def tell_ink(self, member: Member, now: float, now_ms: int) -> None:
        """How much ink they have left, while that is little, and once more when it is enough again."""
        if member.person is None or not member.joined or member.full:
            return
        ink = self._room.admission.ink(member.person.id, now, now_ms)
        told = self._told_ink.get(member)
        if ink["left"] < limits.INK_LOW:
            if ink != told:
                self._told_ink[member] = ink
                member.push(wire.news({"type": "ink", **ink}))
        elif told is not None:
            del self._told_ink[member]
            member.push(wire.news({"type": "ink", **ink}))

    async def _count_hours(self, now_ms: int) -> None:
        room = self._room
        if drew := room.admission.uncounted():
            try:
                await room.blocking(room.journal.drew, drew, now_ms)
                await self._read(drew)
            except Exception as error:
                log.warning("Hours of drawing could not be counted: %s", error)

    # --- who may be here -------------------------------------------------------------------------------------------

    def meet(self, member: Member) -> None:
        """Somebody came in: how they stand is read at once, at the latest before their first ink is written."""
        assert member.person is not None
        self._entered.add(member.person.id)
        self._check_now.set()

    async def know(self, people: set[int]) -> None:
        """Reads how those stand of whom nothing is known yet."""
        if unknown := self._room.admission.unknown(people):
            await self._read(unknown)

    async def _read(self, people: set[int]) -> None:
        room = self._room
        news = room.admission.know(await room.blocking(room.journal.user_statuses, people))
        now_ms = room.wall_ms()
        self._tell_status(news | {who for who in people if room.admission.suspended(who, now_ms)})

    def _tell_status(self, people: set[int]) -> None:
        """Tells these people how they stand, and shows the suspended out."""
        room, now_ms = self._room, self._room.wall_ms()
        for member in list(room.members):
            if member.person and member.person.id in people:
                status = room.admission.status(member.person.id)
                member.push(wire.news({"type": "you", **status.news()}))
                if room.admission.suspended(member.person.id, now_ms):
                    member.close(CloseCode.FORBIDDEN)

    async def _checks(self) -> None:
        """Asks now and then, and at once where something has changed, who may still be here, and how they stand."""
        room, checked = self._room, self._room.clock()
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(0.01, checked + limits.RECHECK_SECONDS - room.clock())):
                    await self._check_now.wait()
            self._check_now.clear()
            due = room.clock() - checked >= limits.RECHECK_SECONDS
            entered, changed = self._entered, self._changed
            self._entered, self._changed = set(), set()
            here = {member.person for member in room.members if member.person}
            people = {person for person in here if due or person.id in changed}
            try:
                ended = await room.blocking(room.journal.ended, people) if people else {}
                if ids := entered | changed & room.admission.known() | {person.id for person in people}:
                    await self._read(ids)
            except Exception as error:
                log.warning("Sessions and people's status could not be looked at: %s", error)
                self._entered |= entered
                self._changed |= changed
                await asyncio.sleep(1)
                self._check_now.set()
                continue
            checked = room.clock() if due else checked
            for member in list(room.members):
                if member.person in ended:
                    member.close(ended[member.person])
