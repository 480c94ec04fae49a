"""Sanctions from issuing to lifting, what the person sees of them, and the one appeal that somebody else decides."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import timedelta
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from canvas.models import Canvas, Sanction
from canvas.moderation.cases import services as cases
from canvas.moderation.models import Act, Appeal, Case
from canvas.moderation.sanctions import middleware
from canvas.moderation.sanctions import services as sanctions
from dreamsite.core.models import User
from tests.moderation.helpers import moderator, signed_in

pytestmark = pytest.mark.django_db
PASSWORD = "a long walk by the sea"


@pytest.fixture
def vandal(db: None) -> User:
    return User.objects.create_user("vandal", password=PASSWORD)


def form(person: User | str = "vandal", **fields: Any) -> dict[str, Any]:
    return {"person": str(person), "degree": "read_only", "length": "day", "reason": "Black bars.", **fields}


# --- Issuing, changing, lifting --------------------------------------------------------------------------------------


def test_a_moderator_issues_a_sanction_from_a_case(canvas: Canvas, mona: User, vandal: User) -> None:
    case = cases.report(cases.Where(canvas, None, 9, 9, 20), "vandalism", "", reporter=None, address="").case
    answer = signed_in(mona).post("/moderation/sanctions/new/", form("VANDAL", case=case.pk))
    assert answer.status_code == 302 and answer["Location"] == f"/moderation/cases/{case.pk}/"
    sanction = Sanction.objects.in_force(vandal).get()
    assert (sanction.degree, sanction.created_by, sanction.cases.get()) == ("read_only", mona, case)
    assert sanction.until is not None
    assert timedelta(hours=23) < sanction.until - timezone.now() < timedelta(hours=25)
    act = Act.objects.get(verb="sanction")
    assert (act.by, act.person, act.why, act.op) == (mona, vandal, "Black bars.", case.op)


def test_a_warning_has_no_end_but_being_read_and_until_lifted_has_none_at_all(mona: User, vandal: User) -> None:
    signed_in(mona).post("/moderation/sanctions/new/", form(degree="warn", length="day"))
    warning = Sanction.objects.get()
    assert warning.until is None
    here = signed_in(vandal)
    assert "I have read this" in here.get("/account-status/").content.decode()
    assert (
        signed_in(mona).post(f"/account-status/{warning.pk}/acknowledge").status_code == 302
    )  # not hers: nothing happens
    assert Sanction.objects.in_force(vandal).exists()
    here.post(f"/account-status/{warning.pk}/acknowledge")
    assert not Sanction.objects.in_force(vandal).exists()
    signed_in(mona).post("/moderation/sanctions/new/", form(degree="suspend", length="open"))
    assert Sanction.objects.in_force(vandal).get().until is None


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"person": "nobody-here"}, "Nobody here is called nobody-here."),
        ({"person": "mona"}, "Nobody sanctions themselves."),
        ({"person": "owner"}, "Only an administrator can sanction an administrator."),
        ({"reason": " "}, "required"),
        ({"degree": "shadow"}, "errorlist"),
        ({"length": "century"}, "errorlist"),
    ],
)
def test_what_is_no_sanction_is_refused_in_words(mona: User, vandal: User, fields: dict[str, str], words: str) -> None:
    User.objects.create(username="owner", is_superuser=True)
    answer = signed_in(mona).post("/moderation/sanctions/new/", form(**fields))
    assert answer.status_code == 422 and words in answer.content.decode()
    assert not Sanction.objects.exists()


def test_a_second_sanction_on_somebody_is_asked_for_twice(mona: User, otto: User, vandal: User) -> None:
    sanctions.issue(otto, vandal, "cool_down", "Too fast.")
    here = signed_in(mona)
    assert "has a sanction in force already" in here.get("/moderation/sanctions/new/?person=vandal").content.decode()
    warned = here.post("/moderation/sanctions/new/", form())
    assert (
        warned.status_code == 409
        and "Too fast." in warned.content.decode()
        and "Black bars." in warned.content.decode()
    )
    assert Sanction.objects.count() == 1
    assert here.post("/moderation/sanctions/new/", form(again="on")).status_code == 302
    assert Sanction.objects.count() == 2


def test_the_form_proposes_the_next_degree(mona: User, vandal: User) -> None:
    proposed = []
    for _ in range(5):
        page = signed_in(mona).get(f"/moderation/sanctions/new/?person={vandal.pk}")
        proposed.append(str(page.context["form"]["degree"].value()))
        sanctions.issue(mona, vandal, proposed[-1], "x")
    assert proposed == ["warn", "cool_down", "read_only", "suspend", "suspend"]


def test_a_name_of_digits_is_nobody_elses_id(mona: User, vandal: User) -> None:
    digits = User.objects.create(username=f"{vandal.pk}")
    linked = signed_in(mona).get(f"/moderation/sanctions/new/?person={vandal.pk}")
    assert linked.context["person"] == vandal and linked.context["form"]["person"].value() == "vandal"
    signed_in(mona).post("/moderation/sanctions/new/", form(digits.username))
    assert Sanction.objects.get().user == digits


def opened(here: Client, sanction: Sanction) -> dict[str, Any]:
    """The form of a sanction as the page fills it in."""
    form = here.get(f"/moderation/sanctions/{sanction.pk}/").context["form"]
    return {field.html_name: field.value() or "" for field in form}


def test_changing_keeps_a_history_and_the_slower_of_two_learns_of_the_faster(
    mona: User, otto: User, vandal: User
) -> None:
    sanction = sanctions.issue(mona, vandal, "read_only", "Bars.\r\nAgain.", timezone.now() + timedelta(days=1))
    address, fast, slow = f"/moderation/sanctions/{sanction.pk}/", signed_in(mona), signed_in(otto)
    stale = opened(slow, sanction)
    assert fast.post(address, {**opened(fast, sanction), "degree": "cool_down", "length": "week"}).status_code == 302
    sanction.refresh_from_db()
    assert sanction.degree == "cool_down" and sanction.until is not None
    assert sanction.until > timezone.now() + timedelta(days=6)
    late = slow.post(address, {**stale, "reason": "Other words."})
    assert late.status_code == 409 and "Meanwhile mona was here: Changed a sanction." in late.content.decode()
    sanction.refresh_from_db()
    assert sanction.reason.startswith("Bars.")
    assert "read_only → cool_down" in slow.get(address).content.decode()


def test_lifting_is_once_and_recorded_with_its_reason(mona: User, otto: User, vandal: User) -> None:
    sanction = sanctions.issue(mona, vandal, "read_only", "x")
    address = f"/moderation/sanctions/{sanction.pk}/lift"
    assert signed_in(otto).post(address, {"why": "It was somebody else."}).status_code == 302
    assert not Sanction.objects.in_force(vandal).exists()
    again = signed_in(mona).post(address)
    assert again.status_code == 409 and "Meanwhile otto was here: Lifted a sanction." in again.content.decode()
    assert Act.objects.get(verb="lift-sanction").why == "It was somebody else."


def test_the_list_is_filtered(mona: User, vandal: User) -> None:
    current = sanctions.issue(mona, vandal, "read_only", "bars")
    over = sanctions.issue(mona, vandal, "cool_down", "speed", timezone.now() - timedelta(hours=1))
    here = signed_in(mona)

    def listed(query: str) -> list[Sanction]:
        return list(here.get(f"/moderation/sanctions/{query}").context["page"])

    assert listed("") == [current] and listed("?state=past") == [over] and listed("?state=all") == [over, current]
    assert listed("?state=all&q=speed") == [over] and listed("?degree=suspend") == [] and listed("?q=vand") == [current]


def test_the_person_gets_a_mail_where_there_is_an_address_of_theirs(
    mona: User, vandal: User, settings: Any, django_capture_on_commit_callbacks: Any
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    with django_capture_on_commit_callbacks(execute=True):
        sanctions.issue(mona, vandal, "cool_down", "Too fast.")
    assert not mail.outbox
    EmailAddress.objects.create(user=vandal, email="v@example.org", verified=True, primary=True)
    with django_capture_on_commit_callbacks(execute=True):
        sanctions.issue(mona, vandal, "read_only", "You painted <over> others.")
    (letter,) = mail.outbox
    assert letter.to == ["v@example.org"] and "You painted <over> others." in letter.body and "mona" not in letter.body
    assert "/account-status/" in letter.body and "20 days" in letter.body


# --- What the person sees ---------------------------------------------------------------------------------------------


def test_the_reason_is_shown_and_who_issued_it_is_not(mona: User, vandal: User) -> None:
    sanctions.issue(mona, vandal, "read_only", "You <b>covered</b> a garden.", timezone.now() + timedelta(days=2))
    page = signed_in(vandal).get("/account-status/").content.decode()
    assert "You &lt;b&gt;covered&lt;/b&gt; a garden." in page and "mona" not in page
    assert "Nothing stands against you" in signed_in(mona).get("/account-status/").content.decode()


def test_a_suspended_person_is_signed_out_told_why_and_can_appeal_at_sign_in(mona: User, vandal: User) -> None:
    here = signed_in(vandal)
    sanction = sanctions.issue(mona, vandal, "suspend", "Hate, three times.", timezone.now() + timedelta(days=7))
    out = here.get("/")
    assert out.status_code == 302 and out["Location"].startswith("/suspended/")
    assert "_auth_user_id" not in here.session
    assert here.get("/").status_code == 200  # watching is open to all

    fresh = Client()
    into = fresh.post("/accounts/login/", {"login": "vandal", "password": PASSWORD}, follow=True)
    words = into.content.decode()
    assert "Hate, three times." in words and "cannot come in" in words and "Hello" not in words
    assert "_auth_user_id" not in fresh.session
    address = into.request["PATH_INFO"]
    sent = fresh.post(address, {"sanction": sanction.pk, "text": "It was my brother."}, follow=True)
    assert "Your appeal is with the moderators" in sent.content.decode()
    assert Appeal.objects.get().text == "It was my brother."
    assert fresh.get("/account-status/").status_code == 302  # the address opens nothing else


def test_a_suspended_session_can_change_nothing_and_programs_are_told_so(canvas: Canvas, mona: User) -> None:
    other = moderator("other")
    here = signed_in(other)
    Sanction.objects.create(user=other, degree="suspend", reason="x", created_by=mona)
    refused = here.post("/moderation/people/1/note", {"text": "x"}, headers={"Accept": "application/json"})
    assert refused.status_code == 403 and refused.json()["error"] == "suspended"
    assert here.post("/moderation/people/1/note", {"text": "x"})["Location"].startswith("/accounts/login/")


@pytest.mark.parametrize("address", ["/moderation/log/", "/c/here/moderation/people", "/staff/"])
def test_a_suspended_moderators_session_reads_nothing_either(
    canvas: Canvas, mona: User, settings: Any, address: str
) -> None:
    settings.ADMIN_TWO_FACTOR = False
    other = moderator("other")
    other.is_staff = True
    other.save()
    here = signed_in(other)
    reads = {"Accept": "*/*"}  # as programs ask
    assert here.get(address, headers=reads).status_code == 200
    Sanction.objects.create(user=other, degree="suspend", reason="x", created_by=mona)
    assert here.get(address, headers=reads).status_code in (302, 403)


def test_the_suspended_address_is_signed_and_expires(mona: User, vandal: User, monkeypatch: Any) -> None:
    sanctions.issue(mona, vandal, "suspend", "x")
    address = middleware.suspended_url(vandal)
    assert address and middleware.suspended_url(mona) is None
    assert Client().get(address).status_code == 200
    assert Client().get(address[:-2] + "x/").status_code == 404
    for act in ("export", "close"):  # a session that was left open somewhere proves too little for these
        assert Client().post(f"{address}{act}").status_code == 404
    assert "sign in once more" in Client().get(address).content.decode()
    monkeypatch.setattr(middleware, "OPEN_SECONDS", -1)
    old = Client().get(address)
    assert old.status_code == 404 and "has expired" in old.content.decode()


def test_the_suspended_take_their_data_with_them_and_may_leave(mona: User, vandal: User) -> None:
    sanctions.issue(mona, vandal, "suspend", "x")
    here = Client()
    page = here.post("/accounts/login/", {"login": "vandal", "password": PASSWORD}, follow=True)
    address = page.request["PATH_INFO"]
    sent = here.post(f"{address}export")
    with zipfile.ZipFile(io.BytesIO(b"".join(sent.streaming_content))) as data:
        assert json.loads(data.read("profile.json"))["name"] == "vandal" and data.read("sanctions.jsonl")
    assert "Your account is closed" in here.post(f"{address}close").content.decode()
    vandal.refresh_from_db()
    assert vandal.closes_at is not None


# --- Appeals --------------------------------------------------------------------------------------------------------


def test_one_appeal_within_twenty_days_and_only_ones_own(mona: User, vandal: User) -> None:
    sanction = sanctions.issue(mona, vandal, "read_only", "x")
    late = sanctions.issue(mona, vandal, "cool_down", "y")
    Sanction.objects.filter(pk=late.pk).update(created_at=timezone.now() - timedelta(days=20, minutes=1))
    here = signed_in(vandal)
    assert signed_in(mona).post(f"/account-status/{sanction.pk}/appeal", {"text": "t"}).status_code == 404
    assert here.post(f"/account-status/{sanction.pk}/appeal", {"text": " "}).status_code == 422
    assert here.post(f"/account-status/{sanction.pk}/appeal", {"text": "Sorry."}).status_code == 302
    assert here.post(f"/account-status/{sanction.pk}/appeal", {"text": "More."}).status_code == 422
    assert here.post(f"/account-status/{late.pk}/appeal", {"text": "Late."}).status_code == 422
    assert [appeal.text for appeal in Appeal.objects.all()] == ["Sorry."]
    assert [case.kind for case in Case.objects.open()] == ["appeal"]


def test_somebody_else_decides_and_overturning_lifts(mona: User, otto: User, vandal: User) -> None:
    sanction = sanctions.issue(mona, vandal, "read_only", "x")
    case = sanctions.appeal(sanction, "Night sky.").case
    decision = {"version": case.version, "outcome": "overturned", "answer": "You are right."}
    own = signed_in(mona).post(f"/moderation/cases/{case.pk}/appeal", decision)
    assert own.status_code == 403 and "somebody else decides" in own.content.decode()
    assert "Your decision" not in signed_in(mona).get(f"/moderation/cases/{case.pk}/").content.decode()
    assert signed_in(otto).post(f"/moderation/cases/{case.pk}/appeal", decision).status_code == 302
    assert not Sanction.objects.in_force(vandal).exists()
    page = signed_in(vandal).get("/account-status/").content.decode()
    assert "You are right." in page and "The sanction was overturned" in page and "otto" not in page
    assert sanctions.next_degree(vandal) == "warn"  # what was overturned counts for nothing
    again = signed_in(otto).post(f"/moderation/cases/{case.pk}/appeal", {**decision, "outcome": "stands"})
    assert again.status_code == 409
    assert signed_in(otto).post(f"/moderation/cases/{case.pk}/reopen", {"version": 2}).status_code == 409


def test_who_changed_the_sanction_does_not_decide_either(mona: User, otto: User, vandal: User) -> None:
    sanction = sanctions.issue(mona, vandal, "read_only", "x")
    seen = {"degree": "read_only", "reason": "x", "until": None}
    sanctions.edit(otto, sanction, seen=seen, degree="suspend", reason="x", until=None)
    appeal = sanctions.appeal(sanction, "t")
    with pytest.raises(sanctions.SanctionError):
        sanctions.decide(appeal, 1, otto, "stands", "")
    with pytest.raises(sanctions.SanctionError):
        sanctions.decide(appeal, 1, vandal, "overturned", "")


def test_the_database_holds_moderators_to_it_too(mona: User, otto: User, vandal: User) -> None:
    appeal = sanctions.appeal(sanctions.issue(mona, vandal, "read_only", "x"), "t")
    for decided_by, outcome in ((mona, "stands"), (mona, "overturned"), (vandal, "overturned")):
        with pytest.raises(IntegrityError), transaction.atomic():
            Appeal.objects.filter(pk=appeal.pk).update(
                outcome=outcome, decided_by=decided_by, decided_at=timezone.now()
            )
    with pytest.raises(IntegrityError), transaction.atomic():
        Appeal.objects.create(sanction=appeal.sanction, case=Case.objects.create(), person=vandal, text="second")
    assert Appeal.objects.filter(pk=appeal.pk).update(outcome="stands", decided_by=otto, decided_at=timezone.now())


def test_where_there_is_one_moderator_the_page_says_what_to_do_and_lifting_is_open(mona: User, vandal: User) -> None:
    sanction = sanctions.issue(mona, vandal, "read_only", "x")
    case = sanctions.appeal(sanction, "t").case
    page = signed_in(mona).get(f"/moderation/cases/{case.pk}/").content.decode()
    assert "Nobody else here can decide it yet" in page
    moderator("second")
    assert (
        "Nobody else here can decide it yet"
        not in signed_in(mona).get(f"/moderation/cases/{case.pk}/").content.decode()
    )
    signed_in(mona).post(f"/moderation/sanctions/{sanction.pk}/lift", {"why": "Fair enough."})
    case.refresh_from_db()
    assert case.outcome == "lifted" and Appeal.objects.get().outcome == "lifted"
    assert not Sanction.objects.in_force(vandal).exists()
