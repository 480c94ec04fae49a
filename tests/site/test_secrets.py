"""No key in any log record, at any level, nor in a report of an error: the whole site is driven, and all of it read."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from asgiref.sync import async_to_sync
from django.contrib.sessions.models import Session
from django.core import mail
from django.core.signing import TimestampSigner
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse

from canvas.moderation.sanctions import middleware
from dreamsite import claim, logs
from dreamsite.core.models import User
from gallery.models import BesideFeed
from tests.canvas import test_consumer
from tests.canvas.test_consumer import Rooms, Server
from tests.conftest import PASSWORD
from tests.site.urls_table import TABLE
from tests.site.world import World

pytestmark = pytest.mark.django_db
rooms = test_consumer.rooms


class Heard(logging.Handler):
    """Everything that is said by anybody, as a handler writes it."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.setFormatter(logging.Formatter("%(name)s %(message)s %(args)s"))
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> Iterator[Heard]:
    """Every logger there is, at DEBUG; queries too."""
    handler, root = Heard(), logging.getLogger()
    known = [root, *(logger for logger in root.manager.loggerDict.values() if isinstance(logger, logging.Logger))]
    for logger in known:
        monkeypatch.setattr(logger, "level", logging.DEBUG)
        monkeypatch.setattr(logger, "disabled", False)
        logger.manager._clear_cache()
    connection.force_debug_cursor = True
    monkeypatch.setattr(root, "handlers", [handler])  # alone: it is much to write down twice
    yield handler
    connection.force_debug_cursor = False
    root.manager._clear_cache()


class Keys:
    """Every secret that came by: cookies of all visitors, rows of sessions, what letters and links carry."""

    def __init__(self, settings: Any) -> None:
        self.found: set[str] = set()
        self._names = settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME

    def of(self, client: Client) -> Client:
        self.found |= {client.cookies[name].value for name in self._names if name in client.cookies}
        return client

    def all(self) -> set[str]:
        for letter in mail.outbox:
            self.found |= {
                link.rstrip("/").rpartition("/")[2] for link in re.findall(r"https?://\S+", str(letter.body))
            }
        return {key for key in self.found if len(key) >= 20}


def test_the_whole_site_says_no_key(heard: Heard, rooms: Rooms, settings: Any) -> None:
    settings.ACCOUNT_RATE_LIMITS = False
    settings.EMAIL_BACKEND, settings.EMAIL_HOST = "django.core.mail.backends.locmem.EmailBackend", "mail.example.org"
    world, keys = World(), Keys(settings)
    world.begin()
    visitors = [keys.of(world.visitor(role)) for role in ("anonymous", "admin")]
    for key, row in TABLE.items():
        given = {name: make(world) if callable(make) else make for name, make in row.args.items()}
        address = (row.path or reverse(key.split(" ")[0], kwargs=given)) + row.query
        for visitor in visitors:
            with transaction.atomic():
                visitor.get(address)
                visitor.post(address)
                keys.of(visitor)
                keys.all()
                transaction.set_rollback(True)
    letters_and_links(keys, world)
    sockets(keys, world)
    assert len(keys.all()) > 10 and len(heard.lines) > 1000
    log = "\n".join(heard.lines)
    assert (
        "Socket of the-user closed" in log
        and "/claim/" in log
        and "/suspended/" in log
        and "/password/reset/key/" in log
    ), "the test looks at nothing"
    leaked = {key for key in keys.all() if key in log}
    assert not leaked, [line[:300] for line in heard.lines if any(key in line for key in leaked)][:5]


def letters_and_links(keys: Keys, world: World) -> None:
    """Keys that are addresses: those that hold, and those that do not any more, which is logged as a 404 or a 410."""
    user = world.people["user"]
    EmailAddress.objects.create(user=user, email="user@example.org", verified=True, primary=True)
    client = Client(raise_request_exception=False, enforce_csrf_checks=True)
    page = client.get("/accounts/password/reset/").content.decode()
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
    assert token
    keys.found.add(token[1])
    client.post("/accounts/password/reset/", {"email": "user@example.org", "csrfmiddlewaretoken": token[1]})
    link = re.search(r"https?://[^/\s]+(/accounts/password/reset/key/\S+)", str(mail.outbox[-1].body))
    assert link
    keys.of(client).post(link[1], {"password1": "x"})
    client.get(link[1] + "and-more")
    client.get(link[1] + "?again", follow=True)
    signed = TimestampSigner(salt="dreamsite.claim").sign("owner")
    suspended = middleware.suspended_url(world.people["suspended"])
    assert suspended and claim.is_claimed()
    keys.found |= {signed, suspended.strip("/").rpartition("/")[2], signed.rpartition(":")[2]}
    for address in (reverse("claim", args=[signed]), suspended, suspended + "x", f"{suspended}export"):
        for send in (client.get, client.post):
            send(address)
    feed = BesideFeed.objects.create(user=user).get_absolute_url()
    keys.found.add(feed.split("/")[-2])
    for address in (feed, feed.rstrip("/"), f"{feed}more", feed.replace(f"/{user.pk}/", "/0/")):
        client.get(address)
    with pytest.raises(IntegrityError), transaction.atomic():
        Session.objects.create(session_key=Session.objects.values_list("session_key", flat=True)[0], expire_date=None)
    logging.getLogger("any").warning("somebody logs %r and %s", keys.of(client).cookies, list(Session.objects.all()))


def sockets(keys: Keys, world: World) -> None:
    """Somebody whose socket is closed for what they sent."""
    visitor = keys.of(world.visitor("user"))

    async def talk() -> None:
        server = Server(user=world.people["user"], session=visitor.session)
        server.say({"type": "websocket.receive", "bytes": b"bad"})
        server.say({"type": "websocket.disconnect"})
        await server.task

    async_to_sync(talk)()


@pytest.mark.parametrize("debug", [True, False])
def test_a_report_of_an_error_has_none_either(
    heard: Heard, client: Client, settings: Any, monkeypatch: pytest.MonkeyPatch, debug: bool
) -> None:
    """The variables of every call are in it, and so are the cookies."""
    settings.DEBUG, settings.ADMINS = debug, [("owner", "owner@example.org")]
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    ada = User.objects.create_user("ada", password=PASSWORD)
    client.force_login(ada)
    client.raise_request_exception = False
    key = client.session.session_key
    assert key

    def broken(request: Any, **kwargs: Any) -> Any:
        held = {"session": request.session.session_key, "csrf": request.META.get("CSRF_COOKIE")}
        raise RuntimeError(f"no row of {held}, asked with {request.COOKIES}")

    monkeypatch.setattr("dreamsite.accounts.views.Authenticator.objects", broken)
    monkeypatch.setattr("dreamsite.accounts.views._person", broken)
    handler = logging.getLogger("django.request")
    from django.utils.log import AdminEmailHandler

    letters = AdminEmailHandler(include_html=True)
    handler.addHandler(letters)
    try:
        page = client.get("/account/")
    finally:
        handler.removeHandler(letters)
    assert page.status_code == 500
    assert mail.outbox
    reports = [page.content.decode(), *(str(letter.message()) for letter in mail.outbox), *heard.lines]
    assert any("no row of" in report for report in reports)
    assert not any(key in report for report in reports)


@pytest.mark.parametrize(
    "plain",
    [
        "sha256 is " + "0f" * 32,
        "model e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855.onnx",
        "GET /frames/12345/ 3.5 ms, 2026-11-30T06:00:00+00:00",
        "operation 123e4567-e89b-12d3-a456-426614174000 of main",
    ],
)
def test_what_is_no_key_stays_readable(plain: str) -> None:
    assert logs.redact(plain) == plain
