"""Dreams that are shown, reported, hidden and taken along: by people, by moderators, and by the site's other lists."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core.files.storage import default_storage
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from PIL import Image

from canvas.models import CleanHours, Sanction
from canvas.moderation.models import Act, Case, Report
from canvas.moderation.sanctions import services as sanctions
from canvas.moderation.summary import services as summary
from dreamsite.accounts import closing, export
from dreamsite.core.models import User
from dreamsite.core.tasks.jobs import State
from gallery.studio import cost, moderation
from gallery.studio.models import Original, Spent, Work
from tests.studio.deciding import at_case, verbs

pytestmark = pytest.mark.usefixtures("files")


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
