"""Tells every web process that something about a canvas or a person has changed. From synchronous code.

Inside a transaction it goes out after the commit, when others can see what it is about; outside of one, at once. It is
news only: where the layer does not take it, nobody waits, for a while it is not tried again, and the rooms find by
their poll what has changed.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterable
from typing import Any

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.db import connection, transaction

from canvas import limits

log = logging.getLogger(__name__)

EVERYWHERE = "canvases"  # the layer's group of all rooms
QUIET_SECONDS = 10.0

_quiet_until = 0.0


def group(slug: str) -> str:
    """The layer's group of a canvas' rooms, one in each web process."""
    return f"canvas.{slug}"


def envelope(sender: str, news: dict[str, Any]) -> dict[str, Any]:
    """A message of the layer. Its type names a handler of Channels, which rooms do not have; ours travels inside."""
    return {"type": "news", "from": sender, "news": news}


def look(slug: str) -> None:
    """Rooms look at the canvas now instead of at their next poll: another base, other rules, the dream's progress."""
    _send(group(slug), {"type": "look"})


def look_everywhere() -> None:
    """As `look`, for all canvases."""
    _send(EVERYWHERE, {"type": "look"})


def recheck(users: Iterable[int]) -> None:
    """Rooms read these people's status, sessions and accounts again.

    Whose session has ended is closed with SIGNED_OUT, who may not be here with FORBIDDEN. Where the message is lost,
    that happens at the latest after limits.RECHECK_SECONDS.
    """
    _send(EVERYWHERE, {"type": "recheck", "users": sorted(users)})


def request_cover(slug: str, request: dict[str, Any]) -> None:
    """The trusted people at a canvas are shown a region that somebody asks to cover."""
    _send(group(slug), {"type": "cover", "request": request})


def _send(to: str, news: dict[str, Any]) -> None:
    if connection.in_atomic_block:
        transaction.on_commit(lambda: _send_now(to, news))
    else:
        _send_now(to, news)


def _send_now(to: str, news: dict[str, Any]) -> None:
    global _quiet_until
    if time.monotonic() < _quiet_until:
        return

    async def send() -> None:
        layer = get_channel_layer()
        assert layer is not None  # the settings name one
        async with asyncio.timeout(limits.LAYER_SECONDS):
            await layer.group_send(to, envelope("", news))

    try:
        async_to_sync(send)()
    except Exception as error:
        _quiet_until = time.monotonic() + QUIET_SECONDS
        log.warning("The channel layer did not take the news: %s", str(error) or type(error).__name__)
