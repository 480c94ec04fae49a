"""Others on a small screen: who is here, and where they draw."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser import axe
from tests.browser.visitor import PHONE, Visitor, line, operations
from tests.running import RunningSite, copy, until

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


@pytest.fixture
def with_styles(site_template: Path, tmp_path: Path) -> Iterator[RunningSite]:
    """A site that has a network, the house model, and so styles to vote for."""
    here = RunningSite(copy(site_template, tmp_path / "var"), HOUSE_MODEL="true")
    here.start_web()
    yield here
    here.stop()


def test_people_vote_for_the_next_style(browser: Browser, with_styles: RunningSite) -> None:
    """One at a desk votes by keyboard, one with a phone sees it, votes for another, and takes it back."""
    site = with_styles
    desk = Visitor(browser, site, site.person(5)).open()
    phone = Visitor(browser, site, site.person(6), **PHONE).open()

    def opened(page: Page) -> Locator:
        page.locator(".dream summary").click()
        page.get_by_role("button", name="Vote for the next style").click()
        dialog = page.get_by_role("dialog", name="What should it dream of next?")
        expect(dialog.locator(".style-tile").first).to_be_visible()
        return dialog

    dialog = opened(desk.page)
    assert axe.serious(desk.page) == []
    tiles = dialog.get_by_role("group").get_by_role("button")
    title = str(tiles.first.locator("b").text_content())
    tiles.first.focus()
    desk.page.keyboard.press("Enter")
    expect(dialog.get_by_role("status")).to_have_text(f"You voted for {title}.")
    expect(tiles.first).to_have_attribute("aria-pressed", "true")
    expect(tiles.first).to_have_accessible_name(f"{title} 1 vote")
    expect(tiles.first).to_be_focused()

    other = opened(phone.page)
    theirs = other.get_by_role("group").get_by_role("button")
    expect(theirs.first).to_have_accessible_name(f"{title} 1 vote")
    expect(theirs.first).to_have_attribute("aria-pressed", "false")
    assert axe.serious(phone.page) == []
    theirs.nth(1).tap()
    expect(theirs.nth(1)).to_have_attribute("aria-pressed", "true")
    theirs.nth(1).tap()
    expect(other.get_by_role("status")).to_have_text("Your vote is taken back.")
    expect(theirs.nth(1)).to_have_attribute("aria-pressed", "false")
    other.get_by_role("button", name="Close").tap()
    expect(other).to_be_hidden()

    stranger = Visitor(browser, site).open()
    last = opened(stranger.page)
    last.get_by_role("group").get_by_role("button").first.click()
    expect(last.get_by_role("status")).to_have_text(f"You voted for {title}.")  # a guest now
    assert desk.trouble == phone.trouble == []
    for visitor in (desk, phone, stranger):
        visitor.close()
