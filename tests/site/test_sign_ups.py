"""How many accounts one address may make, and what the next ones cost."""

from __future__ import annotations

import hashlib
import re
import threading
import time
from typing import Any

import pytest
from django.contrib.auth.hashers import check_password, make_password
from django.test import Client

from dreamsite.accounts import hashers, sign_ups
from dreamsite.core import counters
from dreamsite.core.errors import Busy
from dreamsite.core.models import User
from tests.conftest import PASSWORD

NAMES = ["ann", "ben", "cleo", "dora", "emil", "fay", "gus", "hal", "ida", "jo"]


@pytest.fixture(autouse=True)
def short(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.SIGN_UPS_PER_ADDRESS = 2
    settings.ACCOUNT_RATE_LIMITS = False
    monkeypatch.setattr(counters, "_key", lambda what, seconds: what)  # whenever an hour ends
    monkeypatch.setattr(sign_ups, "BITS", 6)
    monkeypatch.setattr(sign_ups, "MOST", 5)


def sign_up(name: str, address: str = "198.51.100.1", **more: str) -> Any:
    return Client(REMOTE_ADDR=address).post("/accounts/signup/", {"username": name, "password1": PASSWORD, **more})


def asked(address: str = "198.51.100.1") -> tuple[str, int]:
    page = Client(REMOTE_ADDR=address).get("/accounts/signup/").content.decode()
    found = re.search(r'data-work="([^"]+)" data-bits="(\d+)"', page)
    return (found[1], int(found[2])) if found else ("", 0)


def work(question: str, bits: int) -> str:
    """As static/account/work.js does it."""
    for number in range(1 << 24):
        digest = hashlib.sha256(f"{question}:{number}".encode()).digest()
        if int.from_bytes(digest) >> (256 - bits) == 0:
            return str(number)
    raise AssertionError(f"no answer to {question}")


@pytest.mark.django_db
def test_some_are_free_and_then_the_browser_works() -> None:
    assert asked() == ("", 0)
    assert [sign_up(name).status_code for name in NAMES[:3]] == [302, 302, 200]
    assert "has to work for this one" in sign_up(NAMES[2]).content.decode()
    question, bits = asked()
    assert bits == 6
    answer = work(question, bits)
    assert sign_up(NAMES[2], work=question, answer=answer).status_code == 302
    again = sign_up(NAMES[3], work=question, answer=answer)
    assert again.status_code == 200 and User.objects.count() == 3, "each account is worked for"
    other = asked()[0]
    wrong = next(str(n) for n in range(999) if hashlib.sha256(f"{other}:{n}".encode()).digest()[0] > 3)
    assert sign_up(NAMES[3], work=other, answer=wrong).status_code == 200
    forged = other.replace("6.", "0.", 1)
    assert sign_up(NAMES[3], work=forged, answer="1").status_code == 200 and User.objects.count() == 3


@pytest.mark.django_db
def test_addresses_count_apart_and_an_ipv6_household_as_one() -> None:
    for number, name in enumerate(NAMES[:3]):
        assert sign_up(name, f"2001:db8:1:2::{number}").status_code == (302 if number < 2 else 200)
    assert sign_up(NAMES[3], "2001:db8:1:3::1").status_code == 302
    assert sign_up(NAMES[4], "198.51.100.7").status_code == 302


@pytest.mark.django_db
def test_and_after_very_many_none() -> None:
    for name in NAMES[:5]:
        question, bits = asked()
        assert sign_up(name, work=question, answer=work(question, bits) if question else "").status_code == 302
    question, bits = asked()
    late = sign_up(NAMES[5], work=question, answer=work(question, bits))
    assert "Come back in an hour" in late.content.decode() and User.objects.count() == 5


def test_passwords_are_hashed_one_at_a_time(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Argon2 takes 100 MB for each: of six sign-ins one is checked at a time."""
    settings.PASSWORD_HASHERS = ["dreamsite.accounts.hashers.BoundedArgon2PasswordHasher"]
    stored, at_once, most, lock = make_password(PASSWORD), 0, 0, threading.Lock()
    plain = hashers.Argon2PasswordHasher.verify

    def watched(self: Any, password: str, encoded: str) -> bool:
        nonlocal at_once, most
        with lock:
            at_once += 1
            most = max(most, at_once)
        time.sleep(0.02)
        found = plain(self, password, encoded)
        with lock:
            at_once -= 1
        return found

    monkeypatch.setattr(hashers.Argon2PasswordHasher, "verify", watched)
    monkeypatch.setattr(hashers.turns, "patience", 600.0)
    threads = [threading.Thread(target=check_password, args=(PASSWORD, stored)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1


@pytest.mark.django_db
def test_who_has_waited_long_enough_is_asked_to_come_back(
    client: Client, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.PASSWORD_HASHERS = ["dreamsite.accounts.hashers.BoundedArgon2PasswordHasher"]
    User.objects.create_user("ada", password=PASSWORD)
    monkeypatch.setattr(hashers.turns, "patience", 0.05)
    with hashers.turns.take():
        with pytest.raises(Busy):
            make_password("another")
        answer = client.post("/accounts/login/", {"login": "ada", "password": PASSWORD})
    assert answer.status_code == 503 and int(answer["Retry-After"]) > 0
    assert client.post("/accounts/login/", {"login": "ada", "password": PASSWORD}).status_code == 302
