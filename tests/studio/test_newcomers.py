"""What newcomers show: a case in the queue, decided by a moderator who saw it as it is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth.models import Permission
from django.core.files.storage import default_storage
from django.db.models import QuerySet
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from canvas.models import CleanHours
from canvas.moderation.cases import services as cases
from canvas.moderation.models import Act, Case
from dreamsite.accounts import closing, guests
from dreamsite.core.models import User
from gallery.studio import moderation
from gallery.studio.models import Original, Work
from tests.studio.deciding import at_case, at_case_with, verbs

pytestmark = pytest.mark.usefixtures("files")


def test_a_newcomers_wish_is_a_case_in_the_queue_and_its_answer_is_told(
    client: Client, work: Work, moderator: User, settings: Any
) -> None:
    settings.ADMIN_TWO_FACTOR = False
    Work.objects.update(requested_at=None)
    staff, page = Client(), work.get_absolute_url()
    staff.force_login(moderator)
    client.post(f"{page}show/", {"caption": "My hill"})
    client.post(f"{page}show/", {"caption": "My hill, again"})
    case = Case.objects.get()
    assert case.kind == Case.Kind.SHOWING and "My hill, again" in staff.get(reverse("queue")).content.decode()
    seen = staff.get(reverse("case", args=[case.pk])).content.decode()
    assert page in seen and work.thumbnail.url in seen and "Not shown" in seen

    def decides(outcome: str, why: str = "") -> None:
        now = Case.objects.open().get()
        data = {"version": now.version, "outcome": outcome, "why": why}
        assert staff.post(reverse("case_decide", args=[now.pk]), data).status_code == 302

    decides("not-shown", "A face of somebody else.")
    told = client.get(page).content.decode()
    assert "did not show it" in told and "A face of somebody else." in told
    client.post(f"{page}show/", {"caption": "My hill"})
    client.post(f"{page}show/", {"take_back": "1"})
    assert not Case.objects.open().exists(), "nobody needs to decide any more"
    client.post(f"{page}show/", {"caption": "My hill"})
    decides("shown")
    assert b"My hill" in Client().get("/dreams/").content
    assert verbs() == ["decide-case", "publish-dream", "decide-case"]
    assert Case.objects.count() == 3


@pytest.mark.parametrize("how", ["delete", "close", "unconfirmed", "idle"])
def test_no_case_stays_open_about_a_dream_that_is_gone(
    client: Client, work: Work, ada: User, settings: Any, how: str
) -> None:
    case = moderation.ask(work)
    if how == "delete":
        client.post(f"{work.get_absolute_url()}delete/")
    elif how == "close":
        User.objects.filter(pk=ada.pk).update(closes_at=timezone.now())
        assert closing.scrub(ada.pk)
    elif how == "unconfirmed":
        settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"
        User.objects.filter(pk=ada.pk).update(last_login=None, date_joined=timezone.now() - timedelta(days=90))
        EmailAddress.objects.create(user=ada, email="ada@example.org", verified=False)
        assert closing.forget_unconfirmed()
    else:
        User.objects.filter(pk=ada.pk).update(guest=True, date_joined=timezone.now() - timedelta(days=90))
        assert guests.forget_idle() == 1
    assert not Work.objects.exists() and not Case.objects.open().exists()
    case.refresh_from_db()
    assert case.outcome == Case.Outcome.MOOT and case.version > 1


def test_nothing_is_said_to_be_shown_that_is_gone(work: Work, moderator: User) -> None:
    """Its case may still be on a moderator's screen, or be of a time when such cases stayed open."""
    case = moderation.ask(work)
    Work.objects.filter(pk=work.pk)._raw_delete("default")
    page = at_case(moderator, case, "decide", outcome="shown")
    assert "No longer there" in page and "Shown to everybody" not in page
    case.refresh_from_db()
    assert case.outcome == Case.Outcome.MOOT and not case.is_open
    (act,) = Act.objects.all()
    assert act.verb == "decide-case" and act.what["outcome"] == "moot"


def test_what_its_maker_took_back_is_not_decided_after_all(client: Client, work: Work, moderator: User) -> None:
    case = moderation.ask(work)
    client.post(f"{work.get_absolute_url()}show/", {"take_back": "1"})
    case.refresh_from_db()
    with pytest.raises(cases.Conflict, match="its maker no longer asks"):
        cases.reopen(case, case.version, moderator)


def test_what_a_newcomer_changes_is_seen_by_a_moderator_before_everybody_sees_it(
    client: Client, work: Work, moderator: User, settings: Any
) -> None:
    settings.ADMIN_TWO_FACTOR = False
    with work.thumbnail.open("rb") as file:
        name = default_storage.save("studio/before.jpg", file)
    before = Original.objects.create(owner=work.owner, picture=name, width=600, height=400)
    Work.objects.update(original=before)
    show, visitor = f"{work.get_absolute_url()}show/", Client()

    def public() -> str:
        return visitor.get("/dreams/").content.decode()

    for changed in ({"caption": "Words nobody saw"}, {"caption": "Words nobody saw", "show_before": "1"}):
        client.post(show, changed)
        old = Case.objects.open().get()
        client.post(show, {**changed, "caption": "My hill"})  # while a moderator looks at it
        answer = at_case_with(moderator, old, "decide", outcome="shown")
        assert answer.status_code == 409 and "its maker changed it" in answer.content.decode()
        assert Work.objects.get().published_at is None
        page = answer.content.decode()
        assert ("The picture from before" in page) == (before.picture.url in page) == ("show_before" in changed)
        at_case(moderator, old, "decide", outcome="shown")
        assert "My hill" in public()
        client.post(show, {**changed, "caption": "My hill"})
        assert "My hill" in public() and not Case.objects.open().exists(), "nothing changed"
        client.post(show, {**changed, "caption": "Never seen"})
        assert "Never seen" not in public() and Case.objects.open().count() == 1
        client.post(show, {"take_back": "1"})
    CleanHours.objects.create(user=work.owner, hours=1000)
    client.post(show, {"caption": "Whom one trusts"})
    client.post(show, {"caption": "Whom one trusts still"})
    assert "Whom one trusts still" in public() and not Case.objects.open().exists()


def test_what_its_maker_took_back_no_case_shows(client: Client, work: Work, moderator: User, settings: Any) -> None:
    settings.ADMIN_TWO_FACTOR = False
    show = f"{work.get_absolute_url()}show/"
    moderation.ask(work)
    client.post(show, {"take_back": "1"})
    moot = Case.objects.get()
    assert "Open it again" not in at_case(moderator, moot, "note", text="Seen")
    answer = at_case_with(moderator, moot, "reopen")
    assert answer.status_code == 409 and "its maker no longer asks" in answer.content.decode()
    client.post(show, {"caption": "My hill"})
    shown = Case.objects.open().get()
    at_case(moderator, shown, "decide", outcome="shown")
    client.post(show, {"take_back": "1"})
    at_case(moderator, shown, "reopen")
    shown.refresh_from_db()
    at_case(moderator, shown, "decide", outcome="shown")
    shown.refresh_from_db()
    assert shown.outcome == Case.Outcome.MOOT and Work.objects.get().published_at is None


def test_only_who_may_moderate_decides_what_everybody_sees(work: Work, moderator: User, settings: Any) -> None:
    settings.ADMIN_TWO_FACTOR = False
    case = moderation.ask(work)
    moderator.user_permissions.remove(Permission.objects.get(codename="moderate"))
    reviewer = User.objects.get(pk=moderator.pk)
    assert "How does it end?" not in at_case(reviewer, case, "claim")
    case.refresh_from_db()
    for outcome in ("shown", "not-shown"):
        assert at_case_with(reviewer, case, "decide", outcome=outcome).status_code == 403
    assert at_case_with(reviewer, case, "reopen").status_code == 403
    assert Case.objects.open().get() == case and Work.objects.get().published_at is None


def test_whoever_moves_a_dream_and_its_case_locks_the_dream_first(
    client: Client, work: Work, moderator: User, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.ADMIN_TWO_FACTOR = False
    page, touched = work.get_absolute_url(), list[str]()
    real = {name: getattr(QuerySet, name) for name in ("select_for_update", "update")}

    def told(name: str) -> Callable[..., Any]:
        def do(rows: Any, *args: Any, **columns: Any) -> Any:
            touched.append(rows.model.__name__)
            return real[name](rows, *args, **columns)

        return do

    for name in real:
        monkeypatch.setattr(QuerySet, name, told(name))

    def first_of(do: Callable[[], Any]) -> str:
        """What is locked or changed before all else: the dream or the case."""
        touched.clear()
        do()
        return next(name for name in touched if name in ("Work", "Case"))

    for do in (
        lambda: client.post(f"{page}show/", {"caption": "My hill"}),
        lambda: client.post(f"{page}show/", {"caption": "My hill, again"}),
        lambda: at_case(moderator, Case.objects.get(), "decide", outcome="not-shown"),
        lambda: client.post(f"{page}show/", {"caption": "My hill"}),
        lambda: moderation.publish(Work.objects.get(), moderator),
        lambda: client.post(f"{page}show/", {"take_back": "1"}),
        lambda: client.post(f"{page}show/", {"caption": "My hill"}),
        lambda: client.post(f"{page}delete/"),
    ):
        assert first_of(do) == "Work"
    assert not Case.objects.open().exists()


def test_a_moderators_own_dream_is_decided_by_somebody_else(work: Work, moderator: User) -> None:
    Work.objects.update(owner=moderator)
    with pytest.raises(cases.NotYours):
        moderation.publish(Work.objects.get(), moderator)
    assert Work.objects.get().published_at is None
