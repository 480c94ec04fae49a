"""The hub: one room for each canvas, opened when somebody comes and closed when nobody is left."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from channels.layers import get_channel_layer

from canvas import hub as hubs
from canvas import limits, notify, people
from canvas.hub import Hub, NoRoomLeft
from canvas.journal import Found
from canvas.member import Member
from canvas.ports import State
from canvas.room import Room
from canvas.wire import CloseCode
from tests.canvas.test_room import until

CANVASES = {"here": Found(1), "broken": Found(2), "own": Found(3, own=True)}
CANVASES |= {f"open{number}": Found(100 + number) for number in range(20)}
CANVASES |= {f"closed{number}": Found(200 + number, closed=True) for number in range(20)}
FRAMELESS = State({"width": 64, "height": 64}, 0)


class Journal:
    """canvas.ports.Journal of an empty canvas, counting how often it is read; `fails` times it cannot be."""

    def __init__(self, fails: int = 0) -> None:
        self.fails, self.reads = fails, 0

    def state(self) -> State:
        self.reads += 1
        if self.reads <= self.fails:
            raise OSError("the database is away")
        return FRAMELESS

    def since(self, seq: int) -> list[Any]:
        return []

    recent = since


@pytest.fixture
def journals(monkeypatch: pytest.MonkeyPatch) -> list[Journal]:
    """The journals that rooms were opened on, in order; the canvas `here` exists and no other."""
    opened: list[Journal] = []

    def journal(canvas_id: int) -> Journal:
        opened.append(Journal(fails=1 if canvas_id == 2 else 0))
        return opened[-1]

    monkeypatch.setattr(hubs, "find", CANVASES.get)
    monkeypatch.setattr(hubs, "DatabaseJournal", journal)
    # Channels' wrapper tidies up connections, which other tests may have left in its thread.
    monkeypatch.setattr(hubs, "database_sync_to_async", lambda call: partial(asyncio.to_thread, call))
    monkeypatch.setattr(limits, "POLL", 3600.0)
    return opened


@pytest.fixture
async def hub(journals: list[Journal]) -> AsyncIterator[Hub]:
    here = Hub()
    yield here
    for slug, held in list(here._open.items()):
        await here._close(slug, held.room)


async def subscribed(slug: str) -> None:
    """Until the room of this name hears what the layer carries."""
    layer: Any = get_channel_layer()
    await until(lambda: layer.groups.get(notify.group(slug)) and layer.groups.get(notify.EVERYWHERE))


def member() -> Member:
    async def nothing(_: Any) -> None: ...

    return Member(nothing, nothing, None)


async def test_everybody_who_comes_at_once_gets_the_same_room(hub: Hub, journals: list[Journal]) -> None:
    rooms = await asyncio.gather(*(hub.room("here") for _ in range(20)))
    assert isinstance(rooms[0], Room) and all(room is rooms[0] for room in rooms)
    assert len(journals) == 1 and journals[0].reads == 1


async def test_no_canvas_no_room(hub: Hub, journals: list[Journal]) -> None:
    assert await hub.room("nowhere") is None and journals == []


async def test_a_name_that_no_canvas_has_is_asked_for_once_in_a_while(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    known: dict[str, Found] = {}

    def find(slug: str) -> Found | None:
        opened.append(slug)
        return known.get(slug)

    monkeypatch.setattr(hubs, "find", find)
    clock = SimpleNamespace(monotonic=lambda: 1000.0)
    monkeypatch.setattr(hubs, "time", clock)
    for _ in range(5):
        assert await hub.room("soon") is None
    assert opened == ["soon"]
    known["soon"] = Found(1)
    clock.monotonic = lambda: 1000.0 + hubs.UNKNOWN_SECONDS
    assert await hub.room("soon") is not None


async def test_people_of_whom_something_changed_are_looked_at_in_every_room(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = await hub.room("here")
    assert room is not None
    heard: list[Any] = []

    async def receive_news(message: dict[str, Any]) -> None:
        heard.append(message)

    monkeypatch.setattr(room, "receive_news", receive_news)
    await subscribed("here")
    await asyncio.to_thread(notify.recheck, {3, 1})
    await asyncio.to_thread(notify.look_everywhere)
    await until(lambda: len(heard) == 2)
    assert [(one["type"], one.get("users")) for one in heard] == [("recheck", [1, 3]), ("look", None)]


async def test_a_room_that_could_not_be_opened_is_tried_anew(hub: Hub, journals: list[Journal]) -> None:
    answers = await asyncio.gather(*(hub.room("broken") for _ in range(3)), return_exceptions=True)
    assert all(isinstance(answer, OSError) for answer in answers)
    journals.clear()
    with pytest.raises(OSError, match="away"):  # another journal, which fails once too
        await hub.room("broken")
    assert len(journals) == 1


async def test_an_empty_room_closes_unless_somebody_comes_back(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hubs, "EMPTY_SECONDS", 0.05)
    room = await hub.room("here")
    assert room is not None
    one = member()
    room.enter(one)
    hub.left("here", room, one)
    two = member()
    room.enter(two)  # somebody who reloads the page
    await asyncio.sleep(0.1)
    assert await hub.room("here") is room
    hub.left("here", room, two)
    await until(lambda: not hub._open)
    assert await hub.room("here") is not room


async def test_news_of_other_processes_reach_the_room_and_ones_own_do_not(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    room, layer = await hub.room("here"), get_channel_layer()
    assert room is not None and layer is not None
    await subscribed("here")
    for sender in (hubs.PROCESS, "another"):
        news = {"type": "people", "count": 5 if sender == "another" else 100}
        await layer.group_send(notify.group("here"), {"type": "news", "from": sender, "news": news})
    await until(room.people)  # in order: one's own came before
    assert room.people() == 5


async def test_look_wakes_the_poll(hub: Hub, journals: list[Journal]) -> None:
    await hub.room("here")
    await subscribed("here")
    before = journals[0].reads
    await asyncio.to_thread(notify.look, "here")
    await until(lambda: journals[0].reads > before)


async def test_a_canvas_that_moved_to_another_address_has_no_room_at_the_old_one(
    hub: Hub, journals: list[Journal], monkeypatch: pytest.MonkeyPatch
) -> None:
    closed: list[int] = []

    async def send(_: Any) -> None: ...

    async def close(code: int) -> None:
        closed.append(code)

    def state() -> State:
        return State({"slug": slug, "width": 64, "height": 64}, 0)

    slug = "here"
    monkeypatch.setattr(Journal, "state", lambda self: state())
    room = await hub.room("here")
    assert room is not None
    one = Member(send, close, None)
    room.enter(one)
    slug = "elsewhere"
    room._poll_now.set()
    await until(lambda: closed)
    assert closed == [CloseCode.NO_CANVAS]
    assert await hub.room("here") is None


async def test_a_process_says_how_many_are_at_each_canvas(hub: Hub) -> None:
    room = await hub.room("here")
    assert room is not None
    room.enter(member())
    await until(lambda: people.counts(["here", "there"]) == {"here": 1, "there": 0})


async def test_so_many_rooms_are_open_and_no_more_but_for_the_site_s_own(hub: Hub, settings: Any) -> None:
    settings.ROOMS = 3
    for number in range(3):
        await hub.room(f"open{number}", f"192.0.2.{number}")
    with pytest.raises(NoRoomLeft, match="ROOMS"):
        await hub.room("open3", "192.0.2.9")
    assert await hub.room("open0", "192.0.2.9") is not None, "where a room is open anybody may come"
    assert await hub.room("own", "192.0.2.9") is not None
    assert await hub.room("closed0", "192.0.2.9") is not None


async def test_an_address_opens_so_many_rooms_and_no_more(hub: Hub) -> None:
    for number in range(limits.ROOMS_PER_ADDRESS):
        await hub.room(f"{('open', 'closed')[number % 2]}{number}", "192.0.2.1")
    for slug in "open19", "closed19":
        with pytest.raises(NoRoomLeft, match="one address"):
            await hub.room(slug, "192.0.2.1")
    assert await hub.room("own", "192.0.2.1") is not None
    assert await hub.room("open19", "192.0.2.2") is not None
    assert await hub.room("open19", "192.0.2.1") is not None


async def test_closed_canvases_share_a_thread_as_long_as_one_is_open(hub: Hub) -> None:
    rooms = {slug: await hub.room(slug) for slug in ("closed0", "closed1", "open0", "open1")}
    threads = {slug: held.thread for slug, held in hub._open.items()}
    assert threads["closed0"] is threads["closed1"] and len(set(threads.values())) == 3
    first, second = rooms["closed0"], rooms["closed1"]
    assert first is not None and second is not None
    await hub._close("closed0", first)
    assert await second.blocking(lambda: 1) == 1
    await hub._close("closed1", second)
    assert await hub.room("closed0") is not None, "in a new thread"


async def test_a_room_closes_also_where_an_error_went_with_its_last_socket(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hubs, "EMPTY_SECONDS", 0.01)
    room = await hub.room("here")
    assert room is not None
    one = member()
    room.enter(one)

    def left(_: Member) -> None:
        raise RuntimeError("something nobody foresaw")

    monkeypatch.setattr(room.together, "left", left)
    with pytest.raises(RuntimeError, match="foresaw"):
        hub.left("here", room, one)
    await until(lambda: not hub._open)
