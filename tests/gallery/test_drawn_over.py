"""Who painted over one's strokes later, and who one drew with."""

from __future__ import annotations

import numpy as np
import pytest
from django.db.models import F
from django.test import Client

from canvas import frames, journal, wire
from canvas.degrees import SHUT_OUT
from canvas.models import Canvas, Frame, Sanction, Stroke
from dreamsite.core.models import User
from dreamsite.core.turns import Pace
from gallery import drawn_over, my_strokes

pytestmark = pytest.mark.django_db
_ids = iter(range(1, 1 << 20))


def draw(canvas: Canvas, author: User, x: int, y: int) -> int:
    points = ((8 * x, 8 * y, 64), (8 * x + 80, 8 * y, 64))
    batch = journal.append(canvas, [wire.Stroke(next(_ids), 0, (9, 9, 9), 255, 0, points, True, author.pk)])
    assert batch is not None
    canvas.refresh_from_db()
    return batch.first


def dream(canvas: Canvas, *authors: User) -> Frame:
    picture = frames.encode(np.full((64, 64, 3), 200, np.uint8), Frame.Kind.DREAM)
    people = [author.pk for author in authors]
    return frames.keep(frames.NewFrame(canvas, picture, Frame.Kind.DREAM, canvas.head, people))


def test_only_who_came_later_to_the_same_place_and_may_be_shown(client: Client, canvas: Canvas) -> None:
    ada, over, before, away, out, hidden = (
        User.objects.create_user(name) for name in ("ada", "over-it", "before-it", "far-away", "shut-out", "hidden-one")
    )
    draw(canvas, before, 100, 100)
    draw(canvas, ada, 100, 100)
    dream(canvas, ada, before)
    draw(canvas, over, 102, 101)
    draw(canvas, away, 400, 400)
    draw(canvas, out, 100, 100)
    gone = draw(canvas, hidden, 100, 100)
    frame = dream(canvas, over, away, out, hidden)
    journal.append(canvas, [wire.Hide((gone,), False)])
    Sanction.objects.create(user=out, degree=SHUT_OUT[0], reason="x")
    client.force_login(ada)
    page = client.get("/history/mine/over/").content.decode()
    assert "over-it, with 1 stroke" in page and frame.get_absolute_url() in page
    assert "People I drew with" in page and "/people/before-it/" in page
    for nobody in ("before-it, with", "far-away", "shut-out", "hidden-one"):
        assert nobody not in page, nobody
    client.force_login(away)
    assert "Nobody drew over" in client.get("/history/mine/over/").content.decode()


def test_what_is_compared_is_bounded_and_the_newest_goes_first(canvas: Canvas, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many pieces a stroke has: somebody waits for the page."""
    ada, first, second = (User.objects.create_user(name) for name in ("ada", "the-first", "the-second"))
    draw(canvas, ada, 100, 100)
    for over in (first, second):
        draw(canvas, over, 100, 100)
    dream(canvas, ada, first, second)
    assert {meeting.name for meeting in drawn_over.over(ada, canvas)} == {"the-first", "the-second"}
    monkeypatch.setattr(drawn_over, "PIECES", 1)
    assert [meeting.name for meeting in drawn_over.over(ada, canvas)] == ["the-second"]
    Stroke.objects.filter(author=second.pk).update(last_seq=F("last_seq") + drawn_over.NUMBERS + 1)
    names = [meeting.name for meeting in drawn_over.over(ada, canvas)]
    assert names == ["the-first"], "the other would have half of the journal read"


@pytest.mark.parametrize(
    ("address", "pace"),
    [("/history/mine/over/", "_pace_over"), ("/history/mine/", "_pace"), ("/history/mine.json", "_pace")],
)
def test_each_person_may_ask_for_it_at_a_pace(
    client: Client, canvas: Canvas, monkeypatch: pytest.MonkeyPatch, address: str, pace: str
) -> None:
    monkeypatch.setattr(my_strokes, pace, Pace("these", 2, 60.0))
    for name in ("ada", "ben"):
        client.force_login(User.objects.create_user(name))
        assert [client.get(address).status_code for _ in range(3)] == [200, 200, 429]
    refused = client.get(address)
    assert 1 <= int(refused["Retry-After"]) <= 60 and "moment" in refused.content.decode()


def test_ones_account_knows_of_strokes_that_wait_for_a_dream(client: Client, canvas: Canvas) -> None:
    ada = User.objects.create_user("ada")
    client.force_login(ada)
    assert "You have not drawn yet" in client.get("/account/").content.decode()
    draw(canvas, ada, 100, 100)
    page = client.get("/account/").content.decode()
    assert "waits for the next dream" in page and "not drawn yet" not in page and 'href="/history/mine/"' in page
    frame = dream(canvas, ada)
    page = client.get("/account/").content.decode()
    assert frame.get_absolute_url() in page and "waits for" not in page
