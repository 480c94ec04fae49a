"""One hub in each process: its rooms, their one thread to the database, and a subscription to the layer for each."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from asgiref.sync import async_to_sync
from channels.layers import BaseChannelLayer, get_channel_layer

from canvas import limits
from canvas.journal import DatabaseJournal
from canvas.member import Member
from canvas.models import Canvas
from canvas.room import Room

log = logging.getLogger(__name__)

PROCESS = secrets.token_hex(8)
EMPTY_SECONDS = 20.0  # a room outlives its last socket by this, for those who reload the page

QUIET_SECONDS = 10.0
_quiet_until = 0.0

# Not asgiref's thread: there every page view would hold up the ink.
_executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="journal")


class CanvasLayer:
    """canvas.room.Layer over Channels: one message a tick between processes, whatever the number of sockets."""

    def __init__(self, slug: str) -> None:
        self._group = group_name(slug)

    async def publish(self, message: dict[str, Any]) -> None:
        # The layer's message type names a handler, which we do not use; ours travels inside.
        await _layer().group_send(self._group, {"type": "news", "from": PROCESS, "news": message})

    async def listen(self, room: Room) -> None:
        while True:
            layer = _layer()
            try:
                channel = await layer.new_channel()
                await layer.group_add(self._group, channel)
                try:
                    while True:
                        message = await layer.receive(channel)
                        if message["from"] != PROCESS:
                            await room.hear(message["news"] | {"from": message["from"]})
                finally:
                    with contextlib.suppress(Exception):
                        await layer.group_discard(self._group, channel)
            except Exception as error:
                log.warning("The channel layer is out of reach, looking again in a second: %s", error)
                await asyncio.sleep(1)


class Hub:
    """The rooms of this process, by slug. Lives on one event loop."""

    def __init__(self) -> None:
        self._rooms: dict[str, tuple[Room, asyncio.Task[None]]] = {}

    async def room(self, slug: str) -> Room | None:
        """The canvas' room, ready; None where no canvas has this name."""
        if slug not in self._rooms:
            canvas_id = await asyncio.get_running_loop().run_in_executor(_executor, _canvas_id, slug)
            if canvas_id is None:
                return None
            if slug not in self._rooms:  # another socket may have been faster
                layer = CanvasLayer(slug)
                room = Room(DatabaseJournal(canvas_id), layer, _executor)
                self._rooms[slug] = (room, asyncio.create_task(layer.listen(room)))
        room = self._rooms[slug][0]
        try:
            await room.start()
        except Exception:
            await self._close(slug, room)
            raise
        return room

    def left(self, slug: str, room: Room, member: Member) -> None:
        room.leave(member)
        if not room.members:
            asyncio.get_running_loop().call_later(EMPTY_SECONDS, self._maybe_close, slug, room)

    def _maybe_close(self, slug: str, room: Room) -> None:
        if not room.members and self._rooms.get(slug, (None,))[0] is room:
            asyncio.ensure_future(self._close(slug, room))

    async def _close(self, slug: str, room: Room) -> None:
        held = self._rooms.get(slug)
        if held and held[0] is room:
            del self._rooms[slug]
            held[1].cancel()
            await room.stop()


def _canvas_id(slug: str) -> int | None:
    return Canvas.objects.filter(slug=slug).values_list("pk", flat=True).first()


def _layer() -> BaseChannelLayer:
    layer = get_channel_layer()
    assert layer is not None  # the settings name one
    return layer


def group_name(slug: str) -> str:
    return f"canvas.{slug}"


def look(slug: str) -> None:
    """Tells every web process to look at the canvas now instead of at its next poll. From synchronous code.

    News only: where the layer does not take it, nobody waits, and for a while it is not asked again.
    """
    global _quiet_until
    if time.monotonic() < _quiet_until:
        return
    message = {"type": "news", "from": PROCESS + "-look", "news": {"type": "look"}}

    async def send() -> None:
        async with asyncio.timeout(limits.LAYER_SECONDS):
            await _layer().group_send(group_name(slug), message)

    try:
        async_to_sync(send)()
    except Exception as error:
        _quiet_until = time.monotonic() + QUIET_SECONDS
        log.warning("The channel layer did not take the news: %s", str(error) or type(error).__name__)


hub = Hub()
