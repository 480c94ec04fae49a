"""The gate's judgement: what rules and statuses mean for a piece of ink. Plain values, no room, no database."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from canvas import brush, degrees, gate, limits, picture, wire
from canvas.gate import Region, Rules, Sanction, UserStatus
from canvas.wire import RejectReason

NOW = 1_800_000_000_000
SIDE = 96
INK = wire.Stroke(1, 0, (0, 0, 0), 255, 0, ((320, 320, 80), (400, 320, 80)))
UNDO = wire.Undo(1)
FINE = UserStatus(joined=NOW - 1000)


def sanctioned(degree: str, until: int | None = NOW + 1) -> UserStatus:
    return UserStatus(sanctions=(Sanction(1, degree, "because", until),))


@pytest.mark.parametrize(
    ("rules", "status", "ink", "undo"),
    [
        (Rules(), FINE, None, None),
        (Rules(ended=True), FINE, RejectReason.ENDED, RejectReason.ENDED),
        (Rules(frozen=True), FINE, RejectReason.LOCKED, RejectReason.LOCKED),
        (Rules(newcomers_after=NOW - 2000), FINE, RejectReason.SUSPENDED, None),
        (Rules(newcomers_after=NOW), FINE, None, None),
        (Rules(regions=(Region(1, "lock", 30, 30, 40, 40),)), FINE, RejectReason.LOCKED, None),
        (Rules(regions=(Region(1, "cover", 30, 30, 40, 40, NOW + 1),)), FINE, RejectReason.LOCKED, None),
        (Rules(regions=(Region(1, "lock", 30, 30, 40, 40, NOW),)), FINE, None, None),
        (Rules(regions=(Region(1, "lock", 60, 30, 30, 40),)), FINE, None, None),
        (Rules(), sanctioned("warn", None), RejectReason.SUSPENDED, None),
        (Rules(), sanctioned("cool_down"), None, None),
        (Rules(), sanctioned("read_only"), RejectReason.SUSPENDED, None),
        (Rules(), sanctioned("suspend"), RejectReason.SUSPENDED, RejectReason.SUSPENDED),
        (Rules(), sanctioned("suspend", NOW), None, None),
    ],
)
def test_what_may_enter(rules: Rules, status: UserStatus, ink: int | None, undo: int | None) -> None:
    assert gate.judge(INK, rules, status, NOW) == ink
    assert gate.judge(UNDO, rules, status, NOW) == undo


def test_every_sanction_counts_until_it_is_over() -> None:
    both = UserStatus(sanctions=(Sanction(1, "suspend", "", NOW + 1), Sanction(2, "warn", "", None)))
    assert [degree.name for degree in both.against(NOW)] == ["suspend", "warn"]
    assert [degree.name for degree in both.against(NOW + 1)] == ["warn"]
    assert gate.judge(UNDO, Rules(), both, NOW) == RejectReason.SUSPENDED
    assert gate.judge(UNDO, Rules(), both, NOW + 1) is None


def test_the_table_of_degrees() -> None:
    """Each is harder than the one before; the gravest is the one that stops the pen, then the severest."""
    names = [degree.name for degree in degrees.DEGREES]
    assert names == ["warn", "cool_down", "read_only", "suspend"]
    assert [degree.severity for degree in degrees.DEGREES] == [0, 1, 2, 3]
    by_gravity = sorted(degrees.DEGREES, key=lambda degree: degree.gravity)
    assert [degree.name for degree in by_gravity] == ["cool_down", "warn", "read_only", "suspend"]
    for degree in degrees.DEGREES:
        assert len(degree.name) <= 12, "as the database has room for"
        assert degree.may_draw or degree.line, "whoever cannot draw is told why in a line"
        assert degree.may_enter or not degree.may_undo


points = st.tuples(
    st.integers(-60 * 8, (SIDE + 60) * 8), st.integers(-60 * 8, (SIDE + 60) * 8), st.integers(limits.MIN_WIDTH, 400)
)
rect = st.tuples(st.integers(0, SIDE - 1), st.integers(0, SIDE - 1), st.integers(1, 40), st.integers(1, 40))


@given(path=st.lists(points, min_size=1, max_size=5), canvas=rect, carry=st.integers(0, 3000))
def test_whatever_paints_into_a_locked_region_is_refused(
    path: list[brush.Point], canvas: tuple[int, int, int, int], carry: int
) -> None:
    """Against the brush itself: a piece that is let through changes no pixel of the region."""
    x, y, width, height = canvas
    op = wire.Stroke(1, 1 if carry else 0, (9, 9, 9), 255, carry, tuple(path))
    if gate.judge(op, Rules(regions=(Region(1, "lock", *canvas),)), FINE, NOW) is None:
        pixels = picture.blank(SIDE, SIDE, (255, 255, 255))
        brush.draw(pixels, op.points, op.carry, op.colour, op.opacity)
        assert np.all(pixels[y : y + height, x : x + width] == 255)


def test_a_stroke_that_passes_by_is_no_stroke_that_touches() -> None:
    diagonal = wire.Stroke(1, 0, (0, 0, 0), 255, 0, ((0, 0, 8), (90 * 8, 90 * 8, 8)))
    beside = Rules(regions=(Region(1, "lock", 60, 10, 20, 20),))
    assert gate.judge(diagonal, beside, FINE, NOW) is None


def test_ink_grows_with_clean_hours_and_shrinks_with_slow_mode_and_sanctions() -> None:
    grown = [gate.allowance(Rules(), UserStatus(hours=hours), NOW) for hours in range(40)]
    assert grown == sorted(grown) and len(set(grown)) == len(limits.INK_LEVELS)
    rate, burst = grown[0]
    for status in (UserStatus(), UserStatus(hours=100, trusted=True)):  # slow mode holds for everybody
        assert gate.allowance(Rules(slow=4), status, NOW) == (rate / 4, burst / 4)
    cools = UserStatus(hours=100, sanctions=(Sanction(1, "cool_down", "", NOW + 1),))
    assert gate.allowance(Rules(), cools, NOW) == (rate / limits.COOL_DOWN, burst / limits.COOL_DOWN)
    assert gate.allowance(Rules(), cools, NOW + 1) == grown[-1]


def test_newcomers_pay_most_for_painting_over_others() -> None:
    costs = [
        gate.overpainting(UserStatus(hours=9, trusted=True)),
        gate.overpainting(UserStatus(hours=9)),
        gate.overpainting(UserStatus()),
    ]
    assert 1 < costs[0] < costs[1] < costs[2]
