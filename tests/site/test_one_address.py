"""No client has a say in the addresses that the site writes: not in pages, redirects, feeds or letters."""

from __future__ import annotations

import re
from contextlib import nullcontext
from typing import Any
from urllib.parse import urlsplit

import pytest
from allauth.account.models import EmailAddress
from asgiref.sync import async_to_sync, sync_to_async
from asgiref.testing import ApplicationCommunicator
from django.core import mail
from django.db import transaction
from django.urls import reverse

from dreamsite.asgi import application
from dreamsite.core.models import User
from tests.site.urls_table import TABLE
from tests.site.world import World

pytestmark = pytest.mark.django_db
EVIL = "evil.example"
# Everything by which some server or framework lets a client, or a proxy, say where a site is. `Host` is one of ours,
# with a port that nobody serves.
CLAIMED = {
    "host": "localhost:6666",
    "daphne-root-path": f"http://{EVIL}",
    "forwarded": f"for=192.0.2.1;host={EVIL};proto=https",
    "x-forwarded-for": "192.0.2.1",
    "x-forwarded-host": EVIL,
    "x-forwarded-server": EVIL,
    "x-forwarded-proto": "https",
    "x-forwarded-scheme": "https",
    "x-forwarded-ssl": "on",
    "x-forwarded-port": "6666",
    "x-forwarded-prefix": f"//{EVIL}",
    "x-script-name": f"//{EVIL}",
    "script-name": f"//{EVIL}",
    "x-original-host": EVIL,
    "x-host": EVIL,
    "x-http-host-override": EVIL,
    "x-original-url": f"http://{EVIL}/",
    "x-original-uri": f"http://{EVIL}/",
    "x-rewrite-url": f"http://{EVIL}/",
    "referer": f"http://{EVIL}/",
    "x-real-ip": "192.0.2.1",
}
MARKS = EVIL, ":6666", "192.0.2.1"
CHANGING = "set-cookie", "etag", "expires", "x-request-id", "content-length"  # "now" is shorter than "a second ago"


@pytest.fixture(autouse=True)
def in_the_tests_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where its transaction lives: the application else gives each request a thread, and each error another."""
    monkeypatch.setattr("django.core.handlers.asgi.ThreadSensitiveContext", nullcontext)
    monkeypatch.setattr("django.core.handlers.exception.sync_to_async", lambda call, **_: sync_to_async(call))


class Answer:
    def __init__(self, status: int, headers: dict[str, str], body: str) -> None:
        self.status, self.headers, self.body = status, headers, body

    def seen(self) -> tuple[int, dict[str, str], str]:
        """Without what is new each time: tokens, cookies, request's time."""
        body = re.sub(r'(name="csrfmiddlewaretoken" value|data-csrf|csrf-token" content)="\w+"', r"\1", self.body)
        # Of an empty feed, and of a look into somebody's page, it is now.
        body = re.sub(r"<updated>[^<]+</updated>|<time.*?</time>", "", body)
        ages = r"(\d+\W(nbsp;)?(second|minute|hour|day)s?|a second|a minute|an hour) ago|\bnow\b"
        body = re.sub(ages, "a while ago", body)
        return self.status, {k: v for k, v in self.headers.items() if k not in CHANGING}, body


def ask(method: str, path: str, claimed: dict[str, str], cookie: str = "", body: bytes = b"") -> Answer:
    """A request as daphne hands it over: the path's prefix is what the client's Daphne-Root-Path says."""
    host = {"host": "localhost:8000", "accept": "text/html"} | ({"cookie": cookie} if cookie else {})
    form = {"content-type": "application/x-www-form-urlencoded", "content-length": str(len(body))} if body else {}
    bare, _, query = path.partition("?")
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": method,
        "path": bare,
        "raw_path": bare.encode(),
        "query_string": query.encode(),
        "root_path": claimed.get("daphne-root-path", ""),
        "scheme": "http",
        "client": ("127.0.0.1", 5),
        "server": ("127.0.0.1", 8000),
        "headers": [(k.encode(), v.encode()) for k, v in (host | form | claimed).items()],
    }

    async def over_the_wire() -> Answer:
        talk = ApplicationCommunicator(application, scope)
        await talk.send_input({"type": "http.request", "body": body})
        begun = await talk.receive_output(300)
        got, more = b"", True
        while more:
            part = await talk.receive_output(300)
            got, more = got + part.get("body", b""), part.get("more_body", False)
        headers = {k.decode().lower(): v.decode() for k, v in begun["headers"]}
        return Answer(begun["status"], headers, got.decode(errors="replace"))

    with transaction.atomic():
        answer: Answer = async_to_sync(over_the_wire)()
        transaction.set_rollback(True)
    return answer


@pytest.mark.parametrize("role", ["anonymous", "admin"])
def test_every_address_answers_the_same_whatever_a_client_says_of_where_it_is(role: str, settings: Any) -> None:
    settings.ACCOUNT_RATE_LIMITS = False
    world, found, wrong = World(), 0, []
    world.begin()
    visitor = world.visitor(role)
    token = "t" * 32
    cookies = {settings.CSRF_COOKIE_NAME: token} | {name: held.value for name, held in visitor.cookies.items()}
    cookie = "; ".join(f"{name}={value}" for name, value in cookies.items())
    for key, row in TABLE.items():
        given = {name: make(world) if callable(make) else make for name, make in row.args.items()}
        address = (row.path or reverse(key.split(" ")[0], kwargs=given)) + row.query
        plain, deceived = (ask("GET", address, claimed, cookie) for claimed in ({}, CLAIMED))
        found += plain.status == 200
        if address in settings.ANY_HOST:  # what they tell goes by who asks; no address is among it
            wrong += [address] * any(mark in str(deceived.seen()) for mark in MARKS)
            continue
        if plain.seen() != deceived.seen() or any(mark in str(deceived.seen()) for mark in MARKS):
            wrong.append((address, plain.seen(), deceived.seen()))
        plain, deceived = (ask("POST", address, {"x-csrftoken": token} | claimed, cookie) for claimed in ({}, CLAIMED))
        if plain.status != deceived.status or plain.headers.get("location") != deceived.headers.get("location"):
            wrong.append(f"POST {address}")
    assert wrong == []
    assert found > 50


@pytest.mark.parametrize("host", [EVIL, f"localhost@{EVIL}", "localhost:80/evil", f"localhost.{EVIL}", ""])
def test_a_host_that_is_not_ours_is_refused(host: str) -> None:
    assert ask("GET", "/history/", {"host": host}).status == 400


@pytest.mark.parametrize("name", sorted(CLAIMED))
def test_a_letter_leads_to_the_site_whatever_a_client_says(name: str, settings: Any) -> None:
    """Whoever asks for somebody else's new password has no say in where its key goes."""
    settings.EMAIL_BACKEND, settings.EMAIL_HOST = "django.core.mail.backends.locmem.EmailBackend", "mail.example.org"
    ada = User.objects.create_user("ada")
    EmailAddress.objects.create(user=ada, email="ada@example.org", verified=True, primary=True)
    page = ask("GET", "/accounts/password/reset/", {})
    found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.body)
    assert found
    token = found[1]
    claimed = {name: CLAIMED[name]} | ({"origin": settings.SITE_URL} if name == "referer" else {})
    body = f"email=ada%40example.org&csrfmiddlewaretoken={token}".encode()
    cookie = page.headers["set-cookie"].partition(";")[0]
    assert ask("POST", "/accounts/password/reset/", claimed, cookie, body).status == 302
    (letter,) = mail.outbox
    links = re.findall(r"https?://\S+", str(letter.body))
    assert links and all(f"{part.scheme}://{part.netloc}" == settings.SITE_URL for part in map(urlsplit, links))
    assert not any(mark in str(letter.message()) for mark in MARKS)
