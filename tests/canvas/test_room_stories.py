"""Stories of a room: whatever people, sockets, dreams and the database do, everybody ends with the same canvas."""

from __future__ import annotations

import asyncio
import random

import numpy as np
import pytest

from canvas import limits, wire
from canvas.room import Room
from tests import wire_client
from tests.canvas.memory import MemoryJournal, Processes
from tests.canvas.test_room import executor, joined, stroke, until


async def one_story(seed: int) -> None:
    """Some people in two processes draw, undo, lose their sockets and come back, while dreams land and writes fail."""
    chance, journal = random.Random(seed), MemoryJournal()
    world = Processes(chance)
    rooms = []
    for _ in range(chance.choice([1, 2])):
        layer = world.layer()
        layer.room = room = Room(journal, journal.people, layer, executor)
        world.rooms.append(room)
        await room.start()
        rooms.append(room)
    browsers = [joined(journal, chance.choice(rooms), person) for person in (1, 2, None)]
    drawn: dict[int, list[int]] = {1: [], 2: []}
    for _ in range(chance.randint(4, 14)):
        browser = chance.choice(browsers)
        match chance.choices(["draw", "undo", "drop", "frame", "fail", "twice", "wait"], [8, 2, 3, 2, 1, 2, 3])[0]:
            case "draw" if browser.person:
                cut = stroke(chance)
                drawn[browser.person.id].append(cut[0].stroke_id)
                for piece in cut:
                    browser.put(piece)
            case "undo" if browser.person and drawn[browser.person.id]:
                browser.put(wire.Undo(chance.choice(drawn[browser.person.id])))
            case "drop":
                browser.drop()
                if chance.random() < 0.5:
                    await asyncio.sleep(0.02)
                browser.connect(chance.choice(rooms))
            case "frame":
                journal.land_frame()
            case "fail":
                journal.fail.append(chance.choice(["before", "after"]))
            case "twice":
                for op in browser.pending[:]:
                    browser._say(wire_client.ink([op]))
            case "wait":
                await asyncio.sleep(chance.random() * 0.05)
    newcomer = joined(journal, chance.choice(rooms), None)
    everybody = [*browsers, newcomer]
    journal.fail = []
    await until(
        lambda: all(
            not browser.pending and browser.head == journal.head and browser.frame == journal.frame
            for browser in everybody
        ),
    )
    truth = journal.canvas()
    for browser in everybody:
        assert browser.closed is None, f"story {seed}: closed with {browser.closed}"
        assert np.array_equal(browser.canvas(), truth), f"story {seed}: {browser.person} sees something else"
    written = [(op.author, op.stroke_id, op.piece) for _, op in journal.operations() if isinstance(op, wire.Stroke)]
    assert len(written) == len(set(written)), f"story {seed}: a piece was written twice"
    assert [number for number, _ in journal.operations()] == list(range(1, journal.head + 1))
    for room in rooms:
        await room.stop()


@pytest.mark.slow
async def test_hundreds_of_stories_end_with_the_same_canvas_for_everybody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "POLL", 0.1)
    monkeypatch.setattr(limits, "MARK_SECONDS", 0.2)
    for first in range(0, 300, 100):  # a hundred at a time: they mostly wait for ticks
        await asyncio.gather(*(one_story(seed) for seed in range(first, first + 100)))
