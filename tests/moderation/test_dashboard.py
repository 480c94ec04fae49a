"""The moderators' dashboard over HTTP: who may open which page."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from canvas import journal, wire
from canvas.models import Canvas, Stroke
from canvas.moderation.models import Signal
from canvas.moderation.sanctions import services as sanctions
from canvas.moderation.signals import detection
from dreamsite.core.models import User
from tests.moderation.helpers import person, reported, signed_in
from tests.rows import many_canvases

pytestmark = pytest.mark.django_db


def test_every_address_opens_for_those_it_is_for(canvas: Canvas, people: list[User], mona: User) -> None:
    """Each address of the dashboard, and what strangers, people, suspended people, moderators and owners get there."""
    case = reported(canvas)
    sanction = sanctions.issue(mona, people[1], "cool_down", "Slower.")
    signal = Signal.objects.create(person=people[0], kind="rate", day=timezone.now().date(), value=400, limit=300)
    suspended, owner = person("gone"), person("owner", is_superuser=True)
    sanctions.issue(mona, suspended, "suspend", "Away.")
    evidence = case.reports.get().pk
    here = [302, 403, 302, 200, 200]
    acts = [302, 403, 302, 302, 302]
    table = [
        ("get", "/moderation/", here),
        ("get", f"/moderation/cases/{case.pk}/", here),
        ("get", f"/moderation/evidence/{evidence}.jpg", here),
        ("get", f"/moderation/cases/{case.pk}/now.jpg", here),
        ("get", "/moderation/sanctions/", here),
        ("get", "/moderation/sanctions/new/", here),
        ("get", f"/moderation/sanctions/{sanction.pk}/", here),
        ("get", "/moderation/people/", here),
        ("get", f"/moderation/people/{people[0].pk}/", here),
        ("get", "/moderation/signals/", here),
        ("get", "/moderation/log/", here),
        ("post", f"/moderation/signals/{signal.pk}/seen", acts),
        ("post", f"/moderation/people/{people[0].pk}/note", [302, 403, 302, 422, 422]),
        ("post", f"/moderation/cases/{case.pk}/claim", [302, 403, 302, 409, 409]),
        ("post", f"/moderation/cases/{case.pk}/release", [302, 403, 302, 409, 409]),
        ("post", f"/moderation/cases/{case.pk}/decide", [302, 403, 302, 422, 422]),
        ("post", f"/moderation/cases/{case.pk}/reopen", [302, 403, 302, 409, 409]),
        ("post", f"/moderation/cases/{case.pk}/note", [302, 403, 302, 422, 422]),
        ("post", f"/moderation/cases/{case.pk}/frame", [302, 403, 302, 404, 404]),
        ("post", f"/moderation/cases/{case.pk}/appeal", [302, 403, 302, 404, 404]),
        ("post", "/moderation/sanctions/new/", [302, 403, 302, 422, 422]),
        ("get", "/moderation/summary/", [200, 200, 302, 200, 200]),
        ("get", "/moderation/summary/2026/13/", [404, 404, 302, 404, 404]),
        ("get", "/account-status/", [302, 200, 302, 200, 200]),
        ("get", "/report/", [404, 404, 302, 404, 404]),
        ("get", "/suspended/made-up/", [404, 404, 302, 404, 404]),
    ]
    for method, address, expected in table:
        got = []
        for who in (None, people[0], suspended, mona, owner):
            client = signed_in(who) if who else Client()
            got.append(getattr(client, method)(address).status_code)
        assert got == expected, (method, address)


def test_people_are_found_without_a_look_at_every_canvas(canvas: Canvas, people: list[User], mona: User) -> None:
    journal.append(canvas, [wire.Stroke(1, 0, (0, 0, 0), 255, 0, ((200, 200, 96),), True, people[0].pk)])
    here, addresses = signed_in(mona), ("/moderation/people/", f"/moderation/people/{people[0].pk}/")

    def queries() -> list[int]:
        counts = []
        for address in addresses:
            with CaptureQueriesContext(connection) as made:
                assert here.get(address).status_code == 200
            counts.append(len(made))
        return counts

    queries()
    assert Stroke.objects.by(people[0]).count() == 1, "what nobody has read yet is read"
    few = queries()
    many_canvases()
    assert queries() == few
    with CaptureQueriesContext(connection) as made:
        detection.detect()
    assert len(made) < 20


def test_nothing_of_the_dashboard_stays_in_a_cache(canvas: Canvas, people: list[User], mona: User) -> None:
    case, here = reported(canvas), signed_in(mona)
    for address in ("", f"cases/{case.pk}/", f"people/{people[0].pk}/", "log/", "sanctions/", "signals/"):
        assert "no-store" in here.get(f"/moderation/{address}")["Cache-Control"]


def test_moderators_need_not_be_staff_and_a_narrow_group_sees_its_part(canvas: Canvas) -> None:
    narrow = person("narrow")
    narrow.user_permissions.add(Permission.objects.get(codename="review_report"))
    case, here = reported(canvas), signed_in(narrow)
    page = here.get(f"/moderation/cases/{case.pk}/")
    assert page.status_code == 200 and "/moderation/log/" not in page.content.decode()
    for address in ("/moderation/sanctions/", "/moderation/people/", "/moderation/log/", "/moderation/signals/"):
        assert here.get(address).status_code == 403


def test_menus_lead_moderators_to_their_dashboard_and_nobody_else(people: list[User], mona: User) -> None:
    assert 'href="/moderation/"' in signed_in(mona).get("/").content.decode()
    assert 'href="/moderation/"' not in signed_in(people[0]).get("/").content.decode()
