"""The dreamer's lease: one holder, and a dead one is replaced."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from canvas import lease
from canvas.models import Canvas, Dream


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
