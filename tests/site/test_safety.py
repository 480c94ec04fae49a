"""Attacks, one by one, as somebody outside would try them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from html import escape
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.core.cache.backends import locmem
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from canvas.models import Canvas
from dreamsite.accounts import closing
from dreamsite.core.models import User
from gallery.models import Exhibit, Page
from tests.conftest import PASSWORD
from tests.site.urls_table import TABLE
from tests.site.world import World

pytestmark = pytest.mark.django_db
SCRIPT = '"><script>alert(1)</script><img src=x onerror=alert(1)>'
EVIL = ("https://evil.example/", "//evil.example/", "/\\evil.example/", "javascript:alert(1)", "https:evil.example")


@pytest.fixture
def with_mail(settings: Any) -> None:
    """The site as it is with MAIL_HOST set."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    settings.EMAIL_HOST = "mail.example.org"
    settings.ACCOUNT_LOGIN_METHODS = {"username", "email"}
    settings.ACCOUNT_SIGNUP_FIELDS = ["username*", "email*", "password1*"]
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"
    settings.ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = True


# --- brute force -------------------------------------------------------------------------------------------------


def guess(client: Client, password: str = "wrong", name: str = "ada") -> str:
    return str(client.post("/accounts/login/", {"login": name, "password": password}).content.decode())


def test_passwords_cannot_be_tried_by_the_thousand(ada: User) -> None:
    """One name from one address, and many names from it: both run into a wall, and the right password then too."""
    guesser = Client(REMOTE_ADDR="203.0.113.7")
    for _ in range(6):
        said = guess(guesser)
    assert "Too many failed attempts" in said and "Too many failed attempts" in guess(guesser, PASSWORD)
    assert "_auth_user_id" not in guesser.session
    one = Client(REMOTE_ADDR="198.51.100.9")
    statuses = [one.post("/accounts/login/", {"login": f"n{n}", "password": "x"}).status_code for n in range(40)]
    assert statuses[0] == 200 and statuses[-1] == 429


def test_nobody_is_locked_out_by_guesses_at_their_name(ada: User) -> None:
    """Not at another address, and not at the guesser's own, in a browser where they signed in before."""
    home = Client(REMOTE_ADDR="203.0.113.7")
    home.post("/accounts/login/", {"login": "ada", "password": PASSWORD})
    home.post("/accounts/logout/")
    assert "_auth_user_id" not in home.session
    for address in ("203.0.113.7", "203.0.113.8", "203.0.113.9"):
        for _ in range(12):
            said = guess(Client(REMOTE_ADDR=address))
        assert "Too many failed attempts" in said
    elsewhere = Client(REMOTE_ADDR="198.51.100.1")
    guess(elsewhere, PASSWORD)
    assert elsewhere.session["_auth_user_id"] == str(ada.pk)
    guess(home, PASSWORD)
    assert home.session["_auth_user_id"] == str(ada.pk), "the neighbour's guesses are not this browser's"


def test_a_browser_that_signed_in_before_cannot_guess_at_will_either(ada: User) -> None:
    User.objects.create_user("bea", password=PASSWORD)
    stolen = Client(REMOTE_ADDR="203.0.113.7")
    guess(stolen, PASSWORD)
    stolen.post("/accounts/logout/")
    assert "Too many failed attempts" in [guess(stolen) for _ in range(11)][-1]
    for _ in range(6):
        said = guess(stolen, name="bea")
    assert "Too many failed attempts" in said, "it is known for ada alone"
    forged = Client(REMOTE_ADDR="203.0.113.8")
    forged.cookies["known"] = "eyIxIjoibm90In0:1:bm90"
    assert "Too many failed attempts" in [guess(forged) for _ in range(6)][-1]


def test_an_ipv6_household_is_one_address(ada: User) -> None:
    for number in range(6):
        said = guess(Client(REMOTE_ADDR=f"2001:db8:1:2::{number}"))
    assert "Too many failed attempts" in said
    other = Client(REMOTE_ADDR="2001:db8:1:3::1")
    guess(other, PASSWORD)
    assert other.session["_auth_user_id"] == str(ada.pk)


def test_nobody_counts_as_another_address_by_saying_so(ada: User) -> None:
    for number in range(40):
        answer = Client(HTTP_X_FORWARDED_FOR=f"203.0.{number}.7").post(
            "/accounts/login/", {"login": f"n{number}", "password": "x"}
        )
    assert answer.status_code == 429


def test_no_flood_of_page_requests_opens_a_locked_account_again(ada: User) -> None:
    """A stranger's keys, whatever they are made of, push no rate limit out."""
    World().begin()  # a history of some minutes
    guesser = Client(REMOTE_ADDR="203.0.113.5")
    for _ in range(6):
        guess(guesser)
    stranger, at = Client(), int(timezone.now().timestamp())
    for number in range(320):
        hour = {"from": _utc(at - 3600 - number), "to": _utc(at - number), "n": number}
        assert stranger.get("/history/timeline.json", hour, HTTP_X_NUMBER=str(number)).status_code == 200
    assert "Too many failed attempts" in guess(guesser, PASSWORD) and "_auth_user_id" not in guesser.session


def _utc(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"


def test_no_page_keeps_anything_beside_the_rate_limits(settings: Any) -> None:
    """Every address is asked; what it remembers lies in the cache of pages, and asking a little else adds nothing."""
    world, limits = World(), locmem._caches["limits"]
    visitor = world.visitor("admin")
    world.begin()
    visitor.get("/history/")
    before = set(limits)
    for key, row in TABLE.items():
        given = {name: make(world) if callable(make) else make for name, make in row.args.items()}
        visitor.get((row.path or reverse(key.split(" ")[0], kwargs=given)) + row.query)
    added = {key for key in limits if "allauth" not in key and "moderation:" not in key} - before
    assert not added
    kept = locmem._caches["pages"]
    at = int(timezone.now().timestamp()) // 3600 * 3600
    for number in range(100):
        visitor.get(
            "/history/timeline.json", {"from": _utc(at - 7200 + number), "to": _utc(at - number - 1), "q": number}
        )
    count = len(kept)
    for number in range(100, 300):
        visitor.get(
            "/history/timeline.json", {"from": _utc(at - 7200 + number), "to": _utc(at - number - 1), "q": number}
        )
    assert len(kept) <= count + 8


# --- enumeration -------------------------------------------------------------------------------------------------


def plain(answer: Any, *known: str) -> str:
    """The page's words without what was typed into it, and without tokens."""
    page = re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", answer.content.decode())
    for word in known:
        page = page.replace(escape(word), "…")
    return page


@pytest.mark.parametrize(
    ("path", "field", "more"),
    [
        ("/accounts/password/reset/", "email", {}),
        ("/accounts/login/code/", "email", {}),
        ("/accounts/signup/", "email", {"username": "newcomer", "password1": PASSWORD}),
        ("/accounts/login/", "login", {"password": "a wrong one"}),
    ],
)
def test_nobody_learns_whether_an_address_has_an_account(
    with_mail: None, ada: User, path: str, field: str, more: dict[str, str]
) -> None:
    EmailAddress.objects.create(user=ada, email="ada@example.org", verified=True, primary=True)
    answers = {}
    for address in ("ada@example.org", "eve@example.org"):
        client = Client(REMOTE_ADDR="203.0.113.1" if "ada" in address else "203.0.113.2")
        answer = client.post(path, {field: address, **more}, follow=True)
        answers[address] = [status for _, status in answer.redirect_chain], answer.status_code, plain(answer, address)
    known, unknown = answers["ada@example.org"], answers["eve@example.org"]
    assert known[:2] == unknown[:2]
    assert known[2].splitlines() == unknown[2].splitlines()
    letters = {to for letter in mail.outbox for to in letter.to}
    assert letters in (set(), set(answers)), "and a letter goes to both or to neither"


def test_sign_up_with_a_mail_server_confirms_the_address_by_a_code(with_mail: None, client: Client) -> None:
    page = client.post(
        "/accounts/signup/", {"username": "ada", "email": "ada@example.org", "password1": PASSWORD}, follow=True
    )
    assert "Is this your address?" in page.content.decode() and "_auth_user_id" not in client.session
    code = re.search(r"^([A-Z0-9]{3,}-?[A-Z0-9]{3,})$", str(mail.outbox[0].body), re.MULTILINE)
    assert code, mail.outbox[0].body
    assert "That is not the code." in client.post("/accounts/confirm-email/", {"code": "WRONG1"}).content.decode()
    assert client.post("/accounts/confirm-email/", {"code": code[1]})["Location"] == "/"
    assert client.session["_auth_user_id"] and EmailAddress.objects.get().verified


def test_a_name_taken_with_a_mistyped_address_is_free_again(with_mail: None, client: Client, ada: User) -> None:
    client.post("/accounts/signup/", {"username": "lost", "email": "typo@example.org", "password1": PASSWORD})
    assert closing.forget_unconfirmed() == 0, "there are two days for it"
    User.objects.update(date_joined=timezone.now() - timedelta(days=3))
    assert closing.forget_unconfirmed() > 0
    assert [user.username for user in User.objects.all()] == ["ada"], "older accounts have no address, and stay"


def test_a_code_by_mail_signs_in(with_mail: None, client: Client, ada: User) -> None:
    EmailAddress.objects.create(user=ada, email="ada@example.org", verified=True, primary=True)
    assert "With a code by mail" in client.get("/accounts/login/").content.decode()
    client.post("/accounts/login/code/", {"email": "ada@example.org"})
    code = re.search(r"^([A-Z0-9]{3,}-?[A-Z0-9]{3,})$", str(mail.outbox[0].body), re.MULTILINE)
    assert code
    client.post("/accounts/login/code/confirm/", {"code": code[1]})
    assert client.session["_auth_user_id"] == str(ada.pk)


def test_an_account_from_before_the_mail_server_still_signs_in(with_mail: None, client: Client, ada: User) -> None:
    client.post("/accounts/login/", {"login": "ada", "password": PASSWORD})
    assert client.session["_auth_user_id"] == str(ada.pk)


# --- forms of other sites ----------------------------------------------------------------------------------------


def test_no_address_takes_a_form_of_another_site() -> None:
    """Whatever takes a POST from somebody signed in takes none without the page's token."""
    world, taken = World(), []
    client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    client.force_login(world.people["admin"])
    world.begin()
    for key, row in TABLE.items():
        given = {name: make(world) if callable(make) else make for name, make in row.args.items()}
        address = row.path or reverse(key.split(" ")[0], kwargs=given)
        if client.post(address, {"anything": "1"}).status_code not in (403, 404, 405):
            taken.append(key)
    assert taken == []


# --- what people write -------------------------------------------------------------------------------------------


def test_no_words_of_anybody_become_a_script(client: Client, settings: Any) -> None:
    """Every text that somebody may write, put into the database as it is, and every page looked at."""
    world = World()
    world.frame.title = SCRIPT
    world.frame.save()
    Canvas.objects.update(title=SCRIPT)
    world.sanction.reason = SCRIPT
    world.sanction.save()
    world.report.text = SCRIPT
    world.report.save()
    world.film.title = world.film.description = SCRIPT
    world.film.save()
    Page.objects.create(slug="a-page", title=SCRIPT, body=SCRIPT)
    Exhibit.objects.create(slug="a-show", title=SCRIPT, statement=SCRIPT, published_at=world.frame.made_at)
    EmailAddress.objects.create(user=world.people["admin"], email='"<script>alert(1)</script>"@example.org')
    given_values = {"slug": {"page": "a-page", "exhibit": "a-show", "exhibit_json": "a-show"}}
    visitor = Client(raise_request_exception=False, HTTP_USER_AGENT=SCRIPT)
    visitor.force_login(world.people["admin"])
    looked, found = 0, []
    for key, row in TABLE.items():
        name = key.split(" ")[0]
        if name in given_values["slug"]:
            given: dict[str, Any] = {"slug": given_values["slug"][name]}
        else:
            given = {argument: make(world) if callable(make) else make for argument, make in row.args.items()}
        answer = visitor.get(row.path or reverse(name, kwargs=given))
        if "html" not in answer.get("Content-Type", "") or getattr(answer, "streaming", False):
            continue
        looked += 1
        page = answer.content.decode()
        if "<script>alert" in page or "<img src=x" in page:
            found.append(key)
    assert looked > 40 and found == []
    typed = client.post("/accounts/login/", {"login": SCRIPT, "password": "x"}).content.decode()
    assert "<script>alert" not in typed and escape("<script>") in typed
    assert "<script>alert" not in client.get("/people/" + "%3Cscript%3Ealert(1)%3C%2Fscript%3E/").content.decode()


# --- where one is sent -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", EVIL)
def test_nobody_is_sent_to_another_site(address: str, ada: User) -> None:
    visitor = Client()
    signed_in = visitor.post("/accounts/login/", {"login": "ada", "password": PASSWORD, "next": address})
    assert signed_in.status_code == 302 and signed_in["Location"] == "/"
    again = visitor.post(f"/accounts/reauthenticate/?next={address}", {"password": PASSWORD, "next": address})
    assert again["Location"].startswith("/accounts/") or again["Location"] == "/", again["Location"]
    assert visitor.get("/accounts/login/", {"next": address})["Location"] == "/"
    assert visitor.post("/accounts/logout/", {"next": address})["Location"] == "/"
    up = Client().post("/accounts/signup/", {"username": "newcomer", "password1": PASSWORD, "next": address})
    assert up["Location"] == "/"


# --- too much ----------------------------------------------------------------------------------------------------


def test_a_form_of_megabytes_is_refused(client: Client) -> None:
    answer = client.post("/accounts/login/", {"login": "a" * 2_000_000, "password": "x"})
    assert answer.status_code in (400, 413)
    many = {f"field{number}": "1" for number in range(3000)}
    assert client.post("/accounts/login/", many).status_code == 400
    assert client.post("/accounts/login/", {"login": "ada", "password": "x" * 100_000}).status_code == 200


def test_whoever_finds_a_hole_finds_an_address(client: Client, settings: Any) -> None:
    assert client.get("/.well-known/security.txt").status_code == 404
    settings.SECURITY_CONTACT = "mailto:safe@example.org"
    text = client.get("/.well-known/security.txt").content.decode()
    assert "Contact: mailto:safe@example.org\n" in text and re.search(
        r"^Expires: 20\d\d-\d\d-\d\dT", text, re.MULTILINE
    )
