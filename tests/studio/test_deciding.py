"""Who decides about a dream in the administration, and by what: never one's own, and never what nobody has seen."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models import QuerySet
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from canvas.moderation.cases.services import Conflict, NotYours
from canvas.moderation.models import Act, Case
from dreamsite.core.models import User
from dreamsite.core.tasks.jobs import State
from gallery.exhibits import proposals
from gallery.studio import moderation
from gallery.studio.models import Work


@pytest.fixture
def owner(settings: Any, db: None) -> User:
    settings.ADMIN_TWO_FACTOR = False
    return User.objects.create_superuser("olga", password="hunter2 hunter2")


@pytest.fixture
def staff(owner: User) -> Client:
    client = Client()
    client.force_login(owner)
    return client


@pytest.fixture
def wish(ada: User) -> Work:
    """A newcomer's dream that waits for a moderator."""
    made = Work.objects.create(
        owner=ada,
        kind=Work.Kind.DREAM,
        network="house",
        state=State.DONE,
        caption="My hill",
        requested_at=timezone.now(),
    )
    moderation.ask(made)
    return made


def seen(page: bytes) -> str:
    """What the list that was loaded says of when that was."""
    return page.decode().split('name="seen" value="')[1].split('"')[0]


def chosen(staff: Client, wish: Work, action: str, **more: Any) -> str:
    data = {"action": action, "_selected_action": [wish.pk], **more}
    return staff.post(reverse("admin:gallery_work_changelist"), data, follow=True).content.decode()


def test_what_its_maker_changed_since_the_list_was_loaded_is_not_shown(
    staff: Client, client: Client, wish: Work
) -> None:
    loaded = seen(staff.get(reverse("admin:gallery_work_changelist")).content)
    client.post(f"{wish.get_absolute_url()}show/", {"caption": "Something nobody has seen"})
    page = chosen(staff, wish, "publish", seen=loaded)
    assert "While you looked at this, it changed" in page
    assert Work.objects.get().published_at is None and not Act.objects.filter(verb="publish-dream").exists()
    assert "1 was changed" in chosen(
        staff, wish, "publish", seen=seen(staff.get(reverse("admin:gallery_work_changelist")).content)
    )
    assert Work.objects.get().published_at and not Case.objects.open().exists(), "its case in the queue is closed by it"


def test_a_list_that_does_not_say_when_it_was_loaded_decides_nothing(staff: Client, wish: Work) -> None:
    for nonsense in (
        {},
        {"seen": ""},
        {"seen": "yesterday"},
        {"seen": "2026-02-01T00:00:00"},
        {"seen": "2026-02-31T00:00:00+00:00"},
    ):
        assert "Load the list again" in chosen(staff, wish, "publish", **nonsense)
    assert Work.objects.get().published_at is None


def test_it_is_decided_under_the_rows_lock(owner: User, wish: Work, monkeypatch: pytest.MonkeyPatch) -> None:
    """What its maker takes back before the lock is there is not shown, and no case is made for it."""
    real, first = QuerySet.select_for_update, list[str]()

    def meanwhile(rows: Any, *args: Any, **how: Any) -> Any:
        if not first:
            first.append(rows.model.__name__)
            Work.objects.update(requested_at=None)
            Case.objects.all().delete()
        return real(rows, *args, **how)

    monkeypatch.setattr(QuerySet, "select_for_update", meanwhile)
    assert not moderation.publish(wish, owner) and first == ["Work"], "the dream is locked before anything is read"
    assert not Case.objects.exists() and Work.objects.get().published_at is None
    Work.objects.update(requested_at=timezone.now())
    with pytest.raises(Conflict):
        moderation.publish(wish, owner, timezone.now() - timedelta(minutes=1))
    assert not Case.objects.exists(), "what is refused leaves no case behind"
    with CaptureQueriesContext(connection) as asked:
        assert moderation.publish(wish, owner, timezone.now())
    assert asked[0]["sql"].startswith("SAVEPOINT"), "in one transaction"


def test_nobody_declines_or_hangs_a_proposal_of_their_own(staff: Client, owner: User, wish: Work) -> None:
    now = timezone.now()
    Work.objects.update(owner=owner, published_at=now, proposed_at=now)
    with pytest.raises(NotYours):
        proposals.decline(Work.objects.get(), owner)
    data = {"action": "decline", "_selected_action": [wish.pk]}
    page = staff.post(reverse("admin:gallery_proposal_changelist"), data, follow=True).content.decode()
    assert "This dream is your own" in page and "0 were changed" in page
    assert Work.objects.get().declined_at is None and not Act.objects.exists()
    staff.post(f"{wish.get_absolute_url()}show/", {"propose": "0"})
    assert Work.objects.get().proposed_at is None, "its maker withdraws it on its own page"
