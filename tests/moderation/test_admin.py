"""Moderation in the administration: every list opens, nothing can be written by hand, actions leave a record."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import Group
from django.test import Client
from django.utils import timezone

from canvas.models import Canvas, CleanHours, Region, Rules, Sanction
from canvas.moderation.cases import services as cases
from canvas.moderation.models import Act, Case, CoverVote, IpDigest, Note, Signal
from canvas.moderation.sanctions import services as sanctions
from dreamsite.core.models import User

pytestmark = pytest.mark.django_db
ROOT = f"/{settings.ADMIN_PATH}"
OF_THE_CANVAS = "cleanhours", "region", "rules", "sanction"
LISTS = [
    "act",
    "appeal",
    "case",
    "cleanhours",
    "note",
    "region",
    "report",
    "rules",
    "sanction",
    "signal",
    "ipdigest",
    "covervote",
]


def base(name: str) -> str:
    """The address of a model's list."""
    return f"{ROOT}/{'canvas' if name in OF_THE_CANVAS else 'moderation'}/{name}/"


@pytest.fixture
def filled(canvas: Canvas, people: list[User]) -> User:
    """One row of everything; the moderator who may enter the administration."""
    ann, ben = people
    mona = User.objects.create(username="mona", is_staff=True)
    mona.groups.add(Group.objects.get(name="Moderators"))
    case = cases.report(cases.Where(canvas, None, 9, 9, 20), "spam", "words", reporter=ben, address="").case
    case.refresh_from_db()
    cases.claim(case, case.version, mona)
    sanctions.appeal(sanctions.issue(mona, ann, "read_only", "bars", case=case), "sorry")
    cases.note(mona, "note", person=ann)
    Signal.objects.create(person=ann, kind="area", day=timezone.now().date(), value=40, limit=25)
    IpDigest.objects.create(person=ann, what="sign-in", digest="d" * 32)
    region = Region.objects.create(canvas=canvas, x=1, y=1, width=9, height=9)
    CoverVote.objects.create(canvas=canvas, user=ann, x=1, y=1, width=9, height=9, region=region)
    CleanHours.objects.create(user=ann, hours=3)
    Rules.objects.of(canvas)
    return mona


def office(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.mark.parametrize("name", LISTS)
def test_lists_and_rows_open_for_moderators_and_nothing_is_written_there(filled: User, name: str) -> None:
    here = office(filled)
    page = here.get(f"{base(name)}")
    assert page.status_code == 200 and page.context["cl"].result_count >= 1
    assert here.get(f"{base(name)}?q=ann").status_code in (200, 302)
    row = page.context["cl"].result_list[0]
    assert here.get(f"{base(name)}{row.pk}/change/").status_code == 200
    for method, address in (("post", f"{row.pk}/change/"), ("post", f"{row.pk}/delete/")):
        assert getattr(here, method)(f"{base(name)}{address}", {"post": "yes"}).status_code == 403
    assert here.get(f"{base(name)}add/").status_code == (302 if name == "sanction" else 403)


@pytest.mark.parametrize("name", LISTS)
def test_staff_without_the_permission_sees_none_of_it(filled: User, name: str) -> None:
    clerk = User.objects.create(username="clerk", is_staff=True)
    assert office(clerk).get(f"{base(name)}").status_code == 403


def test_the_owner_cannot_touch_the_log_either(filled: User) -> None:
    owner = User.objects.create(username="owner", is_staff=True, is_superuser=True)
    act = Act.objects.record(filled, "freeze")
    for address in ("delete", "change"):
        assert office(owner).post(f"{base('act')}{act.pk}/{address}/", {"post": "yes", "why": "x"}).status_code == 403
    chosen = {"action": "delete_selected", "_selected_action": [act.pk], "post": "yes"}
    office(owner).post(f"{base('act')}", chosen)
    assert Act.objects.filter(pk=act.pk, why="").exists()


def run(here: Client, name: str, action: str, *rows: Any) -> str:
    chosen = {"action": action, "_selected_action": [row.pk for row in rows]}
    return here.post(f"{base(name)}", chosen, follow=True).content.decode()


def test_actions_do_what_the_dashboard_does_and_are_recorded(filled: User) -> None:
    here = office(filled)
    assert "1 sanction is lifted." in run(here, "sanction", "lift", *Sanction.objects.all())
    assert not Sanction.objects.in_force().exists() and Case.objects.get(kind="appeal").outcome == "lifted"
    assert "1 region is open." in run(here, "region", "lift", *Region.objects.all())
    assert not Region.objects.in_force().exists()
    assert "1 case is nobody’s again." in run(here, "case", "give_back", *Case.objects.filter(kind="report"))
    assert Case.objects.get(kind="report").claimed_by is None
    run(here, "signal", "see", *Signal.objects.all())
    assert Signal.objects.get().seen_by == filled
    verbs = set(Act.objects.filter(by=filled).values_list("verb", flat=True))
    assert {"lift-sanction", "unlock-region", "release-case", "see-signal"} <= verbs


def test_old_things_are_forgotten_by_command(filled: User) -> None:
    from django.core.management import call_command

    case = Case.objects.get(kind="report")
    cases.decide(case, case.version, filled, "moot")
    Case.objects.filter(pk=case.pk).update(closed_at=timezone.now() - timedelta(days=181))
    Signal.objects.update(day=(timezone.now() - timedelta(days=91)).date())
    assert case.reports.get().evidence is not None
    call_command("moderation", "purge", verbosity=0)
    assert not Signal.objects.exists() and not hasattr(case.reports.get(), "evidence")
    assert Note.objects.count() == 1 and IpDigest.objects.count() == 1  # young, or for ever


def test_rights_given_in_the_administration_are_in_the_log(people: list[User]) -> None:
    """On pages of any app: here those of accounts and of groups."""
    owner = User.objects.create(username="owner", is_staff=True, is_superuser=True)
    here, ann = office(owner), people[0]
    address = f"/{settings.ADMIN_PATH}/core/user/{ann.pk}/change/"
    form = here.get(address).context["adminform"].form
    data = {name: form[name].value() or "" for name in form.fields if not isinstance(form[name].value(), bool)}
    joined = ann.date_joined
    moderators = Group.objects.get(name="Moderators")
    data |= {
        "is_active": "on",
        "is_staff": "on",
        "groups": [moderators.pk],
        "date_joined_0": f"{joined:%Y-%m-%d}",
        "date_joined_1": f"{joined:%H:%M:%S}",
        "user_permissions": [],
    }
    for name in ("last_login", "date_joined", "password"):
        data.pop(name, None)
    assert here.post(address, data).status_code == 302
    act = Act.objects.get(verb="admin-change")
    assert (act.by, act.person) == (owner, ann)
    assert act.what["staff"] is True and act.what["groups"] == ["Moderators"]

    change = {"name": "Moderators", "permissions": []}
    assert here.post(f"/{settings.ADMIN_PATH}/auth/group/{moderators.pk}/change/", change).status_code == 302
    assert Act.objects.filter(verb="admin-change").latest("pk").what["permissions"] == []
    delete = f"/{settings.ADMIN_PATH}/auth/group/{moderators.pk}/delete/"
    assert here.post(delete, {"post": "yes"}).status_code == 302
    assert Act.objects.get(verb="admin-delete").what["name"] == "Moderators"
