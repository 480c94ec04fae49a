"""The second step, and the administration that asks for it."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.test import Client

from canvas.moderation.models import Act
from canvas.moderation.permissions import MODERATORS
from dreamsite.core.models import User
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def strict(settings: Any) -> None:
    settings.ADMIN_TWO_FACTOR = True


def code(secret: str, ahead: int = 0) -> str:
    """What an app shows now, or `ahead` half minutes from now: no code counts twice."""
    return str(format_hotp_value(hotp_value(secret, int(time.time() // 30) + ahead)))


def sign_in(client: Client, name: str) -> Any:
    return client.post("/accounts/login/", {"login": name, "password": PASSWORD}, follow=True)


def set_up(client: Client) -> str:
    """Signed in, and asked for the password once more. The app's secret."""
    assert client.post("/accounts/reauthenticate/", {"password": PASSWORD}).status_code == 302
    page = client.get("/accounts/2fa/totp/activate/").content.decode()
    secret = re.search(r'<code class="secret">(\w+)</code>', page)
    assert secret and 'src="data:image/svg+xml;base64,' in page
    assert client.post("/accounts/2fa/totp/activate/", {"code": "12"}).status_code == 200, "not any code"
    done = client.post("/accounts/2fa/totp/activate/", {"code": code(secret[1])}, follow=True)
    assert "Keep these safe" in done.content.decode()
    return secret[1]


@pytest.mark.django_db(transaction=True)  # the session learns of it at the commit, within the request
def test_staff_is_led_to_a_second_step_and_then_in(client: Client, staff: User, settings: Any) -> None:
    address = f"/{settings.ADMIN_PATH}/"
    assert sign_in(client, "boss").status_code == 200
    answer = client.get(address, follow=True)
    assert answer.status_code == 200 and "One more lock" in answer.content.decode()
    assert "/accounts/2fa/totp/activate/" in answer.content.decode()
    secret = set_up(client)
    assert client.get(address).status_code == 200, "whoever sets it up need not show it again at once"

    other = Client()
    page = sign_in(other, "boss").content.decode()
    assert "The second step" in page and "_auth_user_id" not in other.session
    assert "That is not the code." in other.post("/accounts/2fa/authenticate/", {"code": "000000"}).content.decode()
    other.post("/accounts/2fa/authenticate/", {"code": code(secret, 1)})
    assert other.get(address).status_code == 200


def test_a_session_from_before_is_asked(client: Client, staff: User, settings: Any) -> None:
    """Signed in by password alone, while the second step was set up elsewhere."""
    address, old = f"/{settings.ADMIN_PATH}/", Client()
    sign_in(old, "boss")
    sign_in(client, "boss")
    secret = set_up(client)
    answer = old.get(address, follow=True)
    assert answer.request["PATH_INFO"] == "/accounts/2fa/reauthenticate/"
    answer = old.post(f"/accounts/2fa/reauthenticate/?next={address}", {"code": code(secret, 1)}, follow=True)
    assert answer.request["PATH_INFO"] == address and answer.status_code == 200


def test_a_recovery_code_opens_once(client: Client, staff: User) -> None:
    sign_in(client, "boss")
    set_up(client)
    page = client.get("/accounts/2fa/recovery-codes/").content.decode()
    codes = re.findall(r"<li><code>(\w+)</code></li>", page)
    assert len(codes) == 10
    assert client.get("/accounts/2fa/recovery-codes/download/").content.decode().split() == codes
    for attempt, into in ((0, True), (1, False)):
        other = Client()
        sign_in(other, "boss")
        other.post("/accounts/2fa/authenticate/", {"code": codes[0]})
        assert ("_auth_user_id" in other.session) is into, attempt


def test_codes_cannot_be_guessed(client: Client, ada: User) -> None:
    sign_in(client, "ada")
    set_up(client)
    other = Client()
    sign_in(other, "ada")
    answers = [other.post("/accounts/2fa/authenticate/", {"code": f"{n:06}"}).content.decode() for n in range(7)]
    assert "That is not the code." in answers[0] and "Too many failed attempts" in answers[-1]


def test_a_stolen_database_tells_no_secret(client: Client, ada: User) -> None:
    sign_in(client, "ada")
    secret = set_up(client)
    stored = str(list(Authenticator.objects.values_list("data", flat=True)))
    assert secret not in stored and "gAAAA" in stored


def test_who_lost_everything_is_let_in_by_the_owner(client: Client, staff: User, capsys: Any, settings: Any) -> None:
    sign_in(client, "boss")
    set_up(client)
    call_command("second_factor", "boss", "--remove")
    assert "recovery_codes, totp, removed" in capsys.readouterr().out
    assert Act.objects.get(verb="remove-second-factor").person == staff
    assert client.get("/account/").status_code == 302, "its sessions ended"
    sign_in(client, "boss")
    assert client.get("/account/").status_code == 200
    assert "One more lock" in client.get(f"/{settings.ADMIN_PATH}/", follow=True).content.decode()


@pytest.mark.django_db(transaction=True)  # the session learns of it at the commit, within the request
def test_the_door_leads_nowhere_else(client: Client, staff: User, settings: Any) -> None:
    sign_in(client, "boss")
    set_up(client)
    answer = client.get(f"/{settings.ADMIN_PATH}/login/?next=https://evil.example/")
    assert answer["Location"] == f"/{settings.ADMIN_PATH}/"


def test_it_can_be_relaxed(client: Client, staff: User, settings: Any) -> None:
    settings.ADMIN_TWO_FACTOR = False
    sign_in(client, "boss")
    assert client.get(f"/{settings.ADMIN_PATH}/").status_code == 200


@pytest.mark.django_db(transaction=True)
def test_moderators_show_it_too_and_again_after_twelve_hours(
    client: Client, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the dashboard and, as JSON, at the panel on the canvas; a password alone opens neither."""
    ada.groups.add(Group.objects.get(name=MODERATORS))
    sign_in(client, "ada")
    answer = client.get("/moderation/", follow=True)
    assert "One more lock" in answer.content.decode()
    panel = client.get("/c/main/moderation/state")
    assert panel.status_code == 403 and panel.json()["error"] == "second-factor"
    set_up(client)
    assert client.get("/moderation/").status_code == 200
    later = time.time() + 13 * 3600
    monkeypatch.setattr("dreamsite.accounts.staff.time.time", lambda: later)
    answer = client.get("/moderation/", follow=True)
    assert answer.redirect_chain[-1][0].startswith("/accounts/2fa/reauthenticate/")
    assert client.get("/accounts/second-factor/?next=https://evil.example/", follow=True).status_code == 200
