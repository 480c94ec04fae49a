"""Handing a link on from the canvas, and what opens at its other end."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser

from tests.browser import axe
from tests.browser.visitor import PHONE, Visitor
from tests.running import RunningSite

pytestmark = pytest.mark.browser

MIDDLE = """() => {
    const m = new DOMMatrix(getComputedStyle(document.querySelector('.world')).transform);
    return [(innerWidth / 2 - m.e) / m.a, (innerHeight / 2 - m.f) / m.a].map(Math.round);
}"""


@pytest.fixture
def visitor(browser: Browser, site: RunningSite) -> Visitor:
    visitor = Visitor(browser, site, permissions=["clipboard-read", "clipboard-write"])
    return visitor.open()


def shared(visitor: Visitor, what: str) -> str:
    visitor.page.click(".share summary")
    visitor.page.click(f"[data-share={what}]")
    visitor.page.get_by_text("Link copied.").last.wait_for()
    return str(visitor.page.evaluate("navigator.clipboard.readText()"))


def test_a_place_is_found_again_on_a_phone(browser: Browser, site: RunningSite, visitor: Visitor) -> None:
    page = visitor.page
    page.mouse.move(900, 600)
    page.mouse.wheel(0, -1200)
    link = shared(visitor, "place")
    assert re.fullmatch(re.escape(site.url) + r"/#x=\d+&y=\d+&zoom=[\d.]+", link)
    phone = Visitor(browser, site, **PHONE)
    phone.page.goto(link)
    phone.ready()
    for here, there in zip(page.evaluate(MIDDLE), phone.page.evaluate(MIDDLE), strict=True):
        assert abs(here - there) <= 2
    assert phone.trouble == visitor.trouble == []
    phone.close()
    visitor.close()


def test_a_moment_and_the_whole_canvas(site: RunningSite, visitor: Visitor) -> None:
    assert axe.serious(visitor.page) == []
    assert shared(visitor, "canvas") == site.url + "/"
    link = shared(visitor, "moment")
    assert re.fullmatch(re.escape(site.url) + r"/history/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\?canvas=main", link)
    visitor.page.goto(link)
    assert "The canvas at a moment" in visitor.page.content()
    visitor.close()
