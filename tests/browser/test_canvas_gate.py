"""What a browser shows of the gate: a frozen canvas, closed areas, a refused stroke, a sanction with its reason."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.browser import axe
from tests.browser.visitor import PHONE, Visitor, finished, line, operations
from tests.running import RunningSite, copy, until

Act = Callable[[str], Any]
_ACT = """
from datetime import timedelta
from django.utils import timezone
from canvas.models import Canvas, Region, Rules, Sanction
canvas = Canvas.objects.get(slug="main")
rules = Rules.objects.of(canvas)
"""


@pytest.fixture(scope="module")
def site(site_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    """Acts come from another process and nothing is between the two: the room asks anew twice a second."""
    var = copy(site_template, tmp_path_factory.mktemp("gate") / "var")
    here = RunningSite(var, tune={"canvas.limits.RECHECK_SECONDS": 0.5})
    here.start_web()
    yield here
    here.stop()


@pytest.fixture
def act(site: RunningSite) -> Iterator[Act]:
    yield lambda code: site.shell(_ACT + code)
    for statement in (
        "DELETE FROM canvas_sanction",
        "DELETE FROM canvas_region",
        "UPDATE canvas_rules SET frozen = FALSE, version = version + 1",
    ):
        site.rows(statement)


def test_a_frozen_canvas_says_so_and_takes_no_stroke(browser: Browser, site: RunningSite, act: Act) -> None:
    ann = Visitor(browser, site, site.person(0)).open()
    guest = Visitor(browser, site, **PHONE).open()
    act("rules.frozen, rules.frozen_why = True, 'We clean up after a raid'\nrules.save()")
    for visitor in (ann, guest):
        closed = visitor.page.locator(".closed")
        closed.wait_for()
        assert "frozen" in closed.inner_text() and "We clean up after a raid." in closed.inner_text()
        box, width = closed.bounding_box(), visitor.page.viewport_size
        assert box and width and box["x"] >= 0 and box["x"] + box["width"] <= width["width"]
    before, ink = len(operations(site)), ann.shown_ink()
    ann.draw(line(100, 300, 300, 420))
    assert ann.shown_ink() == ink and len(operations(site)) == before  # not even for a moment
    act("rules.frozen = False\nrules.save()")
    ann.page.locator(".closed").wait_for(state="hidden")
    ann.draw(line(100, 300, 300, 420))
    until(lambda: finished(site, before))
    assert ann.trouble == guest.trouble == []
    ann.close()
    guest.close()


def test_a_closed_canvas_is_shown_and_promises_nothing(browser: Browser, site: RunningSite) -> None:
    site.shell(
        "from canvas.models import Canvas\nfrom django.utils import timezone\n"
        "Canvas.objects.create(slug='shut', title='Shut', width=96, height=96, closed_at=timezone.now())"
    )
    for visitor in (Visitor(browser, site, site.person(2), welcomed=False), Visitor(browser, site, **PHONE)):
        page = visitor.open("shut").page
        expect(page.locator(".closed")).to_contain_text("This canvas is closed.")
        expect(page.locator("[data-bar=label]")).to_have_text("No more dreams")
        expect(page.get_by_text("Nobody drew on this canvas.")).to_be_visible()
        page.locator(".dream summary").click()
        expect(page.get_by_role("link", name="History", exact=True).first).to_be_visible()
        expect(page.get_by_role("button", name="Vote for the next style")).to_have_count(0)
        assert axe.serious(page) == []
        assert visitor.trouble == []
        visitor.close()


def test_a_stroke_into_a_locked_area_is_cut_there_and_the_reason_told(
    browser: Browser, site: RunningSite, act: Act
) -> None:
    ann = Visitor(browser, site, site.person(1)).open()
    view = ann.view()
    act("Region.objects.create(canvas=canvas, x=700, y=500, width=300, height=300, why='A memorial')")
    region = ann.page.locator(".region.lock")
    region.wait_for()
    for _ in range(2):
        box, now = region.bounding_box(), ann.view()
        assert (
            box and abs(box["x"] - (now["x"] + 700 * now["scale"])) < 2 and abs(box["width"] - 300 * now["scale"]) < 2
        )
        ann.page.keyboard.press("+")  # at every zoom
    ann.page.keyboard.press("-")
    ann.page.keyboard.press("-")

    def at(x: float, y: float) -> tuple[float, float]:
        return view["x"] + x * view["scale"], view["y"] + y * view["scale"]

    ann.page.mouse.move(*at(500, 650))
    view = ann.view()
    ann.draw(line(*at(500, 650), *at(900, 650)))
    ann.page.locator(".notice").wait_for()
    assert "locked" in ann.text(".notice")
    until(lambda: not (ann.pixels()[510:790, 710:990] != 255).any(), what="ink is shown in the locked area")
    assert (ann.pixels()[600:700, 480:690] != 255).any()
    ann.draw(line(*at(800, 600), *at(900, 700)))  # within it nothing even begins
    assert not (ann.pixels()[510:790, 710:990] != 255).any()
    assert ann.trouble == []
    ann.close()


def test_a_warning_is_read_before_anything_more_is_drawn(browser: Browser, site: RunningSite, act: Act) -> None:
    person = site.person(2)
    ann = Visitor(browser, site, person).open()
    act(f"Sanction.objects.create(user_id={person.id}, degree='warn', reason='You <b>painted</b> over the whale.')")
    sheet = ann.page.locator('[data-dialog="sanction"]')
    sheet.wait_for()
    assert "You <b>painted</b> over the whale." in sheet.inner_text()
    ann.page.keyboard.press("Escape")
    before = len(operations(site))
    ann.draw(line(300, 300, 500, 420))
    assert len(operations(site)) == before
    ann.page.locator('[data-gate="why"]').click()
    ann.page.get_by_role("button", name="I have read it").click()
    ann.page.locator(".closed").wait_for(state="hidden")
    ann.draw(line(300, 300, 500, 420))
    until(lambda: finished(site, before))
    assert ann.trouble == []
    ann.close()


def test_trusted_people_cover_a_place_together(browser: Browser, site: RunningSite, act: Act) -> None:
    """Three of them, on phones: the first asks, the others are asked."""
    people = [site.person(number) for number in (4, 5, 6)]
    newcomer = Visitor(browser, site, site.person(7)).open()
    ids = [person.id for person in people]
    act(
        "from canvas.models import CleanHours\nfrom dreamsite.core.models import User\n"
        f"User.objects.filter(pk__in={ids}).update(date_joined=timezone.now() - timedelta(days=99))\n"
        f"CleanHours.objects.bulk_create(CleanHours(user_id=one, hours=99) for one in {ids})"
    )
    visitors = [Visitor(browser, site, person, **PHONE).open() for person in people]
    first, *others = (visitor.page for visitor in visitors)
    newcomer.page.locator(".bar-end .menu > summary").last.click()
    assert not newcomer.page.get_by_role("button", name="Cover an area").is_visible()
    first.locator(".bar-end .menu > summary").last.click()
    first.get_by_role("button", name="Cover an area").click()
    first.touchscreen.tap(200, 400)
    first.get_by_role("button", name="Ask to cover it").click()
    for number, page in enumerate(others, 1):
        page.get_by_text(f"{number} of 3 people ask").wait_for()
        page.locator(".region.request").wait_for()
        page.get_by_role("button", name="Ask to cover it").click()
    for visitor in (*visitors, newcomer):
        visitor.page.locator(".region.cover").wait_for()
        assert visitor.trouble == []
        visitor.close()


def test_the_suspended_are_told_why(browser: Browser, site: RunningSite, act: Act) -> None:
    person = site.person(3)
    ann = Visitor(browser, site, person).open()
    act(f"Sanction.objects.create(user_id={person.id}, degree='suspend', reason='Threats.')")
    ann.page.locator('[data-dialog="sanction"]').wait_for()
    assert "Threats." in ann.text('[data-dialog="sanction"]')
    ann.page.locator('[data-bar="status"]').wait_for()
    assert "suspended" in ann.text('[data-bar="status"]') and "Threats." in ann.text('[data-bar="status"]')
    ann.close()
