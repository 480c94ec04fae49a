"""Windows: equal, covering, aligned, with a halo."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dreamer.engine.tiles import LEFT_OVER, cut, paste, plan, spans


@given(
    st.integers(32, 900),
    st.integers(32, 900),
    st.integers(48, 512),
    st.integers(0, 64),
    st.sampled_from([1, 2, 8, 16, 32]),
)
@example(32, 161, 48, 33, 32)
def test_cores_partition_the_picture_and_windows_are_equal(h: int, w: int, tile: int, halo: int, stride: int) -> None:
    tiles = plan(h, w, tile=tile, halo=halo, stride=stride)
    covered = np.zeros((h, w), int)
    for t in tiles:
        covered[t.core] += 1
        for span, length in ((t.y, h), (t.x, w)):
            assert 0 <= span.start <= span.first < span.last <= span.stop <= length
            assert span.start % stride == 0
            # the halo is there wherever the picture goes on
            assert span.start == 0 or span.first - span.start >= halo - stride
            assert span.stop == length or span.stop - span.last >= halo - stride
    assert (covered == 1).all()
    assert len({(t.y.stop - t.y.start, t.x.stop - t.x.start) for t in tiles}) == 1
    assert sum(t.share * (t.y.stop - t.y.start) * (t.x.stop - t.x.start) for t in tiles) == pytest.approx(h * w)


@given(st.integers(64, 4000), st.integers(64, 600), st.sampled_from([0, 16, 32]), st.sampled_from([8, 16, 32]))
def test_windows_are_bounded(length: int, tile: int, halo: int, stride: int) -> None:
    t = plan(length, length, tile=tile, halo=halo, stride=stride)[0]
    assert (t.y.stop - t.y.start) * (t.x.stop - t.x.start) <= (tile + 2 * halo + stride) ** 2


def test_the_live_canvas() -> None:
    """As GoogLeNet's layers of stride 16 see it on two cores."""
    plans = [plan(s, s, tile=512, halo=48, stride=16, cores=2) for s in (390, 513, 675, 888, 1168, 1536)]
    assert [len(tiles) for tiles in plans] == [1, 1, 2, 4, 6, 9]
    windows = [(tiles[0].x.stop, tiles[0].y.stop) for tiles in plans]  # width, height
    assert windows == [(390, 390), (513, 513), (675, 387), (504, 504), (640, 464), (576, 576)]


@given(st.integers(64, 2000), st.integers(64, 2000), st.sampled_from([0, 16, 48]), st.sampled_from([1, 2, 4, 7]))
def test_no_more_work_than_squares(h: int, w: int, halo: int, cores: int) -> None:
    tiles = plan(h, w, tile=256, halo=halo, stride=16, cores=cores)
    squares = [spans(side, count_for(side, 256, halo, 16), halo, 16) for side in (h, w)]
    work = len(squares[0]) * len(squares[1]) * squares[0][0].stop * squares[1][0].stop
    left_over = len(squares[0]) * len(squares[1]) % cores * squares[0][0].stop * squares[1][0].stop
    assert len(tiles) * tiles[0].y.stop * tiles[0].x.stop <= work + LEFT_OVER * left_over


def count_for(length: int, tile: int, halo: int, stride: int) -> int:
    """The fewest windows of at most ``tile + 2 halo``."""
    return next(n for n in range(1, length) if spans(length, n, halo, stride)[0].stop <= tile + 2 * halo)


def test_one_window_is_the_picture() -> None:
    (only,) = plan(300, 200, tile=512)
    assert only.window == only.core == (slice(0, 300), slice(0, 200)) and only.share == 1
    assert len(spans(100, 4, 40, 32)) == 1  # windows as large as the picture are one window


def test_sizes_that_make_no_sense_are_refused() -> None:
    for bad in ({"tile": 0}, {"halo": -1}, {"stride": 0}):
        with pytest.raises(ValueError, match="cannot tile 100x50"):
            plan(50, 100, **bad)


@given(st.integers(1, 40), st.integers(1, 40), st.integers(-99, 99), st.integers(-99, 99), st.data())
def test_windows_of_a_shifted_picture_go_around_its_edges(
    h: int, w: int, down: int, right: int, data: st.DataObject
) -> None:
    picture = np.random.default_rng(0).normal(0, 1, (3, h, w)).astype(np.float32)
    rows, columns = (
        slice(*sorted(data.draw(st.lists(st.integers(0, n), min_size=2, max_size=2, unique=True)))) for n in (h, w)
    )
    window = cut(picture, (down, right), (rows, columns))
    shifted = np.roll(picture, (down, right), (1, 2))
    np.testing.assert_array_equal(window, shifted[:, rows, columns])
    paste(-window, picture, (down, right), (rows, columns))
    shifted[:, rows, columns] *= -1
    np.testing.assert_array_equal(picture, np.roll(shifted, (-down, -right), (1, 2)))
