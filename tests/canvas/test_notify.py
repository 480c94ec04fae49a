"""Word to every web process: after the commit, and never in the way of whoever has it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from channels.layers import InMemoryChannelLayer
from django.db import transaction

from canvas import limits, notify


class Layer(InMemoryChannelLayer):
    """Writes down what it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[tuple[str, dict[str, Any]]] = []

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        self.sent.append((group, message["news"]))


@pytest.fixture
def layer(monkeypatch: pytest.MonkeyPatch) -> Layer:
    found = Layer()
    monkeypatch.setattr(notify, "get_channel_layer", lambda: found)
    monkeypatch.setattr(notify, "_quiet_until", 0.0)
    return found


def test_what_is_said_to_whom(layer: Layer) -> None:
    notify.look("here")
    notify.look_everywhere()
    notify.recheck({3, 1})
    notify.request_cover("here", {"x": 1})
    assert layer.sent == [
        ("canvas.here", {"type": "look"}),
        ("canvases", {"type": "look"}),
        ("canvases", {"type": "recheck", "users": [1, 3]}),
        ("canvas.here", {"type": "cover", "request": {"x": 1}}),
    ]


@pytest.mark.django_db(transaction=True)
def test_inside_a_transaction_it_waits_for_the_commit(layer: Layer) -> None:
    with transaction.atomic():
        with transaction.atomic():
            notify.look("here")
        assert not layer.sent
    assert layer.sent == [("canvas.here", {"type": "look"})]
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        notify.look("there")
        _ = 1 / 0
    assert len(layer.sent) == 1, "what was rolled back is no news"


def test_a_layer_that_never_answers_does_not_hold_who_has_news(layer: Layer, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    async def hang(group: str, message: dict[str, Any]) -> None:
        calls.append(group)
        await asyncio.Event().wait()

    monkeypatch.setattr(layer, "group_send", hang)
    monkeypatch.setattr(limits, "LAYER_SECONDS", 0.05)
    notify.look("here")
    notify.look("here")
    assert calls == ["canvas.here"], "for a while it is not asked again"
