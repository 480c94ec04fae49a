"""Drawing before signing up, in a real browser: as a guest, and where only members draw."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, expect

from tests.browser import axe
from tests.browser.visitor import MEMBERS_ONLY, PHONE, Visitor, line, operations, pixels_of, strokes
from tests.running import PASSWORD, SMALL, SMALL_SIDE, RunningSite, until

pytestmark = pytest.mark.browser


@pytest.fixture
def visit(browser: Browser, site: RunningSite) -> Iterator[Callable[..., Visitor]]:
    visitors: list[Visitor] = []

    def make(*arguments: Any, **options: Any) -> Visitor:
        visitors.append(Visitor(browser, site, *arguments, **options))
        return visitors[-1]

    yield make
    for visitor in visitors:
        visitor.close()
    assert [visitor.trouble for visitor in visitors] == [[] for _ in visitors]


def authors(site: RunningSite, slug: str = "main") -> set[int]:
    return {op.author for _, op in operations(site, slug)}


@pytest.mark.parametrize("how", [{}, PHONE], ids=["desk", "phone"])
def test_the_first_stroke_works_and_is_seen_by_others(
    site: RunningSite, visit: Callable[..., Visitor], how: dict[str, Any]
) -> None:
    stranger, other = visit(**how).open(), visit(site.person(2)).open()
    page = stranger.page
    expect(page.locator(".dock")).to_be_visible()
    expect(page.locator(".invitation")).to_be_hidden()
    before, known = strokes(site), authors(site)
    path = line(60, 300, 330, 420)
    if how:
        stranger.fingers(path)
    else:
        stranger.draw(path)
    # A notice says so for some seconds, and leads on.
    way = page.locator(".notice", has_text="You draw as").get_by_role("link", name="Keep your name")
    expect(way).to_have_attribute("href", f"{site.url}/accounts/keep/?next=/")
    until(lambda: strokes(site) == before + 1)
    other.shows(pixels_of(site))
    stranger.shows(pixels_of(site))
    (guest,) = authors(site) - known
    assert guest
    # What stays when the notice is gone is the way to keep the name.
    expect(page.locator('.menu-sheet a[href*="/keep/"]:not([hidden])')).to_have_count(1)
    assert axe.serious(page) == []
    # The same person after a reload, who can undo what they drew.
    page.reload()
    stranger.ready()
    page.click("[data-does=undo]")
    until(lambda: authors(site) == known | {guest} and type(operations(site)[-1][1]).__name__ == "Undo")


def test_a_guest_becomes_a_member_and_keeps_the_strokes(site: RunningSite, visit: Callable[..., Visitor]) -> None:
    stranger = visit().open()
    page = stranger.page
    before, known = strokes(site), authors(site)
    stranger.draw(line(300, 300, 600, 600))
    until(lambda: strokes(site) == before + 1)
    (guest,) = authors(site) - known
    page.click(".bar-sign-in[data-guest-only]")
    page.get_by_label("Name", exact=True).fill("mira")
    page.locator("input[type=password]").first.fill(PASSWORD)
    assert axe.serious(page) == []
    page.get_by_role("button", name="Keep it").click()
    page.wait_for_url(site.url + "/")
    stranger.ready()
    assert stranger.text(".bar-end .name") == "mira"
    stranger.draw(line(300, 600, 600, 300))
    until(lambda: strokes(site) == before + 2)
    assert authors(site) - known == {guest}


def test_where_only_members_draw_the_stroke_is_kept_until_one_is_one(
    site: RunningSite, visit: Callable[..., Visitor]
) -> None:
    site.shell(MEMBERS_ONLY)
    stranger = visit().open(SMALL)
    page = stranger.page
    expect(page.locator(".dock")).to_be_hidden()
    stranger.draw(line(500, 300, 700, 500))
    tried = stranger.pixels()
    invitation = page.locator("[data-dialog=invite]")
    expect(invitation).to_be_visible()
    assert operations(site, SMALL) == []
    link = invitation.get_by_role("link", name="Sign up")
    assert parse_qs(urlsplit(link.get_attribute("href") or "").query) == {"next": [f"/c/{SMALL}/"]}
    link.click()
    page.get_by_label("Name", exact=True).fill("newcomer")
    page.locator("input[type=password]").first.fill(PASSWORD)
    page.locator("main form [type=submit]").first.click()
    page.wait_for_url(site.url + f"/c/{SMALL}/")
    stranger.ready()
    until(lambda: strokes(site, SMALL) == 1, "what was tried is drawn")
    stranger.shows(pixels_of(site, SMALL, SMALL_SIDE))
    assert (stranger.pixels() == tried).all()
