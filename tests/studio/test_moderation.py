"""Dreams that are shown, reported, hidden and taken along: by people, by moderators, and by the site's other lists."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth.models import Group, Permission
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db.models import QuerySet
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from PIL import Image

from canvas.models import CleanHours, Sanction
from canvas.moderation.cases import services as cases
from canvas.moderation.models import Act, Case, Report
from canvas.moderation.sanctions import services as sanctions
from canvas.moderation.summary import services as summary
from dreamsite.accounts import closing, export, guests
from dreamsite.core.models import User
from dreamsite.core.tasks.jobs import State
from gallery.curators import CURATORS
from gallery.exhibits import proposals
from gallery.exhibits.models import Exhibit
from gallery.studio import cost, moderation, periodic_tasks
from gallery.studio.models import Original, Spent, Work


@pytest.fixture(autouse=True)
def files(settings: Any, tmp_path: Path, db: None) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"


@pytest.fixture
def moderator() -> User:
    user = User.objects.create_user("mod", password="hunter2 hunter2", is_staff=True)
    names = "moderate", "review_report"
    user.user_permissions.add(*Permission.objects.filter(content_type__app_label="moderation", codename__in=names))
    return User.objects.get(pk=user.pk)


@pytest.fixture
def work(ada: User) -> Work:
    """A finished dream that its maker asked to show, not published yet."""
    buffer = io.BytesIO()
    Image.new("RGB", (600, 400), "teal").save(buffer, "JPEG")
    names = {
        column: default_storage.save(f"studio/made.{suffix}", ContentFile(buffer.getvalue()))
        for column, suffix in (("picture", "jpg"), ("thumbnail", "small.jpg"))
    }
    return Work.objects.create(
        owner=ada,
        kind=Work.Kind.DREAM,
        network="house",
        title="Rings",
        caption="My hill",
        state=State.DONE,
        width=600,
        height=400,
        requested_at=timezone.now(),
        **names,
    )


@pytest.fixture
def published(work: Work) -> Work:
    Work.objects.update(published_at=timezone.now())
    return Work.objects.get()


def verbs() -> list[str]:
    return list(Act.objects.order_by("pk").values_list("verb", flat=True))


def test_a_moderator_publishes_hides_and_shows_again_and_the_log_says_so(
    work: Work, moderator: User, django_capture_on_commit_callbacks: Any
) -> None:
    assert moderation.publish(work, moderator) and not moderation.publish(work, moderator)
    assert b"My hill" in Client().get("/dreams/").content
    before = [file.name for file in Work.objects.get().files]
    with django_capture_on_commit_callbacks(execute=True):
        assert moderation.hide(work, moderator, "a face") and not moderation.hide(work, moderator)
    assert b"My hill" not in Client().get("/dreams/").content
    assert not any(map(default_storage.exists, before)), "whoever kept an address sees nothing there"
    assert all(default_storage.exists(file.name) for file in Work.objects.get().files)
    assert moderation.show_again(work, moderator) and not moderation.show_again(work, moderator)
    assert b"My hill" in Client().get("/dreams/").content
    assert verbs() == ["publish-dream", "decide-case", "hide-dream", "show-dream"]
    assert {(act.by, act.person) for act in Act.objects.exclude(verb="decide-case")} == {(moderator, work.owner)}
    month = summary.of(timezone.now().date().replace(day=1))
    assert "Hid a dream of the studio" in [row.title for row in month.acts]


def test_a_hidden_dream_is_told_to_its_maker_and_to_nobody_else(
    published: Work, client: Client, moderator: User, settings: Any
) -> None:
    moderation.hide(published, moderator)
    page = client.get(published.get_absolute_url())
    assert (
        page.status_code == 410
        and b"A moderator has hidden it" in page.content
        and b"<img" not in page.content.split(b"<main")[1]
    )
    for path in ("", "report/"):
        assert Client().get(published.get_absolute_url() + path).status_code == 404
    staff = Client()
    staff.force_login(moderator)
    settings.ADMIN_TWO_FACTOR = True
    assert staff.get(published.get_absolute_url()).status_code == 404, "without a second factor"
    settings.ADMIN_TWO_FACTOR = False
    assert Work.objects.get().thumbnail.url in staff.get(published.get_absolute_url()).content.decode()


def at_case(user: User, case: Case, act: str, **sent: Any) -> str:
    """What a moderator does on a case's page; the page that follows."""
    client = Client()
    client.force_login(user)
    sent = {"version": Case.objects.get(pk=case.pk).version, **sent}
    answer = client.post(f"/moderation/cases/{case.pk}/{act}", sent, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


def test_somebody_without_an_account_asks_for_a_takedown_and_it_is_counted(published: Work, moderator: User) -> None:
    visitor, url = Client(), published.get_absolute_url() + "report/"
    assert url in visitor.get(published.get_absolute_url()).content.decode()
    assert b"I am in it" in visitor.get(url).content
    assert visitor.post(url, {"category": "nonsense"}).status_code == 422
    assert visitor.post(url, {"category": "vandalism"}).status_code == 422, "nobody paints over a dream"
    sent = {"category": "person", "text": "That is my face.", "contact": "eve@example.org"}
    answer = visitor.post(url, sent)
    assert answer.status_code == 201 and b"Thank you" in answer.content
    report = Report.objects.get()
    assert (report.case.subject_kind, report.case.subject_key) == ("dream", published.key)
    assert (report.reporter, report.contact) == (None, "eve@example.org") and report.address
    month = summary.of(timezone.now().date().replace(day=1))
    assert [(row.title, row.count) for row in month.acts] == [("Was asked to take a dream of the studio down", 1)]
    assert [row.title for row in month.reports] == ["I am in it, and do not want that"]
    page = at_case(moderator, report.case, "claim")
    for shown in ("Dream “My hill”", "That is my face.", "eve@example.org", f"/moderation/evidence/{report.pk}.jpg"):
        assert shown in page
    page = at_case(moderator, report.case, "subject", why="A face")
    assert "Hidden from everybody" in page and "Show it again" in page and Work.objects.get().hidden_at
    at_case(moderator, report.case, "decide", outcome="acted")
    acts = Act.objects.filter(op=report.case.op).order_by("pk")
    assert [act.verb for act in acts] == ["takedown-request", "claim-case", "hide-dream", "decide-case"]
    assert acts[2].why == "A face" and acts[2].person == published.owner
    at_case(moderator, report.case, "subject", show="yes")
    assert Work.objects.get().hidden_at is None


def test_what_a_worker_ends_while_it_is_deleted_leaves_no_file(
    work: Work, django_capture_on_commit_callbacks: Any
) -> None:
    read = Work.objects.get()
    names = [file.name for file in read.files]
    read.picture, read.thumbnail, read.state, read.units = "", "", State.RUNNING, 7.0
    Work.objects.update(units=7.0)  # it is done meanwhile, and names its files
    with django_capture_on_commit_callbacks(execute=True):
        read.delete()
    assert not any(map(default_storage.exists, names)) and Spent.objects.get().units == 7.0


@pytest.mark.parametrize(
    ("state", "part"), [(State.RUNNING, 0.25), (State.CANCELLED, 0.25), (State.WAITING, 0.0), (State.FAILED, 0.0)]
)
def test_what_is_deleted_before_its_end_costs_what_was_made_of_it(work: Work, state: State, part: float) -> None:
    Work.objects.update(state=state, units=8.0, fraction=0.25 if state != State.WAITING else 0.0)
    if state == State.CANCELLED:
        assert cost.spent(work.owner_id) == 2.0, "cancelled ones, too"
    Work.objects.get().delete()
    assert cost.spent(work.owner_id) == 8.0 * part


def test_a_lost_file_keeps_no_dream_from_being_hidden(
    published: Work, moderator: User, django_capture_on_commit_callbacks: Any
) -> None:
    names = [file.name for file in published.files]
    default_storage.delete(names[0])  # the picture
    with django_capture_on_commit_callbacks(execute=True):
        assert moderation.hide(published, moderator)
    now = Work.objects.get()
    assert now.hidden_at and not any(map(default_storage.exists, names))
    assert all(default_storage.exists(file.name) for file in now.files if file.name != names[0])
    assert moderation.show_again(now, moderator)
    for address in (now.get_absolute_url(), "/dreams/", "/dreams/feed/"):
        assert Client().get(address).status_code == 200, address


def test_a_storage_that_fails_leaves_a_dream_for_a_second_press(
    published: Work, moderator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    names, saved, save = [file.name for file in published.files], [], default_storage.save

    def fails(*args: Any) -> str:
        if saved:
            raise OSError("no room")
        saved.append(save(*args))
        return saved[0]

    with monkeypatch.context() as patch:
        patch.setattr(default_storage, "save", fails)
        with pytest.raises(OSError, match="no room"):
            moderation.hide(published, moderator)
    now = Work.objects.get()
    assert now.hidden_at is None and [file.name for file in now.files] == names and verbs() == []
    assert moderation.hide(published, moderator) and Work.objects.get().hidden_at


def test_the_evidence_is_the_dream_as_it_was(published: Work, moderator: User) -> None:
    moderation.report(published, "hate", "", reporter=None, address="a" * 32)
    report = Report.objects.get()
    assert (report.evidence.width, report.evidence.height) == (600, 400)
    published.delete()
    staff = Client()
    staff.force_login(moderator)
    page = staff.get(f"/moderation/cases/{report.case.pk}/").content.decode()
    assert "Something that is gone" in page and "Hide it" not in page
    with Image.open(io.BytesIO(staff.get(f"/moderation/evidence/{report.pk}.jpg").content)) as image:
        assert image.size == (600, 400) and image.getpixel((300, 200))[2] > 100
    assert "Something that is gone" in staff.get("/moderation/").content.decode()


def test_reports_on_one_dream_are_one_case_which_may_be_dismissed(
    published: Work, client: Client, moderator: User
) -> None:
    for number in range(2):
        moderation.report(published, "hate", "", reporter=None, address=str(number) * 32)
    (case,) = Case.objects.all()
    assert case.reports.count() == 2 and verbs() == []
    at_case(moderator, case, "decide", outcome="dismissed")
    assert Case.objects.get().outcome == "dismissed" and verbs() == ["decide-case"] and not Work.objects.get().hidden_at
    moderation.report(published, "hate", "", reporter=None, address="c" * 32)
    assert Case.objects.count() == 2, "a decided case stays decided"


def test_who_made_a_reported_dream_can_be_sanctioned_and_appeal(
    published: Work, client: Client, moderator: User, ada: User
) -> None:
    eve = User.objects.create_user("eve", password="hunter2 hunter2")
    report = moderation.report(published, "sexual", "", reporter=eve, address="a" * 32)
    moderator.user_permissions.add(Permission.objects.get(content_type__app_label="moderation", codename="sanction"))
    staff = Client()
    staff.force_login(User.objects.get(pk=moderator.pk))
    page = staff.get(f"/moderation/cases/{report.case.pk}/").content.decode()
    new = f"/moderation/sanctions/new/?person={ada.pk}&amp;case={report.case.pk}"
    assert new in page and staff.get(new.replace("&amp;", "&")).status_code == 200
    sanctions.issue(moderator, ada, "read_only", "A dream", timezone.now() + timedelta(days=1), case=report.case)
    assert "appeal" in client.get("/account-status/").content.decode()
    reporter = Client()
    reporter.force_login(eve)
    assert "Dream “My hill”" in reporter.get("/account-status/").content.decode()


def test_only_who_may_moderate_sees_the_queue(work: Work, ada: User) -> None:
    User.objects.filter(pk=ada.pk).update(is_staff=True)
    client = Client()
    client.force_login(User.objects.get(pk=ada.pk))
    assert client.get(reverse("admin:gallery_work_changelist")).status_code == 403
    assert client.get("/moderation/").status_code == 403


def test_nobody_shows_dreams_while_a_sanction_is_in_force(work: Work, client: Client, ada: User) -> None:
    CleanHours.objects.create(user=ada, hours=1000)
    Work.objects.update(requested_at=None)
    Sanction.objects.create(user=ada, degree="read_only", reason="Spam", until=timezone.now() + timedelta(days=1))
    answer = client.post(f"/studio/dreams/{work.key}/show/", {"caption": "My hill"}, follow=True)
    assert "while a sanction is in force" in answer.content.decode()
    assert Work.objects.get().published_at is None and Work.objects.get().requested_at is None
    Sanction.objects.update(lifted_at=timezone.now())
    client.post(f"/studio/dreams/{work.key}/show/", {"caption": "My hill"})
    assert Work.objects.get().published_at


def test_a_feed_without_entries_is_not_new_each_time_it_is_asked_for(client: Client) -> None:
    answer = client.get("/dreams/feed/")
    assert answer["Last-Modified"] == "Thu, 01 Jan 1970 00:00:00 GMT"
    assert "<updated>1970-01-01T00:00:00+00:00</updated>" in answer.content.decode()


def test_published_dreams_stand_in_the_feed_the_sitemap_and_oembed(published: Work, moderator: User) -> None:
    visitor, page = Client(), published.get_absolute_url()

    def listed() -> list[bool]:
        documents = [visitor.get(path).content.decode() for path in ("/dreams/feed/", "/sitemap/pages.xml")]
        return [page in document for document in documents]

    assert listed() == [True, True]
    feed = visitor.get("/dreams/feed/").content.decode()
    assert published.picture.url in feed and "<name>ada</name>" in feed and "My hill" in feed
    photo = visitor.get("/oembed", {"url": f"http://testserver{page}"}).json()
    assert (photo["type"], photo["width"], photo["height"]) == ("photo", 600, 400)
    assert photo["url"].endswith(published.picture.url) and photo["author_name"] == "ada"
    small = visitor.get("/oembed", {"url": page, "maxwidth": "500"}).json()
    assert (small["width"], small["height"]) == (500, 333) and small["url"].endswith(published.thumbnail.url)
    moderation.hide(published, moderator)
    assert listed() == [False, False]
    assert visitor.get("/oembed", {"url": page}).status_code == 404


# --- a newcomer asks --------------------------------------------------------------------------------------------------


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


def at_case_with(user: User, case: Case, act: str, **sent: Any) -> Any:
    """What the page answers to somebody who loaded it when `case` was read."""
    client = Client()
    client.force_login(user)
    return client.post(f"/moderation/cases/{case.pk}/{act}", {"version": case.version, **sent})


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


# --- proposed for an exhibit ------------------------------------------------------------------------------------------


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


def test_the_export_of_ones_data_has_ones_dreams_and_uploads(work: Work, ada: User) -> None:
    Original.objects.create(owner=ada, picture=work.picture.name, width=600, height=400)
    with zipfile.ZipFile(io.BytesIO(b"".join(export.chunks(ada)))) as archive:
        (dream,) = map(json.loads, archive.read("dreams.jsonl").splitlines())
        (upload,) = map(json.loads, archive.read("uploads.jsonl").splitlines())
    assert dream["caption"] == "My hill" and dream["page"] == work.get_absolute_url() and len(dream["files"]) == 2
    assert (upload["width"], upload["file"]) == (600, work.picture.url)


def test_who_leaves_takes_dreams_and_uploads_along(
    published: Work, ada: User, django_capture_on_commit_callbacks: Any
) -> None:
    names = [file.name for file in published.files]
    User.objects.filter(pk=ada.pk).update(closes_at=timezone.now())
    with django_capture_on_commit_callbacks(execute=True):
        assert closing.scrub(ada.pk)
    assert not Work.objects.exists() and not any(map(default_storage.exists, names))
