"""Ink ownership: whose fresh ink lies where."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canvas import brush, ink_ownership, limits, wire
from canvas.ink_ownership import InkOwnership

NOW = 1_800_000_000_000
LATER = NOW + 1000 * limits.OWNERSHIP_SECONDS + 1


def line(author: int, x0: int, x1: int, y: int = 400, width: int = 80) -> wire.Stroke:
    return wire.Stroke(1, 0, (0, 0, 0), 255, 0, ((8 * x0, 8 * y, width), (8 * x1, 8 * y, width)), False, author)


def batch(*ops: wire.Operation, at: int = NOW) -> wire.Batch:
    return wire.Batch(1, at, len(ops), b"".join(map(wire.encode, ops)))


def test_others_fresh_ink_is_foreign_and_ones_own_is_not() -> None:
    grid = InkOwnership()
    grid.learn(batch(line(1, 100, 300)))
    assert grid.shares(line(1, 100, 300), NOW) == (0, 1)
    assert grid.shares(line(2, 100, 300), NOW) == (1, 0)
    assert grid.shares(line(2, 100, 500), NOW)[0] == pytest.approx(0.5, abs=0.1)
    assert grid.shares(line(2, 100, 300), LATER)[0] == 0


def test_covering_a_drawing_does_not_make_it_ones_own_and_retouching_it_is_free() -> None:
    grid = InkOwnership()
    grid.learn(batch(line(1, 100, 300)))
    grid.learn(batch(line(2, 100, 300)))
    assert grid.shares(line(2, 100, 300), NOW)[0] == 1
    assert grid.shares(line(1, 100, 300), NOW)[0] == 0
    grid.learn(batch(line(2, 100, 300), at=LATER))  # long after
    assert grid.shares(line(2, 100, 300), LATER)[0] == 0


@pytest.mark.parametrize("op", [wire.Hide((1,)), wire.Hide((1,), show=True)])
def test_after_a_moderators_operation_nothing_is_shielded(op: wire.Operation) -> None:
    grid = InkOwnership()
    grid.learn(batch(line(1, 100, 300), op))
    assert grid.shares(line(2, 100, 300), NOW)[0] == 0


point = st.tuples(st.integers(-800, 12_000), st.integers(-800, 12_000), st.integers(limits.MIN_WIDTH, limits.MAX_WIDTH))


@given(st.lists(point, min_size=1, max_size=4))
def test_every_stamp_lies_in_a_cell_that_is_touched(path: list[brush.Point]) -> None:
    touched = ink_ownership.cells(tuple(path))
    for x, y, _ in brush.stamps(path, 0):
        row, column = int(y // ink_ownership.SIZE), int(x // ink_ownership.SIZE)
        near = {((row + dy) << 16) + column + dx for dx in (-1, 0, 1) for dy in (-1, 0, 1)}
        assert touched & near
    for piece in path:  # the points themselves exactly
        assert ((piece[1] // ink_ownership.SIZE) << 16) + piece[0] // ink_ownership.SIZE in touched


def test_two_points_cost_no_more_cells_than_the_line_between_them_has() -> None:
    op = line(1, 8, 1500, width=8)
    assert len(ink_ownership.cells(op.points)) <= 1500 // limits.OWNERSHIP_CELL + 2
    assert ink_ownership.cells(op.points[:1]) == {(400 // limits.OWNERSHIP_CELL) << 16}
