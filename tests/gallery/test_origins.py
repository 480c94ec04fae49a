"""Whose strokes a form in a dream grew from."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from django.test import Client
from django.utils import timezone

from canvas import frames, growth, journal, strokes, wire
from canvas.models import Canvas, Frame, Sanction, Stroke
from dreamsite.core.models import User
from gallery.frame import origins

pytestmark = pytest.mark.django_db


def line(number: int, author: User, *points: tuple[int, int], colour: tuple[int, int, int] = (9, 9, 9)) -> wire.Stroke:
    """A line through points in px, 8 px wide."""
    return wire.Stroke(number, 0, colour, 255, 0, tuple((8 * x, 8 * y, 64) for x, y in points), True, author.pk)


@pytest.fixture
def people(db: None) -> dict[str, User]:
    return {name: User.objects.create_user(name) for name in ("ada-l", "bruno", "carla")}


@pytest.fixture
def place() -> Canvas:
    return Canvas.objects.create(slug="grown", title="Grown", width=256, height=256)


def dreamed(place: Canvas, *, mapped: bool = True) -> Frame:
    """A frame of all that is drawn."""
    place.refresh_from_db()
    composed = frames.compose(place)
    drawn = [op for _, op in journal.operations(place, 0, place.head)]
    ages = growth.inked(growth.bare(place.width, place.height), drawn) if mapped else None
    picture = np.full((256, 256, 3), 200, np.uint8)
    made = frames.encode(picture, Frame.Kind.DREAM)
    return frames.keep(frames.NewFrame(place, made, Frame.Kind.DREAM, place.head, composed.authors, ages=ages))


def asked(client: Client, frame: Frame, x: int, y: int) -> Any:
    return client.get(f"/frames/{frame.pk}/origins.json?x={x}&y={y}")


def named(client: Client, frame: Frame, x: int, y: int) -> list[str]:
    return [one["name"] for one in asked(client, frame, x, y).json()["people"]]


@pytest.mark.parametrize("mapped", [True, False], ids=["by the map", "without a map"])
def test_the_nearest_ink_is_told_with_its_line_and_its_author(
    client: Client, place: Canvas, people: dict[str, User], mapped: bool
) -> None:
    journal.append(
        place, [line(1, people["ada-l"], (20, 20), (60, 20)), line(2, people["bruno"], (200, 220), (240, 220))]
    )
    frame = dreamed(place, mapped=mapped)
    answer = asked(client, frame, 40, 60)
    assert answer.json()["people"] == [{"name": "ada-l", "page": "/people/ada-l/"}]
    (stroke,) = answer.json()["strokes"]
    assert stroke == {"name": "ada-l", "colour": "#090909", "width": 8.0, "line": [20.0, 20.0, 60.0, 20.0]}
    assert "no-store" in answer["Cache-Control"]
    assert named(client, frame, 250, 130) == ["bruno"]


def test_of_ink_that_overlaps_the_newest_comes_first(client: Client, place: Canvas, people: dict[str, User]) -> None:
    journal.append(place, [line(1, people["ada-l"], (100, 100), (140, 100))])
    journal.append(place, [line(2, people["bruno"], (120, 80), (120, 120))])
    Stroke.objects.all().delete()
    frame = dreamed(place)
    strokes.index(place)
    Stroke.objects.filter(author=people["ada-l"].pk).update(ended_at=timezone.now() - timedelta(minutes=1))
    assert named(client, frame, 120, 100) == ["bruno", "ada-l"]
    assert named(client, frame, 138, 90) == ["ada-l"]


def test_what_came_after_the_frame_did_not_grow_in_it(client: Client, place: Canvas, people: dict[str, User]) -> None:
    journal.append(place, [line(1, people["ada-l"], (20, 20), (60, 20))])
    frame = dreamed(place)
    journal.append(place, [line(2, people["bruno"], (200, 200), (240, 200))])
    assert named(client, frame, 220, 200) == ["ada-l"]


def test_hidden_and_undone_strokes_are_never_told(client: Client, place: Canvas, people: dict[str, User]) -> None:
    journal.append(
        place, [line(1, people["ada-l"], (20, 20), (60, 20)), line(2, people["bruno"], (100, 20), (140, 20))]
    )
    journal.append(place, [line(3, people["carla"], (200, 240), (240, 240))])
    frame = dreamed(place)
    assert named(client, frame, 120, 24) == ["bruno"]
    journal.append(place, [wire.Hide((2,))])
    assert named(client, frame, 120, 24) == ["ada-l"], "although the frame's map still has its ink"
    Stroke.objects.filter(author=people["ada-l"].pk).update(undone_seq=9)
    assert named(client, frame, 120, 24) == ["carla"]
    Stroke.objects.filter(author=people["carla"].pk).update(hidden=1)
    assert asked(client, frame, 120, 24).json() == {"people": [], "strokes": []}


def test_who_left_is_leaving_or_is_shut_out_is_not_named(
    client: Client, place: Canvas, people: dict[str, User]
) -> None:
    ada = people["ada-l"]
    journal.append(place, [line(1, ada, (20, 20), (60, 20))])
    frame = dreamed(place)

    def unnamed() -> bool:
        answer = asked(client, frame, 40, 24)
        assert answer.status_code == 200 and len(answer.json()["strokes"]) == 1, "the ink stays part of the picture"
        return answer.json()["people"] == [] and "ada-l" not in answer.content.decode()

    assert not unnamed()
    sanction = Sanction.objects.create(user=ada, degree="suspend", reason="…")
    assert unnamed()
    sanction.lifted_at = timezone.now()
    sanction.save()
    assert not unnamed()
    Sanction.objects.create(user=ada, degree="cool_down", reason="…")
    assert not unnamed(), "whoever may be here may be named"
    for change in ({"closes_at": timezone.now()}, {"closed_at": timezone.now()}, {"is_active": False}):
        User.objects.filter(pk=ada.pk).update(**change)
        assert unnamed(), change
        User.objects.filter(pk=ada.pk).update(closes_at=None, closed_at=None, is_active=True)
    ada.delete()
    assert unnamed()


def test_a_hidden_frame_tells_nobody(client: Client, place: Canvas, people: dict[str, User], as_staff: Client) -> None:
    journal.append(place, [line(1, people["ada-l"], (20, 20), (60, 20))])
    frame = dreamed(place)
    Frame.objects.filter(pk=frame.pk).update(hidden_at=timezone.now())
    assert asked(Client(), frame, 40, 24).status_code == 410
    assert asked(as_staff, frame, 40, 24).status_code == 200


@pytest.mark.parametrize("query", ["", "?x=1", "?x=256&y=0", "?x=0&y=256", "?x=-1&y=0", "?x=a&y=0"])
def test_a_place_outside_the_frame_is_refused_in_words(client: Client, place: Canvas, query: str) -> None:
    frame = dreamed(place)
    answer = client.get(f"/frames/{frame.pk}/origins.json{query}")
    assert answer.status_code == 404 and ("expected" in answer.content.decode() or "must be" in answer.content.decode())


def test_many_strokes_elsewhere_cost_no_more_than_a_few_queries(
    client: Client, place: Canvas, people: dict[str, User], django_assert_max_num_queries: Any
) -> None:
    far = [line(n, people["ada-l"], (200 + n % 50, 200), (200 + n % 50, 240)) for n in range(2, 600)]
    journal.append(place, [line(1, people["bruno"], (20, 20), (30, 20)), *far])
    frame = dreamed(place)
    origins.at(frame, 10, 10)
    with django_assert_max_num_queries(12):
        (one,) = origins.at(frame, 10, 10)
    assert one.name == "bruno"
