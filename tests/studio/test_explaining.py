"""The page that explains: what it says is true for the network in use, and shown on the visitor's own picture."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from dreamer.library import labels
from dreamsite.core.models import User
from dreamsite.core.tasks import STUDIO, worker
from dreamsite.core.tasks.jobs import State
from gallery.studio import jobs
from gallery.studio.models import Original, Work
from tests.dreamer import nets
from tests.studio.sending import uploaded

PAGE = "/studio/explained/"


@pytest.fixture(autouse=True)
def one_style(house: None, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.DREAM_MODEL = "house"
    monkeypatch.setattr(jobs, "SHEET", 1)


def text_of(client: Client) -> str:
    response = client.get(PAGE)
    assert response.status_code == 200
    return response.content.decode()


def test_it_is_explained_on_ones_own_picture(client: Client) -> None:
    assert "Shown on" not in text_of(client), "there is no picture yet"
    original = uploaded(client)
    page = text_of(client)
    assert original.picture.url in page and "Show me on my picture" in page
    for _ in range(2):
        assert client.post(PAGE + "order/").status_code == 302
    assert Work.objects.filter(kind=Work.Kind.LESSON).count() == 1, "asked twice, done once"
    assert "data-open" in text_of(client)
    worker.empty(STUDIO)
    lesson = Work.objects.get(kind=Work.Kind.LESSON)
    steps = list(Work.objects.filter(kind=Work.Kind.STEP).order_by("pk"))
    assert lesson.state == State.DONE and len(steps) == 3 and all(step.state == State.DONE for step in steps)
    assert len({step.recipe["target"]["terms"][0]["layer"] for step in steps}) == 3
    page = text_of(client)
    assert "data-open" not in page and "Show me" not in page
    for step in steps:
        assert step.thumbnail.url in page and step.title in page
    for seen in (lesson.seen, steps[-1].seen):
        assert 1 <= len(seen) <= jobs.SEEN
        for label, chance in seen:
            assert label in page and 0 < chance <= 1 and labels.spoken(label) == label


def test_why_there_are_dogs_is_true_for_the_network_in_use(client: Client, settings: Any) -> None:
    files = jobs.registry().get("house")
    page = text_of(client)
    assert "Why there aren’t dogs everywhere" in page and f"knows {len(files.labels)} names" in page
    folder = nets.register_tiny(settings.MODELS_DIR)
    (folder / "shelf.json").write_text(json.dumps([{"layer": "block/output", "channel": None, "title": "All"}]))
    names = ["tench", "Chihuahua", "toy poodle", "Mexican hairless, hairless dog", *(f"thing {n}" for n in range(6))]
    (folder / "labels.txt").write_text("\n".join(names) + "\n")
    settings.DREAM_MODEL = "tiny"
    page = text_of(client)
    assert (
        "Why there are dogs everywhere" in page and "Of the 10 names this network knows, 3 are breeds of dogs" in page
    )


def test_others_pictures_explain_nothing_to_me(client: Client) -> None:
    original = uploaded(client)
    stranger = Client()
    stranger.force_login(User.objects.create_user("eve", password="hunter2 hunter2"))
    for visitor in (stranger, Client()):
        assert original.picture.url not in visitor.get(PAGE, {"picture": original.key}).content.decode()
    assert stranger.post(PAGE + "order/", {"picture": original.key}).status_code == 302
    assert not Work.objects.filter(kind=Work.Kind.LESSON).exists() and Original.objects.count() == 1


def test_breeds_are_counted() -> None:
    assert labels.dogs(["fox", "dog", "wolf", "hot dog bun", "sheep dog"]) == 2
    assert labels.dogs(["a", "Chihuahua", "b", "c", "Mexican hairless"]) == 4
    assert labels.dogs([]) == 0
