"""The dreamer's lease: one holder, and a dead one is replaced."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from canvas import frames, lease
from canvas.models import Canvas, Dream, Frame


def expire(place: Canvas) -> None:
    Dream.objects.filter(canvas=place).update(expires_at=timezone.now() - timedelta(seconds=1))


def test_the_first_to_come_holds_it(place: Canvas) -> None:
    assert lease.take(place, "a") and not lease.take(place, "b")
    assert lease.take(place, "a")  # and may ask again


def test_after_its_time_anybody_may_have_it_and_the_old_holder_is_told(place: Canvas) -> None:
    lease.take(place, "a")
    expire(place)
    assert lease.take(place, "b") and not lease.take(place, "a")
    assert not lease.tell(place, "a", fraction=0.5) and lease.tell(place, "b", fraction=0.25)
    assert Dream.objects.get(canvas=place).fraction == 0.25
    assert lease.renew("a") == 0 and lease.renew("b") == 1


def test_renewed_it_stays(place: Canvas) -> None:
    lease.take(place, "a")
    expire(place)
    assert lease.renew("a") == 1  # nobody was faster
    assert not lease.take(place, "b")


def test_given_back_it_is_free_at_once(place: Canvas) -> None:
    other = Canvas.objects.create(slug="there", title="There", width=64, height=64)
    lease.take(place, "a")
    lease.take(other, "b")
    lease.give_back("a")
    assert lease.take(place, "b") and Dream.objects.get(canvas=other).holder == "b"


def test_wishes_outlive_the_holder(place: Canvas) -> None:
    Dream.objects.create(canvas=place, style_wanted=True, paused=True)  # before any dreamer was there
    assert lease.take(place, "a")
    lease.give_back("a")
    dream = Dream.objects.get(canvas=place)
    assert dream.style_wanted and dream.paused


def test_who_holds_it_writes_nothing_until_it_must_be_renewed(place: Canvas) -> None:
    lease.take(place, "a")
    seen = Dream.objects.get(canvas=place)
    with CaptureQueriesContext(connection) as asked:
        assert lease.take(place, "a", seen) and not lease.take(place, "b", seen)
    assert len(asked) == 0
    seen.expires_at = timezone.now() + timedelta(seconds=lease.LEASE_SECONDS / 4)
    seen.save()
    assert lease.take(place, "a", seen)
    renewed = Dream.objects.get(canvas=place).expires_at
    assert renewed is not None and renewed > seen.expires_at


def test_what_was_seen_may_be_old(place: Canvas) -> None:
    lease.take(place, "a")
    expire(place)
    seen = Dream.objects.get(canvas=place)
    assert lease.take(place, "b") and not lease.take(place, "a", seen)


def test_a_lease_from_the_future_is_free(place: Canvas) -> None:
    """The clock was wrong by a year, and is right again."""
    lease.take(place, "a")
    Dream.objects.update(expires_at=timezone.now() + timedelta(days=365))
    assert lease.take(place, "b", Dream.objects.get(canvas=place))


def test_what_a_dead_dreamer_was_dreaming_can_be_undone_again(place: Canvas) -> None:
    def position() -> int:
        return Dream.objects.get(canvas=place).position

    lease.take(place, "a")
    lease.tell(place, "a", position=7)
    assert lease.take(place, "a") and position() == 7, "its own"
    expire(place)
    assert lease.take(place, "b") and position() == 0
    made = frames.encode(np.zeros((64, 64, 3), np.uint8), Frame.Kind.DREAM)
    frames.keep(frames.NewFrame(place, made, Frame.Kind.DREAM, 5))
    lease.tell(place, "b", position=9)
    assert lease.drop(place, "b", fraction=0.0) and position() == 5
    lease.tell(place, "b", position=9)
    lease.give_back("b")
    assert position() == 5
