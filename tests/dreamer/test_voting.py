"""Votes for the next style: who may, one each, what leads, and what the dreamer does with it."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from canvas import journal, wire
from canvas.journal import dream_news
from canvas.models import Canvas, Dream, Frame, Rules, Sanction
from dreamer import views, voting, worker
from dreamer.models import Choice, Job, StyleVote
from dreamer.networks import shelves, trying
from dreamer.styles import key
from dreamer.worker import Dreamer
from dreamsite.core import counters
from dreamsite.core.models import User
from dreamsite.core.turns import Pace
from gallery import recipe
from tests.dreamer import nets
from tests.dreamer.test_worker import due


@pytest.fixture
def canvas(db: None, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Canvas:
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.MODELS_DIR = tmp_path / "models"
    settings.HOUSE_MODEL = False
    settings.DREAM_MODEL = ""
    nets.register_tiny(settings.MODELS_DIR)
    cache.clear()
    monkeypatch.setattr(views, "_votes", Pace("votes", 20, 60.0))
    monkeypatch.setattr(views, "_asks", Pace("lists", 1000, 60.0))
    canvas = Canvas.objects.create(slug="here", title="Here", width=64, height=64)
    files = voting.network(canvas)
    assert files is not None
    for channel in range(3):
        shelves.add(files.name, "pool2", channel, f"Style {channel}", None)
    Dream.objects.create(canvas=canvas)
    return canvas


@pytest.fixture
def people(db: None) -> list[User]:
    return [User.objects.create(username=name) for name in ("ann", "ben", "cleo")]


def styles(canvas: Canvas) -> list[str]:
    files = voting.network(canvas)
    assert files is not None
    return [key(one.layer, one.channel) for one in voting.ballot(canvas, files)]


def vote(client: Client, style: Any) -> Any:
    return client.post("/c/here/styles/", json.dumps({"style": style}), content_type="application/json")


def as_user(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_everybody_sees_the_styles_and_those_who_are_known_vote_once(canvas: Canvas, people: list[User]) -> None:
    first, second, *_ = styles(canvas)
    seen = Client().get("/c/here/styles/").json()
    assert [one["key"] for one in seen["styles"]] == styles(canvas) and seen["mine"] is None
    assert vote(Client(), first).status_code == 401
    clients = [as_user(user) for user in people]
    assert vote(clients[0], first).json()["mine"] == first
    assert vote(clients[0], second).json()["mine"] == second, "instead of the one before"
    assert vote(clients[1], second).status_code == 200
    reply = vote(clients[2], first).json()
    assert {one["key"]: one["votes"] for one in reply["styles"] if one["votes"]} == {first: 1, second: 2}
    news = dream_news(Dream.objects.get())
    assert Dream.objects.get().coming == {"title": "Style 1", "votes": 2} and "coming" not in news, "nobody holds it"
    assert vote(clients[0], None).json()["mine"] is None
    assert vote(clients[1], None).status_code == 200
    assert Dream.objects.get().coming == {"title": "Style 0", "votes": 1}


@pytest.mark.parametrize("sent", [b"", b"[]", b'{"style": 3}', b'{"style": "99@nothing"}', b'{"style": ["x"]}', b"{"])
def test_what_is_no_style_is_no_vote(canvas: Canvas, people: list[User], sent: bytes) -> None:
    answer = as_user(people[0]).post("/c/here/styles/", sent, content_type="application/json")
    assert answer.status_code == 400 and not StyleVote.objects.exists()


def test_one_person_votes_so_often_and_no_more(
    canvas: Canvas, people: list[User], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counters, "_key", lambda what, seconds: what)  # whenever a minute ends
    client, (first, second, *_) = as_user(people[0]), styles(canvas)
    answers = [vote(client, (first, second)[turn % 2]).status_code for turn in range(30)]
    assert answers == [200] * views.VOTES_A_MINUTE + [429] * (30 - views.VOTES_A_MINUTE)
    assert StyleVote.objects.count() == 1


def test_one_address_votes_so_often_and_no_more(canvas: Canvas) -> None:
    style = styles(canvas)[0]
    crowd = [as_user(User.objects.create(username=f"many{number}")) for number in range(25)]
    answers = [vote(client, style).status_code for client in crowd]
    assert answers[:20] == [200] * 20 and set(answers[20:]) == {429}
    assert StyleVote.objects.count() == 20


def test_guests_vote_where_the_owner_lets_them(canvas: Canvas, settings: Any) -> None:
    guest = User.objects.create(username="quiet-otter", guest=True)
    assert vote(as_user(guest), styles(canvas)[0]).status_code == 200
    settings.GUEST_VOTES = False
    assert vote(as_user(guest), styles(canvas)[1]).status_code == 403
    assert not voting.may_vote(AnonymousUser())


def test_who_may_not_draw_has_no_vote_and_a_closed_canvas_no_ballot(canvas: Canvas, people: list[User]) -> None:
    style, guest = styles(canvas)[0], User.objects.create(username="quiet-otter", guest=True)
    rules = Rules.objects.create(canvas=canvas, members_only=True)
    assert vote(as_user(guest), style).status_code == 403
    rules.members_only = False
    rules.save()
    assert vote(as_user(guest), style).status_code == 200
    Sanction.objects.create(user=people[0], degree="read_only", reason="Spam.")
    assert vote(as_user(people[0]), style).status_code == 403
    Canvas.objects.filter(pk=canvas.pk).update(closed_at=timezone.now())
    assert vote(as_user(people[1]), style).status_code == 400
    assert Client().get("/c/here/styles/").json()["styles"] == [] and StyleVote.objects.count() == 1


def test_where_the_owner_fixes_the_style_nobody_is_asked(canvas: Canvas, people: list[User]) -> None:
    first = styles(canvas)[0]
    client = as_user(people[0])
    assert b"Vote for the next style" in client.get("/c/here/").content
    Choice.objects.create(canvas=canvas, votes=False)
    assert client.get("/c/here/styles/").json()["styles"] == []
    assert vote(client, first).status_code == 400
    assert b"Vote for the next style" not in client.get("/c/here/").content


def test_the_picture_of_a_style(canvas: Canvas) -> None:
    files = voting.network(canvas)
    assert files is not None
    path = trying.picture(files, styles(canvas)[0])
    path.parent.mkdir(parents=True)
    path.write_bytes(b"a picture")
    listed = Client().get("/c/here/styles/").json()["styles"]
    assert listed[1]["picture"] is None
    answer = Client().get(listed[0]["picture"])
    assert b"".join(answer) == b"a picture"
    assert Client().get("/c/here/styles/picture/?style=../../x").status_code == 404


def test_pictures_that_are_missing_are_ordered_once_whoever_asks(canvas: Canvas) -> None:
    for _ in range(3):
        assert Client().get("/c/here/styles/").status_code == 200
    job = Job.objects.get()
    assert (job.kind, job.network, job.state) == (Job.Kind.PICTURES, "tiny", "waiting")
    Job.objects.all().delete()
    assert Client().get("/c/here/styles/").status_code == 200
    assert not Job.objects.exists(), "not again within the hour"


def test_the_dreamer_takes_the_winner_and_the_frames_page_says_so(
    canvas: Canvas, people: list[User], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "dream", lambda pixels, *args, **options: 255 - np.asarray(pixels))
    journal.append(canvas, [wire.Stroke(1, 0, (0, 0, 0), 255, 0, ((200, 200, 96),), True, 1)])
    files = voting.network(canvas)
    assert files is not None
    for user in people:
        voting.cast(canvas, files, user, styles(canvas)[2])
    dreamer = Dreamer(chance=random.Random(1))
    due(dreamer)
    frame = Frame.objects.get()
    assert frame.title == "Style 2" and frame.recipe["chosen"] == {"by": "vote", "votes": 3}
    assert recipe.chosen(frame.recipe) == "by vote, 3 votes"
    assert "by vote, 3 votes" in Client().get(f"/frames/{frame.pk}/").content.decode()
    assert not StyleVote.objects.exists() and Dream.objects.get().coming is None
    Dream.objects.update(style_until=None)
    journal.append(canvas, [wire.Stroke(2, 0, (0, 0, 0), 255, 0, ((200, 200, 96),), True, 1)])
    due(dreamer)
    assert recipe.chosen(Frame.objects.latest("pk").recipe) == "by chance"
