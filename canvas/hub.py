"""One hub in each process: its rooms, their one thread to the database, and a subscription to the layer for each."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import secrets
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from channels.db import database_sync_to_async
from channels.layers import BaseChannelLayer, get_channel_layer
from django.conf import settings

from canvas import connections, limits, metrics, notify, people
from canvas.journal import DatabaseJournal, Found, find
from canvas.member import Member
from canvas.people import DatabasePeople
from canvas.room import Room
from canvas.wire import CloseCode

log = logging.getLogger(__name__)

PROCESS = secrets.token_hex(8)
EMPTY_SECONDS = 20.0  # a room outlives its last socket by this, for those who reload the page

UNKNOWN_SECONDS, UNKNOWN_MOST = 5.0, 1_000  # how long a name that no canvas has is remembered, and how many


class CanvasLayer:
    """canvas.ports.Layer over Channels: one message a tick between processes, whatever the number of sockets."""

    def __init__(self, slug: str) -> None:
        self._group = notify.group(slug)

    async def publish(self, message: dict[str, Any]) -> None:
        await _layer().group_send(self._group, notify.envelope(PROCESS, message))

    async def listen(self, room: Room) -> None:
        while True:
            layer = _layer()
            try:
                channel = await layer.new_channel()
                await layer.group_add(self._group, channel)
                await layer.group_add(notify.EVERYWHERE, channel)
                try:
                    while True:
                        message = await layer.receive(channel)
                        if message["from"] != PROCESS:
                            await self._deliver(message, room)
                finally:
                    for group in (self._group, notify.EVERYWHERE):
                        with contextlib.suppress(Exception):
                            await layer.group_discard(group, channel)
            except Exception as error:
                log.warning("The channel layer is out of reach, looking again in a second: %s", error)
                await asyncio.sleep(1)

    @staticmethod
    async def _deliver(message: dict[str, Any], room: Room) -> None:
        try:
            await room.receive_news(message["news"] | {"from": message["from"]})
        except Exception:
            log.exception("News of another process could not be used; the poll finds what it was about.")


class NoRoomLeft(Exception):
    """This process, or this address, has as many rooms open as it may."""


@dataclass(frozen=True)
class OpenRoom:
    """A room with what belongs to it. A thread for each canvas: neither page views nor other canvases hold its ink.

    A thread is a connection to the database too. Canvases that were closed when they were opened share one.
    """

    room: Room
    listening: asyncio.Task[None]
    thread: ThreadPoolExecutor
    canvas: Found
    opened_by: str  # an address


class Hub:
    """The rooms of this process, by slug. Lives on one event loop."""

    def __init__(self) -> None:
        self._open: dict[str, OpenRoom] = {}
        self._unknown: dict[str, float] = {}  # names that no canvas has -> until when nobody asks again
        self._telling: asyncio.Task[None] | None = None
        self._closing: set[asyncio.Future[None]] = set()
        self.leaving = False  # the process ends: nobody comes in any more
        metrics.VIEWERS.set_function(lambda: sum(len(room.members) for room in self.rooms()))
        metrics.WAITING.set_function(lambda: sum(room.waiting for room in self.rooms()))
        metrics.TROUBLE.set_function(lambda: sum(room.trouble is not None for room in self.rooms()))

    def rooms(self) -> list[Room]:
        return [held.room for held in list(self._open.values())]

    async def _tell_people(self) -> None:
        """Says for the list of canvases how many people are at each, while there are rooms."""
        while self._open:
            counts = {slug: held.room.people() for slug, held in list(self._open.items())}
            try:
                await asyncio.to_thread(people.tell_counts, counts)
            except Exception as error:
                log.warning("How many people are at the canvases could not be told: %s", error)
            await asyncio.sleep(people.COUNT_SECONDS)

    async def leave(self) -> None:
        """Sends every socket to another process, a few at a time, and returns when what they drew is written."""
        self.leaving = True
        members = [member for room in self.rooms() for member in room.members]
        random.shuffle(members)
        pause = min(1 / limits.LEAVE_RATE, limits.LEAVE_SECONDS / max(len(members), 1))
        for member in members:
            member.close(CloseCode.RESTARTING)
            await asyncio.sleep(pause)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(limits.WRITING_SECONDS):
                while any(room.waiting or room.members for room in self.rooms()):
                    await asyncio.sleep(limits.TICK)
        for slug, held in list(self._open.items()):
            await self._close(slug, held.room)

    async def room(self, slug: str, address: str = "") -> Room | None:
        """The canvas' room, ready; None where no canvas has this name. Raises NoRoomLeft.

        `address`: where whoever asks comes from.
        """
        if slug not in self._open:
            if time.monotonic() < self._unknown.get(slug, 0.0):
                return None
            found = await database_sync_to_async(find)(slug)
            if found is None:
                if len(self._unknown) >= UNKNOWN_MOST:
                    self._unknown.clear()
                self._unknown[slug] = time.monotonic() + UNKNOWN_SECONDS
                return None
            if slug not in self._open:  # another socket may have been faster
                self._check_bounds(found, address)
                layer, thread = CanvasLayer(slug), self._thread(slug, found)
                room = Room(DatabaseJournal(found.id), DatabasePeople(), layer, thread)
                listening = asyncio.create_task(layer.listen(room))
                self._open[slug] = OpenRoom(room, listening, thread, found, address)
        room = self._open[slug].room
        try:
            await room.start()
        except Exception:
            await self._close(slug, room)
            raise
        if room.state.canvas.get("slug", slug) != slug:  # it was opened under an address that it no longer has
            self._close_later(slug, room)
            return None
        if self._telling is None or self._telling.done():
            self._telling = asyncio.create_task(self._tell_people())
        self._close_later(slug, room)  # whoever asked may be gone by now
        return room

    def _check_bounds(self, canvas: Found, address: str) -> None:
        """The site's own canvases always get a room. Others must leave the database connections for everything else."""
        if canvas.own:
            return
        others = [held for held in self._open.values() if not held.canvas.own]
        if sum(held.canvas.closed == canvas.closed for held in others) >= settings.ROOMS:
            raise NoRoomLeft(f"{settings.ROOMS} rooms are open in this process (the setting ROOMS)")
        if address and sum(held.opened_by == address for held in others) >= limits.ROOMS_PER_ADDRESS:
            raise NoRoomLeft(f"one address has opened {limits.ROOMS_PER_ADDRESS} rooms in this process")

    def _thread(self, slug: str, canvas: Found) -> ThreadPoolExecutor:
        shared = (held.thread for held in self._open.values() if held.canvas.closed and canvas.closed)
        # The pool has eight connections, and pages need them: as many open rooms would leave none.
        return next(shared, None) or ThreadPoolExecutor(
            1, "journal-closed" if canvas.closed else f"journal-{slug}", initializer=connections.bypass_pool
        )

    def left(self, slug: str, room: Room, member: Member) -> None:
        try:
            room.leave(member)
        finally:  # or its connection to the database would stay for good
            self._close_later(slug, room)

    def _close_later(self, slug: str, room: Room) -> None:
        if not room.members:
            asyncio.get_running_loop().call_later(EMPTY_SECONDS, self._maybe_close, slug, room)

    def _maybe_close(self, slug: str, room: Room) -> None:
        if not room.members:
            closing = asyncio.ensure_future(self._close(slug, room))
            self._closing.add(closing)  # or it might be collected
            closing.add_done_callback(self._closing.discard)

    async def _close(self, slug: str, room: Room) -> None:
        held = self._open.get(slug)
        if held and held.room is room:
            del self._open[slug]
            shared = any(other.thread is held.thread for other in self._open.values())
            held.listening.cancel()
            await room.stop()
            if not shared:
                held.thread.submit(connections.close)
                held.thread.shutdown(wait=False)


def _layer() -> BaseChannelLayer:
    layer = get_channel_layer()
    assert layer is not None  # the settings name one
    return layer


hub = Hub()
