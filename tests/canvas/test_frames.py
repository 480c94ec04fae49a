"""Frames: what the dreamer starts from, and what it leaves behind."""

from __future__ import annotations

import numpy as np
import pytest
from django.core.files.storage import default_storage

from canvas import frames, journal, lease, picture, wire
from canvas.brush import Pixels
from canvas.models import Canvas, Frame
from dreamsite.models import User
from tests.canvas import journals

WHITE = (255, 255, 255)


def dot(stroke: int, author: int = 1, at: int = 24) -> wire.Stroke:
    return wire.Stroke(stroke, 0, (0, 0, 0), 255, 0, ((at * 8, at * 8, 96),), True, author)


def painted(*operations: wire.Operation, base: Pixels | None = None) -> Pixels:
    start = picture.blank(64, 64, WHITE) if base is None else base
    return picture.compose(start, journals.numbered(list(operations)), frames.load)


def keep(place: Canvas, pixels: Pixels, seq: int, **options: object) -> Frame:
    made = frames.encode(pixels, Frame.Kind.DREAM)
    return frames.keep(place, made, kind=Frame.Kind.DREAM, seq=seq, **({"authors": []} | options))  # type: ignore[arg-type]


@pytest.fixture
def dreamed() -> Pixels:
    rows = np.linspace(0, 255, 64 * 64 * 3).reshape(64, 64, 3)
    return rows.astype(np.uint8)


def test_the_pixels_of_a_frame_are_those_of_its_file(dreamed: Pixels) -> None:
    for kind in (Frame.Kind.DREAM, Frame.Kind.REST):
        made = frames.encode(dreamed, kind)
        assert np.array_equal(frames.decode(made.data), made.pixels)
    assert np.array_equal(made.pixels, dreamed)  # a drawing without loss


def test_the_canvas_is_the_newest_frame_and_what_came_after(place: Canvas, dreamed: Pixels) -> None:
    journal.append(place, [dot(1)])
    composed = frames.compose(place)
    assert np.array_equal(composed.pixels, painted(dot(1)))
    assert (composed.seq, composed.authors, composed.operations) == (1, {1}, 1)
    keep(place, dreamed, 1)
    journal.append(place, [dot(2, author=2, at=40)])
    composed = frames.compose(place)
    base = frames.encode(dreamed, Frame.Kind.DREAM).pixels
    assert np.array_equal(composed.pixels, painted(dot(2, at=40), base=base))
    assert (composed.seq, composed.authors) == (2, {2})


def test_what_was_undone_later_stays_out_of_an_earlier_picture_too(place: Canvas) -> None:
    journal.append(place, [dot(1), dot(2, at=40), wire.Undo(1, 1), dot(3, at=10)])
    composed = frames.compose(place, up_to=2)
    assert composed.seq == 2 and np.array_equal(composed.pixels, painted(dot(2, at=40)))


def test_a_kept_frame_is_numbered_has_its_files_and_is_the_new_base(
    place: Canvas, people: list[User], dreamed: Pixels
) -> None:
    first = keep(place, dreamed, 0)
    second = keep(place, dreamed[::-1], 0, authors=[people[0].pk, 4711], title="eyes")  # 4711 has left the site
    assert (first.number, second.number) == (1, 2) and list(second.contributors.all()) == [people[0]]
    place.refresh_from_db()
    assert place.frame == second
    assert default_storage.size(second.picture.name) == second.size
    assert frames.decode(default_storage.open(second.thumbnail.name).read()).shape == (64, 64, 3)


def test_the_same_picture_twice_has_two_files(place: Canvas, dreamed: Pixels) -> None:
    first, second = keep(place, dreamed, 0), keep(place, dreamed, 0)
    assert first.sha256 == second.sha256 and first.picture.name != second.picture.name


def test_who_lost_the_lease_records_nothing(place: Canvas, dreamed: Pixels) -> None:
    lease.take(place, "another")
    with pytest.raises(frames.LeaseLost):
        keep(place, dreamed, 0, holder="me")
    assert not Frame.objects.exists()
    assert keep(place, dreamed, 0, holder="another").number == 1


def test_a_crash_while_it_is_recorded_leaves_the_canvas_as_it_was(
    place: Canvas, dreamed: Pixels, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frames, "_known", lambda authors: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        keep(place, dreamed, 0)
    place.refresh_from_db()
    assert place.frame is None and not Frame.objects.exists()
