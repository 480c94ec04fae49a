"""A new site belongs to the first who follows its link, and to nobody else after that."""

from __future__ import annotations

from io import StringIO
from urllib.parse import urlsplit

import pytest
from django.core.management import call_command
from django.core.signing import TimestampSigner
from django.test import Client

from dreamsite import claim
from dreamsite.core.models import SiteState, User

pytestmark = pytest.mark.django_db
GOOD = {"username": "owner-to-be", "password": "a long walk by the sea"}


def path() -> str:
    link = claim.claim_link()
    assert link is not None
    return urlsplit(link).path


def test_the_link_makes_the_owner_and_signs_in(client: Client) -> None:
    address = path()
    assert client.get(address).status_code == 200
    answer = client.post(address, GOOD)
    assert answer.status_code == 302 and answer["Location"] == "/first-steps/"
    owner = User.objects.get()
    assert owner.is_superuser and owner.is_staff and owner.check_password(GOOD["password"])
    assert client.get("/account/").context["user"] == owner
    assert SiteState.objects.get().claimed_at is not None


def test_the_link_promotes_whoever_is_signed_in(signed_in: Client, ada: User) -> None:
    assert "ada" in signed_in.get(path()).content.decode()
    signed_in.post(path())
    ada.refresh_from_db()
    assert ada.is_superuser and ada.is_staff
    assert User.objects.count() == 1


def test_looking_at_the_page_claims_nothing(client: Client) -> None:
    for _ in range(3):
        assert client.get(path()).status_code == 200
        assert client.head(path()).status_code == 200
    assert claim.claim_link() is not None


def test_a_second_visit_finds_it_dead(client: Client) -> None:
    address = path()
    client.post(address, GOOD)
    late = Client().post(address, {**GOOD, "username": "late"})
    assert late.status_code == 410
    assert "has its owner" in late.content.decode()
    assert not User.objects.filter(username="late").exists()
    assert claim.claim_link() is None


def test_of_two_at_once_one_wins(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both have seen the site unclaimed; only the conditional UPDATE stands between them."""
    address = path()
    monkeypatch.setattr(claim, "is_claimed", lambda: False)
    assert client.post(address, GOOD).status_code == 302
    assert Client().post(address, {**GOOD, "username": "second"}).status_code == 410
    assert [user.username for user in User.objects.all()] == [GOOD["username"]]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"username": "", "password": "a long walk by the sea"}, "required"),
        ({"username": "owner", "password": "12345678"}, "common"),
        ({"username": "owner", "password": "short"}, "8 characters"),
        ({"username": "shipwright", "password": "shipwright1"}, "similar"),
        ({"username": "о wner!", "password": "a long walk by the sea"}, "letters, digits"),
        ({"username": "x" * 25, "password": "a long walk by the sea"}, "24"),
    ],
)
def test_a_bad_name_or_password_claims_nothing(client: Client, data: dict[str, str], expected: str) -> None:
    answer = client.post(path(), data)
    assert answer.status_code == 200
    assert expected in answer.content.decode()
    assert claim.claim_link() is not None and not User.objects.exists()


def test_a_taken_name_in_other_case_is_refused(client: Client, ada: User) -> None:
    answer = client.post(path(), {**GOOD, "username": "ADA"})
    assert "has this name already" in answer.content.decode()
    assert claim.claim_link() is not None


def test_a_superuser_from_the_command_line_is_an_owner_too(client: Client) -> None:
    address = path()
    User.objects.create_superuser("boss", password="a long walk by the sea")
    assert claim.claim_link() is None
    assert client.get(address).status_code == 410


def test_links_grow_old(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    address = path()
    monkeypatch.setattr(claim, "LINK_SECONDS", -1)
    answer = client.get(address)
    assert answer.status_code == 410
    assert "manage.py claim" in answer.content.decode()


@pytest.mark.parametrize(
    "token",
    ["owner", "owner:1a2b:forged", "x" * 300, TimestampSigner(salt="other").sign("owner")],
    ids=["unsigned", "forged", "long", "signed-elsewhere"],
)
def test_a_forged_link_is_nothing(client: Client, token: str) -> None:
    assert client.get(f"/claim/{token}/").status_code == 404
    assert client.post(f"/claim/{token}/", GOOD).status_code == 404
    assert not User.objects.exists()


def test_the_form_is_guarded_against_other_sites() -> None:
    assert Client(enforce_csrf_checks=True).post(path(), GOOD).status_code == 403


def test_the_page_is_kept_by_nobody(client: Client) -> None:
    answer = client.get(path())
    assert "no-store" in answer["Cache-Control"]
    assert answer["Referrer-Policy"] == "same-origin"


def test_the_command_prints_the_link_until_there_is_an_owner(client: Client) -> None:
    def say(*options: str) -> str:
        out = StringIO()
        call_command("claim", *options, stdout=out)
        return out.getvalue().strip()

    assert client.get(urlsplit(say()).path).status_code == 200
    client.post(path(), GOOD)
    assert "has an owner" in say()
    assert say("--quiet") == ""


def test_a_link_never_comes_back_to_life(client: Client) -> None:
    """Not when the owner from the command line is gone again, or no owner any more."""
    address = path()
    boss = User.objects.create_superuser("boss", password="a long walk by the sea")
    boss.is_superuser = False
    boss.save()
    assert client.get(address).status_code == 410 and claim.claim_link() is None
    boss.delete()
    assert client.get(address).status_code == 410
