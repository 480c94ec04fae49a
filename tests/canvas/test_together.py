"""Marks at a place, who is here, and following: what arrives where, what is refused, and that nobody is flooded."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canvas import gate, limits, wire
from canvas.gate import Rules, Sanction, UserStatus
from canvas.room import Room
from dreamsite.core.token_bucket import TokenBuckets
from tests import wire_client
from tests.canvas.memory import SIDE, Browser, MemoryJournal, NoLayer
from tests.running import PATIENCE


@pytest.fixture
def journal() -> MemoryJournal:
    return MemoryJournal()


@pytest.fixture
def executor() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as pool:
        yield pool


@pytest.fixture
async def room(journal: MemoryJournal, executor: ThreadPoolExecutor) -> AsyncIterator[Room]:
    here = Room(journal, journal.people, NoLayer(), executor)
    await here.start()
    yield here
    await here.stop()


def joined(journal: MemoryJournal, room: Room, person: int | None) -> Browser:
    """Somebody whose status is known, and who has drawn here a moment ago."""
    if person:
        room.admission.know(journal.people.statuses([person]))
        room.presence.shows([person], room.clock())
    return silent(journal, room, person)


def silent(journal: MemoryJournal, room: Room, person: int | None) -> Browser:
    browser = Browser(journal, person)
    browser.connect(room)
    return browser


def told(browser: Browser, kind: str) -> list[dict[str, Any]]:
    return [news for news in browser.news if news["type"] == kind]


class Linked:
    """A layer between two rooms that loses nothing."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.other: Room | None = None

    async def publish(self, message: dict[str, Any]) -> None:
        if self.other:
            await self.other.receive_news(message | {"from": self.name})


async def until(condition: Any) -> None:
    async with asyncio.timeout(PATIENCE):
        while not condition():
            await asyncio.sleep(0.01)


# --- marks ---------------------------------------------------------------------------------------------------------


async def test_a_mark_is_seen_by_everybody_and_stored_nowhere(journal: MemoryJournal, room: Room) -> None:
    anna, guest = joined(journal, room, 1), joined(journal, room, None)
    anna._say(wire_client.react(3, 15, 4))
    for browser in (anna, guest):
        assert told(browser, "reaction") == [
            {"type": "reaction", "by": 1, "name": "person1", "x": 3, "y": 15, "mark": 4}
        ]
    assert journal.head == 0 and not room.waiting


async def test_a_person_leaves_a_few_marks_and_then_no_more(journal: MemoryJournal, room: Room) -> None:
    now = 1000.0
    room.clock = lambda: now
    anna, again, ben = joined(journal, room, 1), joined(journal, room, 1), joined(journal, room, 2)
    for _ in range(20):
        anna._say(wire_client.react(1, 1, 0))
        again._say(wire_client.react(1, 1, 0))  # another tab is the same hand
    assert len(told(ben, "reaction")) == limits.REACTIONS_BURST
    assert anna.closed is None
    now += 1 / limits.REACTIONS_RATE
    anna._say(wire_client.react(1, 1, 0))
    assert len(told(ben, "reaction")) == limits.REACTIONS_BURST + 1


async def test_a_crowd_shows_everybody_so_many_marks_and_no_more(journal: MemoryJournal, room: Room) -> None:
    now = 1000.0
    room.clock = lambda: now
    crowd = [joined(journal, room, person) for person in range(1, 40)]
    for browser in crowd:
        for _ in range(limits.REACTIONS_BURST):
            browser._say(wire_client.react(1, 1, 0))
    assert len(told(crowd[0], "reaction")) == limits.REACTIONS_ROOM_BURST


async def test_an_address_leaves_so_many_marks_and_no_more(
    journal: MemoryJournal, room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room.together, "_all", TokenBuckets(1, 1))  # not asked where the address has had enough
    asked: list[float] = []
    monkeypatch.setattr(room.together._all, "take", lambda amount, now: asked.append(now) or False)
    room.clock = lambda: 1000.0
    for person in range(1, 20):
        browser = joined(journal, room, person)
        assert browser.member
        browser.member.address = "192.0.2.7"
        for _ in range(limits.REACTIONS_BURST):
            browser._say(wire_client.react(1, 1, 0))
    assert len(asked) == limits.REACTIONS_ADDRESS_BURST


@pytest.mark.parametrize(
    "rules",
    [
        Rules(reactions=False),
        Rules(frozen=True),
        Rules(ended=True),
        Rules(regions=(gate.Region(1, "cover", 0, 0, 8, 8),)),
        Rules(regions=(gate.Region(1, "lock", 2, 3, 1, 1),)),
    ],
)
async def test_no_marks_where_none_may_be(journal: MemoryJournal, room: Room, rules: Rules) -> None:
    anna = joined(journal, room, 1)
    room.admission.rules = rules
    anna._say(wire_client.react(2, 3, 0))
    assert not told(anna, "reaction")


async def test_no_marks_of_visitors_and_of_those_who_may_not_draw(journal: MemoryJournal, room: Room) -> None:
    visitor, mallory = joined(journal, room, None), joined(journal, room, 3)
    journal.people.status[3] = UserStatus(sanctions=(Sanction(1, "read_only", "so"),))
    room.admission.know({3: journal.people.status[3]})
    for browser in (visitor, mallory):
        browser._say(wire_client.react(2, 3, 0))
        assert browser.closed is None
    assert not told(visitor, "reaction")


async def test_marks_need_what_ink_needs(journal: MemoryJournal, room: Room) -> None:
    guest, member, unread = joined(journal, room, 1), joined(journal, room, 2), silent(journal, room, 3)
    room.admission.know({1: UserStatus(joined=2000, guest=True), 2: UserStatus(joined=1000)})

    def marked(browser: Browser, rules: Rules) -> bool:
        room.admission.rules = rules
        before = len(told(member, "reaction"))
        browser._say(wire_client.react(2, 3, 0))
        return len(told(member, "reaction")) > before

    assert marked(guest, Rules()) and marked(member, Rules())
    assert not marked(guest, Rules(members_only=True)) and marked(member, Rules(members_only=True))
    assert not marked(guest, Rules(newcomers_after=1500)) and marked(member, Rules(newcomers_after=1500))
    assert not marked(member, Rules(closed=True))
    assert room.admission.unknown([3]) and not marked(unread, Rules()), "nobody knows yet what stands against them"


@pytest.mark.parametrize(("x", "y", "mark"), [(SIDE, 0, 0), (0, SIDE, 0), (65535, 65535, 0), (0, 0, limits.MARKS)])
async def test_a_mark_that_no_browser_sends_closes_the_socket(
    journal: MemoryJournal, room: Room, x: int, y: int, mark: int
) -> None:
    mallory = joined(journal, room, 1)
    mallory._say(wire_client.react(x, y, mark))
    await until(lambda: mallory.closed)
    assert mallory.closed == wire.CloseCode.MALFORMED


u16 = st.integers(0, 65535)


@given(u16, u16, st.integers(0, limits.MARKS - 1), st.integers(0, 2**32 - 1), st.integers(-(2**15), 2**15 - 1))
def test_the_messages_come_back_as_they_went(x: int, y: int, mark: int, who: int, middle: int) -> None:
    assert wire.from_client(wire_client.react(x, y, mark)) == wire.React(x, y, mark)
    assert wire.from_client(wire_client.follow(who)) == wire.Follow(who)
    assert wire.from_client(wire_client.view(middle, -1, x, y)) == wire.View(middle, -1, x, y)
    assert wire.from_client(wire_client.who()) == wire.Who()
    assert wire.from_client(wire_client.dismiss()) == wire.Dismiss()
    for whole in (wire_client.react(x, y, mark), wire_client.follow(who), wire_client.who(), wire_client.dismiss()):
        with pytest.raises(wire.ProtocolError):
            wire.from_client(whole + b"x")


# --- who is here, and following ------------------------------------------------------------------------------------


async def test_who_is_here_is_told_to_whoever_asks(journal: MemoryJournal, room: Room) -> None:
    anna, _ben, visitor = joined(journal, room, 1), joined(journal, room, 2), joined(journal, room, None)
    visitor._say(wire_client.who())
    assert told(visitor, "here")[0]["people"] == [{"id": 1, "name": "person1"}, {"id": 2, "name": "person2"}]
    assert not told(anna, "here")
    for _ in range(100):
        visitor._say(wire_client.who())
    assert len(told(visitor, "here")) <= limits.WHO_BURST + 1


async def test_who_only_looks_on_is_named_to_nobody(journal: MemoryJournal, room: Room) -> None:
    def named(asker: Browser) -> list[int]:
        asker._say(wire_client.who())
        return [one["id"] for one in told(asker, "here")[-1]["people"]]

    now = 1000.0
    room.clock = lambda: now
    anna, ben, visitor = silent(journal, room, 1), silent(journal, room, 2), silent(journal, room, None)
    assert named(visitor) == [] and named(anna) == [1] and named(ben) == [2]
    anna._say(wire_client.follow(2))
    assert told(anna, "following")[-1]["why"] == "left", "nor found by asking for them"
    room.admission.know(journal.people.statuses([2]))
    ben._say(wire_client.react(1, 1, 1))
    assert named(visitor) == [2] and named(anna) == [1, 2]
    anna.put(wire.Stroke(room.wall_ms() << 12, 0, (0, 0, 0), 255, 0, ((8, 8, 80),), True))
    await until(lambda: named(visitor) == [1, 2])
    now += limits.SHOWN_SECONDS
    assert named(visitor) == []


async def test_who_drew_shortly_before_a_room_opened_is_named(journal: MemoryJournal, room: Room) -> None:
    anna = silent(journal, room, 1)
    anna.put(wire.Stroke(room.wall_ms() << 12, 0, (0, 0, 0), 255, 0, ((8, 8, 80),), True))
    await until(lambda: not anna.pending)
    journal.rows.append(wire.Batch(journal.head + 1, room.wall_ms(), 1, wire.encode(wire.Hide((1,), True, 2))))
    again = Room(journal, journal.people, NoLayer(), ThreadPoolExecutor(1))
    await again.start()
    assert again.presence.shown(again.clock()) == {1}, "and no moderator for what they did"
    await again.stop()


async def test_before_join_nobody_is_told_who_is_here(journal: MemoryJournal, room: Room) -> None:
    joined(journal, room, 1)
    visitor = Browser(journal, None)
    visitor.connect(room)
    assert visitor.member
    visitor.member.joined = False
    visitor._say(wire_client.who())
    assert not told(visitor, "here")


async def test_a_view_is_told_to_followers_and_to_nobody_else(journal: MemoryJournal, room: Room) -> None:
    anna, ben, cleo = (joined(journal, room, person) for person in (1, 2, 3))
    anna._say(wire_client.view(1, 2, 30, 40))
    ben._say(wire_client.follow(1))
    assert told(ben, "following") == [{"type": "following", "who": 1, "why": ""}]
    assert told(anna, "followers")[-1]["followers"] == [{"id": 2, "name": "person2"}]
    anna._say(wire_client.view(-5, 6, 70, 80))
    assert told(ben, "view") == [{"type": "view", "of": 1, "x": -5, "y": 6, "width": 70, "height": 80}]
    assert not told(cleo, "view") and not told(anna, "view")
    ben._say(wire_client.follow(0))
    assert told(anna, "followers")[-1]["followers"] == []
    anna._say(wire_client.view(1, 1, 1, 1))
    assert len(told(ben, "view")) == 1


async def test_views_come_so_often_and_no_more(journal: MemoryJournal, room: Room) -> None:
    room.clock = lambda: 1000.0
    anna, ben = joined(journal, room, 1), joined(journal, room, 2)
    ben._say(wire_client.follow(1))
    for x in range(100):
        anna._say(wire_client.view(x, 0, 10, 10))
    assert len(told(ben, "view")) == limits.VIEW_BURST and anna.closed is None


async def test_a_follower_does_not_draw(journal: MemoryJournal, room: Room) -> None:
    anna, ben = joined(journal, room, 1), joined(journal, room, 2)
    ben._say(wire_client.follow(1))
    ben.put(wire.Stroke(room.wall_ms() << 12, 0, (0, 0, 0), 255, 0, ((8, 8, 80),), True))
    assert told(ben, "following")[-1]["who"] is None and told(anna, "followers")[-1]["followers"] == []


async def test_following_ends_when_either_leaves(journal: MemoryJournal, room: Room) -> None:
    anna, ben = joined(journal, room, 1), joined(journal, room, 2)
    ben._say(wire_client.follow(1))
    ben.drop()
    assert told(anna, "followers")[-1]["followers"] == []
    ben.connect(room)
    ben._say(wire_client.follow(1))
    anna.drop()
    assert told(ben, "following")[-1] == {"type": "following", "who": None, "why": "left"}
    ben._say(wire_client.follow(1))
    assert told(ben, "following")[-1]["why"] == "left", "nobody of this name is here"


async def test_the_followed_may_end_it_and_it_stays_ended_for_a_while(journal: MemoryJournal, room: Room) -> None:
    now = 1000.0
    room.clock = lambda: now
    anna, ben = joined(journal, room, 1), joined(journal, room, 2)
    ben._say(wire_client.follow(1))
    anna._say(wire_client.dismiss())
    assert told(ben, "following")[-1] == {"type": "following", "who": None, "why": "ended"}
    assert told(anna, "followers")[-1]["followers"] == []
    ben._say(wire_client.follow(1))
    assert told(ben, "following")[-1]["why"] == "ended"
    now += limits.DISMISSED_SECONDS + 1
    ben._say(wire_client.follow(1))
    assert told(ben, "following")[-1]["who"] == 1


async def test_dismissing_on_and_on_tells_other_processes_little(
    journal: MemoryJournal, room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    published: list[str] = []
    monkeypatch.setattr(room.together, "_publish", lambda message: published.append(message["type"]))
    room.clock = lambda: 1000.0
    anna = joined(journal, room, 1)
    for _ in range(100):
        anna._say(wire_client.dismiss())
    assert published == [], "nobody follows"
    for person in range(2, 20):
        joined(journal, room, person)._say(wire_client.follow(1))
        anna._say(wire_client.dismiss())
    assert published.count("release") == limits.FOLLOW_BURST
    assert len(room.together._following[1]) == 18 - limits.FOLLOW_BURST


@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from([0, 1, 2, 3, 9, None])), max_size=30))
async def test_followers_are_found_by_whom_they_follow(steps: list[tuple[int, int | None]]) -> None:
    """Whatever people do: follow, dismiss (9), go and come back (None)."""
    journal = MemoryJournal()
    with ThreadPoolExecutor(1) as executor:
        room = Room(journal, journal.people, NoLayer(), executor)
        await room.start()
        people = [joined(journal, room, 1 + number) for number in range(4)]
        for number, step in steps:
            if step is None:
                people[number].drop()
                people[number] = joined(journal, room, 1 + number)
            else:
                people[number]._say(wire_client.dismiss() if step == 9 else wire_client.follow(step))
            expected: dict[int, set[Any]] = {}
            for member in room.members:
                if member.follows is not None:
                    expected.setdefault(member.follows, set()).add(member)
            assert room.together._following == expected
        await room.stop()


async def test_nobody_is_followed_by_a_crowd_or_by_flicker(journal: MemoryJournal, room: Room) -> None:
    room.clock = lambda: 1000.0
    anna = joined(journal, room, 1)
    crowd = [joined(journal, room, person) for person in range(2, limits.FOLLOWERS + 4)]
    for browser in crowd:
        browser._say(wire_client.follow(1))
    assert [told(browser, "following")[-1]["why"] for browser in crowd[-2:]] == ["full", "full"]
    before = len(told(anna, "followers"))
    for _ in range(50):
        crowd[0]._say(wire_client.follow(0))
        crowd[0]._say(wire_client.follow(1))
    assert len(told(anna, "followers")) - before <= 2 * limits.FOLLOW_BURST
    assert told(crowd[0], "following")[-1]["why"] == "too-often"


@pytest.mark.parametrize("who", [0, 2, 77, 2**32 - 1])
async def test_nobody_follows_themselves_or_nobody(journal: MemoryJournal, room: Room, who: int) -> None:
    ben, visitor = joined(journal, room, 2), joined(journal, room, None)
    ben._say(wire_client.follow(who))
    visitor._say(wire_client.follow(2))
    assert all(news["who"] is None for news in told(ben, "following"))
    assert not told(ben, "followers") and not told(visitor, "following")


async def test_people_in_two_processes_follow_one_another(journal: MemoryJournal, executor: ThreadPoolExecutor) -> None:
    here, there = Linked("here"), Linked("there")
    one = Room(journal, journal.people, here, executor)
    two = Room(journal, journal.people, there, executor)
    here.other, there.other = two, one
    await one.start()
    await two.start()
    anna, ben = joined(journal, one, 1), joined(journal, two, 2)
    one.publisher.publish(one.together.heartbeat())
    await until(lambda: two.together._people(two.clock()) == [{"id": who, "name": f"person{who}"} for who in (1, 2)])
    ben._say(wire_client.follow(1))
    await until(lambda: told(anna, "followers") and told(anna, "followers")[-1]["followers"])
    anna._say(wire_client.view(3, 4, 5, 6))
    await until(lambda: told(ben, "view"))
    anna._say(wire_client.react(2, 2, 1))
    await until(lambda: told(ben, "reaction"))
    anna._say(wire_client.dismiss())
    await until(lambda: told(ben, "following")[-1]["why"] == "ended")
    await until(lambda: told(anna, "followers")[-1]["followers"] == [])
    # Who was sent away comes in through the other process, and stays away.
    again = joined(journal, one, 2)
    again._say(wire_client.follow(1))
    assert told(again, "following")[-1]["why"] == "ended"
    again.drop()
    # A process that is killed says nothing more: its followers are forgotten.
    two.together._dismissed.clear()
    ben._say(wire_client.follow(1))
    await until(lambda: told(anna, "followers")[-1]["followers"])
    later = one.clock() + 10 * limits.PEOPLE_SECONDS
    there.other = None
    one.clock = lambda: later
    one.together.tidy()
    assert told(anna, "followers")[-1]["followers"] == []
    await one.stop()
    await two.stop()


async def test_nothing_is_kept_of_those_who_are_gone(journal: MemoryJournal, room: Room) -> None:
    now = 1000.0
    room.clock = lambda: now
    for person in range(1, 6):
        browser = joined(journal, room, person)
        browser._say(wire_client.who())
        browser._say(wire_client.react(1, 1, 0))
        browser._say(wire_client.follow(person - 1))
        browser._say(wire_client.view(1, 1, 1, 1))
        browser.drop()
    now += 3600
    room.together.tidy()
    kept = room.together
    paces = kept._marks, kept._addresses, kept._lists, kept._follows, kept._dismissals, kept._views
    assert not kept._told and not kept._dismissed and not kept._following
    assert [len(one) for one in paces] == [0] * 6
