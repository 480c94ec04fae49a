"""Frames: what the dreamer starts from, and what it leaves behind."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import InMemoryStorage, default_storage
from django.db import connection

from canvas import frames, journal, lease, notify, picture, wire
from canvas.brush import Pixels
from canvas.frames import composing, storing, visibility
from canvas.models import Canvas, Dream, Frame
from dreamsite.core.models import User
from dreamsite.core.storage import StorageUnavailable
from tests.canvas import journals

WHITE = (255, 255, 255)


def dot(stroke: int, author: int = 1, at: int = 24) -> wire.Stroke:
    return wire.Stroke(stroke, 0, (0, 0, 0), 255, 0, ((at * 8, at * 8, 96),), True, author)


def painted(*operations: wire.Operation, base: Pixels | None = None) -> Pixels:
    start = picture.blank(64, 64, WHITE) if base is None else base
    return picture.compose(start, journals.numbered(list(operations)))


def keep(canvas: Canvas, pixels: Pixels, seq: int, claim: lease.Claim | None = None, **options: Any) -> Frame:
    made = frames.encode(pixels, Frame.Kind.DREAM)
    return frames.keep(frames.NewFrame(canvas, made, Frame.Kind.DREAM, seq, **options), claim)


@pytest.fixture
def dreamed() -> Pixels:
    rows = np.linspace(0, 255, 64 * 64 * 3).reshape(64, 64, 3)
    return rows.astype(np.uint8)


def test_the_pixels_of_a_frame_are_those_of_its_file(dreamed: Pixels) -> None:
    for kind in (Frame.Kind.DREAM, Frame.Kind.CHECKPOINT):
        made = frames.encode(dreamed, kind)
        assert np.array_equal(frames.decode(made.data), made.pixels)
    assert np.array_equal(made.pixels, dreamed)  # a drawing without loss


def test_a_dream_that_is_all_noise_has_a_file_too() -> None:
    noise = np.random.default_rng(3).integers(0, 256, (256, 256, 3), np.uint8)
    made = frames.encode(noise, Frame.Kind.DREAM)
    assert len(made.data) > 256 * 256 and np.array_equal(frames.decode(made.data), made.pixels)


def test_the_canvas_is_the_newest_frame_and_what_came_after(canvas: Canvas, dreamed: Pixels) -> None:
    journal.append(canvas, [dot(1)])
    composed = frames.compose(canvas)
    assert np.array_equal(composed.pixels, painted(dot(1)))
    assert (composed.seq, composed.authors, composed.operations) == (1, {1}, 1)
    keep(canvas, dreamed, 1)
    journal.append(canvas, [dot(2, author=2, at=40)])
    composed = frames.compose(canvas)
    base = frames.encode(dreamed, Frame.Kind.DREAM).pixels
    assert np.array_equal(composed.pixels, painted(dot(2, at=40), base=base))
    assert (composed.seq, composed.authors) == (2, {2})


def test_what_was_undone_later_stays_out_of_an_earlier_picture_too(canvas: Canvas) -> None:
    journal.append(canvas, [dot(1), dot(2, at=40), wire.Undo(1, 1), dot(3, at=10)])
    composed = frames.compose(canvas, up_to=2)
    assert composed.seq == 2 and np.array_equal(composed.pixels, painted(dot(2, at=40)))


def test_a_kept_frame_is_numbered_has_its_files_and_is_the_new_base(
    canvas: Canvas, people: list[User], dreamed: Pixels
) -> None:
    first = keep(canvas, dreamed, 0)
    second = keep(canvas, dreamed[::-1], 0, authors=[people[0].pk, 4711], title="eyes")  # 4711 has left the site
    assert (first.number, second.number) == (1, 2) and list(second.contributors.all()) == [people[0]]
    canvas.refresh_from_db()
    assert canvas.frame == second
    assert default_storage.size(second.picture.name) == second.size
    assert frames.decode(default_storage.open(second.thumbnail.name).read()).shape == (64, 64, 3)


def test_the_same_picture_twice_has_two_files(canvas: Canvas, dreamed: Pixels) -> None:
    first, second = keep(canvas, dreamed, 0), keep(canvas, dreamed, 0)
    assert first.sha256 == second.sha256 and first.picture.name != second.picture.name


def test_who_lost_the_lease_records_nothing(canvas: Canvas, dreamed: Pixels) -> None:
    lease.take(canvas, "another")
    with pytest.raises(lease.LeaseLost):
        keep(canvas, dreamed, 0, lease.Claim(canvas, "me", 0))
    assert not Frame.objects.exists()
    assert keep(canvas, dreamed, 0, lease.Claim(canvas, "another", 0)).number == 1


def test_a_crash_while_it_is_recorded_leaves_the_canvas_as_it_was(
    canvas: Canvas, dreamed: Pixels, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storing, "_known", lambda authors: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        keep(canvas, dreamed, 0)
    canvas.refresh_from_db()
    assert canvas.frame is None and not Frame.objects.exists()


def test_ink_goes_on_while_the_canvas_is_painted(canvas: Canvas, monkeypatch: pytest.MonkeyPatch) -> None:
    """On SQLite a transaction is the only write lock: none is open while pictures are decoded and painted."""
    lease.take(canvas, "me")
    journal.append(canvas, [dot(1)])
    outside, seen = list(connection.savepoint_ids), []
    paint, load = picture.compose, composing.base
    monkeypatch.setattr(
        composing.picture, "compose", lambda *a: seen.append(list(connection.savepoint_ids)) or paint(*a)
    )
    monkeypatch.setattr(composing, "base", lambda *a: seen.append(list(connection.savepoint_ids)) or load(*a))
    frames.compose(canvas, holder="me")
    assert seen == [outside, outside]


def test_what_is_drawn_while_it_is_painted_is_not_in_it(canvas: Canvas, monkeypatch: pytest.MonkeyPatch) -> None:
    journal.append(canvas, [dot(1)])
    load = composing.base
    monkeypatch.setattr(composing, "base", lambda now: (journal.append(canvas, [dot(2, at=40)]), load(now))[1])
    composed = frames.compose(canvas)
    assert composed.seq == 1 and np.array_equal(composed.pixels, painted(dot(1)))


def test_the_position_is_told_before_anything_is_painted(canvas: Canvas, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that an undo is either in the picture or refused."""
    lease.take(canvas, "me")
    journal.append(canvas, [dot(1), dot(2), dot(3)])
    positions: list[int] = []
    load = composing.base

    def base(now: Canvas) -> tuple[Pixels, int]:
        positions.append(Dream.objects.get(canvas=canvas).position)
        return load(now)

    monkeypatch.setattr(composing, "base", base)
    frames.compose(canvas, holder="me")
    frames.compose(canvas, 2, holder="me")
    assert positions == [3, 2]
    with pytest.raises(lease.LeaseLost):
        frames.compose(canvas, holder="another")


# --- frames whose file is lost ---------------------------------------------------------------------------------------


@pytest.fixture
def three(canvas: Canvas, dreamed: Pixels) -> list[Frame]:
    """Three frames with a stroke after each."""
    made = []
    for number in range(1, 4):
        made.append(keep(canvas, np.roll(dreamed, number, 0), number - 1))
        journal.append(canvas, [dot(number, at=8 * number)])
    canvas.refresh_from_db()
    return made


def base_of(canvas: Canvas) -> Frame | None:
    return Canvas.objects.select_related("frame").get(pk=canvas.pk).frame


def lose(frame: Frame) -> None:
    Path(frame.picture.path).unlink()


def empty(frame: Frame) -> None:
    Path(frame.picture.path).write_bytes(b"")


def cut(frame: Frame) -> None:
    path = Path(frame.picture.path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def flip(frame: Frame) -> None:
    """Another picture of the same length."""
    path = Path(frame.picture.path)
    data = path.read_bytes()
    path.write_bytes(data[:-40] + bytes(40))


def test_a_base_that_alone_is_missing_is_replaced_by_the_one_before_and_no_ink_is_lost(
    three: list[Frame], canvas: Canvas, caplog: pytest.LogCaptureFixture
) -> None:
    lose(three[2])
    frames.load.cache_clear()
    composed = frames.compose(canvas)
    second = frames.load(three[1].pk)
    assert np.array_equal(composed.pixels, painted(dot(2, at=16), dot(3, at=24), base=second))
    assert base_of(canvas) == three[1] and composed.base == three[1].pk
    assert [record.levelno for record in caplog.records if record.levelno >= logging.CRITICAL] == [logging.CRITICAL]


def test_never_more_than_one_frame_back_without_a_person(three: list[Frame], canvas: Canvas) -> None:
    lose(three[2])
    frames.load.cache_clear()
    frames.compose(canvas)
    lose(three[1])
    frames.load.cache_clear()
    with pytest.raises(frames.StorageTrouble, match=r"manage\.py canvas here"):
        frames.compose(canvas)
    assert base_of(canvas) == three[1]
    frames.set_base(canvas, three[0])
    first = frames.load(three[0].pk)
    composed = frames.compose(canvas)
    assert np.array_equal(composed.pixels, painted(dot(1, at=8), dot(2, at=16), dot(3, at=24), base=first))


@pytest.mark.parametrize("damage", [empty, cut, flip])
def test_wrong_bytes_are_waited_out(three: list[Frame], canvas: Canvas, damage: Callable[[Frame], None]) -> None:
    """Whether a file is damaged or an answer was cut: nobody can tell, and the next answer may be whole."""
    path = Path(three[2].picture.path)
    whole = path.read_bytes()
    damage(three[2])
    frames.load.cache_clear()
    for _ in range(3):
        with pytest.raises(frames.StorageTrouble):
            frames.compose(canvas)
        assert base_of(canvas) == three[2]
    path.write_bytes(whole)
    third = frames.load(three[2].pk)
    assert np.array_equal(frames.compose(canvas).pixels, painted(dot(3, at=24), base=third))


@pytest.mark.parametrize("cached", [True, False])
def test_a_storage_that_lacks_all_frames_is_waited_out(three: list[Frame], canvas: Canvas, cached: bool) -> None:
    """Another bucket, or one that is not filled yet. Pictures that a process still remembers prove nothing."""
    frames.load.cache_clear()
    if cached:
        frames.load(three[1].pk)
    for frame in three:
        lose(frame)
    with pytest.raises(frames.StorageTrouble):
        frames.compose(canvas)
    assert base_of(canvas) == three[2]
    frames.set_base(canvas, None)  # a person, who knows that they are lost
    composed = frames.compose(canvas)
    assert np.array_equal(composed.pixels, painted(dot(1, at=8), dot(2, at=16), dot(3, at=24)))
    assert base_of(canvas) is None and composed.base is None


def test_the_only_frame_is_waited_for(canvas: Canvas, dreamed: Pixels) -> None:
    frame = keep(canvas, dreamed, 0)
    lose(frame)
    frames.load.cache_clear()
    with pytest.raises(frames.StorageTrouble):
        frames.compose(canvas)
    assert base_of(canvas) == frame


def test_a_lost_restoration_does_not_bring_back_what_was_taken_away(three: list[Frame], canvas: Canvas) -> None:
    made = frames.encode(np.zeros((64, 64, 3), np.uint8), Frame.Kind.RESTORED)
    restored = frames.keep(frames.NewFrame(canvas, made, Frame.Kind.RESTORED, 2))
    lose(restored)
    frames.load.cache_clear()
    with pytest.raises(frames.StorageTrouble):
        frames.compose(canvas)
    assert base_of(canvas) == restored


@pytest.mark.parametrize("lost", [[], [2], [1], [0, 1]])
def test_a_storage_that_holds_what_canvases_start_from_may_be_used(three: list[Frame], lost: list[int]) -> None:
    """Without the newest frame too: that is the loss which one step back makes good."""
    for index in lost:
        lose(three[index])
    assert frames.storage_trouble() == ""


@pytest.mark.parametrize("damage", [lose, empty, cut])
def test_a_storage_that_does_not_is_refused_by_name(three: list[Frame], damage: Callable[[Frame], None]) -> None:
    for frame in three[1:]:
        damage(frame)
    words = frames.storage_trouble()
    assert f"here starts from frame 3, and {three[2].picture.name} is not there" in words
    assert str(default_storage.location) in words and "manage.py canvas" in words


def test_a_storage_that_does_not_answer_is_no_reason_to_stay_down(
    three: list[Frame], monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*args: object) -> int:
        raise ConnectionError("the bucket does not answer")

    monkeypatch.setattr(type(default_storage._wrapped), "size", away)
    assert frames.storage_trouble() == ""


def test_a_base_is_set_by_a_person(three: list[Frame], canvas: Canvas, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[str] = []
    monkeypatch.setattr(notify, "look", looks.append)
    lease.take(canvas, "me")
    lease.report(canvas, "me", position=3)
    frames.set_base(canvas, three[0])
    assert base_of(canvas) == three[0] and looks == ["here"]
    assert Dream.objects.get(canvas=canvas).position == three[0].seq, "a dream of the old base is refused"
    frames.hide(three[1])
    with pytest.raises(ValueError, match="hidden"):
        frames.set_base(canvas, three[1])
    cut(three[2])
    with pytest.raises(frames.FrameDamaged, match="bytes"):
        frames.set_base(canvas, three[2])
    assert base_of(canvas) == three[0]


# --- a bucket, which overwrites --------------------------------------------------------------------------------------


class Bucket(InMemoryStorage):
    """As S3: a name that is taken is written over."""

    def get_available_name(self, name: str, max_length: int | None = None) -> str:
        return name

    def _save(self, name: str, content: object) -> str:
        if self.exists(name):
            self.delete(name)
        return str(super()._save(name, content))


@pytest.fixture
def bucket(settings: Any, canvas: Canvas) -> None:
    settings.STORAGES = {**settings.STORAGES, "default": {"BACKEND": "tests.canvas.test_frames.Bucket"}}


def test_equal_pictures_do_not_share_a_file(bucket: None, canvas: Canvas, dreamed: Pixels) -> None:
    """Deleting or hiding one of them leaves the other's where it is."""
    kept, other = keep(canvas, dreamed, 0), keep(canvas, dreamed, 0)
    assert kept.sha256 == other.sha256
    lease.take(canvas, "another")
    with pytest.raises(lease.LeaseLost):
        keep(canvas, dreamed, 0, lease.Claim(canvas, "me", 0))
    frames.hide(other)
    assert frames.read(kept) and all(default_storage.exists(name) for name in files(kept))


def test_what_is_hidden_in_a_bucket_that_gives_half_is_not_destroyed(
    bucket: None, canvas: Canvas, dreamed: Pixels, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame = keep(canvas, dreamed, 0)
    open_file = Bucket._open

    def half(self: Bucket, name: str, mode: str = "rb") -> ContentFile:
        data = open_file(self, name, mode).read()
        return ContentFile(data[: len(data) // 2])

    with monkeypatch.context() as broken:
        broken.setattr(Bucket, "_open", half)
        assert frames.hide(frame)
    frame.refresh_from_db()
    assert frame.hidden_at is not None and frames.read(frame)


def test_a_storage_out_of_reach_changes_nothing(
    three: list[Frame], canvas: Canvas, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*args: object, **kwargs: object) -> None:
        raise ConnectionError("the bucket does not answer")

    frames.load.cache_clear()
    monkeypatch.setattr(type(default_storage._wrapped), "_open", away)
    with pytest.raises(StorageUnavailable, match="does not answer"):
        frames.compose(canvas)
    assert base_of(canvas) == three[2]


# --- hiding ----------------------------------------------------------------------------------------------------------


def files(frame: Frame) -> tuple[str, str]:
    frame.refresh_from_db()
    return frame.picture.name, frame.thumbnail.name


def test_hidden_files_leave_their_addresses(three: list[Frame], canvas: Canvas) -> None:
    before = files(three[0])
    contents = [default_storage.open(name).read() for name in before]
    assert frames.hide(three[0]) and not frames.hide(three[0])
    after = files(three[0])
    assert three[0].hidden_at is not None and not set(after) & set(before)
    assert not any(default_storage.exists(name) for name in before)
    assert [default_storage.open(name).read() for name in after] == contents
    assert all(three[0].sha256[:8] not in name for name in after)
    assert base_of(canvas) == three[2], "not the base: nothing else changes"


def test_two_who_hide_a_frame_at_once(three: list[Frame], monkeypatch: pytest.MonkeyPatch) -> None:
    copy, others = visibility._copy, [True]

    def slow(name: str, *more: str) -> str:
        if others:
            others.clear()
            assert frames.hide(three[2])
        return copy(name, *more)

    monkeypatch.setattr(visibility, "_copy", slow)
    assert not frames.hide(three[2])
    assert all(default_storage.exists(name) for name in files(three[2]))
    assert len(list(Path(three[2].picture.path).parent.iterdir())) == 2, "no copies are left lying about"


def test_a_hidden_base_steps_back_and_browsers_hear_of_it(
    three: list[Frame], canvas: Canvas, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[str] = []
    monkeypatch.setattr(notify, "look", looks.append)
    lease.take(canvas, "me")
    lease.report(canvas, "me", position=3)
    lose(three[1])
    frames.load.cache_clear()
    frames.hide(three[2])
    assert base_of(canvas) == three[0] and looks == ["here"]
    assert Dream.objects.get(canvas=canvas).position == three[0].seq, "the ink since then can be undone again"
    frames.hide(three[0])
    assert base_of(canvas) is None and Dream.objects.get(canvas=canvas).position == 0


def test_shown_again_it_is_in_the_history_and_not_the_base(three: list[Frame], canvas: Canvas) -> None:
    frames.hide(three[2])
    assert frames.unhide(three[2]) and not frames.unhide(three[2])
    assert three[2] in Frame.objects.visible() and base_of(canvas) == three[1]


def test_a_dream_of_a_base_that_was_hidden_is_not_recorded(three: list[Frame], canvas: Canvas, dreamed: Pixels) -> None:
    lease.take(canvas, "me")
    composed = frames.compose(canvas, holder="me")
    frames.hide(three[2])
    kept = sum(path.is_file() for path in Path(default_storage.location).rglob("*"))
    with pytest.raises(lease.BaseGone):
        keep(canvas, dreamed, composed.seq, composed.claim)
    assert base_of(canvas) == three[1] and Frame.objects.count() == 3
    assert sum(path.is_file() for path in Path(default_storage.location).rglob("*")) == kept, "nor are its files"
    composed = frames.compose(canvas, holder="me")
    assert keep(canvas, dreamed, composed.seq, composed.claim).number == 4
