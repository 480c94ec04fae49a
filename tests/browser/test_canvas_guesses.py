"""What the network sees in a drawing, said at the spot, and answered there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.visitor import PHONE, Visitor
from tests.running import Person, RunningSite, until

# As a dreamer says it, who is not there in these tests: the row is what every browser is told.
GUESS = """
from datetime import timedelta
from django.utils import timezone
from canvas.models import Canvas, Dream
from dreamer.guesses.listening import publish
from dreamer.models import Guess
canvas = Canvas.objects.default()
until = timezone.now() + timedelta(hours=1)
Dream.objects.update_or_create(canvas=canvas, defaults={"holder": "x", "expires_at": until})
guess = Guess.objects.create(canvas=canvas, network="house", seq=1, left=380, top=500, right=460, bottom=650, words=[
    {"number": 1, "label": "fox", "chance": 0.3}, {"number": 2, "label": "teapot", "chance": 0.2}])
publish(guess)
"""
CHOSEN = "from dreamer.models import Guess; print('chosen:', Guess.objects.latest('pk').chosen)"


@pytest.fixture
def visit(site: RunningSite, browser: Browser) -> Iterator[Callable[..., Visitor]]:
    visitors: list[Visitor] = []

    def come(person: Person | None = None, **how: Any) -> Visitor:
        visitors.append(Visitor(browser, site, person, **how))
        return visitors[-1]

    yield come
    for visitor in visitors:
        visitor.close()
        assert not visitor.trouble


def test_a_guess_is_shown_at_the_spot_and_answered(site: RunningSite, visit: Callable[..., Visitor]) -> None:
    artist, phone, watcher = visit(site.person(3)).open(), visit(site.person(4), **PHONE).open(), visit().open()
    abroad = visit(site.person(5), locale="fr-FR").open()
    site.shell(GUESS)
    for each in (artist, phone, watcher):
        expect(each.page.locator(".guess")).to_contain_text("fox?")
        box, window = each.page.locator(".guess").bounding_box(), each.page.viewport_size
        # Beside the drawing, which is at the phone's edge, but whole.
        assert box and window and box["x"] > 0 and box["x"] + box["width"] < window["width"]
    expect(watcher.page.locator(".guess button")).to_have_count(1)  # only to dismiss it
    # In one's own language; a word that it lacks is marked as English.
    fox, teapot = abroad.page.locator(".guess button").nth(0), abroad.page.locator(".guess button").nth(1)
    expect(fox).to_have_text("renard ?")
    expect(teapot).to_have_text("teapot ?")
    assert (fox.get_attribute("lang"), teapot.get_attribute("lang")) == (None, "en")
    watcher.page.get_by_label("Dismiss this guess").click()
    expect(watcher.page.locator(".guess")).to_have_count(0)
    artist.page.keyboard.press("g")
    artist.page.keyboard.press("Tab")
    artist.page.keyboard.press("Enter")
    for each in (artist, phone):
        expect(each.page.locator(".guess.agreed")).to_have_text("teapot")
    until(lambda: "chosen: 1" in site.shell(CHOSEN))


def test_who_wants_no_guesses_sees_none(site: RunningSite, visit: Callable[..., Visitor]) -> None:
    artist, other = visit(site.person(3)).open(), visit(site.person(4)).open()
    artist.page.locator(".bar-end .menu > summary").last.click()
    artist.page.get_by_text("Show the network’s guesses").click()
    artist.page.keyboard.press("Escape")
    site.shell(GUESS)
    expect(other.page.locator(".guess")).to_contain_text("fox?")
    expect(artist.page.locator(".guess")).to_have_count(0)
    artist.page.reload()
    artist.ready()
    assert artist.page.locator("[data-preference=guesses]").is_checked() is False
