"""What a room tells the other processes, beside its tick."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from typing import Any

from canvas import limits
from canvas.ports import Layer

log = logging.getLogger(__name__)

AGAIN_SECONDS = 1.0  # a layer that took nothing is left alone for so long: ink would ask it thirty times a second


class Publisher:
    """Hands messages to the layer one after another. A layer that hangs holds nobody, and what is lost is only news."""

    def __init__(self, layer: Layer) -> None:
        self._layer = layer
        self._outgoing: deque[dict[str, Any]] = deque(maxlen=limits.LAYER_MESSAGES)
        self._wake = asyncio.Event()

    def publish(self, message: dict[str, Any]) -> None:
        self._outgoing.append(message)
        self._wake.set()

    async def run(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._outgoing:
                try:
                    async with asyncio.timeout(limits.LAYER_SECONDS):  # wait_for may swallow the room's end
                        await self._layer.publish(self._outgoing.popleft())
                except Exception as error:
                    self._outgoing.clear()
                    log.warning("The channel layer did not take the news: %s", str(error) or type(error).__name__)
                    await asyncio.sleep(AGAIN_SECONDS)
