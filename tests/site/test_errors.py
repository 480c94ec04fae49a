"""Errors people can read, and programs too."""

from __future__ import annotations

import pytest
from django.core.exceptions import PermissionDenied
from django.db import OperationalError
from django.http import HttpRequest
from django.test import Client
from django.urls import path

from dreamsite.urls import *  # noqa: F403  the site's own, and some that fail
from dreamsite.urls import urlpatterns as site


def broken(request: HttpRequest) -> None:
    raise RuntimeError("a secret of the house")


def away(request: HttpRequest) -> None:
    raise OperationalError("could not connect to 10.0.0.5")


def forbidden(request: HttpRequest) -> None:
    raise PermissionDenied


urlpatterns = [
    *site,
    *[path(f"test/{view.__name__}{suffix}", view) for view in (broken, away, forbidden) for suffix in ("", ".json")],
]
pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]


@pytest.fixture
def visitor() -> Client:
    return Client(raise_request_exception=False)


@pytest.mark.parametrize(
    ("address", "status", "said"),
    [
        ("/nothing/", 404, "Nothing has been dreamed here"),
        ("/test/forbidden", 403, "This door is closed"),
        ("/test/broken", 500, "it was us"),
        ("/test/away", 503, "Back in a moment"),
    ],
)
def test_pages(visitor: Client, address: str, status: int, said: str) -> None:
    answer = visitor.get(address)
    assert answer.status_code == status
    page = answer.content.decode()
    assert said in page
    assert 'href="/"' in page and "site.css" in page
    assert "secret" not in page and "10.0.0.5" not in page
    assert "Content-Security-Policy" in answer.headers


@pytest.mark.parametrize(
    ("address", "status", "word"),
    [
        ("/nothing.json", 404, "not-found"),
        ("/test/forbidden.json", 403, "forbidden"),
        ("/test/broken.json", 500, "internal"),
        ("/test/away.json", 503, "unavailable"),
    ],
)
def test_json(visitor: Client, address: str, status: int, word: str) -> None:
    for answer in (
        visitor.get(address),
        visitor.get(address.removesuffix(".json"), headers={"Accept": "application/json"}),
    ):
        assert answer.status_code == status
        assert answer.json()["error"] == word
        assert answer.json()["detail"]


def test_django_keeps_its_own_words_for_a_404(visitor: Client) -> None:
    """They list the site's addresses and name its models."""
    for address in ("/nothing/", "/c/nothing/"):
        page = visitor.get(address).content.decode()
        assert "tried" not in page and "matches the given query" not in page
        assert "No page has this address" in page


def test_a_database_that_is_away_is_worth_another_try(visitor: Client) -> None:
    assert visitor.get("/test/away")["Retry-After"] == "30"


def test_500_and_503_ask_nothing_of_the_database(
    visitor: Client, django_assert_num_queries: pytest.FixtureRequest
) -> None:
    visitor.cookies["session"] = "x" * 32
    with django_assert_num_queries(0):  # type: ignore[operator]
        visitor.get("/test/broken")
        visitor.get("/test/away")


def test_another_host_is_a_bad_request(visitor: Client) -> None:
    answer = visitor.get("/history/", headers={"Host": "evil.example"})
    assert answer.status_code == 400
    assert "We could not read that" in answer.content.decode()
    assert "evil" not in answer.content.decode()


def test_a_stale_form(settings: object) -> None:
    settings.CSRF_FAILURE_VIEW = "dreamsite.errors.csrf_failure"  # type: ignore[attr-defined]
    answer = Client(enforce_csrf_checks=True).post("/accounts/login/", {"login": "ada", "password": "x"})
    assert answer.status_code == 403
    assert "gone stale" in answer.content.decode()
