"""Frames: what the dreamer starts from, and what it leaves behind."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from django.core.files.storage import default_storage
from django.db import connection

from canvas import frames, hub, journal, lease, picture, wire
from canvas.brush import Pixels
from canvas.models import Canvas, Dream, Frame
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


def test_ink_goes_on_while_the_canvas_is_painted(place: Canvas, monkeypatch: pytest.MonkeyPatch) -> None:
    """On SQLite a transaction is the only write lock: none is open while pictures are decoded and painted."""
    lease.take(place, "me")
    journal.append(place, [dot(1)])
    outside, seen = list(connection.savepoint_ids), []
    paint, load = picture.compose, frames.base
    monkeypatch.setattr(frames.picture, "compose", lambda *a: seen.append(list(connection.savepoint_ids)) or paint(*a))
    monkeypatch.setattr(frames, "base", lambda *a: seen.append(list(connection.savepoint_ids)) or load(*a))
    frames.compose(place, holder="me")
    assert seen == [outside, outside]


def test_what_is_drawn_while_it_is_painted_is_not_in_it(place: Canvas, monkeypatch: pytest.MonkeyPatch) -> None:
    journal.append(place, [dot(1)])
    load = frames.base
    monkeypatch.setattr(frames, "base", lambda now: (journal.append(place, [dot(2, at=40)]), load(now))[1])
    composed = frames.compose(place)
    assert composed.seq == 1 and np.array_equal(composed.pixels, painted(dot(1)))


def test_the_position_is_told_before_anything_is_painted(place: Canvas, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that an undo is either in the picture or refused."""
    lease.take(place, "me")
    journal.append(place, [dot(1), dot(2), dot(3)])
    told: list[int] = []
    load = frames.base

    def base(now: Canvas) -> tuple[Pixels, int]:
        told.append(Dream.objects.get(canvas=place).position)
        return load(now)

    monkeypatch.setattr(frames, "base", base)
    frames.compose(place, holder="me")
    frames.compose(place, 2, holder="me")
    assert told == [3, 2]
    with pytest.raises(frames.LeaseLost):
        frames.compose(place, holder="another")


# --- frames whose file is lost ---------------------------------------------------------------------------------------


@pytest.fixture
def three(place: Canvas, dreamed: Pixels) -> list[Frame]:
    """Three frames with a stroke after each."""
    made = []
    for number in range(1, 4):
        made.append(keep(place, np.roll(dreamed, number, 0), number - 1))
        journal.append(place, [dot(number, at=8 * number)])
    place.refresh_from_db()
    return made


def base_of(place: Canvas) -> Frame | None:
    return Canvas.objects.select_related("frame").get(pk=place.pk).frame


def lose(frame: Frame) -> None:
    Path(frame.picture.path).unlink()


def empty(frame: Frame) -> None:
    Path(frame.picture.path).write_bytes(b"")


def cut(frame: Frame) -> None:
    path = Path(frame.picture.path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


@pytest.mark.parametrize("damage", [lose, empty, cut])
def test_a_base_whose_file_is_lost_is_replaced_and_no_ink_with_it(
    three: list[Frame], place: Canvas, damage: Callable[[Frame], None], caplog: pytest.LogCaptureFixture
) -> None:
    damage(three[2])
    frames.hide(three[1])
    frames.load.cache_clear()
    composed = frames.compose(place)
    first = frames.load(three[0].pk)
    assert np.array_equal(composed.pixels, painted(dot(1, at=8), dot(2, at=16), dot(3, at=24), base=first))
    assert base_of(place) == three[0] and composed.base == three[0].pk
    assert [record.levelno for record in caplog.records if record.levelno >= logging.CRITICAL] == [logging.CRITICAL]


def test_without_any_frame_left_the_journal_is_the_canvas(three: list[Frame], place: Canvas) -> None:
    for frame in three:
        lose(frame)
    frames.load.cache_clear()
    composed = frames.compose(place)
    assert np.array_equal(composed.pixels, painted(dot(1, at=8), dot(2, at=16), dot(3, at=24)))
    assert base_of(place) is None and composed.base is None


def test_a_storage_out_of_reach_changes_nothing(
    three: list[Frame], place: Canvas, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*args: object, **kwargs: object) -> None:
        raise ConnectionError("the bucket does not answer")

    frames.load.cache_clear()
    monkeypatch.setattr(type(default_storage._wrapped), "_open", away)
    with pytest.raises(ConnectionError):
        frames.compose(place)
    assert base_of(place) == three[2]


def test_a_patch_whose_source_is_lost_stays_out(three: list[Frame], place: Canvas) -> None:
    before = frames.compose(place).pixels
    journal.append(place, [wire.Patch(three[0].pk, 8, 8, 20, 20, 4)])
    assert not np.array_equal(frames.compose(place).pixels, before)
    lose(three[0])
    frames.load.cache_clear()
    assert np.array_equal(frames.compose(place).pixels, before)


# --- hiding ----------------------------------------------------------------------------------------------------------


def files(frame: Frame) -> tuple[str, str]:
    frame.refresh_from_db()
    return frame.picture.name, frame.thumbnail.name


def test_hidden_files_leave_their_addresses(three: list[Frame], place: Canvas) -> None:
    before = files(three[0])
    contents = [default_storage.open(name).read() for name in before]
    assert frames.hide(three[0]) and not frames.hide(three[0])
    after = files(three[0])
    assert three[0].hidden_at is not None and not set(after) & set(before)
    assert not any(default_storage.exists(name) for name in before)
    assert [default_storage.open(name).read() for name in after] == contents
    assert all(three[0].sha256[:8] not in name for name in after)
    assert base_of(place) == three[2], "not the base: nothing else changes"


def test_two_who_hide_a_frame_at_once(three: list[Frame], monkeypatch: pytest.MonkeyPatch) -> None:
    copy, others = frames._copy, [True]

    def slow(name: str, slug: str) -> str:
        if others:
            others.clear()
            assert frames.hide(three[2])
        return copy(name, slug)

    monkeypatch.setattr(frames, "_copy", slow)
    assert not frames.hide(three[2])
    assert all(default_storage.exists(name) for name in files(three[2]))
    assert len(list(Path(three[2].picture.path).parent.iterdir())) == 2, "no copies are left lying about"


def test_a_hidden_base_steps_back_and_browsers_hear_of_it(
    three: list[Frame], place: Canvas, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr(hub, "look", told.append)
    lease.take(place, "me")
    lease.tell(place, "me", position=3)
    lose(three[1])
    frames.load.cache_clear()
    frames.hide(three[2])
    assert base_of(place) == three[0] and told == ["here"]
    assert Dream.objects.get(canvas=place).position == three[0].seq, "the ink since then can be undone again"
    frames.hide(three[0])
    assert base_of(place) is None and Dream.objects.get(canvas=place).position == 0


def test_shown_again_it_is_in_the_history_and_not_the_base(three: list[Frame], place: Canvas) -> None:
    frames.hide(three[2])
    assert frames.unhide(three[2]) and not frames.unhide(three[2])
    assert three[2] in Frame.objects.visible() and base_of(place) == three[1]


def test_a_dream_of_a_base_that_was_hidden_is_not_recorded(three: list[Frame], place: Canvas, dreamed: Pixels) -> None:
    lease.take(place, "me")
    composed = frames.compose(place, holder="me")
    frames.hide(three[2])
    kept = sum(path.is_file() for path in Path(default_storage.location).rglob("*"))
    with pytest.raises(frames.BaseGone):
        keep(place, dreamed, composed.seq, holder="me", base=composed.base)
    assert base_of(place) == three[1] and Frame.objects.count() == 3
    assert sum(path.is_file() for path in Path(default_storage.location).rglob("*")) == kept, "nor are its files"
    composed = frames.compose(place, holder="me")
    assert keep(place, dreamed, composed.seq, holder="me", base=composed.base).number == 4
