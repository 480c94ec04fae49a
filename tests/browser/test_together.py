"""Others on a small screen: who is here, and where they draw."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from tests.browser import axe
from tests.browser.visitor import PHONE, Visitor, line, operations
from tests.running import RunningSite

pytestmark = pytest.mark.browser


def test_an_arrow_leads_to_somebody_outside_the_window(browser: Browser, site: RunningSite) -> None:
    phone = Visitor(browser, site, site.person(1), **PHONE).open()
    artist = Visitor(browser, site, site.person(2)).open()
    page, name = phone.page, site.person(2).name
    before = phone.view()
    artist.draw(line(60, 450, 140, 470))  # at the left edge, which a phone does not see
    arrow = page.get_by_role("button", name=f"Go to where {name} is drawing")
    expect(arrow).to_be_visible()
    assert axe.serious(page) == []
    mine = len([op for _, op in operations(site) if op.author == site.person(1).id])
    arrow.tap()
    expect(arrow).to_be_hidden()
    assert phone.view()["x"] > before["x"]
    assert len([op for _, op in operations(site) if op.author == site.person(1).id]) == mine
    page.tap(".people")
    expect(page.locator("[data-bar=drawing]")).to_contain_text(name)
    assert phone.trouble == artist.trouble == []
    phone.close()
    artist.close()
