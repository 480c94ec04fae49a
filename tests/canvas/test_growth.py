"""How long ago ink fell: the map that is carried along is the one the journal alone says."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.db import transaction

from canvas import frames, growth, journal, lease, picture, wire
from canvas.models import Canvas, Frame, Growth
from canvas.picture import Numbered, blank
from dreamer.engine import growth as engine

SIDE = 96


def stroke(chance: random.Random, number: int) -> wire.Stroke:
    """A short stroke anywhere, also half beyond the edge."""
    at = [chance.randrange(-80, SIDE * 8 + 80) for _ in range(2)]
    points = tuple(
        (at[0] + chance.randrange(-90, 90), at[1] + chance.randrange(-90, 90), chance.randrange(8, 160))
        for _ in range(chance.randrange(1, 4))
    )
    return wire.Stroke(number, 0, (10, 20, 30), 255, 0, points, author=1)


def test_it_counts_as_the_engine_does() -> None:
    assert (growth.NEVER, growth.OLDEST) == (engine.NEVER, engine.OLDEST)


def test_every_pixel_a_stroke_paints_lies_in_a_new_cell() -> None:
    for seed in range(100):
        op = stroke(random.Random(seed), 1)
        painted = picture.compose(blank(SIDE, SIDE, (255, 255, 255)), [(1, op)])
        ages = growth.inked(growth.bare(SIDE, SIDE), [op])
        inked = (painted != 255).any(axis=2).reshape(SIDE // 8, 8, SIDE // 8, 8).any(axis=(1, 3))
        assert (ages[inked] == 0).all()
        # and not much else is: a stamp's square reaches two cells further than its disc at most
        reach = np.pad(inked, 2)
        near = np.maximum.reduce([reach[y : y + SIDE // 8, x : x + SIDE // 8] for y in range(5) for x in range(5)])
        assert not ((ages == 0) & ~near).any() or not inked.any()


def test_cells_at_a_ragged_edge_count() -> None:
    ages = growth.inked(growth.bare(100, 50), [wire.Stroke(1, 0, (0, 0, 0), 255, 0, ((99 * 8, 49 * 8, 16),))])
    assert ages.shape == (7, 13) and ages[6, 12] == 0 and (ages == 0).sum() == 1


def test_ages_end_and_bare_paper_stays_bare() -> None:
    ages = np.array([[0, 7, growth.OLDEST - 1, growth.OLDEST, growth.NEVER]], np.uint8)
    assert growth.older(ages).tolist() == [[1, 8, growth.OLDEST, growth.OLDEST, growth.NEVER]]


def test_a_map_is_kept_small_and_whole_and_is_no_other_canvas() -> None:
    ages = growth.inked(growth.bare(1536, 1536), [stroke(random.Random(n), n) for n in range(60)])
    packed = growth.pack(ages)
    assert len(packed) < 2048
    np.testing.assert_array_equal(growth.unpack(packed, 1536, 1536), ages)
    with pytest.raises(ValueError, match=r"received 36864 cells, expected .* for 640 x 480"):
        growth.unpack(packed, 640, 480)


def test_a_thousand_journals_say_what_was_carried_along() -> None:
    """Strokes, undone ones and dreams in any order; each dream takes all ink before it, or leaves the newest behind."""
    for seed in range(1000):
        chance = random.Random(seed)
        written: list[Numbered] = []
        dreams: list[int] = []
        carried, since, fresh = growth.bare(SIDE, SIDE), 0, 0
        for _ in range(chance.randrange(1, 14)):
            if chance.random() < 0.65:
                written.append((len(written) + 1, stroke(chance, len(written) + 1)))
                if chance.random() < 0.25:  # only ink that no dream holds can be undone
                    number = chance.randrange(since, len(written))
                    taken_back = written[number][1]
                    if isinstance(taken_back, wire.Stroke):
                        written.append((len(written) + 1, wire.Undo(taken_back.stroke_id, author=1)))
            else:
                seq = chance.randrange(since, len(written) + 1)
                new = [op for number, op in picture.visible(written[since:]) if number <= seq]
                if any(isinstance(op, wire.Undo) for _, op in written[seq:]):
                    continue  # ink it would take may be undone behind it, which the dreamer's claim rules out
                carried, since = growth.older(growth.inked(carried, new)), seq
                dreams.append(seq)
                fresh += 1
        carried = growth.inked(carried, [op for _, op in picture.visible(written[since:])])
        np.testing.assert_array_equal(
            growth.followed(growth.bare(SIDE, SIDE), picture.visible(written), dreams), carried
        )


def test_where_nobody_has_drawn_the_dreamer_plants_seeds_that_stay_islands() -> None:
    bare = growth.bare(SIDE, SIDE)
    for dreams, age in ((0, 0), (1, 1), (40, growth.ISLAND)):
        planted = growth.planted(bare, dreams, key=7)
        assert 1 <= (planted == age).sum() <= growth.SEEDS and (planted == growth.NEVER).sum() > 100
        np.testing.assert_array_equal(planted != growth.NEVER, growth.planted(bare, 0, key=7) != growth.NEVER)
    drawn = growth.inked(bare, [stroke(random.Random(4), 1)])
    np.testing.assert_array_equal(growth.planted(drawn, 3, key=7), drawn)


# --- kept with frames -------------------------------------------------------------------------------------------------


@pytest.fixture
def canvas(db: None, settings: Any, tmp_path: Path) -> Canvas:
    settings.MEDIA_ROOT = tmp_path
    frames.load.cache_clear()
    canvas = Canvas.objects.create(slug="here", title="Here", width=SIDE, height=SIDE)
    lease.take(canvas, "me")
    return canvas


def composed_ages(canvas: Canvas) -> growth.Ages:
    ages = frames.compose(canvas, holder="me").ages
    assert ages is not None
    return ages


def keep(canvas: Canvas, kind: str = Frame.Kind.DREAM) -> Frame:
    """A frame as the dreamer keeps it."""
    composed = frames.compose(canvas, holder="me")
    assert composed.ages is not None
    ages = growth.older(composed.ages) if kind == Frame.Kind.DREAM else composed.ages
    made = frames.encode(composed.pixels, kind)
    return frames.keep(frames.NewFrame(canvas, made, kind, composed.seq, ages=ages), composed.claim)


def test_a_dream_makes_the_ink_of_its_frame_older_and_a_plain_frame_does_not(canvas: Canvas) -> None:
    journal.append(canvas, [stroke(random.Random(4), 1)])
    new = composed_ages(canvas)
    keep(canvas, Frame.Kind.CHECKPOINT)
    np.testing.assert_array_equal(composed_ages(canvas), new)
    keep(canvas)
    np.testing.assert_array_equal(composed_ages(canvas), growth.older(new))


def test_only_who_dreams_is_told(canvas: Canvas) -> None:
    assert frames.compose(canvas).ages is None


CASES = (
    "draw",
    "draw",
    "draw",
    "undo",
    "dream",
    "dream",
    "dream",
    "checkpoint",
    "hide frame",
    "hide an older frame",
    "show a frame",
    "hide ink",
)


@pytest.mark.parametrize("seed", range(24))
def test_whatever_happens_the_map_is_the_journals(canvas: Canvas, seed: int) -> None:
    """Strokes, undo, dreams, plain frames; frames hidden and shown again, the base and older ones; ink hidden out of a
    dream and shown again."""
    chance = random.Random(seed)
    strokes: list[int] = []
    for _ in range(24):
        canvas.refresh_from_db()
        dreamed = canvas.frame.seq if canvas.frame else 0
        match chance.choice(CASES):
            case "draw":
                strokes.append(canvas.head + 1)
                journal.append(canvas, [stroke(chance, canvas.head + 1)])
            case "undo" if strokes and strokes[-1] > dreamed:
                journal.append(canvas, [wire.Undo(strokes.pop(), author=1)])
            case "dream":
                keep(canvas)
            case "checkpoint":
                keep(canvas, Frame.Kind.CHECKPOINT)
            case "hide frame" if canvas.frame and canvas.frame.kind != Frame.Kind.RESTORED:
                frames.hide(canvas.frame)
            case "hide an older frame" if older := list(Frame.objects.visible().exclude(pk=canvas.frame_id or 0)):
                frames.hide(chance.choice(older))
            case "show a frame" if hidden := list(Frame.objects.exclude(hidden_at=None)):
                frames.unhide(chance.choice(hidden), as_base=chance.random() < 0.5)
            case "hide ink" if strokes and strokes[0] <= dreamed:
                number = chance.choice([number for number in strokes if number <= dreamed])
                assert canvas.frame is not None
                made = frames.encode(frames.load(canvas.frame.pk), Frame.Kind.RESTORED)  # a moderator's own picture
                journal.append(canvas, [wire.Hide((number,), chance.random() < 0.3)])
                frames.keep(frames.NewFrame(canvas, made, Frame.Kind.RESTORED, dreamed))
                lease.drop(canvas, "me")
        carried = composed_ages(canvas)
        with transaction.atomic():
            Growth.objects.all().delete()
            np.testing.assert_array_equal(composed_ages(canvas), carried)
            transaction.set_rollback(True)
