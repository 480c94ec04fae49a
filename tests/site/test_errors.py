"""Errors people can read, and programs too."""

from __future__ import annotations

import errno
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import OperationalError
from django.http import HttpRequest
from django.test import Client
from django.urls import path

from dreamsite import urls as site
from dreamsite.core.storage import StorageUnavailable

# The site's own addresses, and some that fail.
handler400, handler403, handler404, handler500 = site.handler400, site.handler403, site.handler404, site.handler500


def broken(request: HttpRequest) -> None:
    raise RuntimeError("a secret of the house")


def away(request: HttpRequest) -> None:
    raise OperationalError("could not connect to 10.0.0.5")


def full(request: HttpRequest) -> None:
    raise OSError(errno.ENOSPC, "No space left on device", "/tmp/upload")


def handles(request: HttpRequest) -> None:
    raise OSError(errno.EMFILE, "Too many open files")


def stored(request: HttpRequest) -> None:
    raise StorageUnavailable("no answer from 10.0.0.5")


def forbidden(request: HttpRequest) -> None:
    raise PermissionDenied


urlpatterns = [
    *site.urlpatterns,
    *[
        path(f"test/{view.__name__}{suffix}", view)
        for view in (broken, away, full, handles, stored, forbidden)
        for suffix in ("", ".json")
    ],
]
pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]


@pytest.fixture
def visitor() -> Client:
    return Client(raise_request_exception=False)


@pytest.mark.parametrize(
    ("address", "status", "expected"),
    [
        ("/nothing/", 404, "Nothing has been dreamed here"),
        ("/test/forbidden", 403, "This door is closed"),
        ("/test/broken", 500, "it was us"),
        ("/test/away", 503, "Back in a moment"),
    ],
)
def test_pages(visitor: Client, address: str, status: int, expected: str) -> None:
    answer = visitor.get(address)
    assert answer.status_code == status
    page = answer.content.decode()
    assert expected in page
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


@pytest.mark.parametrize(
    ("trouble", "status", "words"),
    [
        ("stored", 503, "The stored pictures cannot be reached."),
        ("full", 503, "A disk of this site is full or fails."),
        ("away", 503, "The database cannot be reached."),
        ("handles", 500, "Something broke, and it was us."),
    ],
)
def test_each_trouble_is_called_by_its_name(visitor: Client, trouble: str, status: int, words: str) -> None:
    answer = visitor.get(f"/test/{trouble}.json")
    assert answer.status_code == status and answer.json()["detail"] == words
    assert visitor.get(f"/test/{trouble}").status_code == status


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
    with django_assert_num_queries(1):  # who comes, asked once before any page
        pages = [visitor.get(address).content.decode() for address in ("/test/broken", "/test/away")]
    assert all(" · Dreamsite</title>" in page for page in pages)


def test_another_host_is_a_bad_request(visitor: Client) -> None:
    answer = visitor.get("/history/", headers={"Host": "evil.example"})
    assert answer.status_code == 400
    assert "We could not read that" in answer.content.decode()
    assert "evil" not in answer.content.decode()


@pytest.mark.parametrize(("address", "status"), [("/nothing/", 404), ("/test/broken", 500), ("/test/away", 503)])
def test_pages_before_static_files_were_collected(visitor: Client, settings: Any, address: str, status: int) -> None:
    settings.STORAGES = {**settings.STORAGES, "staticfiles": {"BACKEND": "dreamsite.static.HashedStaticStorage"}}
    answer = visitor.get(address)
    assert answer.status_code == status
    assert "/static/site.css" in answer.content.decode()


def test_what_was_collected_is_named_by_its_hash(visitor: Client, settings: Any) -> None:
    settings.STORAGES = {**settings.STORAGES, "staticfiles": {"BACKEND": "dreamsite.static.HashedStaticStorage"}}
    manifest = {"version": "1.1", "hash": "", "paths": {"site.css": "site.0123456789ab.css"}}
    (Path(settings.STATIC_ROOT) / "staticfiles.json").write_text(json.dumps(manifest))
    assert "/static/site.0123456789ab.css" in visitor.get("/nothing/").content.decode()


def test_the_default_canvas_has_one_address_before_it_is_made(visitor: Client) -> None:
    answer = visitor.get("/c/main/")
    assert (answer.status_code, answer.headers.get("Location")) == (302, "/")
    assert visitor.get("/c/other/").status_code == 404


def test_robots(visitor: Client, settings: Any) -> None:
    answer = visitor.get("/robots.txt")
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/plain")
    rules = answer.content.decode().splitlines()
    assert rules[:4] == ["User-agent: *", "Disallow: /account/", "Disallow: /accounts/", "Disallow: /claim/"]
    assert settings.ADMIN_PATH not in answer.content.decode()


def test_a_stale_form(settings: object) -> None:
    settings.CSRF_FAILURE_VIEW = "dreamsite.core.errors.csrf_failure"
    answer = Client(enforce_csrf_checks=True).post("/accounts/login/", {"login": "ada", "password": "x"})
    assert answer.status_code == 403
    assert "gone stale" in answer.content.decode()
