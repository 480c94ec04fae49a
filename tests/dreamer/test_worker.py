"""One look of the dreamer after the other, with a tiny network; tests/live has the process beside a running site."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from canvas import frames, growth, journal, lease, limits, wire
from canvas.brush import Pixels
from canvas.frames import composing
from canvas.models import Batch, Canvas, Dream, Frame
from dreamer import loaded, worker
from dreamer.engine import Recipe
from dreamer.models import Choice
from dreamer.worker import Dreamer
from tests.dreamer import nets


@pytest.fixture
def canvas(db: None, settings: Any, tmp_path: Path) -> Canvas:
    settings.MEDIA_ROOT, settings.MODELS_DIR = tmp_path / "media", tmp_path / "models"
    settings.DREAM_THREADS = 1
    frames.load.cache_clear()
    canvas = Canvas.objects.create(slug="here", title="Here", width=64, height=64)
    journal.append(canvas, [dot(1)])
    return canvas


@pytest.fixture
def model(settings: Any) -> Path:
    return nets.register_tiny(settings.MODELS_DIR)


@pytest.fixture
def negatives(monkeypatch: pytest.MonkeyPatch) -> list[Pixels]:
    """Instead of seconds of dreams, negatives; what they were made of."""
    made: list[Pixels] = []

    def dream(pixels: Pixels, *args: Any, **options: Any) -> Pixels:
        made.append(pixels)
        return 255 - pixels

    monkeypatch.setattr(worker, "dream", dream)
    return made


@pytest.fixture
def dreamer() -> Dreamer:
    return Dreamer(chance=random.Random(1))


def dot(stroke: int) -> wire.Stroke:
    return wire.Stroke(stroke, 0, (0, 0, 0), 255, 0, ((200, 200, 96),), True, 1)


def board() -> Dream:
    return Dream.objects.get()


def due(dreamer: Dreamer, ago: float = 0.1, **more: Any) -> None:
    """Looks when a dream has been due for so many seconds."""
    dreamer.look()
    Dream.objects.update(next_at=timezone.now() - timedelta(seconds=ago), **more)
    dreamer.look()


def broken(*args: Any, **options: Any) -> Any:
    raise OSError("no space left on the device")


def in_seconds(dream: Dream) -> float:
    assert dream.next_at is not None
    return (dream.next_at - timezone.now()).total_seconds()


def test_it_dreams_of_the_canvas_when_that_is_due(
    canvas: Canvas, model: Path, dreamer: Dreamer, negatives: list[Pixels]
) -> None:
    dreamer.look()
    assert not negatives and board().state == "waiting"
    due(dreamer)
    frame = Frame.objects.get()
    assert frame.seq == 1 and board().position == 1 and len(negatives) == 1
    assert np.abs(frames.load(frame.pk).astype(int) - (255 - negatives[0])).mean() < 3


def test_a_look_with_nothing_to_do_writes_nothing_and_reads_all_canvases_at_once(
    canvas: Canvas, model: Path, dreamer: Dreamer
) -> None:
    Canvas.objects.create(slug="there", title="There", width=64, height=64)
    dreamer.look()
    with CaptureQueriesContext(connection) as queries:
        dreamer.look()
    queries = [query["sql"] for query in queries]
    assert all(sql.startswith("SELECT") for sql in queries), queries
    assert sum('FROM "canvas_canvas"' in sql for sql in queries) == 1
    assert sum('FROM "canvas_dream"' in sql for sql in queries) == 0


def test_a_dream_grows_out_of_ink_as_the_canvas_says(
    canvas: Canvas, model: Path, dreamer: Dreamer, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[Recipe, Any]] = []

    def dream(pixels: Pixels, network: Any, recipe: Recipe, *, ages: Any, **options: Any) -> Pixels:
        seen.append((recipe, ages))
        return pixels

    monkeypatch.setattr(worker, "dream", dream)
    Canvas.objects.update(front=0.3, growth=0.2, hold=0.9)
    due(dreamer)
    due(dreamer)
    (first, fresh), (_, older) = seen
    assert (first.front, first.growth, first.hold) == (0.3, 0.2, 0.9)
    assert fresh.shape == (8, 8) and (fresh == 0).any() and (fresh == growth.NEVER).any()
    np.testing.assert_array_equal(older, growth.older(fresh))


def test_a_canvas_that_nobody_draws_on_comes_alive_after_a_while(
    canvas: Canvas, model: Path, dreamer: Dreamer, settings: Any
) -> None:
    """Out of seeds at the same places, islands in white paper; then it rests like any other."""
    bare = Canvas.objects.create(slug="bare", title="Bare", width=320, height=320)
    settings.DREAM_INTERVAL, settings.DREAM_IDLE_LIMIT, settings.DREAM_SEEDS_AFTER = 0.0, 2, 60
    dreamer._slugs = ["bare"]

    def frames_after(age: float) -> list[Frame]:
        Canvas.objects.filter(pk=bare.pk).update(created_at=timezone.now() - timedelta(seconds=age))
        for _ in range(5):
            Dream.objects.filter(canvas=bare).update(next_at=timezone.now())
            dreamer.look()
        return list(Frame.objects.filter(canvas=bare).order_by("number"))

    assert frames_after(30) == [] and Dream.objects.get(canvas=bare).state == Dream.State.RESTING
    settings.DREAM_SEEDS_AFTER = 0
    assert frames_after(10_000) == []
    settings.DREAM_SEEDS_AFTER = 60
    first, *_, last = grown = frames_after(90)
    assert len(grown) == 3 and Dream.objects.get(canvas=bare).state == Dream.State.RESTING
    before, after = (frames.load(frame.pk) for frame in (first, last))
    assert (before != 255).any() and (after == 255).mean() > 0.3, "it leaves paper to draw on"
    assert (growth.unpack(bytes(last.growth.packed), 320, 320) == growth.NEVER).all(), "seeds are nobody's ink"


def test_where_all_ink_was_undone_the_dreamer_has_seeds_of_its_own(
    canvas: Canvas, model: Path, dreamer: Dreamer, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Any] = []
    monkeypatch.setattr(worker, "dream", lambda pixels, *args, ages, **options: seen.append(ages) or pixels)
    journal.append(canvas, [wire.Undo(1, author=1)])
    due(dreamer)
    due(dreamer)
    assert [sorted(set(ages.flat)) for ages in seen] == [[0, growth.NEVER], [1, growth.NEVER]]
    np.testing.assert_array_equal(seen[0] == 0, seen[1] == 1)


# --- undo ------------------------------------------------------------------------------------------------------------


def test_a_dream_that_fails_or_is_dropped_gives_its_ink_back(
    canvas: Canvas, model: Path, dreamer: Dreamer, monkeypatch: pytest.MonkeyPatch
) -> None:
    during: list[int] = []

    def failing(*args: Any, **options: Any) -> Any:
        during.append(board().position)
        raise RuntimeError("the network has a fever")

    def signalled(*args: Any, **options: Any) -> Any:
        during.append(board().position)
        raise worker.Cancelled("stop")

    for dream in (failing, signalled):
        monkeypatch.setattr(worker, "dream", dream)
        due(dreamer)
        assert during.pop() == 1 and board().position == 0
    monkeypatch.setattr(frames, "encode", broken)
    monkeypatch.setattr(worker, "dream", lambda pixels, *args, **options: pixels)
    due(dreamer)
    assert board().position == 0 and not Frame.objects.exists()


def test_a_dream_of_a_base_hidden_meanwhile_is_dreamed_again(
    canvas: Canvas, model: Path, dreamer: Dreamer, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = frames.encode(np.zeros((64, 64, 3), np.uint8), Frame.Kind.DREAM)
    shame = frames.keep(frames.NewFrame(canvas, made, Frame.Kind.DREAM, 0))
    seen: list[float] = []

    def dream(pixels: Pixels, *args: Any, **options: Any) -> Pixels:
        seen.append(pixels.mean())
        frames.hide(shame)
        return pixels

    monkeypatch.setattr(worker, "dream", dream)
    due(dreamer)
    assert Frame.objects.visible().count() == 0 and board().position == 0
    dreamer.look()
    assert Frame.objects.visible().get().number == 2 and seen[0] < 10 and seen[1] > 200


def test_a_signal_ends_painting(
    canvas: Canvas, model: Path, dreamer: Dreamer, negatives: list[Pixels], monkeypatch: pytest.MonkeyPatch
) -> None:
    base = composing.base

    def signal_while_decoding(now: Canvas) -> tuple[Pixels, int]:
        dreamer.stop.set()
        return base(now)

    monkeypatch.setattr(composing, "base", signal_while_decoding)
    due(dreamer)
    assert not negatives and not Frame.objects.exists() and board().position == 0


def test_after_a_dream_was_hidden_it_dreams_again(
    canvas: Canvas, model: Path, dreamer: Dreamer, negatives: list[Pixels], settings: Any
) -> None:
    settings.DREAM_IDLE_LIMIT = 0
    due(dreamer)
    dreamer.look()
    assert board().state == "resting"
    frames.hide(Frame.objects.get())
    due(dreamer)
    assert len(negatives) == 2 and Frame.objects.visible().count() == 1


# --- failures --------------------------------------------------------------------------------------------------------


def test_the_style_changes_when_it_cannot_be_dreamed_and_not_when_nothing_can_be_stored(
    canvas: Canvas, model: Path, dreamer: Dreamer, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = frames.keep
    monkeypatch.setattr(worker, "dream", lambda pixels, *args, **options: pixels)
    monkeypatch.setattr(frames, "keep", broken)
    due(dreamer)
    style = board().style
    due(dreamer)
    assert board().state == "failed" and "no space" in board().message and board().style == style
    monkeypatch.setattr(frames, "keep", real)
    monkeypatch.setattr(worker, "dream", broken)
    due(dreamer)
    assert board().state == "failed" and board().style != style


@pytest.fixture
def long_tail(canvas: Canvas, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Strokes old enough for a rest."""
    monkeypatch.setattr(limits, "CHECKPOINT_OPS", 4)

    def draw() -> None:
        journal.append(canvas, [dot(stroke) for stroke in range(10, 16)])
        Batch.objects.update(at=timezone.now() - timedelta(seconds=90))

    return draw


def checkpoints() -> int:
    return Frame.objects.filter(kind=Frame.Kind.CHECKPOINT).count()


def test_when_every_style_fails_the_last_good_network_dreams_again(
    canvas: Canvas,
    model: Path,
    dreamer: Dreamer,
    negatives: list[Pixels],
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """And the chosen one again when its files change, but none that nobody chose."""
    due(dreamer)
    assert Frame.objects.get().recipe["model"] == "tiny"
    nets.register_tiny(settings.MODELS_DIR, "another")
    chosen = nets.register_tiny(settings.MODELS_DIR, "chosen")
    Choice.objects.create(canvas=canvas, network="chosen")
    well = worker.dream

    def dream(pixels: Pixels, network: Any, *args: Any, **options: Any) -> Pixels:
        return broken() if network.name == "chosen" else well(pixels, network, *args, **options)

    monkeypatch.setattr(worker, "dream", dream)
    for number in range(loaded.GIVES_UP):
        journal.append(canvas, [dot(10 + number)])
        due(dreamer)
        assert board().state == "failed" and board().style["model"] == "chosen"
    due(dreamer)
    assert Frame.objects.latest("pk").recipe["model"] == "tiny" and board().state == "waiting"
    monkeypatch.setattr(worker, "dream", well)
    os.utime(chosen / "model.json", (1, 1))
    journal.append(canvas, [dot(20)])
    due(dreamer)
    assert Frame.objects.latest("pk").recipe["model"] == "chosen"


def test_a_rest_that_fails_waits_longer_each_time(
    canvas: Canvas, dreamer: Dreamer, long_tail: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: list[float] = []
    now = [1000.0]
    monkeypatch.setattr(worker.time, "monotonic", lambda: now[0])

    def keep(*args: Any, **options: Any) -> None:
        tries.append(now[0])
        broken()

    real = frames.keep
    monkeypatch.setattr(frames, "keep", keep)
    long_tail()
    for _ in range(60):
        dreamer.look()
        now[0] += 0.5
    gaps = np.diff(tries)
    assert len(tries) > 3 and np.all(np.diff(gaps) > 0), tries
    assert board().position == 0, "what was not taken can be undone"
    monkeypatch.setattr(frames, "keep", real)
    now[0] += 60
    dreamer.look()
    assert checkpoints() == 1


def test_checkpoints_are_kept_while_the_next_dream_is_far(
    canvas: Canvas, model: Path, dreamer: Dreamer, long_tail: Callable[[], None], settings: Any
) -> None:
    long_tail()
    dreamer.look()
    assert board().state == "waiting" and checkpoints() == 0, "the next dream is near"
    settings.DREAM_INTERVAL = 3600.0
    Dream.objects.update(next_at=timezone.now() + timedelta(minutes=50))
    dreamer.look()
    assert board().state == "waiting" and checkpoints() == 1


def test_rests_are_taken_while_dreams_keep_failing(
    canvas: Canvas, model: Path, dreamer: Dreamer, long_tail: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "dream", broken)
    for _ in range(worker.KEEPS_FAILING):
        due(dreamer)
    long_tail()
    dreamer.look()
    assert checkpoints() == 1


# --- the rhythm ------------------------------------------------------------------------------------------------------


def test_a_shorter_interval_counts_at_once(canvas: Canvas, model: Path, dreamer: Dreamer, settings: Any) -> None:
    settings.DREAM_INTERVAL = 86400.0
    dreamer.look()
    assert in_seconds(board()) > 80000
    settings.DREAM_INTERVAL = 30.0
    dreamer.look()
    assert in_seconds(board()) <= 30


def test_a_night_without_a_dreamer_is_not_a_thousand_missed_dreams(
    canvas: Canvas, model: Path, dreamer: Dreamer, negatives: list[Pixels]
) -> None:
    due(dreamer, ago=8 * 3600)
    assert board().missed == 0 and 25 < in_seconds(board()) <= 30
    due(dreamer, ago=10)
    assert board().missed == 0 and 15 < in_seconds(board()) <= 20.1, "the rhythm is kept"


def test_a_dream_longer_than_the_interval_is_followed_by_the_next_at_once(
    canvas: Canvas, model: Path, dreamer: Dreamer, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [timezone.now()]
    monkeypatch.setattr(worker.timezone, "now", lambda: clock[0])

    def dream(pixels: Pixels, *args: Any, **options: Any) -> Pixels:
        clock[0] += timedelta(seconds=75)
        Dream.objects.update(expires_at=clock[0] + timedelta(seconds=10))  # as the thread does
        return pixels

    monkeypatch.setattr(worker, "dream", dream)
    dreamer.look()
    Dream.objects.update(next_at=clock[0])
    dreamer.look()
    assert board().missed == 2 and board().next_at == clock[0]


# --- models ----------------------------------------------------------------------------------------------------------


def test_a_wish_for_a_style_while_paused_is_heard(canvas: Canvas, model: Path, dreamer: Dreamer) -> None:
    Dream.objects.create(canvas=canvas, paused=True, style_wanted=True)
    dreamer.look()
    assert board().state == "paused" and not board().style_wanted and board().style["model"] == "tiny"


def test_a_wish_without_a_network_waits_for_one(canvas: Canvas, dreamer: Dreamer, settings: Any) -> None:
    Dream.objects.create(canvas=canvas, paused=True, style_wanted=True)
    dreamer.look()
    assert board().style_wanted
    nets.register_tiny(settings.MODELS_DIR)
    dreamer.look()
    assert not board().style_wanted


def test_a_model_is_read_again_only_when_its_files_changed(
    canvas: Canvas, model: Path, dreamer: Dreamer, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    real = loaded.Network.open

    def open_network(folder: Path, **options: Any) -> Any:
        opened.append(folder.name)
        return real(folder, **options)

    monkeypatch.setattr(loaded.Network, "open", open_network)
    good = (model / "model.onnx").read_bytes()
    (model / "model.onnx").write_bytes(b"half a download")
    for _ in range(3):
        dreamer.look()
    assert len(opened) == 1 and board().state == "no-model"
    (model / "model.onnx").write_bytes(good)
    for _ in range(3):
        dreamer.look()
    assert len(opened) == 2 and board().state == "waiting"
    os.utime(model / "model.onnx", (1, 1))  # imported anew under the same name
    dreamer.look()
    assert len(opened) == 3 and board().state == "waiting"


# --- the lease -------------------------------------------------------------------------------------------------------


def test_wishes_of_a_canvas_are_read_when_its_turn_comes(
    canvas: Canvas, model: Path, dreamer: Dreamer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other's dream may take minutes."""
    other = Canvas.objects.create(slug="there", title="There", width=64, height=64)
    journal.append(other, [dot(1)])
    monkeypatch.setattr(worker, "LOOK_SECONDS", 0.0)
    dreamed: list[int] = []

    def dream(pixels: Pixels, *args: Any, **options: Any) -> Pixels:
        dreamed.append(1)
        Dream.objects.filter(canvas=other).update(paused=True)
        return pixels

    monkeypatch.setattr(worker, "dream", dream)
    due(dreamer)
    assert len(dreamed) == 1 and Dream.objects.get(canvas=other).state == "paused"


def test_another_holders_canvas_is_left_alone(
    canvas: Canvas, model: Path, dreamer: Dreamer, negatives: list[Pixels]
) -> None:
    lease.take(canvas, "another")
    Dream.objects.update(next_at=timezone.now() - timedelta(seconds=1))
    dreamer.look()
    assert not negatives and board().holder == "another"
