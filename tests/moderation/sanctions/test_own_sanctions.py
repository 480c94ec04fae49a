"""Moderators neither lift nor weaken what stands against themselves, on the dashboard or in the administration."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.auth.models import Group, Permission
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from canvas.models import Sanction
from canvas.moderation.models import Act, Appeal, Case
from canvas.moderation.sanctions import services as sanctions
from dreamsite.core.models import User
from tests.moderation.helpers import moderator, person, signed_in

pytestmark = pytest.mark.django_db
ADMIN = f"/{settings.ADMIN_PATH}"


@pytest.fixture
def against(mona: User, otto: User) -> Sanction:
    """Otto has cooled Mona down for a week; Mona has appealed, and is staff with every right but the owner's."""
    mona.is_staff = True
    mona.save()
    mona.user_permissions.set(Permission.objects.all())
    until = timezone.now() + timedelta(days=7)  # two agreed to it: nobody cools a moderator down alone
    sanction = Sanction.objects.create(user=mona, degree="cool_down", reason="Too fast.", until=until, created_by=otto)
    sanctions.appeal(sanction, "I was not.")
    return sanction


def row(sanction: Sanction) -> tuple[Any, ...]:
    return Sanction.objects.values_list("degree", "until", "reason", "lifted_at", "starts_at", "user").get(
        pk=sanction.pk
    )


def shorten(here: Client, sanction: Sanction) -> int:
    form = here.get(f"/moderation/sanctions/{sanction.pk}/").context["form"]
    seen = {field.html_name: field.value() or "" for field in form}
    return here.post(f"/moderation/sanctions/{sanction.pk}/", {**seen, "length": "hour", "degree": "warn"}).status_code


def lift(here: Client, sanction: Sanction) -> int:
    return here.post(f"/moderation/sanctions/{sanction.pk}/lift", {"why": "A mistake."}).status_code


def overturn(here: Client, sanction: Sanction) -> int:
    case = sanction.appeal.case
    sent = {"version": case.version, "outcome": "overturned", "answer": "Of course."}
    return here.post(f"/moderation/cases/{case.pk}/appeal", sent).status_code


def change_in_the_administration(here: Client, sanction: Sanction) -> int:
    sent = {"degree": "warn", "reason": "x", "lifted_at_0": "2026-01-01", "lifted_at_1": "00:00:00"}
    return here.post(f"{ADMIN}/canvas/sanction/{sanction.pk}/change/", sent).status_code


def delete_in_the_administration(here: Client, sanction: Sanction) -> int:
    return here.post(f"{ADMIN}/canvas/sanction/{sanction.pk}/delete/", {"post": "yes"}).status_code


def delete_the_appeals_case(here: Client, sanction: Sanction) -> int:
    return here.post(f"{ADMIN}/moderation/case/{sanction.appeal.case_id}/delete/", {"post": "yes"}).status_code


@pytest.mark.parametrize(
    "way",
    [shorten, lift, overturn, change_in_the_administration, delete_in_the_administration, delete_the_appeals_case],
)
def test_no_page_lets_somebody_out_of_their_own_sanction(mona: User, against: Sanction, way: Any) -> None:
    before = row(against)
    assert way(signed_in(mona), against) == 403
    assert row(against) == before and Appeal.objects.get().outcome == ""
    assert not Act.objects.filter(by=mona, verb__in=["edit-sanction", "lift-sanction", "decide-appeal"]).exists()


def test_the_page_says_why_and_offers_nothing(mona: User, against: Sanction) -> None:
    page = signed_in(mona).get(f"/moderation/sanctions/{against.pk}/").content.decode()
    assert "It stands against yourself." in page and f'action="/moderation/sanctions/{against.pk}/lift"' not in page
    refused = signed_in(mona).post(f"/moderation/sanctions/{against.pk}/lift").content.decode()
    assert "It stands against yourself." in refused


def test_an_appeal_of_ones_own_is_not_held_back_either(mona: User, otto: User, against: Sanction) -> None:
    case = against.appeal.case
    answer = signed_in(mona).post(f"/moderation/cases/{case.pk}/claim", {"version": case.version})
    assert answer.status_code == 409 and "This appeal is your own." in answer.content.decode()
    assert Case.objects.get(pk=case.pk).claimed_by is None
    assert overturn(signed_in(moderator("third")), against) == 302, "somebody else decides"


@pytest.mark.parametrize("action", ["lift", "delete_selected"])
def test_bulk_actions_pass_ones_own_over(mona: User, otto: User, against: Sanction, action: str) -> None:
    other, before = sanctions.issue(otto, person("ann"), "read_only", "bars"), row(against)
    chosen = {"action": action, "_selected_action": [against.pk, other.pk], "post": "yes"}
    page = signed_in(mona).post(f"{ADMIN}/canvas/sanction/", chosen, follow=True).content.decode()
    assert row(against) == before
    assert Sanction.objects.filter(pk=other.pk, lifted_at=None).exists() == (action != "lift")
    assert action != "lift" or "It stands against yourself." in page


def test_the_database_holds_everybody_to_it(mona: User, against: Sanction) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Sanction.objects.filter(pk=against.pk).update(lifted_at=timezone.now(), lifted_by=mona)
    for act in (
        lambda: sanctions.lift(mona, against),
        lambda: sanctions.edit(
            mona,
            against,
            seen={"degree": "cool_down", "reason": "Too fast.", "until": against.until},
            degree="warn",
            reason="x",
            until=None,
        ),
    ):
        with pytest.raises(sanctions.SanctionError):
            act()


def test_an_owner_is_held_to_it_too(otto: User) -> None:
    owner = person("owner", is_superuser=True, is_staff=True)
    sanction = sanctions.issue(person("other", is_superuser=True), owner, "cool_down", "Too fast.")
    assert lift(signed_in(owner), sanction) == 403 and row(sanction)[3] is None
    assert lift(signed_in(otto), sanction) == 302, "another moderator does"


# --- The way round: making oneself, or a second account, somebody else ------------------------------------------------


def test_staff_who_are_not_owners_give_nobody_rights(mona: User, against: Sanction) -> None:
    """Every right of Django's in hand, and still no account gains or loses power by them, nor one's own past."""
    second, here = person("mona2"), signed_in(mona)
    moderators, joined = Group.objects.get(name="Moderators"), second.date_joined
    sent = {
        "username": "mona2",
        "is_active": "on",
        "is_staff": "on",
        "is_superuser": "on",
        "groups": [moderators.pk],
        "user_permissions": [Permission.objects.get(codename="sanction").pk],
        "date_joined_0": "2020-01-01",
        "date_joined_1": "00:00:00",
    }
    assert here.post(f"{ADMIN}/core/user/{second.pk}/change/", sent).status_code == 302, "a plain account"
    second.refresh_from_db()
    assert not (second.is_staff or second.is_superuser or second.groups.exists() or second.user_permissions.exists())
    assert second.date_joined == joined


@pytest.mark.parametrize("who", ["mona", "otto", "owner"])
def test_accounts_with_power_are_out_of_their_reach(mona: User, otto: User, against: Sanction, who: str) -> None:
    owner = person("owner", is_superuser=True, is_staff=True)
    found, here = {"mona": mona, "otto": otto, "owner": owner}[who], signed_in(mona)
    before = User.objects.values().get(pk=found.pk)
    password = {"password1": "a short walk in the woods", "password2": "a short walk in the woods"}
    assert here.post(f"{ADMIN}/core/user/{found.pk}/password/", password).status_code == 403
    for way in ("change", "delete"):
        assert here.post(f"{ADMIN}/core/user/{found.pk}/{way}/", {"post": "yes"}).status_code == 403
    chosen = {"action": "delete_selected", "_selected_action": [found.pk], "post": "yes"}
    here.post(f"{ADMIN}/core/user/", chosen)
    assert User.objects.values().get(pk=found.pk) == before | {"last_login": before["last_login"]}


def test_what_signs_somebody_in_is_for_owners(mona: User, otto: User, against: Sanction) -> None:
    """Groups, addresses, second factors, other sites' accounts, sessions: shown to staff, changed by owners."""
    key = Authenticator.objects.create(user=otto, type=Authenticator.Type.TOTP, data={"secret": "x"})
    address = EmailAddress.objects.create(user=otto, email="otto@example.org", verified=True)
    group, here = Group.objects.get(name="Moderators"), signed_in(mona)
    owner = signed_in(person("owner", is_superuser=True, is_staff=True))
    for name, made in (("mfa_authenticator", key), ("account_emailaddress", address), ("auth_group", group)):
        assert here.get(reverse(f"admin:{name}_changelist")).status_code == 200
        assert here.get(reverse(f"admin:{name}_add")).status_code == 403
        for way in ("change", "delete"):
            assert here.post(reverse(f"admin:{name}_{way}", args=[made.pk]), {"post": "yes"}).status_code == 403
        assert owner.get(reverse(f"admin:{name}_change", args=[made.pk])).status_code == 200
    for name in ("socialaccount_socialaccount", "socialaccount_socialtoken", "usersessions_usersession"):
        assert here.get(reverse(f"admin:{name}_add")).status_code == 403
    assert Authenticator.objects.filter(pk=key.pk).exists() and EmailAddress.objects.filter(pk=address.pk).exists()
