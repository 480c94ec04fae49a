"""Accounts, as a visitor meets them."""

from __future__ import annotations

import re
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.test import Client

from dreamsite.core.models import User
from dreamsite.core.names import RESERVED
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def letters(settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"


def sign_up(client: Client, name: str = "ada", password: str = PASSWORD, **more: str) -> Any:
    return client.post("/accounts/signup/", {"username": name, "password1": password, **more})


def test_sign_up_takes_a_name_and_a_password_and_lands_on_the_canvas(client: Client) -> None:
    page = client.get("/accounts/signup/").content.decode()
    assert re.findall(r'<input[^>]* name="(\w+)"', page) == ["csrfmiddlewaretoken", "username", "password1"]
    answer = sign_up(client)
    assert answer.status_code == 302 and answer["Location"] == "/"
    assert client.session["_auth_user_id"] == str(User.objects.get(username="ada").pk)


def test_sign_up_leads_back_to_where_it_began(client: Client) -> None:
    page = client.get("/accounts/signup/?next=/history/").content.decode()
    assert 'name="next" value="/history/"' in page
    assert sign_up(client, next="/history/")["Location"] == "/history/"
    assert sign_up(Client(), "bea", next="https://evil.example/")["Location"] == "/"


@pytest.mark.parametrize(
    "name",
    ["", "a", "x" * 25, "two words", "<b>", "аda", ".dot", "na/me", "naïve", *sorted(RESERVED)[:2], "Admin", "ADMIN_"],
)
def test_names_that_are_refused(client: Client, name: str) -> None:
    answer = sign_up(client, name)
    assert answer.status_code == 200
    assert 'class="errorlist"' in answer.content.decode()
    assert not User.objects.exists()


@pytest.mark.parametrize("name", ["ok", "Ada.Lovelace", "x" * 24, "0-1", "under_score"])
def test_names_that_are_welcome(client: Client, name: str) -> None:
    assert sign_up(client, name).status_code == 302
    assert User.objects.get().username == name


def test_a_name_is_taken_in_every_case(client: Client, ada: User) -> None:
    answer = sign_up(client, "ADA")
    assert answer.status_code == 200
    assert User.objects.count() == 1


@pytest.mark.parametrize("password", ["", "short", "password123", "12345678"])
def test_passwords_that_are_refused(client: Client, password: str) -> None:
    assert sign_up(client, "ada", password).status_code == 200
    assert not User.objects.exists()


def test_sign_in_and_out(client: Client, ada: User) -> None:
    answer = client.post("/accounts/login/", {"login": "ada", "password": PASSWORD})
    assert answer["Location"] == "/"
    page = client.get("/history/").content.decode()
    assert "Hello, ada." in page
    assert 'action="/accounts/logout/"' in page
    assert "Sign out?" in client.get("/accounts/logout/").content.decode()
    assert client.get("/account/").status_code == 200, "asking is not signing out"
    assert client.post("/accounts/logout/")["Location"] == "/"
    assert "Sign in" in client.get("/history/").content.decode()


def test_a_wrong_password_says_no_more_than_a_wrong_name(client: Client, ada: User) -> None:
    def page_for(name: str) -> str:
        page = client.post("/accounts/login/", {"login": name, "password": "wrong"}).content.decode()
        return re.sub(r"\s+", " ", page[page.index("errorlist") :].partition("</ul>")[0])

    assert page_for("ada") == page_for("nobody-at-all")


def test_guessing_is_slowed_down_with_a_page(client: Client, ada: User) -> None:
    answers = [client.post("/accounts/login/", {"login": "ada", "password": f"guess {n}"}) for n in range(12)]
    assert b"Too many failed" in answers[-1].content or answers[-1].status_code == 429
    assert "_auth_user_id" not in client.session


def test_sign_ups_from_one_place_are_limited(client: Client) -> None:
    answers = [sign_up(Client(), f"robot{n}") for n in range(25)]
    assert answers[0].status_code == 302
    assert answers[-1].status_code == 429
    assert "A little slower" in answers[-1].content.decode()


def test_change_password(signed_in: Client, ada: User) -> None:
    new = "a short walk in the woods"
    answer = signed_in.post("/accounts/password/change/", {"oldpassword": PASSWORD, "password1": new, "password2": new})
    assert answer.status_code == 302
    ada.refresh_from_db()
    assert ada.check_password(new)
    assert signed_in.get("/account/").status_code == 200, "who changes it stays signed in"


def test_a_wrong_old_password_changes_nothing(signed_in: Client, ada: User) -> None:
    data = {"oldpassword": "wrong", "password1": "a short walk in the woods", "password2": "a short walk in the woods"}
    assert signed_in.post("/accounts/password/change/", data).status_code == 200
    ada.refresh_from_db()
    assert ada.check_password(PASSWORD)


def test_reset_by_mail(client: Client, ada: User) -> None:
    EmailAddress.objects.create(user=ada, email="ada@example.org", verified=True, primary=True)
    answer = client.post("/accounts/password/reset/", {"email": "ada@example.org"}, follow=True)
    assert "Look in your mail" in answer.content.decode()
    (letter,) = mail.outbox
    link = re.search(r"https?://[^/\s]+(/accounts/password/reset/key/\S+)", str(letter.body))
    assert link, letter.body
    page = client.get(link[1], follow=True)
    assert "Choose a new password" in page.content.decode()
    new = "a short walk in the woods"
    done = client.post(page.request["PATH_INFO"], {"password1": new, "password2": new}, follow=True)
    assert "Your password is new" in done.content.decode()
    ada.refresh_from_db()
    assert ada.check_password(new)
    assert "This link has gone out" in Client().get(link[1], follow=True).content.decode()


def test_reset_tells_nobody_who_has_an_account(client: Client) -> None:
    answer = client.post("/accounts/password/reset/", {"email": "nobody@example.org"}, follow=True)
    assert "Look in your mail" in answer.content.decode()


def reauthenticate(client: Client) -> None:
    assert client.post("/accounts/reauthenticate/", {"password": PASSWORD}).status_code == 302


def test_an_address_is_given_only_by_whoever_knows_the_password(signed_in: Client, ada: User) -> None:
    """It is a way back in: not for whoever finds a telephone on a table."""
    answer = signed_in.post("/accounts/email/", {"action_add": "", "email": "eve@example.org"})
    assert answer["Location"].startswith("/accounts/reauthenticate/")
    assert not EmailAddress.objects.exists() and not mail.outbox


def test_an_address_is_confirmed_by_a_letter(signed_in: Client, ada: User) -> None:
    reauthenticate(signed_in)
    signed_in.post("/accounts/email/", {"action_add": "", "email": "ada@example.org"})
    link = re.search(r"https?://[^/\s]+(/accounts/confirm-email/\S+)", str(mail.outbox[0].body))
    assert link
    assert "Is this you?" in signed_in.get(link[1]).content.decode()
    page = signed_in.post(link[1], follow=True).content.decode()
    assert "ada@example.org is confirmed." in page
    assert EmailAddress.objects.get(user=ada).verified


def test_an_address_can_be_given_and_taken_back(signed_in: Client, ada: User) -> None:
    reauthenticate(signed_in)
    page = signed_in.post(
        "/accounts/email/", {"action_add": "", "email": "ada@example.org"}, follow=True
    ).content.decode()
    assert "ada@example.org" in page
    assert "ada@example.org" in signed_in.get("/account/").content.decode()
    signed_in.post("/accounts/email/", {"action_remove": "", "email": "ada@example.org"})
    assert not EmailAddress.objects.filter(user=ada).exists()


def test_ones_own_account_is_for_oneself(client: Client, ada: User) -> None:
    assert client.get("/account/")["Location"] == "/accounts/login/?next=/account/"
    client.force_login(ada)
    page = client.get("/account/").content.decode()
    assert "<h1>ada</h1>" in page and "Administration" not in page


def test_staff_finds_the_administration(client: Client, staff: User, settings: Any) -> None:
    client.force_login(staff)
    assert f'href="/{settings.ADMIN_PATH}/"' in client.get("/account/").content.decode()
    assert client.get(f"/{settings.ADMIN_PATH}/").status_code == 200


def test_the_administration_signs_in_through_the_site(client: Client, ada: User, settings: Any) -> None:
    answer = client.get(f"/{settings.ADMIN_PATH}/", follow=True)
    assert answer.request["PATH_INFO"] == "/accounts/login/"
    client.force_login(ada)
    assert client.get(f"/{settings.ADMIN_PATH}/", follow=True).status_code == 403


@pytest.mark.parametrize(
    "address",
    [
        "/accounts/login/",
        "/accounts/signup/",
        "/accounts/password/reset/",
        "/accounts/password/reset/done/",
        "/accounts/password/reset/key/1-gone/",
        "/accounts/inactive/",
        "/accounts/confirm-email/",
    ],
)
def test_every_page_of_accounts_wears_the_site(client: Client, address: str) -> None:
    answer = client.get(address, follow=True)
    page = answer.content.decode()
    assert answer.status_code == 200
    assert 'class="page page-narrow stack stack-wide"' in page and "site.css" in page
    assert page.count("<h1>") == 1
    assert "<title>\n" not in page
    assert 'name="robots" content="noindex"' in page


@pytest.mark.parametrize(
    "address", ["/accounts/password/change/", "/accounts/email/", "/accounts/logout/", "/accounts/reauthenticate/"]
)
def test_every_page_of_ones_account_wears_the_site(signed_in: Client, address: str) -> None:
    page = signed_in.get(address).content.decode()
    assert 'class="page page-narrow stack stack-wide"' in page
    assert page.count("<h1>") == 1
