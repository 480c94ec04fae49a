"""The core's plain parts: files that are whole or not there, rectangles, and counters."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from hypothesis import given
from hypothesis import strategies as st

from dreamsite.core import counters, files
from dreamsite.core.rect import Rect


class TestWholeFile:
    def test_it_appears_when_it_is_written_and_not_before(self, tmp_path: Path) -> None:
        path = tmp_path / "picture.png"
        path.write_bytes(b"old")
        with files.whole_file(path) as draft:
            draft.write_bytes(b"new")
            assert draft.suffix == ".png" and draft.parent == tmp_path, "an encoder may look at the suffix"
            assert path.read_bytes() == b"old"
        assert path.read_bytes() == b"new" and list(tmp_path.iterdir()) == [path]

    def test_what_fails_leaves_what_was_there(self, tmp_path: Path) -> None:
        path = tmp_path / "manifest.json"
        path.write_text("{}")
        with pytest.raises(RuntimeError), files.whole_file(path) as draft:
            draft.write_text("{")
            raise RuntimeError
        assert path.read_text() == "{}" and list(tmp_path.iterdir()) == [path]

    def test_the_first_one_stays_where_that_is_wanted(self, tmp_path: Path) -> None:
        path = tmp_path / "secret"
        for text in ("first", "second"):
            with files.whole_file(path, mode=0o600, replace=False) as draft:
                draft.write_text(text)
        assert path.read_text() == "first" and stat.S_IMODE(path.stat().st_mode) == 0o600
        assert list(tmp_path.iterdir()) == [path]

    def test_the_umask_counts(self, tmp_path: Path) -> None:
        before = os.umask(0o027)
        try:
            with files.whole_file(tmp_path / "a") as draft:
                draft.write_text("")
        finally:
            os.umask(before)
        assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o640

    @pytest.mark.parametrize("durable", [True, False])
    def test_content_and_name_are_synced_in_this_order(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, durable: bool
    ) -> None:
        synced: list[tuple[Path, bool]] = []
        path = tmp_path / "a"
        monkeypatch.setattr(files, "sync", lambda what: synced.append((what, path.exists())))
        with files.whole_file(path, durable=durable) as draft:
            draft.write_text("")
        assert synced == ([(draft, False), (tmp_path, True)] if durable else [])

    def test_no_folder_is_an_error_at_once(self, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError), files.whole_file(tmp_path / "none" / "a"):
            pytest.fail("the block must not run")


def pixels(rect: Rect) -> set[tuple[int, int]]:
    return {(x, y) for x in range(rect.left, rect.right) for y in range(rect.top, rect.bottom)}


edges = st.integers(-6, 6)
sides = st.integers(1, 7)
rects: Any = st.builds(Rect.sized, edges, edges, sides, sides)


@given(rects, rects)
def test_rectangles_are_sets_of_pixels(one: Rect, other: Rect) -> None:
    both = pixels(one) & pixels(other)
    assert one.overlaps(other) == other.overlaps(one) == bool(both)
    assert pixels(one.intersection(other)) == both and one.intersection(other).area == len(both)
    assert one.contains(other) == (pixels(other) <= pixels(one))
    union = one.union(other)
    assert union.contains(one) and union.contains(other) and union == other.union(one)
    assert {union.left, union.top, union.right, union.bottom} <= {*one, *other}, "no larger than it must be"
    assert one.area == len(pixels(one)) == one.width * one.height


@given(rects, st.integers(0, 3))
def test_a_grown_rectangle_has_a_margin(rect: Rect, by: int) -> None:
    grown = rect.grown(by)
    assert (grown.width, grown.height) == (rect.width + 2 * by, rect.height + 2 * by) and grown.contains(rect)


class TestCounters:
    @pytest.fixture(autouse=True)
    def now(self, monkeypatch: pytest.MonkeyPatch) -> list[float]:
        cache.clear()
        now = [6000.0]
        monkeypatch.setattr(counters.time, "time", lambda: now[0])
        return now

    def test_each_stretch_begins_anew(self, now: list[float]) -> None:
        assert [counters.count("a", 60) for _ in range(3)] == [1, 2, 3]
        now[0] += 59.0
        assert (counters.count("a", 60), counters.counted("a", 60)) == (4, 4)
        assert (counters.count("b", 60), counters.counted("c", 60)) == (1, 0)
        now[0] += 1.0
        assert (counters.counted("a", 60), counters.count("a", 60)) == (0, 1)

    def test_a_number_that_is_lost_in_between_counts_as_one(self, monkeypatch: pytest.MonkeyPatch) -> None:
        counters.count("a", 60)
        monkeypatch.setattr(type(cache._connections["default"]), "add", lambda *_a, **_o: False)  # as if it were there
        assert counters.count("another", 60) == 1

    def test_a_number_without_an_end_bars_nobody_for_long(self, now: list[float]) -> None:
        cache.set(counters._key("a", 60), 1000, None)
        assert counters.count("a", 60) == 1001
        now[0] += 60.0
        assert counters.count("a", 60) == 1
