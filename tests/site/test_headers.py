"""What every answer tells the browser never to do."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import AsyncClient, Client

from dreamsite.core.middleware import policy

pytestmark = pytest.mark.django_db
PAGES = ["/history/", "/history.json", "/accounts/login/", "/nothing/", "/healthz", "/media/nothing.png"]


@pytest.mark.parametrize("address", PAGES)
def test_every_answer_has_them(client: Client, address: str) -> None:
    headers = client.get(address).headers
    csp = dict(part.split(" ", 1) for part in headers["Content-Security-Policy"].split("; "))
    assert csp["default-src"] == "'none'"
    assert csp["script-src"] == csp["style-src"] == "'self'"
    assert csp["frame-ancestors"] == csp["base-uri"] == "'none'"
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert "camera=()" in headers["Permissions-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"


async def test_under_asgi() -> None:
    answer = await AsyncClient().get("/healthz")
    assert "default-src 'none'" in answer["Content-Security-Policy"]


def test_nothing_is_inline(signed_in: Client) -> None:
    public, own = ("/history/", "/accounts/login/", "/accounts/signup/", "/nothing/"), ("/account/", "/accounts/email/")
    for visitor, address in [*((Client(), address) for address in public), *((signed_in, address) for address in own)]:
        page = visitor.get(address).content.decode()
        assert "<main" in page
        assert " style=" not in page and "<style" not in page
        assert " onclick=" not in page
        assert page.count("<script") == page.count('<script type="module" src=') > 0
        assert "//fonts." not in page and "https://" not in page


@pytest.mark.parametrize(
    ("given", "written"),
    [
        ({}, ""),
        ({"default-src": ["'self'"]}, "default-src 'self'"),
        ({"img-src": ["'self'", "data:"], "script-src": "'none'"}, "img-src 'self' data:; script-src 'none'"),
        ({"upgrade-insecure-requests": True, "sandbox": False, "font-src": None}, "upgrade-insecure-requests"),
    ],
)
def test_policy(given: dict[str, Any], written: str) -> None:
    assert policy(given) == written


def test_a_developer_sees_the_debug_page_whole(client: Client, settings: Any) -> None:
    settings.DEBUG = True
    assert "Content-Security-Policy" not in Client(raise_request_exception=False).get("/nothing/").headers
    assert "Content-Security-Policy" in client.get("/healthz").headers
