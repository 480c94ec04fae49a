"""A connection that goes and comes back: ink is kept, said, sent, and never there twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.visitor import Visitor, line, pixels_of, strokes
from tests.running import RunningSite, until

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture
def site(make_site: Callable[..., RunningSite]) -> RunningSite:
    running = make_site()
    running.start_web()
    return running


@pytest.fixture
def pair(browser: Browser, site: RunningSite) -> Iterator[tuple[Visitor, Visitor]]:
    """One who draws, one who watches."""
    artist, watcher = Visitor(browser, site, site.person(7)).open(), Visitor(browser, site).open()
    yield artist, watcher
    artist.close()
    watcher.close()


def test_offline_and_back(site: RunningSite, pair: tuple[Visitor, Visitor]) -> None:
    artist, watcher = pair
    artist.draw(line(300, 300, 900, 300))
    until(lambda: strokes(site) == 1)
    artist.context.set_offline(True)
    status = artist.page.locator("[data-bar=status]")
    expect(status).to_be_visible()
    artist.draw(line(300, 400, 900, 400))
    artist.draw(line(300, 500, 900, 500))
    # The first stroke's acknowledgement may have been lost with the connection: then there are three.
    expect(status).to_contain_text("strokes of yours wait here and will be sent.")
    assert strokes(site) == 1
    artist.context.set_offline(False)
    until(lambda: strokes(site) == 3, what="the ink drawn offline")
    expect(status).to_be_hidden()
    artist.shows(pixels_of(site))
    watcher.shows(pixels_of(site))


def test_the_server_is_killed_and_comes_back(site: RunningSite, pair: tuple[Visitor, Visitor]) -> None:
    artist, watcher = pair
    artist.draw(line(300, 300, 900, 300))
    until(lambda: strokes(site) == 1)
    site.kill_web()
    artist.draw(line(300, 400, 900, 400))
    expect(artist.page.locator("[data-bar=status]")).to_contain_text("of yours wait")
    site.start_web()
    until(lambda: strokes(site) == 2, "the ink drawn meanwhile")
    artist.shows(pixels_of(site))
    watcher.shows(pixels_of(site))


def test_a_reload_in_between_loses_nothing(site: RunningSite, pair: tuple[Visitor, Visitor]) -> None:
    artist, watcher = pair
    site.kill_web()
    artist.draw(line(300, 300, 900, 300))
    artist.draw(line(300, 400, 900, 400))
    artist.page.goto("about:blank")  # the page is gone before the server is back: only what it stored remains
    site.start_web()
    artist.open()
    until(lambda: strokes(site) == 2, "the stored ink")
    artist.shows(pixels_of(site))
    watcher.shows(pixels_of(site))
