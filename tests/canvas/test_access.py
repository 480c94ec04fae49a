"""Who may be at a canvas, without a room: people come in, change, and are shown out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from canvas import limits
from canvas.access import AccessMonitor
from canvas.admission import Admission
from canvas.gate import Sanction, UserStatus
from canvas.member import Member, Person
from canvas.wire import CloseCode
from tests import wire_client
from tests.canvas.memory import MemoryPeople
from tests.canvas.test_room import until

SUSPENDED = UserStatus(sanctions=(Sanction(7, "suspend", "threats", None),))


class Someone:
    """A socket, and what it was told."""

    def __init__(self, user: int) -> None:
        self.person = Person(user, f"person{user}", f"session{user}")
        self.news: list[dict[str, Any]] = []
        self.closed: int | None = None
        self.member = Member(self._send, self._close, self.person)

    async def _send(self, data: bytes) -> None:
        self.news.append(wire_client.from_server(data)[1])

    async def _close(self, code: int) -> None:
        self.closed = code


class Entrance:
    """An access monitor with its people; `away`: the database does not answer."""

    def __init__(self) -> None:
        self.people, self.admission = MemoryPeople(), Admission()
        self.members: set[Member] = set()
        self.now, self.away, self.asks = 0.0, False, 0
        self.monitor = AccessMonitor(
            self.people, self.admission, self.members, self._blocking, clock=lambda: self.now, wall_ms=lambda: 0
        )

    async def _blocking(self, call: Callable[..., Any], *given: Any) -> Any:
        self.asks += 1
        if self.away:
            raise OSError("the database is away")
        return call(*given)

    def come(self, user: int) -> Someone:
        someone = Someone(user)
        self.members.add(someone.member)
        self.monitor.meet(someone.person)
        return someone


@pytest.fixture
async def entrance() -> AsyncIterator[Entrance]:
    here = Entrance()
    running = asyncio.create_task(here.monitor.run())
    yield here
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_who_comes_in_is_sent_their_status(entrance: Entrance) -> None:
    entrance.people.status[1] = UserStatus(hours=3)
    ann = entrance.come(1)
    await until(lambda: ann.news)
    assert ann.news == [{"type": "you", "joined": 0, "hours": 3, "trusted": False, "guest": False, "sanctions": []}]
    assert entrance.admission.status(1).hours == 3 and ann.closed is None


async def test_the_suspended_are_told_why_and_shown_out(entrance: Entrance) -> None:
    entrance.people.status[1] = SUSPENDED
    ann = entrance.come(1)
    await until(lambda: ann.closed)
    assert ann.closed == CloseCode.FORBIDDEN and ann.news[0]["sanctions"][0]["reason"] == "threats"


async def test_a_change_acts_at_once_and_on_nobody_else(entrance: Entrance) -> None:
    ann, ben = entrance.come(1), entrance.come(2)
    await until(lambda: entrance.admission.known() == {1, 2})
    entrance.people.status[1] = SUSPENDED
    entrance.people.gone[2] = CloseCode.SIGNED_OUT
    entrance.monitor.recheck([1, 3])
    await until(lambda: ann.closed)
    assert ben.closed is None, "nobody said that something is different about Ben"
    entrance.monitor.recheck([2])
    await until(lambda: ben.closed)
    assert (ann.closed, ben.closed) == (CloseCode.FORBIDDEN, CloseCode.SIGNED_OUT)


async def test_everybody_is_looked_at_now_and_then(entrance: Entrance, monkeypatch: pytest.MonkeyPatch) -> None:
    ann = entrance.come(1)
    await until(lambda: entrance.admission.known())
    entrance.people.gone[1] = CloseCode.FORBIDDEN
    entrance.now += limits.RECHECK_SECONDS  # and something wakes it
    entrance.monitor.recheck([])
    await until(lambda: ann.closed)


async def test_what_could_not_be_asked_is_asked_again(entrance: Entrance, monkeypatch: pytest.MonkeyPatch) -> None:
    sleep = asyncio.sleep
    monkeypatch.setattr("canvas.access.asyncio.sleep", lambda seconds: sleep(0))
    entrance.away = True
    entrance.people.status[1] = SUSPENDED
    ann = entrance.come(1)
    await until(lambda: entrance.asks > 3)
    assert ann.closed is None
    entrance.away = False
    await until(lambda: ann.closed)


async def test_only_strangers_are_asked_about_before_their_ink(entrance: Entrance) -> None:
    await entrance.monitor.know({1, 2})
    asks = entrance.asks
    await entrance.monitor.know({2, 1})
    assert entrance.asks == asks and entrance.admission.known() == {1, 2}
