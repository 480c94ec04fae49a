"""A canvas on a wall, and in a frame on another site: live, to look at, and framed only where the owner wants it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from canvas.models import Canvas
from dreamsite.core.addresses import embedders, zone
from dreamsite.core.models import SiteState
from tests.canvases.conftest import ROLES, frame_of

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("role", ROLES)
def test_everybody_with_its_address_may_put_a_canvas_on_a_wall(
    role: str, browser: Callable[[str], Client], private: Canvas
) -> None:
    frame, client = frame_of(private), browser(role)
    answer = client.get(f"/c/{private.slug}/stage/")
    page = answer.content.decode()
    assert answer.status_code == 200 and "frame-ancestors 'none'" in answer["Content-Security-Policy"]
    assert f'data-socket="/ws/c/{private.slug}/"' in page and "data-stage" in page and "noindex" in page
    assert frame.picture.url in page and "canvas/watch.js" in page
    for control in ("<button", "<form", "<nav", "<header"):
        assert control not in page
    assert client.get("/c/nowhere/stage/").status_code == 404
    assert client.post(f"/c/{private.slug}/stage/").status_code == 405


def test_the_embed_is_live_and_the_only_page_of_a_canvas_that_may_be_framed(client: Client, settings: Any) -> None:
    canvas = Canvas.objects.default()
    answer = client.get("/c/main/embed/")
    policy, page = answer["Content-Security-Policy"], answer.content.decode()
    assert "frame-ancestors *" in policy and "script-src 'self'" in policy and "connect-src 'self'" in policy
    assert "form-action 'none'" in policy and "X-Frame-Options" not in answer
    assert 'data-socket="/ws/c/main/"' in page and 'href="/"' in page and "data-stage" not in page
    for address in ("/", "/c/main/stage/", "/canvases/", "/history/"):
        assert "frame-ancestors 'none'" in client.get(address)["Content-Security-Policy"]
    code = client.get("/oembed", {"url": "http://testserver/"}).json()
    assert code["type"] == "rich" and "/c/main/embed/" in code["html"] and code["title"] == canvas.title
    assert 'data-embed="/c/main/embed/"' in client.get("/").content.decode()
    settings.EMBED_ON = embedders("https://blog.example")
    frame = frame_of(canvas)
    for address in ("/c/main/embed/", f"/frames/{frame.pk}/embed/"):
        assert "frame-ancestors https://blog.example;" in client.get(address)["Content-Security-Policy"] + ";"
    settings.EMBED_ON = embedders("none")
    assert "frame-ancestors 'none'" in client.get("/c/main/embed/")["Content-Security-Policy"]
    assert "data-embed" not in client.get("/").content.decode()


@pytest.mark.parametrize(
    "text", ["*", "none", "https://a.example", "http://localhost:8080 https://*.b.example", "https://a.example:443"]
)
def test_embedders_are_what_a_policy_takes(text: str) -> None:
    assert embedders(text) == (["'none'"] if text == "none" else text.split())


@pytest.mark.parametrize(
    "text", [" ", "a.example", "https://a.example/path", "https://a; script-src *", "* none", "'self'"]
)
def test_anything_else_is_refused_in_words(text: str) -> None:
    with pytest.raises(ValueError, match="origins by spaces"):
        embedders(text)


def test_after_the_end_nothing_connects_any_more(client: Client) -> None:
    frame = frame_of(Canvas.objects.default())
    SiteState.end(frame.made_at)
    for address in ("/c/main/stage/", "/c/main/embed/"):
        page = client.get(address).content.decode()
        assert 'data-socket=""' in page and frame.picture.url in page


@pytest.mark.parametrize("name", ["Mars/Olympus", "../../etc/passwd", "", "/etc/localtime"])
def test_a_zone_that_is_none_is_refused_in_words(name: str) -> None:
    with pytest.raises(ValueError, match="Europe/Berlin"):
        zone(name)
