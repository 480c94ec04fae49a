"""Dreams proposed for an exhibit: hung by a curator, and gone with their maker's wish."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from dreamsite.core.models import User
from gallery.curators import CURATORS
from gallery.exhibits import proposals
from gallery.exhibits.models import Exhibit
from gallery.studio import periodic_tasks
from gallery.studio.models import Original, Work
from tests.studio.deciding import verbs

pytestmark = pytest.mark.usefixtures("files")


@pytest.fixture
def curator() -> Client:
    user = User.objects.create_user("cleo", password="hunter2 hunter2", is_staff=True)
    user.groups.add(Group.objects.get(name=CURATORS))
    client = Client()
    client.force_login(user)
    return client


def test_a_dream_is_proposed_hung_and_goes_with_its_makers_wish(
    client: Client, curator: Client, published: Work, settings: Any
) -> None:
    settings.ADMIN_TWO_FACTOR = False
    page, proposals = published.get_absolute_url(), reverse("admin:gallery_proposal_changelist")
    show = f"{page}show/"
    exhibit = Exhibit.objects.create(title="Hills", slug="hills", published_at=timezone.now())
    assert "My hill" not in curator.get(proposals).content.decode()
    assert "Propose it for an exhibit" in client.get(page).content.decode()
    client.post(show, {"propose": "1"})
    assert "A curator will decide" in client.get(page).content.decode()
    assert "My hill" in curator.get(proposals).content.decode()
    assert client.get(proposals).status_code in (302, 403, 404), "only curators decide"

    def decides(action: str, **more: Any) -> None:
        data = {"action": action, "_selected_action": [published.pk], **more}
        assert curator.post(proposals, data).status_code == 302

    decides("hang")  # without an exhibit
    assert not exhibit.pictures.exists()
    decides("decline")
    assert "had no place" in client.get(page).content.decode()
    assert "My hill" not in curator.get(proposals).content.decode()
    client.post(show, {"propose": "1"})  # once more, and withdrawn, and once more
    client.post(show, {"propose": "0"})
    assert "My hill" not in curator.get(proposals).content.decode()
    client.post(show, {"propose": "1"})
    decides("hang", exhibit=exhibit.pk)
    assert verbs() == ["decline-dream", "hang-dream"]
    hall, picture = Client().get("/exhibits/hills/").content.decode(), published.picture.url
    assert picture in hall and "My hill" in hall and "ada" in hall and page in hall
    assert "It hangs in the exhibit" in client.get(page).content.decode()
    assert "My hill" not in curator.get(proposals).content.decode(), "it is decided"
    assert Client().get("/exhibits/hills.json").json()["pictures"][0]["after"]["page"].endswith(page)
    before = Original.objects.create(owner=published.owner, picture=published.thumbnail.name, width=600, height=400)
    Work.objects.update(original=before, show_before=True)
    assert "data-compare" in Client().get("/exhibits/hills/").content.decode()
    Original.objects.update(created_at=timezone.now() - timedelta(days=8))
    periodic_tasks.forget()
    assert "data-compare" in Client().get("/exhibits/hills/").content.decode(), "what is shown stays beyond a week"
    client.post(show, {"take_back": "1"})
    assert picture not in Client().get("/exhibits/hills/").content.decode()
    client.post(f"{page}delete/")
    assert not exhibit.pictures.exists()


def test_a_curators_own_dream_is_hung_by_somebody_else_and_once(
    curator: Client, published: Work, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.ADMIN_TWO_FACTOR = False
    maker, cleo = published.owner, User.objects.get(username="cleo")
    Work.objects.update(proposed_at=timezone.now(), owner=cleo)
    exhibit = Exhibit.objects.create(title="Hills", slug="hills", published_at=timezone.now())
    data = {"action": "hang", "_selected_action": [published.pk], "exhibit": exhibit.pk}
    page = curator.post(reverse("admin:gallery_proposal_changelist"), data, follow=True).content.decode()
    assert "This dream is your own" in page and not exhibit.pictures.exists()
    Work.objects.update(owner=maker)
    real, first = QuerySet.select_for_update, list[str]()

    def meanwhile(rows: Any, *args: Any, **how: Any) -> Any:
        """Somebody else declines it before this one has its lock."""
        if not first:
            first.append(rows.model.__name__)
            Work.objects.update(declined_at=timezone.now())
        return real(rows, *args, **how)

    monkeypatch.setattr(QuerySet, "select_for_update", meanwhile)
    work = Work.objects.get()
    assert not proposals.hang(work, exhibit, cleo) and first == ["Work"], "the dream is locked before anything is read"
    Work.objects.update(declined_at=None)
    first.clear()
    assert not proposals.decline(work, cleo) and first == ["Work"]
    assert not exhibit.pictures.exists() and verbs() == []


def test_what_is_private_hidden_or_no_picture_is_not_proposed(client: Client, work: Work) -> None:
    for changed in ({"requested_at": None}, {"hidden_at": timezone.now()}, {"kind": Work.Kind.VIDEO}):
        Work.objects.update(**{"requested_at": timezone.now(), "hidden_at": None, "kind": Work.Kind.DREAM, **changed})
        client.post(f"{work.get_absolute_url()}show/", {"propose": "1"})
        assert Work.objects.get().proposed_at is None
