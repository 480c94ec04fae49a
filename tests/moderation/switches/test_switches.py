"""Each switch acts, is in the log, and can be turned back from there, and forth again."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from canvas import frames
from canvas.models import Canvas, Dream, Frame, Region, Rules
from canvas.moderation import undo
from canvas.moderation.models import Act
from canvas.moderation.switches import services as switches
from dreamsite.core.errors import InvalidRequest
from dreamsite.core.models import User

STYLE = {"model": "house", "layer": "b4", "channel": 3, "title": "Eyes"}


@pytest.mark.parametrize(
    ("name", "value", "verb"),
    [
        ("frozen", {"on": True, "why": "A moment, please."}, "freeze"),
        ("slow", 4, "slow"),
        ("newcomers", 1_700_000_000_000, "newcomers"),
        ("members_only", True, "members-only"),
        ("reactions", False, "marks-off"),
        ("paused", True, "pause-dream"),
        ("style", "next", "next-style"),
        ("style", STYLE, "this-style"),
    ],
)
def test_a_switch_is_turned_and_turned_back(
    canvas: Canvas, moderator: User, client: Client, name: str, value: Any, verb: str
) -> None:
    client.force_login(moderator)
    before = switches.state(canvas)
    answer = client.post(
        "/c/here/moderation/switch", json.dumps({"switch": name, "value": value, "why": "so"}), "application/json"
    )
    after = answer.json()["state"]
    assert answer.status_code == 200 and after != before
    act = Act.objects.get(verb=verb)
    assert (act.by, act.why, act.canvas) == (moderator, "so", canvas)
    (undone,) = undo.undo(act, moderator)
    assert switches.state(canvas) == before
    undo.undo(undone, moderator)
    assert switches.state(canvas) == after


def test_of_two_who_take_an_act_back_at_once_one_does(
    canvas: Canvas, moderator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    act = switches.turn(canvas, "slow", 3, moderator)
    undo.undo(act, moderator)
    switches.turn(canvas, "slow", 5, moderator)
    monkeypatch.setattr(undo, "can_undo", lambda act: True)  # as the other saw it a moment before
    with pytest.raises(InvalidRequest, match="just taken this back"):
        undo.undo(act, moderator)
    assert switches.state(canvas)["slow"] == 5


def test_what_the_switches_say_is_what_rooms_and_dreamers_read(canvas: Canvas, moderator: User) -> None:
    switches.turn(canvas, "frozen", {"on": True, "why": "Wait."}, moderator)
    switches.turn(canvas, "slow", 3, moderator)
    switches.turn(canvas, "style", STYLE, moderator)
    rules, dream = Rules.objects.get(canvas=canvas), Dream.objects.get(canvas=canvas)
    assert (rules.frozen, rules.frozen_why, rules.slow) == (True, "Wait.", 3)
    assert dream.style_wanted and dream.style_named == STYLE


def test_a_region_is_locked_opened_and_locked_again(canvas: Canvas, moderator: User) -> None:
    act = switches.turn(canvas, "region", {"rect": [10, 10, 100, 20], "minutes": 5, "why": "Wet paint."}, moderator)
    region = Region.objects.in_force().get()
    assert (region.x, region.y, region.width, region.height) == (10, 10, 54, 20)  # cut to the canvas
    (undone,) = undo.undo(act, moderator)
    assert not Region.objects.in_force().exists()
    undo.undo(undone, moderator)
    assert Region.objects.in_force().get() == region
    switches.turn(canvas, "region", {"id": region.pk}, moderator)
    assert not Region.objects.in_force().exists()
    assert Act.objects.filter(verb="unlock-region").exists()


def test_the_newest_frame_is_hidden_and_comes_back_as_it_was(canvas: Canvas, moderator: User) -> None:
    first, second = (
        frames.keep(
            frames.NewFrame(canvas, frames.encode(frames.compose(canvas).pixels // n, "checkpoint"), "checkpoint", 0)
        )
        for n in (1, 2)
    )
    act = switches.turn(canvas, "frame", "newest", moderator)
    canvas.refresh_from_db()
    assert canvas.frame == first and Frame.objects.get(pk=second.pk).hidden_at
    undo.undo(act, moderator)
    canvas.refresh_from_db()
    assert canvas.frame == second and not Frame.objects.get(pk=second.pk).hidden_at
    assert (frames.compose(canvas).pixels == 127).all()


def test_a_hidden_frame_stays_history_where_a_newer_one_was_kept(canvas: Canvas, moderator: User) -> None:
    white = frames.compose(canvas).pixels
    for n in (1, 2):
        frames.keep(frames.NewFrame(canvas, frames.encode(white // n, "checkpoint"), "checkpoint", 0))
    act = switches.turn(canvas, "frame", "newest", moderator)
    newer = frames.keep(frames.NewFrame(canvas, frames.encode(white // 3, "checkpoint"), "checkpoint", 0))
    undo.undo(act, moderator)
    canvas.refresh_from_db()
    assert canvas.frame == newer and not Frame.objects.exclude(hidden_at=None).exists()


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("fire", True, "no switch 'fire'"),
        ("slow", 0, "expected 1"),
        ("slow", 1000, "expected 1"),
        ("region", {"rect": [900, 0, 5, 5]}, "outside"),
        ("region", {"id": 12345}, "open already"),
        ("style", {"title": "half"}, "style"),
        ("frame", "newest", "no such frame"),
    ],
)
def test_what_cannot_be_turned_says_why(canvas: Canvas, moderator: User, name: str, value: Any, message: str) -> None:
    with pytest.raises(InvalidRequest, match=message):
        switches.turn(canvas, name, value, moderator)
    assert not Act.objects.exists()
