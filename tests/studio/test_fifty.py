"""Fifty people with work at once: prints and videos are in turns as everything is, and memory stays bounded."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import Client

from dreamsite.core.models import User
from dreamsite.core.tasks.jobs import State
from gallery.studio import cost, queue
from gallery.studio.models import Original, Work
from gallery.studio.views import printing

RECIPE = {"target": {"terms": [{"layer": "mixed4/output"}]}, "model": "house", "iterations": 20}
Kind = Work.Kind


@pytest.fixture
def people(db: None) -> list[User]:
    return User.objects.bulk_create(User(username=f"p{n}", skeleton=f"p{n}") for n in range(50))


def dream(owner: User) -> Work:
    """A finished one of a picture of 48 megapixels."""
    original = Original.objects.create(
        owner=owner,
        picture="studio/x.jpg",
        width=3840,
        height=2880,
        large="studio/x.large.jpg",
        large_width=8000,
        large_height=6000,
    )
    columns: dict[str, Any] = {"original": original, "network": "house", "recipe": RECIPE, "picture": "studio/y.jpg"}
    return Work.objects.create(owner=owner, kind=Kind.DREAM, state=State.DONE, width=1920, height=1440, **columns)


def test_prints_and_videos_of_fifty_people_are_in_turns(
    people: list[User], client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "CLOSED_SECONDS", 1e9)
    greedy = people[0]
    for person in people:
        client.force_login(person)
        address = f"{dream(person).get_absolute_url()}print/"
        for _ in range(2):  # the second one is refused: a print at a time
            assert client.post(address, {"type": "jpg"}).status_code == 302
    for person in (*[greedy] * 9, *people):
        Work.objects.create(owner=person, kind=Kind.VIDEO, network="house", units=300.0)
    for person in reversed(people):  # who comes last with something small
        Work.objects.create(owner=person, kind=Kind.SKETCH, network="house", units=0.5)
    order = [(work.owner_id, Work.objects.get(pk=work.pk).kind) for work in queue.in_order()]
    assert sum(kind == Kind.PRINT for _owner, kind in order) == 50
    owners = [owner for owner, _kind in order]
    third = min(at for at, owner in enumerate(owners) if owners[: at + 1].count(owner) == 3)
    first = [kind for _owner, kind in order[:50]]
    assert first == [Kind.SKETCH] * 50 and len(set(owners[:50])) == 50, "each first small work comes first"
    assert set(owners[:third]) == {person.pk for person in people}, "before anybody's third"
    prints = [at for at, (_owner, kind) in enumerate(order) if kind == Kind.PRINT]
    second_videos = [at for at, (owner, kind) in enumerate(order) if owner == greedy.pk and kind == Kind.VIDEO][1:]
    assert max(prints) < min(second_videos), "nobody's print waits for another one's second video"


def test_beyond_half_an_hour_no_print_is_taken_and_why_is_said(people: list[User], client: Client) -> None:
    taken = 0
    for person in people:
        client.force_login(person)
        page = client.post(f"{dream(person).get_absolute_url()}print/", {"type": "jpg"}, follow=True).content.decode()
        taken += "The studio is very busy" not in page
    waiting = list(Work.objects.filter(kind=Kind.PRINT))
    assert len(waiting) == taken and 10 < taken < 50, "forty-eight megapixels take a minute and more each"
    before = sum(work.units for work in waiting[:-1]) / cost.USUAL_SPEED
    assert before <= queue.CLOSED_SECONDS < before + 2 * waiting[-1].units / cost.USUAL_SPEED + 1e-6


def test_one_png_is_written_at_a_time(
    people: list[User], client: Client, settings: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"
    monkeypatch.setattr(printing, "WAITS", 0.01)
    made = dream(people[0])
    client.force_login(people[0])
    assert printing._writing.acquire(timeout=1)
    try:
        page = client.get(f"{made.get_absolute_url()}picture.png", follow=True).content.decode()
        assert "The server is writing another picture" in page
    finally:
        printing._writing.release()
    from tests.studio.test_storage_away import jpeg

    Work.objects.update(picture=default_storage.save("studio/z.jpg", ContentFile(jpeg())))
    for _ in range(3):  # and it is let go each time
        answer = client.get(f"{made.get_absolute_url()}picture.png")
        assert answer.status_code == 200 and b"".join(answer.streaming_content).startswith(b"\x89PNG")
