"""History in a real browser: nothing the policy forbids, every way through time, at a phone's and a desk's size."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.running import PASSWORD, RunningSite

pytestmark = [pytest.mark.browser, pytest.mark.slow]
SIZES = {"phone": {"width": 390, "height": 844}, "desk": {"width": 1440, "height": 900}}


@pytest.fixture(scope="module")
def dreamed(site: RunningSite) -> RunningSite:
    """A site with sixty frames; the canvas of the template is drawn on already, so they get one of their own."""
    site.manage("seed_history", "--frames", "60", "--pictures", "3", "--side", "96", "--canvas", "night")
    return site


@pytest.fixture(params=SIZES)
def page(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport=SIZES[request.param], reduced_motion="reduce")
    page = context.new_page()
    trouble: list[str] = []
    page.on("console", lambda said: trouble.append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: trouble.append(str(error)))
    yield page
    context.close()
    assert trouble == []


def fits(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


def test_through_time(page: Page, dreamed: RunningSite) -> None:
    page.goto(dreamed.url + "/history/?canvas=night")
    assert fits(page)
    expect(page.locator(".tile")).to_have_count(48)
    page.get_by_role("link", name="Older").click()
    expect(page.locator(".tile")).to_have_count(12)
    page.locator("#frame-5 a").click()
    expect(page.get_by_role("heading", name="Frame 5")).to_be_visible()
    assert fits(page)
    expect(page.locator(".frame-picture img")).to_have_js_property("naturalWidth", 96)
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("heading", name="Frame 6")).to_be_visible()
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_role("heading", name="Frame 5")).to_be_visible()
    page.get_by_role("link", name="All frames").click()
    expect(page.locator("#frame-5")).to_be_in_viewport()


def test_a_moment(page: Page, dreamed: RunningSite) -> None:
    page.goto(dreamed.url + "/history/?canvas=night")
    made_at = str(page.locator("#frame-30 time").get_attribute("datetime"))
    page.get_by_label("Go to a moment").fill(made_at[:19])
    page.get_by_role("button", name="Go").click()
    page.wait_for_url("**#frame-*")
    # The form knows whole seconds: the moment lies just before the frame was finished, or at it.
    assert page.url.rpartition("-")[2] in ("29", "30")
    expect(page.locator(".tile:target")).to_be_in_viewport()


def test_the_first_tab_skips_to_the_content(page: Page, dreamed: RunningSite) -> None:
    page.goto(dreamed.url + "/history/?canvas=night")
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("#content$"))


def test_an_account(page: Page, dreamed: RunningSite, request: pytest.FixtureRequest) -> None:
    name = f"visitor-{request.node.callspec.params['page']}"
    page.goto(dreamed.url + "/history/?canvas=night")
    page.get_by_role("link", name="Sign in").click()
    page.get_by_role("link", name="Make an account").click()
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Sign up").click()
    page.wait_for_url("**/history/?canvas=night")
    message = page.locator(".message")
    expect(message).to_contain_text(f"Hello, {name}.")
    message.get_by_role("button", name="Dismiss").click()
    expect(message).to_have_count(0)
    menu = page.locator("details.menu")
    menu.locator("summary").click()
    assert fits(page)
    page.keyboard.press("Escape")
    expect(menu).not_to_have_attribute("open", "")
    menu.locator("summary").click()
    menu.get_by_role("link", name="Account").click()
    expect(page.get_by_role("heading", name=name)).to_be_visible()
    assert fits(page)
    page.get_by_role("main").get_by_role("button", name="Sign out").click()
    page.wait_for_url(dreamed.url + "/")
