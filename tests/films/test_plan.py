"""Which frame is shown when: arithmetic, for any history."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gallery.films import plan
from gallery.films.chapters import SHORTEST_SECONDS, chapters

BEGUN = datetime(2026, 1, 1, tzinfo=UTC)


def stills(gaps: list[tuple[int, int, str]]) -> list[plan.Still]:
    """From (numbers skipped, operations since, style) for each."""
    found, number, seq = [], 0, 0
    for skipped, drawn, style in gaps:
        number, seq = number + 1 + skipped, seq + drawn
        found.append(plan.Still(number * 7, number, seq, BEGUN + timedelta(seconds=30 * number), style))
    return found


histories = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 3), st.sampled_from(["", "eyes", "roofs"])), min_size=1, max_size=120
).map(stills)


@given(histories, st.sampled_from(list(plan.PACES.values())), st.booleans())
def test_segments_and_parts_cover_the_film_once(frames: list[plan.Still], pace: plan.Pace, drawing: bool) -> None:
    film = plan.plan(frames, pace, drawing=drawing)
    assert film.stills == frames
    assert [segment.first for segment in film.segments[1:]] == [segment.last for segment in film.segments[:-1]]
    assert (film.segments[0].first, film.segments[-1].last) == (0, len(film.parts))
    assert sum(segment.length for segment in film.segments) == film.length
    at = 0
    for part in film.parts:
        assert part.start == at and part.fade >= 1
        at += part.length
    for segment in film.segments[:-1]:
        assert plan.SEGMENT <= segment.length < plan.SEGMENT + max(part.length for part in film.parts)


@given(histories)
def test_strokes_are_shown_where_the_frame_before_is_the_one_they_were_drawn_on(frames: list[plan.Still]) -> None:
    film = plan.plan(frames, plan.PACES["hours"], drawing=True)
    for before, part in zip(film.parts, film.parts[1:], strict=False):
        drawn = (
            before.still
            and part.still
            and part.still.number == before.still.number + 1
            and part.still.seq > before.still.seq
        )
        assert bool(part.draw) == bool(drawn)
    assert not any(part.draw for part in plan.plan(frames, plan.PACES["hours"], drawing=False).parts)


@given(histories, st.floats(-5, 1000))
def test_any_second_has_its_frame(frames: list[plan.Still], seconds: float) -> None:
    film = plan.plan(frames, plan.PACES["day"], drawing=True)
    shown = film.at(seconds)
    part = next(part for part in film.parts if part.still == shown)
    if film.parts[1].start <= seconds * film.fps < film.parts[-1].start:
        assert part.start <= seconds * film.fps + 1e-3 and seconds * film.fps < part.start + part.length + 1e-3


@given(histories)
def test_chapters_begin_at_zero_rise_and_are_long_enough(frames: list[plan.Still]) -> None:
    film = plan.plan(frames, plan.PACES["hours"], drawing=False)
    found = chapters(film)
    times = [chapter.at for chapter in found]
    assert times[0] == 0 and all(chapter.title for chapter in found)
    assert all(later - earlier >= SHORTEST_SECONDS for earlier, later in itertools.pairwise(times))


def test_a_drawing_between_two_dreams_of_one_style_begins_no_chapter() -> None:
    frames = stills([(0, 1, "")] * 4 + [(0, 1, "eyes")] * 4 + [(0, 1, "")] + [(0, 1, "eyes")] * 4 + [(0, 1, "roofs")])
    film = plan.plan(frames, plan.PACES["hours"], drawing=True)
    found = chapters(film)
    assert [(chapter.title, chapter.number) for chapter in found] == [("The drawing", 1), ("eyes", 5), ("roofs", 14)]


def test_nothing_is_no_film() -> None:
    with pytest.raises(ValueError, match="no frames"):
        plan.plan([], plan.PACES["day"], drawing=False)


@given(st.lists(st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))), st.integers(1, 24))
def test_every_moment_lies_in_its_window(moments: list[datetime], hours: int) -> None:
    found = plan.windows(moments, hours * 3600)
    assert all(any(start <= moment < start + timedelta(hours=hours) for start in found) for moment in moments)
    assert all(start.hour % hours == 0 and start.minute == start.second == 0 for start in found)


@given(histories, st.sampled_from(list(plan.PACES.values())), st.floats(0, 400))
def test_without_strokes_a_moment_is_found_by_arithmetic(
    frames: list[plan.Still], pace: plan.Pace, seconds: float
) -> None:
    film = plan.plan(frames, pace, drawing=False)
    for at in (seconds, *(part.start / plan.FPS for part in film.parts)):
        assert frames[plan.shot_at(len(frames), pace, at)] == film.at(at)
