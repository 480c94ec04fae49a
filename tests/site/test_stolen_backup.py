"""What a copy of the database gives away to whoever stole it, without the site's secret: nothing that lets them in."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from django.conf import settings as site
from django.contrib.sessions.models import Session
from django.core import mail
from django.test import AsyncClient, Client

from dreamsite.core.models import User
from tests.conftest import PASSWORD
from tests.rows import every_value

NEW = "another walk by the sea"
pytestmark = pytest.mark.django_db


def signed_in(name: str = "ada") -> Client:
    client = Client()
    assert client.post("/accounts/login/", {"login": name, "password": PASSWORD}).status_code == 302
    return client


def test_no_row_holds_what_signs_somebody_in(ada: User, settings: Any) -> None:
    """Cookies, passwords, the link that resets one, an app's secret, recovery codes."""
    settings.EMAIL_BACKEND, settings.EMAIL_HOST = "django.core.mail.backends.locmem.EmailBackend", "mail.example.org"
    EmailAddress.objects.create(user=ada, email="ada@example.org", verified=True, primary=True)
    client, guest = signed_in(), Client()
    client.get("/account/")
    assert guest.post("/accounts/guest/").status_code == 200
    assert client.post("/accounts/reauthenticate/", {"password": PASSWORD}).status_code == 302
    secret = re.search(r"secret=(\w+)", client.get("/accounts/2fa/totp/activate/").content.decode())
    Client().post("/accounts/password/reset/", {"email": "ada@example.org"})
    link = re.search(r"/password/reset/key/(\S+?)/?\s", str(mail.outbox[-1].body))
    assert link
    keys = {
        PASSWORD,
        link[1],
        *(one.cookies[site.SESSION_COOKIE_NAME].value for one in (client, guest)),
        *([secret[1]] if secret else []),
    }
    rows = list(every_value())
    assert any(ada.username == value for _, value in rows) and len(keys) >= 4
    found = [(where, value[:80]) for where, value in rows for key in keys if key in value]
    assert not found


def test_a_stored_key_is_no_cookie(ada: User) -> None:
    client = signed_in()
    thief = Client()
    for key in (Session.objects.get().session_key, UserSession.objects.get().session_key):
        thief.cookies[site.SESSION_COOKIE_NAME] = key
        assert thief.get("/account/").status_code == 302
    assert client.get("/account/").status_code == 200


def test_signing_out_and_the_list_still_end_sessions(ada: User) -> None:
    client, other = signed_in(), signed_in()
    assert UserSession.objects.filter(user=ada).count() == Session.objects.count() == 2
    before = client.cookies[site.SESSION_COOKIE_NAME].value
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    answer = client.post("/accounts/password/change/", {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW})
    assert answer.status_code == 302 and client.cookies[site.SESSION_COOKIE_NAME].value != before
    assert client.get("/accounts/sessions/").content.decode().count("this one") == 1
    assert other.get("/account/").status_code == 302, "another password signs out elsewhere"
    client.post("/accounts/logout/")
    assert client.get("/account/").status_code == 302 and not UserSession.objects.exclude(user=ada).exists()


@pytest.mark.django_db(transaction=True)
async def test_the_same_under_asgi(ada: User) -> None:
    client = AsyncClient()
    await client.aforce_login(ada)
    assert (await client.get("/account/")).status_code == 200
    assert not await Session.objects.filter(session_key=client.cookies[site.SESSION_COOKIE_NAME].value).aexists()
    await client.alogout()
    assert (await client.get("/account/")).status_code == 302


@pytest.mark.django_db(transaction=True)
def test_a_backup_has_no_secret_that_opens_it(ada: User, tmp_path: Any) -> None:
    """Signatures and apps' secrets need the site's key; it lies beside the backup only where somebody puts it."""
    from dreamsite import backups

    backups.write(tmp_path / "backup", lambda text: None)
    held = [path for path in (tmp_path / "backup").rglob("*") if path.is_file()]
    assert any("core.user" in path.name for path in held)
    assert not [path for path in held if site.SECRET_KEY.encode() in path.read_bytes()]
    assert json.loads((tmp_path / "backup" / "manifest.json").read_text())
