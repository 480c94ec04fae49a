"""Which canvases a dreamer looks at, and when: after the project's end, members' own, and many in their rhythm."""

from __future__ import annotations

import itertools
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from canvas import frames, journal, lease
from canvas.brush import Pixels
from canvas.models import Canvas, Dream, Frame
from dreamer import worker
from dreamer.worker import Dreamer
from dreamsite.core.models import SiteState, User
from tests.dreamer import nets
from tests.dreamer.test_worker import board, broken, canvas, dot, dreamer, due, in_seconds, model, negatives

__all__ = ["canvas", "dreamer", "model", "negatives"]


# --- the project's end -----------------------------------------------------------------------------------------------


def test_after_the_end_it_dreams_once_more_and_stops(
    canvas: Canvas, model: Path, dreamer: Dreamer, negatives: list[Pixels]
) -> None:
    dreamer.look()
    assert not negatives, "the next dream is far"
    SiteState.end(timezone.now())
    dreamer.look()
    assert len(negatives) == 1 and Frame.objects.get().seq == 1, "at once, whenever one was due"
    due(dreamer)
    dreamer.look()
    assert len(negatives) == 1 and board().state == "resting"
    SiteState.end(None)
    due(dreamer)
    assert len(negatives) > 1, "opened again it goes on"


@pytest.mark.parametrize("hindrance", ["no network", "paused", "failing"])
def test_where_it_cannot_dream_the_last_frame_is_the_drawing(
    canvas: Canvas, dreamer: Dreamer, settings: Any, monkeypatch: pytest.MonkeyPatch, hindrance: str
) -> None:
    if hindrance != "no network":
        nets.register_tiny(settings.MODELS_DIR)
    monkeypatch.setattr(worker, "dream", broken)
    dreamer.look()
    Dream.objects.update(paused=hindrance == "paused")
    SiteState.end(timezone.now())
    for _ in range(5):
        Dream.objects.update(next_at=timezone.now() - timedelta(seconds=1))
        dreamer.look()
    frame = Frame.objects.get()
    assert (frame.kind, frame.seq) == ("checkpoint", 1) and board().state == "resting"


def test_an_end_with_nothing_new_makes_no_frame(
    canvas: Canvas, model: Path, dreamer: Dreamer, negatives: list[Pixels]
) -> None:
    due(dreamer)
    SiteState.end(timezone.now())
    for _ in range(3):
        due(dreamer)
    assert Frame.objects.count() == 1 and len(negatives) == 1


def test_a_closed_canvas_gets_its_last_frame_and_costs_nothing_then(
    canvas: Canvas, model: Path, dreamer: Dreamer, negatives: list[Pixels]
) -> None:
    dreamer.look()
    Canvas.objects.filter(pk=canvas.pk).update(closed_at=timezone.now())
    dreamer.look()
    assert Frame.objects.get().seq == 1 and len(negatives) == 1
    due(dreamer)
    assert board().state == "resting" and len(negatives) == 1
    with CaptureQueriesContext(connection) as queries:
        dreamer.look()
    assert len(queries) == 1 and not dreamer._networks.opened, "no network stays in memory for it"


def test_a_members_canvas_costs_nothing_before_its_first_ink(
    db: None, canvas: Canvas, model: Path, dreamer: Dreamer, settings: Any
) -> None:
    settings.DREAM_SEEDS_AFTER = 1
    Canvas.objects.filter(pk=canvas.pk).delete()
    maker = User.objects.create_user("ada")
    long_ago = timezone.now() - timedelta(days=1)
    own = Canvas.objects.create(slug="own", title="Own", width=64, height=64, maker=maker, created_at=long_ago)
    with CaptureQueriesContext(connection) as queries:
        dreamer.look()
    assert len(queries) == 1 and not dreamer._networks.opened and not Dream.objects.exists()
    assert journal.DatabaseJournal(own.pk).state().dream["state"] == "resting"
    journal.append(own, [dot(1)])
    due(dreamer)
    assert Frame.objects.get().canvas == own


def test_what_members_made_costs_nothing_while_it_rests_and_ink_wakes_it(
    canvas: Canvas, model: Path, dreamer: Dreamer, negatives: list[Pixels], settings: Any
) -> None:
    """However many there are: no look, no lease, no renewal. Those who watch are told that it rests, not that it lacks
    a dreamer. Left behind by whoever made it, it is a member's all the same."""
    settings.DREAM_IDLE_LIMIT = 1
    Canvas.objects.update(maker=User.objects.create_user("ada"), by_member=True)
    others = [Canvas.objects.create(slug=f"own{n}", title="Own", width=64, height=64, by_member=True) for n in range(2)]
    for one in others:
        journal.append(one, [dot(1)])
    for _ in range(3):
        due(dreamer)
    assert Frame.objects.count() == 6

    def asleep(count: int) -> None:
        resting = Dream.objects.filter(state="resting", holder="", expires_at=None)
        assert resting.count() == count and lease.renew(dreamer.holder) == 3 - count

    def news() -> str:
        return str(journal.DatabaseJournal(canvas.pk).state().dream["state"])

    asleep(3)
    with CaptureQueriesContext(connection) as queries:
        dreamer.look()
    assert len(queries) == 1 and news() == "resting"
    Dream.objects.filter(canvas=canvas).update(style_wanted=True)
    dreamer.look()
    assert Dream.objects.get(canvas=canvas).style_wanted is False
    asleep(3)
    Dream.objects.filter(canvas=canvas).update(paused=True)
    dreamer.look()
    assert Dream.objects.get(canvas=canvas).state == "paused"
    Dream.objects.filter(canvas=canvas).update(paused=False)
    dreamer.look()
    dreamer.look()
    asleep(3)

    journal.append(canvas, [dot(2)])
    assert news() == "away", "until a dreamer has seen it"
    dreamer.look()
    asleep(2)
    row = Dream.objects.get(canvas=canvas)
    assert row.state == "waiting" and in_seconds(row) > 0.9 * canvas.interval, "not in the middle of the first stroke"
    due(dreamer)
    newest = Frame.objects.order_by("-pk")[0]
    assert (newest.canvas_id, newest.seq) == (canvas.pk, 2)
    for _ in range(2):
        due(dreamer)
    asleep(3)
    frames.hide(Frame.objects.filter(canvas=canvas).order_by("-pk")[0])
    made = len(negatives)
    due(dreamer)
    assert len(negatives) == made + 1, "a picture that was taken away is dreamed again"


def test_each_canvas_dreams_in_its_own_rhythm_and_the_longest_due_comes_first(
    canvas: Canvas, model: Path, dreamer: Dreamer, negatives: list[Pixels], settings: Any
) -> None:
    settings.DREAM_INTERVAL = 30.0
    slow = Canvas.objects.create(slug="slow", title="Slow", width=64, height=64, rhythm=600)
    journal.append(slow, [dot(1)])
    dreamer.look()
    assert 25 < in_seconds(Dream.objects.get(canvas=canvas)) <= 30
    assert 590 < in_seconds(Dream.objects.get(canvas=slow)) <= 600
    now = timezone.now()
    for first, second in ((slow, canvas), (canvas, slow)):
        Dream.objects.filter(canvas=first).update(next_at=now - timedelta(seconds=20))
        Dream.objects.filter(canvas=second).update(next_at=now - timedelta(seconds=10))
        newest = Frame.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
        dreamer.look()
        made = Frame.objects.filter(pk__gt=newest).order_by("pk").values_list("canvas", flat=True)
        assert list(made) == [first.pk, second.pk]
    assert 570 < in_seconds(Dream.objects.get(canvas=slow)) <= 600


def test_the_sites_own_canvas_keeps_its_rhythm_however_many_others_there_are(
    canvas: Canvas, model: Path, dreamer: Dreamer, negatives: list[Pixels], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its dream, due again while members' canvases have their turns, comes between two of theirs."""
    maker = User.objects.create_user("ada")
    own = [Canvas.objects.create(slug=f"own{n}", title="Own", width=64, height=64, maker=maker) for n in range(3)]
    for one in own:
        journal.append(one, [dot(1)])
    dreamer.look()
    Dream.objects.update(next_at=timezone.now() - timedelta(seconds=1))
    monkeypatch.setattr(worker, "LOOK_SECONDS", -1.0)  # every dream takes its time
    visited: list[str] = []
    visit = dreamer._visit

    def visiting(here: Canvas, row: Dream) -> None:
        visited.append(here.slug)
        visit(here, row)
        Dream.objects.filter(canvas=canvas).update(next_at=timezone.now() - timedelta(seconds=1))

    monkeypatch.setattr(dreamer, "_visit", visiting)
    dreamer.look()
    assert [slug for slug in visited if slug != "here"] == ["own0", "own1", "own2"]
    turns = [at for at, slug in enumerate(visited) if slug != "here"]
    assert all("here" in visited[first:second] for first, second in itertools.pairwise(turns)), visited
