"""The dreamer's lease: one holder, and a dead one is replaced."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from canvas import frames, lease
from canvas.models import Canvas, Dream, Frame


def expire(canvas: Canvas) -> None:
    Dream.objects.filter(canvas=canvas).update(expires_at=timezone.now() - timedelta(seconds=1))


def test_the_first_to_come_holds_it(canvas: Canvas) -> None:
    assert lease.take(canvas, "a") and not lease.take(canvas, "b")
    assert lease.take(canvas, "a")  # and may ask again


def test_after_its_time_anybody_may_have_it_and_the_old_holder_is_told(canvas: Canvas) -> None:
    lease.take(canvas, "a")
    expire(canvas)
    assert lease.take(canvas, "b") and not lease.take(canvas, "a")
    assert not lease.report(canvas, "a", fraction=0.5) and lease.report(canvas, "b", fraction=0.25)
    assert Dream.objects.get(canvas=canvas).fraction == 0.25
    assert lease.renew("a") == 0 and lease.renew("b") == 1


def test_renewed_it_stays(canvas: Canvas) -> None:
    lease.take(canvas, "a")
    expire(canvas)
    assert lease.renew("a") == 1  # nobody was faster
    assert not lease.take(canvas, "b")


def test_given_back_it_is_free_at_once(canvas: Canvas) -> None:
    other = Canvas.objects.create(slug="there", title="There", width=64, height=64)
    lease.take(canvas, "a")
    lease.take(other, "b")
    lease.give_back("a")
    assert lease.take(canvas, "b") and Dream.objects.get(canvas=other).holder == "b"


def test_wishes_outlive_the_holder(canvas: Canvas) -> None:
    Dream.objects.create(canvas=canvas, style_wanted=True, paused=True)  # before any dreamer was there
    assert lease.take(canvas, "a")
    lease.give_back("a")
    dream = Dream.objects.get(canvas=canvas)
    assert dream.style_wanted and dream.paused


def test_who_holds_it_writes_nothing_until_it_must_be_renewed(canvas: Canvas) -> None:
    lease.take(canvas, "a")
    seen = Dream.objects.get(canvas=canvas)
    with CaptureQueriesContext(connection) as queries:
        assert lease.take(canvas, "a", seen) and not lease.take(canvas, "b", seen)
    assert len(queries) == 0
    seen.expires_at = timezone.now() + timedelta(seconds=lease.LEASE_SECONDS / 4)
    seen.save()
    assert lease.take(canvas, "a", seen)
    renewed = Dream.objects.get(canvas=canvas).expires_at
    assert renewed is not None and renewed > seen.expires_at


def test_what_was_seen_may_be_old(canvas: Canvas) -> None:
    lease.take(canvas, "a")
    expire(canvas)
    seen = Dream.objects.get(canvas=canvas)
    assert lease.take(canvas, "b") and not lease.take(canvas, "a", seen)


def test_a_lease_from_the_future_is_free(canvas: Canvas) -> None:
    """The clock was wrong by a year, and is right again."""
    lease.take(canvas, "a")
    Dream.objects.update(expires_at=timezone.now() + timedelta(days=365))
    assert lease.take(canvas, "b", Dream.objects.get(canvas=canvas))


def test_what_a_dead_dreamer_was_dreaming_can_be_undone_again(canvas: Canvas) -> None:
    def position() -> int:
        return Dream.objects.get(canvas=canvas).position

    lease.take(canvas, "a")
    lease.report(canvas, "a", position=7)
    assert lease.take(canvas, "a") and position() == 7, "its own"
    expire(canvas)
    assert lease.take(canvas, "b") and position() == 0
    made = frames.encode(np.zeros((64, 64, 3), np.uint8), Frame.Kind.DREAM)
    frames.keep(frames.NewFrame(canvas, made, Frame.Kind.DREAM, 5))
    lease.report(canvas, "b", position=9)
    assert lease.drop(canvas, "b", fraction=0.0) and position() == 5
    lease.report(canvas, "b", position=9)
    lease.give_back("b")
    assert position() == 5
