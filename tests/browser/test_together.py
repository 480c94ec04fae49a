"""Others on a small screen: who is here, and where they draw."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from tests.browser import axe
from tests.browser.visitor import PHONE, Visitor, line, operations
from tests.running import RunningSite, until

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


def test_marks_and_following(browser: Browser, site: RunningSite) -> None:
    """One with a phone follows one at a desk, sees the marks they leave, and is sent away."""
    leader = Visitor(browser, site, site.person(3)).open()
    phone = Visitor(browser, site, site.person(4), **PHONE).open()
    desk, page = leader.page, phone.page
    # A mark is for everybody, and none for whoever wants none.
    desk.keyboard.press("v")
    desk.keyboard.press("v")
    expect(desk.locator("#mark-sheet")).to_be_visible()
    desk.locator("#mark-sheet label", has_text="leaf").click()
    assert axe.serious(desk) == []
    before = len(operations(site))
    desk.mouse.click(700, 450)
    expect(page.locator(".mark")).to_be_visible()
    expect(page.locator("[data-bar=live]")).to_have_text(f"{site.person(3).name} left a mark: leaf.")
    assert len(operations(site)) == before
    expect(page.locator(".mark")).to_have_count(0)  # gone by itself
    page.evaluate("document.querySelector('[data-preference=marks]').click()")
    desk.keyboard.press("b")
    desk.keyboard.press("v")
    desk.mouse.click(720, 470)
    expect(desk.locator(".mark")).to_be_visible()
    expect(page.locator(".mark")).to_have_count(0)
    # Following, by touch.
    page.tap(".people")
    page.get_by_role("button", name=f"Follow {site.person(3).name}").tap()
    followed = desk.get_by_role("group", name="Your followers")
    expect(followed).to_contain_text(f"{site.person(4).name} follows your view.")
    assert axe.serious(page) == axe.serious(desk) == []
    desk.keyboard.press("b")
    for _ in range(6):
        desk.keyboard.press("+")
    desk.keyboard.press("ArrowRight")

    def middle(visitor: Visitor) -> tuple[float, float]:
        size, view = visitor.page.viewport_size, visitor.view()
        assert size
        return (size["width"] / 2 - view["x"]) / view["scale"], (size["height"] / 2 - view["y"]) / view["scale"]

    until(lambda: max(abs(a - b) for a, b in zip(middle(leader), middle(phone), strict=True)) < 3, "the same place")
    phone.fingers(line(100, 300, 300, 300))
    expect(page.get_by_text("Stop following to draw.")).to_be_visible()
    assert len(operations(site)) == before
    desk.get_by_role("button", name="End it").click()
    expect(page.get_by_text("does not want to be followed now")).to_be_visible()
    expect(followed).to_be_hidden()
    expect(page.get_by_role("button", name="Stop following")).to_be_hidden()
    assert phone.trouble == leader.trouble == []
    phone.close()
    leader.close()
