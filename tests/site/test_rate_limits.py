"""Token buckets: what a key may do at once and on average, and that those who rest are forgotten."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dreamsite.core.errors import Busy
from dreamsite.core.token_bucket import FORGET_SECONDS, TokenBuckets
from dreamsite.core.turns import Pace
from dreamsite.servers.limits import AddressLimit


@given(waits=st.lists(st.integers(0, 40), min_size=1, max_size=60), rate=st.sampled_from([0.25, 1.0, 4.0]))
def test_no_key_has_more_than_its_burst_and_its_rate(waits: list[int], rate: float) -> None:
    buckets, now, taken, begun = TokenBuckets(rate, 3), 1000.0, 0, 1000.0
    for wait in waits:
        now += wait / 8
        taken += buckets.take("ada", now)
        assert taken <= 3 + rate * (now - begun)
        assert buckets.take(now, now), "others have buckets of their own"


def test_it_says_when_there_is_room_again_and_forgets_who_rests() -> None:
    buckets = TokenBuckets(0.5, 2)
    assert [buckets.take("ada", 100.0) for _ in range(3)] == [True, True, False]
    assert buckets.seconds_to_next("ada", 100.0) == 2.0 and buckets.seconds_to_next("ben", 100.0) == 0.0
    assert not buckets.take("ada", 101.0) and buckets.take("ada", 102.0)
    for number in range(50):
        buckets.take(number, 102.0)
    assert len(buckets) == 51
    buckets.take("ada", 102.0 + FORGET_SECONDS + 1)
    assert len(buckets) == 1


def test_a_pace_says_when_to_come_back() -> None:
    now = 50.0
    pace = Pace("pictures", 2, 20.0, clock=lambda: now)
    for _ in range(2):
        pace.take("203.0.113.9")
    now += 5
    with pytest.raises(Busy) as busy:
        pace.take("203.0.113.9")
    assert (busy.value.status, busy.value.seconds) == (429, 15)
    pace.take("203.0.113.10")
    now += 15
    pace.take("203.0.113.9")


def test_an_address_limit_bounds_what_comes_and_what_is_open() -> None:
    now = 50.0
    limit = AddressLimit(3, 1.0, 4, clock=lambda: now)
    keys = [limit.enter("2001:db8::1") for _ in range(4)]
    assert len({*keys[:3]}) == 1 and keys[0] and keys[3] is None, "three are open"
    limit.leave(keys[0])
    assert limit.enter("2001:db8::2") == keys[0], "of the same /64"
    limit.leave(keys[0])
    assert limit.enter("2001:db8::1") is None, "four came within a second"
    now += 1
    assert limit.enter("2001:db8::1") == keys[0]
