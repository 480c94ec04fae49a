"""What takes two: over HTTP, with a worker, by two moderators, an owner, and one who tries to do without."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth.models import Group
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from canvas import frames
from canvas.models import Canvas, Frame, Sanction
from canvas.moderation.models import Act, PendingAct
from canvas.moderation.sanctions import services as sanctions
from canvas.moderation.switches import services as switches
from dreamsite.core.models import User
from dreamsite.core.tasks import QUICK, worker
from tests.moderation.helpers import person, signed_in

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("plain_site")]


@pytest.fixture
def owner(db: None) -> User:
    made = person("owner", is_staff=True, is_superuser=True)
    EmailAddress.objects.create(user=made, email="owner@example.org", verified=True, primary=True)
    return made


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """A limit that a test's frames pass."""
    monkeypatch.setattr(switches, "FRAMES_ALONE", 3)


def dreamed(canvas: Canvas, count: int) -> list[Frame]:
    made = [frames.encode(np.full((64, 64, 3), 40 + each, np.uint8), Frame.Kind.DREAM) for each in range(count)]
    return [frames.keep(frames.NewFrame(canvas, picture, Frame.Kind.DREAM, 0)) for picture in made]


@pytest.fixture
def small(db: None) -> Canvas:
    return Canvas.objects.create(slug="tiny", title="Tiny", width=64, height=64)


def hide_in_administration(client: Client, chosen: list[Frame], action: str = "hide") -> Any:
    address = reverse("admin:canvas_frame_changelist")
    return client.post(address, {"action": action, "_selected_action": [frame.pk for frame in chosen]}, follow=True)


def hidden(canvas: Canvas) -> set[int]:
    return set(Frame.objects.filter(canvas=canvas).exclude(hidden_at=None).values_list("pk", flat=True))


def answer(user: User, row: PendingAct, said: str) -> int:
    return signed_in(user).post(f"/moderation/waiting/{row.pk}/answer", {"answer": said}).status_code


def staff(user: User) -> Client:
    """A moderator whom the owner let into the administration, for frames."""
    from django.contrib.auth.models import Permission

    User.objects.filter(pk=user.pk).update(is_staff=True)
    user.user_permissions.add(*Permission.objects.filter(codename__in=["view_frame", "change_frame"]))
    return signed_in(user)


def test_more_than_fifty_frames_wait_for_a_second_yes(small: Canvas, mona: User, otto: User) -> None:
    file: dict[str, Any] = {"picture": "x.jpg", "thumbnail": "x.jpg", "width": 64, "height": 64, "size": 1}
    shown = Frame.objects.bulk_create(Frame(canvas=small, number=each, seq=0, **file) for each in range(1, 52))
    page = hide_in_administration(staff(mona), shown).content.decode()
    row = PendingAct.objects.get()
    assert row.total == 51 and row.undecided and not hidden(small) and f"/moderation/waiting/{row.pk}/" in page
    assert "need another moderator" in page


def test_many_frames_are_hidden_after_a_second_yes_and_taken_back_as_one(
    small: Canvas,
    mona: User,
    otto: User,
    owner: User,
    few: None,
    mailoutbox: list[Any],
    django_capture_on_commit_callbacks: Any,
) -> None:
    all_frames = dreamed(small, 7)
    kept, chosen = all_frames[0], all_frames[1:]
    with django_capture_on_commit_callbacks(execute=True):
        hide_in_administration(staff(mona), chosen)
    row = PendingAct.objects.get()
    assert len(mailoutbox) == 1 and mailoutbox[0].to == ["owner@example.org"]
    assert "mona asks" in mailoutbox[0].body and f"/moderation/waiting/{row.pk}/" in mailoutbox[0].body
    worker.empty(QUICK)
    assert not hidden(small)

    # Never one's own yes, neither on the page nor past it.
    assert answer(mona, row, "yes") == 403
    with pytest.raises(IntegrityError), transaction.atomic():
        PendingAct.objects.filter(pk=row.pk).update(answer="yes", answered_by=mona)
    listed = signed_in(otto).get("/moderation/waiting/").content.decode()
    assert "Hide 6 frames" in listed
    with django_capture_on_commit_callbacks(execute=True):
        assert answer(otto, row, "yes") == 302
    assert answer(otto, row, "no") == 409
    assert "otto agreed" in mailoutbox[1].body
    waits = signed_in(otto).get(f"/moderation/waiting/{row.pk}/")
    assert waits["Refresh"] == "3" and "0 of 6 done" in waits.content.decode()
    worker.empty(QUICK)
    assert hidden(small) == {frame.pk for frame in chosen}
    row.refresh_from_db()
    assert (row.state, row.done, row.percent) == ("done", 6, 100)
    acts = Act.objects.filter(op=row.op)
    assert set(acts.filter(verb="hide-frame").values_list("by_name", flat=True)) == {"mona"}
    assert acts.get(verb="agree").by == otto and acts.get(verb="ask").by == mona

    # One of them is shown and hidden again by somebody for a reason of their own, one shown: both stay so.
    for pk, value in ((chosen[0].pk, False), (chosen[0].pk, True), (chosen[1].pk, False)):
        switches.turn(small, "frame", {"id": pk, "hidden": value}, otto)
    # And another act hid one more, which is none of this one's.
    switches.turn(small, "frame", {"id": kept.pk}, otto)
    undo = signed_in(mona).post(f"/moderation/waiting/{row.pk}/undo", {"why": "wrong"})
    taking_back = PendingAct.objects.get(kind="undo")
    assert undo["Location"] == f"/moderation/waiting/{taking_back.pk}/" and taking_back.agreed
    worker.empty(QUICK)
    assert hidden(small) == {chosen[0].pk, kept.pk}
    assert "2 were changed" in signed_in(mona).get(f"/moderation/waiting/{taking_back.pk}/").content.decode()
    # To hide them all again by undoing the undoing takes two again.
    assert signed_in(mona).post(f"/moderation/waiting/{taking_back.pk}/undo").status_code == 302
    assert PendingAct.objects.filter(kind="undo").latest("pk").undecided


def test_no_expiry_and_withdrawal_do_nothing(small: Canvas, mona: User, otto: User, few: None) -> None:
    chosen = dreamed(small, 5)
    client = staff(mona)
    for end in ("no", "withdrawn", "too late"):
        hide_in_administration(client, chosen)
        row = PendingAct.objects.latest("pk")
        if end == "no":
            assert answer(otto, row, "no") == 302
        elif end == "withdrawn":
            assert answer(otto, row, "withdraw") == 403
            assert answer(mona, row, "withdraw") == 302
        else:
            PendingAct.objects.filter(pk=row.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
        assert answer(otto, row, "yes") == 409
        worker.empty(QUICK)
        assert not hidden(small)
        assert "Nothing was done" in signed_in(otto).get(f"/moderation/waiting/{row.pk}/").content.decode()


def test_one_at_a_time_passes_no_limit_either(small: Canvas, mona: User, otto: User, few: None) -> None:
    chosen = dreamed(small, 5)
    client = signed_in(mona)
    for frame in chosen[:3]:
        assert client.post(f"/frames/{frame.pk}/hide/").status_code == 302
    assert len(hidden(small)) == 3
    client.post(f"/frames/{chosen[3].pk}/hide/")
    assert len(hidden(small)) == 3 and PendingAct.objects.get().what["frames"] == [chosen[3].pk]
    panel = client.post(
        "/c/tiny/moderation/switch",
        {"switch": "frame", "value": {"id": chosen[4].pk}},
        content_type="application/json",
    )
    assert panel.status_code == 409 and "another moderator" in panel.json()["detail"] and len(hidden(small)) == 3


def test_an_owner_alone_needs_nobody_and_works_in_the_background(small: Canvas, owner: User, few: None) -> None:
    chosen = dreamed(small, 5)
    hide_in_administration(signed_in(owner), chosen)
    row = PendingAct.objects.get()
    assert row.answer == "alone" and not hidden(small)
    worker.empty(QUICK)
    assert len(hidden(small)) == 5


SENT = {"degree": "suspend", "length": "day", "reason": "Spam, again."}


def sanction(by: User, name: str, **more: str) -> Any:
    return signed_in(by).post("/moderation/sanctions/new/", {**SENT, "person": name, **more})


def test_sanctions_on_moderators_take_two_or_an_owner(mona: User, otto: User, moderator: User, owner: User) -> None:
    assert sanction(mona, "otto")["Location"].startswith("/moderation/waiting/")
    row = PendingAct.objects.get()
    assert not Sanction.objects.exists()
    assert answer(otto, row, "yes") == 403 and answer(otto, row, "no") == 403, "it is about them"
    assert answer(moderator, row, "yes") == 302
    worker.empty(QUICK)
    given = Sanction.objects.get()
    assert (given.user, given.created_by, given.degree) == (otto, mona, "suspend")
    act = Act.objects.get(verb="sanction")
    assert (act.by, act.what["agreed"], act.op) == (mona, moderator.pk, row.op)

    # Nor is it changed or lifted by one alone; an owner does it at once.
    lift = signed_in(moderator).post(f"/moderation/sanctions/{given.pk}/lift")
    assert lift["Location"].startswith("/moderation/waiting/")
    given.refresh_from_db()
    assert given.lifted_at is None
    with pytest.raises(sanctions.NeedsAnother):
        sanctions.lift(moderator, given)
    signed_in(owner).post(f"/moderation/sanctions/{given.pk}/lift")
    given.refresh_from_db()
    assert given.lifted_at is not None
    # Whoever holds one moderating permission alone moderates too.
    narrow = person("narrow")
    narrow.user_permissions.add(*Group.objects.get(name="Moderators").permissions.filter(codename="see_audit"))
    assert "/waiting/" in sanction(mona, "narrow")["Location"]
    assert sanction(owner, "narrow")["Location"].startswith("/moderation/sanctions/")


def test_more_than_a_handful_of_suspensions_an_hour_take_two(mona: User, otto: User) -> None:
    for number in range(sanctions.SUSPENSIONS_ALONE):
        person(f"guest-{'abcdefgh'[number] * 3}")
        degree = "read_only" if number % 2 else "suspend"
        answer_ = sanction(mona, f"guest-{'abcdefgh'[number] * 3}", degree=degree)
        assert answer_["Location"].startswith("/moderation/sanctions/")
    one_more = person("one-more")
    assert sanction(mona, "one-more", degree="cool_down")["Location"].startswith("/moderation/sanctions/")
    # Neither by making a mild one harder, nor anew.
    mild = Sanction.objects.get(user=one_more)
    seen = {"seen_degree": mild.degree, "seen_reason": mild.reason, "seen_until": mild.until.isoformat()}
    harder = signed_in(mona).post(f"/moderation/sanctions/{mild.pk}/", {**SENT, **seen})
    assert "/waiting/" in harder["Location"]
    mild.refresh_from_db()
    assert mild.degree == "cool_down"
    assert "/waiting/" in sanction(mona, "one-more", again="on")["Location"]
    row = PendingAct.objects.get(kind="sanction")
    answer(otto, row, "yes")
    answer(otto, PendingAct.objects.get(kind="edit"), "yes")
    worker.empty(QUICK)
    given = Sanction.objects.exclude(pk=mild.pk).get(user=one_more)
    mild.refresh_from_db()
    assert given.degree == mild.degree == "suspend"
    # Taken back as one: what came of this act, and nothing else.
    assert signed_in(otto).post(f"/moderation/waiting/{row.pk}/undo").status_code == 302
    given.refresh_from_db()
    mild.refresh_from_db()
    assert given.lifted_at is not None and mild.lifted_at is None
    # Another moderator has a handful of their own.
    assert sanction(otto, "one-more", again="on")["Location"].startswith("/moderation/sanctions/")


def test_a_sanction_that_was_changed_since_stays(mona: User, otto: User, moderator: User) -> None:
    sanction(mona, "otto")
    row = PendingAct.objects.get()
    answer(moderator, row, "yes")
    worker.empty(QUICK)
    given = Sanction.objects.get()
    seen = {"degree": given.degree, "reason": given.reason, "until": given.until}
    sanctions.edit(mona, given, seen=seen, degree="read_only", reason="Less.", until=None, pending=row)
    assert signed_in(moderator).post(f"/moderation/waiting/{row.pk}/undo").status_code == 409
    given.refresh_from_db()
    assert given.lifted_at is None


def test_who_lost_the_permission_meanwhile_gets_nothing_done(mona: User, otto: User, moderator: User) -> None:
    sanction(mona, "otto")
    row = PendingAct.objects.get()
    answer(moderator, row, "yes")
    mona.groups.clear()
    worker.empty(QUICK)
    row.refresh_from_db()
    assert row.state == "failed" and "may not do it any more" in row.message and not Sanction.objects.exists()
    page = signed_in(moderator).get(f"/moderation/waiting/{row.pk}/").content.decode()
    assert re.search(r"may not do it any more", page)
