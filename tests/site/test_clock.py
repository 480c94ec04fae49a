"""The machine's clock is set, back or forward, by hours: nobody is locked out for longer than was promised.

Clocks that only go forward go on as they were; the time of day jumps.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client, RequestFactory
from django.utils import timezone

from canvas.moderation.cases import services as cases
from canvas.moderation.models import Report
from dreamsite.accounts import sign_ups
from dreamsite.core.models import User
from dreamsite.core.tasks import heartbeats
from dreamsite.core.tasks.models import WorkerHeartbeat
from tests.conftest import PASSWORD
from tests.site.world import World

pytestmark = pytest.mark.django_db
SetClock = Callable[[float], None]
HOURS = [-7.0, 7.0]
PAGES = (
    *("/", "/history/", "/history.json", "/history/calendar/", "/history/timeline.json", "/history/feed/", "/films/"),
    *("/films.json", "/highlights/", "/exhibits/", "/studio/", "/dreams/", "/donate/", "/downloads/", "/oembed"),
    *("/account/", "/accounts/sessions/", "/accounts/signup/", "/moderation/", "/moderation/audit", "/sitemap.xml"),
    *("/people/the-user/", "/moderation/summary/", "/readyz"),
)


@pytest.fixture
def set_clock(monkeypatch: pytest.MonkeyPatch) -> SetClock:
    """Sets the clock so many hours ahead of what it is, or behind."""
    now, real = timezone.now, time.time

    def set_by(hours: float) -> None:
        monkeypatch.setattr(time, "time", lambda: real() + 3600 * hours)
        monkeypatch.setattr(timezone, "now", lambda: now() + timedelta(hours=hours))

    return set_by


def sign_in(password: str, client: Client | None = None) -> int:
    return (client or Client()).post("/accounts/login/", {"login": "ada", "password": password}).status_code


@pytest.mark.parametrize("hours", HOURS)
def test_whoever_guessed_wrong_waits_no_hours(ada: User, set_clock: SetClock, hours: float) -> None:
    for _ in range(6):
        sign_in("wrong")
    assert sign_in(PASSWORD) != 302, "five wrong guesses are the limit"
    set_clock(hours)
    assert sign_in(PASSWORD) == 302


@pytest.mark.parametrize("hours", HOURS)
def test_guessing_stays_slow_after_the_clock_was_set(ada: User, set_clock: SetClock, hours: float) -> None:
    set_clock(hours)
    for _ in range(6):
        sign_in("wrong")
    assert sign_in(PASSWORD) != 302


@pytest.mark.parametrize("hours", HOURS)
def test_whoever_is_signed_in_stays_so(ada: User, set_clock: SetClock, hours: float) -> None:
    client = Client()
    assert sign_in(PASSWORD, client) == 302
    set_clock(hours)
    assert client.get("/account/").status_code == 200
    assert client.get("/accounts/sessions/").content.decode().count("this one") == 1
    set_clock(0)
    assert client.get("/account/").status_code == 200


def test_what_is_kept_for_a_while_is_kept_as_long_as_that(set_clock: SetClock) -> None:
    cache.set("short", 1, 0.05)
    cache.set("long", 1, 3600)
    set_clock(-7)
    time.sleep(0.1)
    assert cache.get("short") is None and cache.get("long") == 1, "not hours longer"
    set_clock(7)
    assert cache.get("long") == 1, "nor shorter"


def test_accounts_of_an_address_count_for_an_hour(set_clock: SetClock, monkeypatch: pytest.MonkeyPatch) -> None:
    request = RequestFactory().get("/", REMOTE_ADDR="198.51.100.7")
    monkeypatch.setattr(sign_ups, "WITHIN", 0.05)
    for _ in range(sign_ups.MOST):
        sign_ups.count(request)
    set_clock(-7)
    time.sleep(0.1)
    assert not sign_ups.too_many(request)


@pytest.mark.parametrize("hours", HOURS)
def test_reports_may_be_sent_again(set_clock: SetClock, hours: float) -> None:
    world = World()
    world.begin()
    reporter, case = world.people["user"], world.case
    for _ in range(20):
        Report.objects.create(case=case, category="spam", reporter=reporter)
    with pytest.raises(cases.TooMany):
        cases.check_limits(reporter, "")
    set_clock(hours if hours < 0 else 48)
    cases.check_limits(reporter, "")


def test_a_worker_that_died_before_the_clock_was_set_back_is_dead(set_clock: SetClock) -> None:
    WorkerHeartbeat.objects.create(worker="gone", at=timezone.now())
    assert "gone" in heartbeats.alive()
    set_clock(-7)
    assert "gone" not in heartbeats.alive()
    heartbeats._send()
    assert len(heartbeats.alive()) == 1


@pytest.mark.parametrize("hours", [-7, 7, -24 * 400, 24 * 400])
def test_no_page_breaks(ada: User, set_clock: SetClock, hours: float, settings: Any) -> None:
    """What was written before lies ahead, or long ago."""
    settings.ACCOUNT_RATE_LIMITS = False
    world = World()
    world.begin()
    assert world.film and world.guess and world.report and world.signal and world.exhibit and world.case
    set_clock(hours)
    settings.ADMIN_TWO_FACTOR = False
    owner = world.visitor("admin")
    for client in (Client(raise_request_exception=False), owner):
        for address in (*PAGES, f"/frames/{world.frame.pk}/"):
            answer = client.get(address)
            assert answer.status_code < 500 or address == "/readyz", (address, answer.status_code)
