"""The moderators' panel, in a real browser on a phone: choose people, look, do it, take it back."""

from __future__ import annotations

import random

import pytest
from playwright.sync_api import Browser, expect

from canvas import wire
from tests import wire_client
from tests.browser.visitor import PHONE, Visitor
from tests.running import SMALL, RunningSite, until
from tests.sockets import pieces, stroke_id

_INK = """
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from canvas import journal, wire
from canvas.models import Canvas
get_user_model().objects.get(pk={moderator}).groups.add(Group.objects.get(name="Moderators"))
canvas = Canvas.objects.get(slug="small")
journal.append(canvas, wire.operations_from(bytes.fromhex({ink!r}), {count})[0])
"""


def red(panel: Visitor) -> bool:
    return bool((panel.pixels() == (255, 0, 0)).all(axis=2).any())


@pytest.mark.parametrize("how", [PHONE, {}], ids=["phone", "desktop"])
def test_ink_is_found_taken_out_and_brought_back(browser: Browser, site: RunningSite, how: dict[str, object]) -> None:
    vandal, moderator = site.person(3 if how else 4), site.person(5)
    cut = pieces(stroke_id(random.Random(1)), [(80, 512, 200), (900, 512, 200)], colour=(255, 0, 0), opacity=255)
    ink = b"".join(wire.encode(wire_client.by(piece, vandal.id)) for piece in cut).hex()
    site.shell(_INK.format(moderator=moderator.id, ink=ink, count=len(cut)))
    watch = Visitor(browser, site, moderator, **how).open(SMALL)
    page = watch.page
    until(lambda: red(watch), what="the ink is not there")
    page.keyboard.press("m")
    row = page.locator('[data-mod="people"] label', has_text=vandal.name)
    row.click()
    page.click('[data-mod="look"]')
    expect(page.locator('[data-mod="count"]')).to_contain_text("1 stroke of 1 person")
    assert red(watch)
    page.click('[data-mod="apply"]')
    undo = page.locator('[data-mod="message"] button')
    expect(undo).to_be_visible()
    until(lambda: not red(watch), what="the ink is still there")
    undo.click()
    until(lambda: red(watch), what="the ink is not there")
    page.get_by_role("tab", name="Log").click()
    expect(page.locator('[data-mod="acts"] li').first).to_contain_text("Undid an action")
    page.locator('[data-mod="acts"] button').first.click()
    until(lambda: not red(watch), what="the ink is still there")
    page.keyboard.press("Escape")
    expect(page.locator('[data-mod="panel"]')).to_be_hidden()
    assert watch.trouble == []
    watch.close()


def test_ordinary_people_load_nothing_of_it(browser: Browser, site: RunningSite) -> None:
    ann = Visitor(browser, site, site.person(6)).open(SMALL)
    requested = ann.page.evaluate("performance.getEntriesByType('resource').map((entry) => entry.name)")
    assert not any("/moderation/panel" in name or "panel.css" in name for name in requested)
    assert ann.page.locator('[data-mod="panel"]').count() == 0
    ann.close()
