"""What the undream brush brings back: which frames, and what becomes of its ink when they are hidden or restored."""

from __future__ import annotations

import numpy as np
import pytest

from canvas import frames, journal, picture, wire
from canvas.earlier import LISTED, earlier
from canvas.frames import storing
from canvas.models import Canvas, Frame

DREAM, CHECKPOINT, RESTORED = Frame.Kind.DREAM, Frame.Kind.CHECKPOINT, Frame.Kind.RESTORED


def keep(canvas: Canvas, shade: int, kind: str = DREAM, seq: int = 0) -> Frame:
    """A frame of one grey on what is the base now."""
    made = frames.encode(np.full((canvas.height, canvas.width, 3), shade, np.uint8), kind)
    return frames.keep(frames.NewFrame(canvas, made, kind, seq))


def undream(frame: int, stroke: int = 1) -> wire.Stroke:
    return wire.Stroke(stroke, 0, (0, 0, 0), 255, 0, ((24 * 8, 24 * 8, 160),), True, 1, frame)


def listed(canvas: Canvas) -> list[Frame | None]:
    canvas.refresh_from_db()
    return earlier(canvas, canvas.frame)


def middle(canvas: Canvas) -> int:
    return int(frames.compose(canvas).pixels[24, 24, 0])


def test_the_paper_comes_back_where_nothing_was_before(canvas: Canvas) -> None:
    assert listed(canvas) == [None]
    first = keep(canvas, 100)
    assert listed(canvas) == [first, None]
    journal.append(canvas, [undream(0)])
    assert middle(canvas) == 255


def test_the_frame_that_the_last_dream_was_made_on_comes_back(canvas: Canvas) -> None:
    one, two, three = keep(canvas, 50), keep(canvas, 100), keep(canvas, 150)
    assert listed(canvas) == [three, two, one, None]
    journal.append(canvas, [undream(two.pk)])
    assert middle(canvas) == 100
    assert frames.compose(canvas).pixels[60, 60, 0] == 150, "only where the brush was"
    # A dream that was on its way takes nothing from it: it shows what its author saw.
    four = keep(canvas, 200)
    assert middle(canvas) == 100
    assert listed(canvas) == [four, three, two, one]


def test_a_drawing_between_two_dreams_is_none_to_undream(canvas: Canvas) -> None:
    one, two = keep(canvas, 50), keep(canvas, 100)
    plain, more = keep(canvas, 101, CHECKPOINT), keep(canvas, 102, CHECKPOINT)
    assert listed(canvas) == [more, one, None] and two and plain


def test_hidden_frames_are_passed_over_and_their_ink_shows_nothing(canvas: Canvas) -> None:
    one, two, three = keep(canvas, 50), keep(canvas, 100), keep(canvas, 150)
    journal.append(canvas, [undream(two.pk)])
    frames.hide(two)
    assert listed(canvas) == [three, one, None]
    assert middle(canvas) == 150
    frames.unhide(two)
    assert middle(canvas) == 100


def test_a_base_that_is_hidden_leaves_its_ink_meaning_what_it_meant(canvas: Canvas) -> None:
    one, two = keep(canvas, 50), keep(canvas, 100)
    journal.append(canvas, [undream(one.pk)])
    frames.hide(two)
    canvas.refresh_from_db()
    assert canvas.frame == one and middle(canvas) == 50


@pytest.mark.parametrize("dreams", [0, 1])
def test_nothing_comes_back_from_behind_a_restoration(canvas: Canvas, dreams: int) -> None:
    bad, dreamed = keep(canvas, 50), keep(canvas, 100)
    restored = keep(canvas, 150, RESTORED)
    newer = [keep(canvas, 200) for _ in range(dreams)]
    assert listed(canvas) == [*newer, restored]
    journal.append(canvas, [undream(bad.pk), undream(dreamed.pk, 2)])
    assert middle(canvas) == (200 if dreams else 150)


def test_few_are_listed_of_many_and_none_of_another_size(canvas: Canvas) -> None:
    found = [keep(canvas, shade) for shade in range(50, 60)]
    assert listed(canvas) == found[: -LISTED - 1 : -1]
    Frame.objects.filter(pk=found[-2].pk).update(width=canvas.width - 1)
    assert found[-2] not in listed(canvas)


def test_a_lost_file_brings_nothing_back_and_the_canvas_goes_on(canvas: Canvas) -> None:
    one, two = keep(canvas, 50), keep(canvas, 100)
    journal.append(canvas, [undream(one.pk)])
    one.picture.storage.delete(str(one.picture.name))
    storing.load.cache_clear()
    assert middle(canvas) == 100 and two


def test_the_room_hears_of_a_frame_that_is_hidden_below_the_base(canvas: Canvas) -> None:
    reader = journal.DatabaseJournal(canvas.pk)
    one, two, three = keep(canvas, 50), keep(canvas, 100), keep(canvas, 150)
    state = reader.state()
    assert state.earlier == (three.pk, two.pk, one.pk)
    assert state.frame and state.frame["before"] == two.pk
    frames.hide(two)
    state = reader.state()
    assert state.earlier == (three.pk, one.pk)
    assert state.frame and state.frame["before"] == one.pk
    paper = picture.blank(canvas.width, canvas.height, canvas.background_rgb)
    brought = frames.earlier_pictures(canvas, canvas.frame)(0)
    assert brought is not None and np.array_equal(brought, paper)
