"""Who may be at a canvas: people's status is read as they come in, where something has changed, and by the clock."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Collection, Iterable

from canvas import limits, wire
from canvas.admission import Admission
from canvas.member import Member, Person
from canvas.ports import Blocking, People
from canvas.wire import CloseCode

log = logging.getLogger(__name__)


class AccessMonitor:
    """Keeps the admission's memory of people up to date, tells them of changes, and closes whoever may not be here.

    `members` are the room's sockets, as they are at any time; `blocking` runs a call to the database.
    """

    def __init__(
        self,
        people: People,
        admission: Admission,
        members: Collection[Member],
        blocking: Blocking,
        *,
        clock: Callable[[], float],
        wall_ms: Callable[[], int],
    ) -> None:
        self._people, self._admission, self._members, self._blocking = people, admission, members, blocking
        self._clock, self._wall_ms = clock, wall_ms
        self._entered: set[int] = set()  # people who have just come in
        self._changed: set[int] = set()  # people of whom something is different now
        self._wake = asyncio.Event()

    def meet(self, person: Person) -> None:
        """Somebody came in: their status is read at once, at the latest before their first ink is written."""
        self._entered.add(person.id)
        self._wake.set()

    def recheck(self, users: Iterable[int]) -> None:
        """Something about these people is different now, wherever they are."""
        self._changed.update(users)
        self._wake.set()

    async def know(self, users: Iterable[int]) -> None:
        """Reads the status of those of whom nothing is known yet."""
        if unknown := self._admission.unknown(users):
            await self._read(unknown)

    async def run(self) -> None:
        """Checks now and then, and at once where something has changed, who may still be here, and their status."""
        checked = self._clock()
        while True:
            with contextlib.suppress(TimeoutError):
                # wait_for may swallow the room's end
                async with asyncio.timeout(max(0.01, checked + limits.RECHECK_SECONDS - self._clock())):
                    await self._wake.wait()
            self._wake.clear()
            due = self._clock() - checked >= limits.RECHECK_SECONDS
            if await self._check(everybody=due):
                checked = self._clock() if due else checked
            else:
                await asyncio.sleep(1)
                self._wake.set()

    async def _check(self, *, everybody: bool) -> bool:
        """False where the database could not be read: those who were due stay so."""
        entered, changed = self._entered, self._changed
        self._entered, self._changed = set(), set()
        here = {member.person for member in self._members if member.person}
        people = {person for person in here if everybody or person.id in changed}
        try:
            ended = await self._blocking(self._people.ended, people) if people else {}
            if users := entered | changed & self._admission.known() | {person.id for person in people}:
                await self._read(users)
        except Exception as error:
            log.warning("Sessions and people's status could not be read: %s", error)
            self._entered |= entered
            self._changed |= changed
            return False
        for member in list(self._members):
            if member.person in ended:
                member.close(ended[member.person])
        return True

    async def _read(self, users: set[int]) -> None:
        news = self._admission.know(await self._blocking(self._people.statuses, users))
        now_ms = self._wall_ms()
        suspended = {who for who in users if self._admission.suspended(who, now_ms)}
        for member in list(self._members):
            if member.person and member.person.id in news | suspended:
                member.push(wire.news({"type": "you", **self._admission.status(member.person.id).news()}))
                if member.person.id in suspended:
                    member.close(CloseCode.FORBIDDEN)
