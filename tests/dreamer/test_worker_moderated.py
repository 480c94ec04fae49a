"""The dreamer under a moderator's hand: a style that was chosen, and a dream whose ink is taken out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from canvas.brush import Pixels
from canvas.models import Canvas, Dream, Frame, Stroke
from canvas.moderation.rollback import services as rollback
from canvas.moderation.rollback.plans import RollbackRequest
from canvas.moderation.rollback.selection import Selection
from canvas.moderation.switches import services as switches
from dreamer import worker
from dreamer.engine import Cancelled, Progress
from dreamer.worker import Dreamer
from dreamsite.core.models import User
from tests.dreamer.test_worker import board, canvas, dreamer, due, model, negatives

__all__ = ["canvas", "dreamer", "model", "negatives"]


def test_the_chosen_style_comes_next_and_once(
    canvas: Canvas, model: Path, dreamer: Dreamer, negatives: list[Pixels], django_user_model: Any
) -> None:
    watch = User.objects.create(username="watch")
    due(dreamer)
    layer = board().style["layer"]
    chosen = {"model": "tiny", "layer": layer, "channel": 1, "title": "What the moderator wants"}
    switches.turn(canvas, "style", chosen, watch)
    due(dreamer)
    assert (
        board().style == {**chosen, "chosen": {"by": "moderator"}}
        and not board().style_wanted
        and board().style_named is None
    )
    assert Frame.objects.first().title == "What the moderator wants"


@pytest.mark.parametrize("wrong", [{"model": "another"}, {"layer": "nowhere"}, {"channel": 10**6}])
def test_a_style_that_the_network_lacks_becomes_any_other(
    canvas: Canvas, model: Path, dreamer: Dreamer, negatives: list[Pixels], wrong: dict[str, Any]
) -> None:
    due(dreamer)
    known = {"model": "tiny", "layer": board().style["layer"], "channel": 0, "title": "X"}
    Dream.objects.update(style_wanted=True, style_named={**known, **wrong})
    dreamer.look()
    assert board().style["title"] != "X" and board().style_named is None and not board().style_wanted


def test_a_dream_whose_ink_is_taken_out_is_dropped_at_its_next_word_and_begins_again(
    canvas: Canvas, model: Path, dreamer: Dreamer, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch = User.objects.create(username="watch")
    seen: list[Pixels] = []

    def dream(pixels: Pixels, *args: Any, progress: Any, cancelled: Any, **options: Any) -> Pixels:
        seen.append(pixels.copy())
        if len(seen) == 1:
            rollback.apply(canvas, RollbackRequest(Selection(people=(1,))), watch)
        progress(
            Progress(octave=1, octaves=2, iteration=1, iterations=2, tile=1, tiles=1, fraction=0.5, seconds_left=None)
        )
        if cancelled():
            raise Cancelled("asked to stop")
        return pixels

    monkeypatch.setattr(worker, "dream", dream)
    due(dreamer)
    assert not Frame.objects.exists() and len(seen) == 1
    dreamer.look()  # at once, not when the next is due
    assert Frame.objects.count() == 1
    assert (seen[0] == 0).any() and (seen[1] == 255).all()


def test_strokes_are_indexed_after_a_dream(
    canvas: Canvas, model: Path, dreamer: Dreamer, negatives: list[Pixels]
) -> None:
    due(dreamer)
    assert Stroke.objects.filter(canvas=canvas).count() == 1
