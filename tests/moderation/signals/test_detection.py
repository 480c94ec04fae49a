"""Signals: what is odd about how people draw and where they sign in from."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone

from canvas.models import Canvas, Sanction, Stroke
from canvas.moderation.models import Act, Case, IpDigest, Signal
from canvas.moderation.signals import detection, stroke_anomalies
from dreamsite.core.models import User
from tests.moderation.helpers import person, signed_in

pytestmark = pytest.mark.django_db


def strokes_of(canvas: Canvas, user: User, times: list[float], side: int = 8) -> None:
    start = timezone.now() - timedelta(hours=20)
    Stroke.objects.bulk_create(
        Stroke(
            canvas=canvas,
            author=user.pk,
            stroke_id=number,
            first_seq=number + 1,
            last_seq=number + 1,
            colour="#000000",
            began_at=start + timedelta(seconds=at),
            ended_at=start + timedelta(seconds=at + 0.1),
            left=0,
            top=0,
            right=side,
            bottom=side,
            opacity=255,
            width=4.0,
            pieces=1,
            points=9,
            finished=True,
        )
        for number, at in enumerate(times)
    )


def test_odd_drawing_is_listed_once_and_nothing_happens_to_them(canvas: Canvas, people: list[User], mona: User) -> None:
    Canvas.objects.filter(pk=canvas.pk).update(width=640, height=640)
    robot, human = people
    strokes_of(canvas, robot, [2.0 * number for number in range(40)])
    pauses = [1.1, 2.7, 0.9, 3.8, 1.6, 0.7, 5.2, 2.2]
    strokes_of(canvas, human, [sum(pauses[at % 8] for at in range(number)) for number in range(40)])
    assert detection.detect() == 1 and detection.detect() == 0
    signal = Signal.objects.get()
    assert (signal.person, signal.kind, signal.seen_at) == (robot, "regular", None)
    assert not Sanction.objects.exists() and not Act.objects.exists() and not Case.objects.exists()
    here = signed_in(mona)
    assert "Perfectly regular timing" in here.get("/moderation/signals/").content.decode()
    here.post(f"/moderation/signals/{signal.pk}/seen")
    assert not here.get("/moderation/signals/").context["page"].object_list
    assert [each.seen_by for each in here.get("/moderation/signals/?state=seen").context["page"]] == [mona]


def test_a_stronger_signal_of_the_same_day_comes_back(people: list[User], mona: User) -> None:
    many = [person(f"p{number}") for number in range(6)]
    IpDigest.objects.bulk_create(IpDigest(person=each, what="sign-in", digest="d") for each in many[:5])
    call_command("moderation", "signals", verbosity=0)
    assert set(Signal.objects.values_list("kind", "value")) == {("address", 5.0)}
    Signal.objects.update(seen_at=timezone.now(), seen_by=mona)
    IpDigest.objects.create(person=many[5], what="sign-in", digest="d")
    assert detection.detect() == 6 and not Signal.objects.exclude(seen_at=None).exists()


def drawn(
    times: list[float], *, box: float = 50, width: float = 4, points: int = 5
) -> list[stroke_anomalies.DrawnStroke]:
    return [stroke_anomalies.DrawnStroke(at, at + 0.1, box, width, points) for at in times]


@pytest.mark.parametrize(
    ("strokes", "kinds"),
    [
        ([], set()),
        (drawn([0.0]), set()),
        (drawn([0.19 * number + 0.01 * (number % 3) for number in range(400)]), {"rate"}),
        (drawn([0.25 * number + 0.01 * (number % 3) for number in range(400)]), set()),
        (drawn([7.0 + 11 * number % 5 for number in range(9)], box=60_000, width=60, points=80), {"area"}),
        (drawn([4.0 * number for number in range(31)]), {"regular"}),
        (drawn([4.0 * number for number in range(30)]), set()),  # one pause too few to tell
        (drawn([0.2 * number for number in range(100)]), set()),  # too fast for the journal's clock to tell
        (drawn([20.0 * 60 * number + 200 * (number % 2) for number in range(37)]), {"session"}),
        (drawn([40.0 * 60 * number for number in range(37)]), set()),  # with rests
    ],
)
def test_what_is_odd_and_what_is_not(strokes: list[stroke_anomalies.DrawnStroke], kinds: set[str]) -> None:
    assert {
        finding.kind for finding in stroke_anomalies.find(sorted(strokes, key=lambda one: one.began), 1_000_000)
    } == kinds
