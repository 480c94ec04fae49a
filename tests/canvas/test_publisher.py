"""What a room tells other processes: in order, and never in anybody's way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from canvas import limits
from canvas.publisher import Publisher
from tests.canvas.test_room import until


class Layer:
    """Takes messages; while `hangs` it never answers, while `fails` it refuses them."""

    def __init__(self) -> None:
        self.took: list[int] = []
        self.attempts = 0
        self.hangs = self.fails = False

    async def publish(self, message: dict[str, Any]) -> None:
        self.attempts += 1
        if self.hangs:
            await asyncio.Event().wait()
        if self.fails:
            raise ConnectionError("no layer")
        self.took.append(message["number"])


@pytest.fixture
async def layer() -> Layer:
    return Layer()


@pytest.fixture
async def publisher(layer: Layer) -> AsyncIterator[Publisher]:
    here = Publisher(layer)
    running = asyncio.create_task(here.run())
    yield here
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert running.cancelled(), "it ends with its room"


async def test_messages_go_out_in_order(layer: Layer, publisher: Publisher) -> None:
    for number in range(50):
        publisher.publish({"number": number})
    await until(lambda: len(layer.took) == 50)
    assert layer.took == list(range(50))


@pytest.mark.parametrize("fault", ["hangs", "fails"])
async def test_a_layer_that_is_gone_is_given_nothing_old_when_it_is_back(
    layer: Layer, publisher: Publisher, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "LAYER_SECONDS", 0.05)
    setattr(layer, fault, True)
    for number in range(5):
        publisher.publish({"number": number})
    await until(lambda: layer.attempts == 1 and not publisher._outgoing)
    setattr(layer, fault, False)
    publisher.publish({"number": 9})
    await until(lambda: layer.took)
    assert layer.took == [9], "the others' polls have found the rest by then"


async def test_it_keeps_no_more_than_it_may(layer: Layer) -> None:
    publisher = Publisher(layer)  # that nobody runs
    for number in range(10 * limits.LAYER_MESSAGES):
        publisher.publish({"number": number})
    assert len(publisher._outgoing) == limits.LAYER_MESSAGES
