"""What fresh accounts can destroy, and that newcomers who draw never meet a limit: `make attack` in small."""

from __future__ import annotations

import pytest

from canvas import brush, limits, wire
from canvas.gate import UserStatus, newest
from canvas.newest import Newest
from tests.bench import griefing

DOT = ((800, 800, limits.MAX_WIDTH),)


def test_a_dot_costs_its_footprint_and_a_line_what_it_covers() -> None:
    side = limits.MAX_WIDTH / 8
    assert brush.covered(DOT, begins=True) == pytest.approx(3.1416 / 4 * side**2, rel=1e-3)
    line = ((800, 800, 80), (1600, 800, 80))
    assert brush.covered(line, begins=False) == 100 * 10
    assert brush.covered(line, begins=True) == pytest.approx(100 * 10 + 78.5, rel=1e-3)
    in_two = brush.covered(((800, 800, 80), (1200, 800, 80)), begins=False)
    assert 2 * in_two == brush.covered(line, begins=False), "cutting a stroke into pieces changes no price"


@pytest.mark.parametrize("way", griefing.WAYS)
def test_twenty_fresh_accounts_behind_three_addresses_destroy_less_than_half(way: str) -> None:
    """378 dots in a third of a second were everything, and a piece that says it goes on cost nothing."""
    found = {round(at): share for at, share in griefing.destroy(griefing.WAYS[way], seconds=90)}
    assert 0.05 < found[90] < 0.5, found[90]


@pytest.mark.parametrize("hand", ["the brush it finds", "a brush of 20 px"])
def test_a_newcomer_who_draws_for_an_hour_meets_no_limit(hand: str) -> None:
    refused, least = griefing.newcomer(*griefing.HANDS[hand], minutes=60)
    assert refused == 0 and least > limits.INK_LOW, (refused, least)


def test_a_crowd_from_everywhere_is_not_slowed() -> None:
    """An opening evening: forty newcomers cover most of the canvas within a minute, from forty addresses."""
    width, speed, busy = griefing.HANDS["the brush it finds"]
    refused, _ = griefing.newcomer(width, speed, busy, minutes=1.5, company=39, apart=True)
    assert refused == 0


def test_a_class_behind_one_address_draws() -> None:
    refused, _ = griefing.newcomer(84, 400.0, 0.25, minutes=1.5, company=24)
    assert refused == 0


def test_the_newest_are_slowed_by_address_and_for_a_while() -> None:
    watch, total = Newest(), 100 * 1024.0
    for cell in range(60):
        watch.painted("192.0.2.1", [cell], 1024.0, total, now=10.0)
    watch.painted("192.0.2.2", [61], 1024.0, total, now=10.0)
    assert watch.slow("192.0.2.1", 10.0) and not watch.slow("192.0.2.2", 10.0)
    assert not watch.slow("192.0.2.1", 10.0 + limits.NEWEST_SLOW_SECONDS)


def test_ground_painted_twice_or_long_ago_counts_once_or_no_more() -> None:
    watch, total = Newest(), 100 * 1024.0
    for _ in range(50):
        for cell in range(20):
            watch.painted("192.0.2.1", [cell], 1024.0, total, now=10.0)
    assert not watch.slow("192.0.2.1", 10.0)
    for minute in range(1, 5):
        for cell in range(25):
            watch.painted("192.0.2.1", [1000 * minute + cell], 1024.0, total, now=10.0 + 70.0 * minute)
    assert not watch.slow("192.0.2.1", 300.0)


def test_who_is_one_of_the_newest() -> None:
    now = 10**12
    assert newest(UserStatus(joined=now), now) and newest(UserStatus(joined=now, hours=3), now)
    assert not newest(UserStatus(joined=now - limits.NEWEST_MS), now)
    assert not newest(UserStatus(joined=now, hours=limits.NEWEST_HOURS), now)


def test_a_piece_goes_on_only_where_its_stroke_ended() -> None:
    from canvas.rate_limits import RateLimits

    limited, at, to = RateLimits(), (80, 80, 80), (160, 80, 80)

    def piece(number: int, *points: tuple[int, int, int]) -> wire.Stroke:
        return wire.Stroke(7, number, (0, 0, 0), 255, 0, points)

    assert limited.begins(piece(0, at, to))
    assert not limited.begins(piece(1, to, at))
    assert limited.begins(piece(2, to, at)), "elsewhere"
    assert limited.begins(piece(4, at, to)), "not the next"
