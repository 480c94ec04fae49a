"""Two at once for what can be there once only: the second is answered in words, and a double click leads on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import IntegrityError
from django.db.models import Model
from django.db.models.signals import pre_save
from django.test import Client

from canvas.models import Canvas
from dreamsite.accounts import sessions
from dreamsite.core.models import User
from gallery.models import Exhibit, Page
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def rival() -> Iterator[Callable[[type[Model]], None]]:
    """Somebody who is always a moment faster: the first row of a model that is saved is written by them just before."""
    undo: list[tuple[Any, type[Model]]] = []

    def enter(model: type[Model]) -> None:
        done = []

        def write(sender: Any, instance: Any, **kwargs: Any) -> None:
            if done:
                return
            done.append(True)
            fields = {field.attname: getattr(instance, field.attname) for field in model._meta.concrete_fields}
            fields.pop(model._meta.pk.attname) if isinstance(instance.pk, int | None) else None
            if model is User:
                fields |= {"skeleton": instance.username.lower(), "password": "!"}
            model._base_manager.bulk_create([model(**fields)])

        pre_save.connect(write, sender=model)
        undo.append((write, model))

    yield enter
    for write, model in undo:
        pre_save.disconnect(write, sender=model)


def test_two_sign_ups_at_once_for_one_name(rival: Callable[[type[Model]], None]) -> None:
    rival(User)
    late = Client()
    answer = late.post("/accounts/signup/", {"username": "mona", "password1": PASSWORD})
    assert answer.status_code == 200 and "Somebody has this name already" in answer.content.decode()
    assert User.objects.count() == 1 and "_auth_user_id" not in late.session


def test_two_clicks_on_sign_up_lead_on() -> None:
    form = {"username": "mona", "password1": PASSWORD, "next": "/history/"}
    first, second = Client(), Client()  # the second click is sent with the cookies from before the first one's answer
    assert first.post("/accounts/signup/", form)["Location"] == "/history/"
    answer = second.post("/accounts/signup/", form)
    assert answer.status_code == 302 and answer["Location"] == "/history/"
    assert second.session["_auth_user_id"] == str(User.objects.get().pk)
    stranger = Client().post("/accounts/signup/", {**form, "password1": "another long walk"})
    assert "Somebody has this name already" in stranger.content.decode()


def test_the_owners_link_used_twice_at_once(rival: Callable[[type[Model]], None]) -> None:
    from dreamsite import claim

    rival(User)
    address = claim.claim_link() or ""
    answer = Client().post(address[address.index("/claim/") :], {"username": "boss", "password": PASSWORD})
    assert answer.status_code in (200, 302, 410), answer.status_code


FORMS: dict[type[Model], tuple[str, dict[str, Any]]] = {
    Page: ("/staff/gallery/page/add/", {"slug": "rules", "title": "Rules", "body": "None.", "order": 1}),
    Exhibit: (
        "/staff/gallery/exhibit/add/",
        {
            "slug": "birds",
            "title": "Birds",
            "statement": "",
            "theme": "",
            "items-TOTAL_FORMS": 0,
            "items-INITIAL_FORMS": 0,
        },
    ),
    Canvas: ("/staff/canvas/canvas/add/", {"slug": "second", "title": "Second", "width": 256, "height": 256}),
}


@pytest.mark.parametrize("model", FORMS, ids=lambda model: model.__name__)
def test_two_of_the_staff_at_once(
    model: type[Model], rival: Callable[[type[Model]], None], staff: User, settings: Any
) -> None:
    settings.ADMIN_TWO_FACTOR = False
    owner = Client()
    owner.force_login(staff)
    rival(model)
    address, form = FORMS[model]
    answer = owner.post(address, form)
    assert answer.status_code in (200, 302, 409), answer.status_code


def test_words_where_the_second_try_fails_too(monkeypatch: pytest.MonkeyPatch, signed_in: Client) -> None:
    """A view that finds nothing and runs into the constraint again: a page, and the same as JSON."""

    def never(user: User) -> None:
        raise IntegrityError("UNIQUE constraint failed: somewhere")

    monkeypatch.setattr(sessions, "held", never)
    answer = signed_in.post("/accounts/sessions/")
    assert answer.status_code == 409 and "a moment ago" in answer.content.decode()
    asked = signed_in.post("/accounts/sessions/", headers={"accept": "application/json"})
    assert asked.status_code == 409 and asked.json()["error"] == "conflict"
