"""Reporting a spot on the canvas, by mouse, by keys, and with a finger that rests."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.visitor import MEMBERS_ONLY, PHONE, Visitor
from tests.running import SMALL, RunningSite, until

pytestmark = pytest.mark.browser


def reports(site: RunningSite) -> list[Any]:
    return site.rows("SELECT x, y, r, category, text, reporter_id FROM moderation_report ORDER BY id")


def test_by_the_menu_and_a_click(site: RunningSite, browser: Browser) -> None:
    person = site.person(6)
    visitor = Visitor(browser, site, person).open()
    page, view, before = visitor.page, visitor.view(), len(reports(site))
    page.click(".bar-end details.menu:last-child summary")
    page.click('[data-report="pick"]')
    page.mouse.click(500, 300)
    expect(page.locator("#report-title")).to_be_focused()
    page.click(".report-form [type=submit]")  # the browser itself asks for a category
    page.check('.report-form input[value="spam"]')
    page.fill(".report-form textarea", "A shop’s address.")
    page.click(".report-form [type=submit]")
    expect(page.locator("#report-title")).to_have_text("Thank you")
    assert len(reports(site)) == before + 1
    x, y, _r, category, text, reporter = reports(site)[-1]
    assert (category, text, reporter) == ("spam", "A shop’s address.", person.id)
    assert abs(x - (500 - view["x"]) / view["scale"]) <= 1 and abs(y - (300 - view["y"]) / view["scale"]) <= 1
    page.click("[data-close]")
    expect(page.locator("dialog[open]")).to_have_count(0)
    assert visitor.trouble == []
    visitor.close()


def test_by_keys_alone_and_escape_leaves_at_each_step(site: RunningSite, browser: Browser) -> None:
    visitor = Visitor(browser, site, site.person(7)).open()
    page, view, before = visitor.page, visitor.view(), len(reports(site))
    page.keyboard.press("r")
    page.keyboard.press("Escape")
    expect(page.locator("dialog[open]")).to_have_count(0)
    page.keyboard.press("r")
    for key in ("ArrowRight", "ArrowRight", "Shift+ArrowDown", "+"):
        page.keyboard.press(key)
    page.keyboard.press("Enter")
    expect(page.locator("#report-title")).to_be_focused()
    for key in ("Tab", "Space", "Tab", "Tab", "Enter"):  # the first category, past the text, to the button
        page.keyboard.press(key)
    until(lambda: len(reports(site)) == before + 1)
    x, y, *_ = reports(site)[-1]
    assert abs(x - (720 + 16 - view["x"]) / view["scale"]) <= 2 and abs(y - (450 + 48 - view["y"]) / view["scale"]) <= 2
    assert visitor.view() == view  # the arrows moved the circle, not the canvas
    page.keyboard.press("Escape")
    expect(page.locator("dialog[open]")).to_have_count(0)
    visitor.close()


def test_a_finger_that_rests_where_it_cannot_draw(site: RunningSite, browser: Browser) -> None:
    site.shell(MEMBERS_ONLY)
    visitor = Visitor(browser, site, **PHONE).open(SMALL)  # somebody who watches
    page, before = visitor.page, len(reports(site))
    visitor.touch("touchStart", (200, 400))
    expect(page.locator('[data-report="here"]')).to_be_visible()
    visitor.touch("touchEnd")
    page.click('[data-report="here"]')
    page.check('.report-form input[value="hate"]')
    page.click(".report-form [type=submit]")
    expect(page.locator("#report-title")).to_have_text("Thank you")
    assert len(reports(site)) == before + 1 and reports(site)[-1][-1] is None
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width == 390 and visitor.trouble == []
    visitor.close()


def test_what_was_written_stays_when_the_site_does_not_answer(site: RunningSite, browser: Browser) -> None:
    visitor = Visitor(browser, site, site.person(8)).open()
    page = visitor.page
    page.keyboard.press("r")
    page.keyboard.press("Enter")
    page.check('.report-form input[value="other"]')
    page.fill(".report-form textarea", "Kept.")
    page.route("**/report/", lambda route: route.abort())
    page.click(".report-form [type=submit]")
    expect(page.locator(".report-form [data-lost]")).to_contain_text("did not answer")
    assert page.input_value(".report-form textarea") == "Kept."
    page.unroute("**/report/")
    page.click(".report-form [type=submit]")
    expect(page.locator("#report-title")).to_have_text("Thank you")
    visitor.close()


def test_from_a_case_the_panel_opens_at_its_spot(site: RunningSite, browser: Browser) -> None:
    moderator = site.person(9)
    site.shell(
        "from django.contrib.auth import get_user_model; from django.contrib.auth.models import Group; "
        f"get_user_model().objects.get(pk={moderator.id}).groups.add(Group.objects.get(name='Moderators'))"
    )
    visitor = Visitor(browser, site, moderator)
    page = visitor.page
    page.goto(f"{site.url}/?moderate=500,40,100")
    visitor.ready()
    expect(page.locator('[data-mod="rect-text"]')).to_contain_text("200 × 140 px at 400, 0")
    assert visitor.view()["scale"] * 1536 <= 901  # everything is seen
    assert visitor.trouble == []
    visitor.close()
