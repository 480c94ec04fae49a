"""The canvas under fingers, in a window of 390 x 844."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from playwright.sync_api import Browser, expect

from canvas import wire
from tests.browser.visitor import PHONE, Visitor, finished, line, operations, pixels_of, strokes
from tests.running import RunningSite, until

pytestmark = pytest.mark.browser


@pytest.fixture
def phone(browser: Browser, site: RunningSite) -> Iterator[Visitor]:
    visitor = Visitor(browser, site, site.person(5), **PHONE).open()
    yield visitor
    visitor.close()
    assert visitor.trouble == []


def test_a_finger_draws(site: RunningSite, phone: Visitor) -> None:
    before, view = strokes(site), phone.view()
    phone.fingers(line(60, 300, 330, 420))
    until(lambda: strokes(site) == before + 1)
    phone.shows(pixels_of(site))
    assert phone.view() == view


def test_a_tap_makes_a_dot(site: RunningSite, phone: Visitor) -> None:
    before = strokes(site)
    phone.page.touchscreen.tap(200, 500)
    until(lambda: strokes(site) == before + 1)
    phone.shows(pixels_of(site))


def test_two_fingers_together_zoom_and_leave_no_ink(site: RunningSite, phone: Visitor) -> None:
    before, view = len(operations(site)), phone.view()
    phone.fingers(line(180, 400, 80, 400), line(220, 400, 320, 400))
    after = phone.view()
    assert after["scale"] == pytest.approx(6 * view["scale"], rel=0.25)
    phone.fingers(line(180, 400, 180, 480), line(220, 400, 220, 480))
    moved = phone.view()
    assert moved["scale"] == pytest.approx(after["scale"], rel=0.02)
    assert moved["y"] - after["y"] == pytest.approx(80, abs=12)
    phone.page.wait_for_timeout(200)
    assert len(operations(site)) == before
    phone.shows(pixels_of(site))


def test_a_tap_with_two_fingers_takes_back(site: RunningSite, phone: Visitor) -> None:
    phone.shows(pixels_of(site))
    before = phone.pixels()
    count = strokes(site)
    phone.fingers(line(60, 500, 330, 600))
    until(lambda: strokes(site) == count + 1)
    assert not np.array_equal(phone.pixels(), before)
    phone.touch("touchStart", (150, 500), (250, 500))
    phone.touch("touchEnd")
    until(lambda: isinstance(operations(site)[-1][1], wire.Undo))
    phone.shows(before)


def test_fingers_one_after_the_other_draw_at_once(site: RunningSite, phone: Visitor) -> None:
    before = strokes(site)
    phone.touch("touchStart", (60, 300))
    for x in range(60, 120, 10):
        phone.touch("touchMove", (x, 300))
    phone.touch("touchStart", (120, 300), (60, 500))
    for step in range(12):
        phone.touch("touchMove", (120 + 10 * step, 300), (60 + 10 * step, 500))
        phone.page.wait_for_timeout(8)
    phone.touch("touchEnd")
    until(lambda: strokes(site) == before + 2)
    phone.shows(pixels_of(site))


def test_three_fingers_at_once_draw(site: RunningSite, phone: Visitor) -> None:
    before = strokes(site)
    phone.fingers(*(line(60, y, 320, y + 60) for y in (250, 380, 510)))
    until(lambda: strokes(site) == before + 3)
    phone.shows(pixels_of(site))


def test_a_resting_finger_picks_the_colour(site: RunningSite, phone: Visitor) -> None:
    before = len(operations(site))
    phone.touch("touchStart", (20, 640))
    expect(phone.page.locator(".loupe")).to_be_visible()
    phone.touch("touchEnd")
    expect(phone.page.locator(".loupe")).to_be_hidden()
    assert phone.page.locator("[data-tool=any]").get_attribute("data-colour") == "#ffffff"
    phone.page.wait_for_timeout(200)
    assert len(operations(site)) == before


def test_everything_fits_and_is_large_enough_for_a_finger(phone: Visitor) -> None:
    page = phone.page
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    small = page.evaluate(
        """[...document.querySelectorAll(".bar :is(a, summary), .dock button, .dock label, .zoom button")]
            .filter((e) => e.checkVisibility() && !e.closest(".menu-sheet, .brush-sheet"))
            .map((e) => ({name: e.outerHTML.slice(0, 80), ...e.getBoundingClientRect().toJSON()}))
            .filter((r) => r.height < 43.9 || r.width < 40 || r.left < 0 || r.right > 390 || r.bottom > 844)"""
    )
    assert small == []


def test_sheets_stay_in_the_window_and_their_last_line_can_be_tapped(phone: Visitor) -> None:
    page = phone.page
    for summary in page.locator(".bar details[data-menu] > summary").all():
        summary.tap()
        sheet = summary.locator("xpath=../*[contains(@class, 'menu-sheet')]")
        box = sheet.bounding_box()
        assert box and box["x"] >= 0 and box["x"] + box["width"] <= 390 and box["y"] + box["height"] <= 844
        last = sheet.locator("a:visible, button:visible")
        if last.count():
            last.last.scroll_into_view_if_needed()
            last.last.tap(trial=True)  # nothing lies over it
        page.keyboard.press("Escape")
        expect(sheet).to_be_hidden()


def test_the_brush_can_be_set(site: RunningSite, phone: Visitor) -> None:
    page = phone.page
    page.locator("[data-tool=brush]").tap()
    page.locator("[data-tool=size]").fill("40")
    page.locator("[data-tool=opacity]").fill("100")
    page.get_by_label("Thicker when faster or pressed harder").uncheck()
    before = len(operations(site))
    phone.fingers(line(60, 300, 330, 320))
    until(lambda: finished(site, before))
    expect(page.locator("#brush-sheet")).to_be_hidden()
    ink = [op for _, op in operations(site)[before:] if isinstance(op, wire.Stroke)]
    assert {op.opacity for op in ink} == {255}
    assert {width for op in ink for _, _, width in op.points} == {8 * 40}


def test_ink_gets_wider_with_speed(site: RunningSite, phone: Visitor) -> None:
    before = len(operations(site))
    phone.fingers(line(40, 300, 350, 300, 6))
    until(lambda: finished(site, before))
    widths = [w for _, op in operations(site)[before:] if isinstance(op, wire.Stroke) for _, _, w in op.points]
    assert widths[0] == 8 * 20
    assert max(widths) > 1.5 * widths[0] and max(widths) <= 992


def test_a_pen_draws_by_its_pressure_and_the_palm_beside_it_does_nothing(site: RunningSite, phone: Visitor) -> None:
    before, count, view = len(operations(site)), strokes(site), phone.view()
    light, heavy = [0.2] * 8, [0.2, *(0.95 for _ in range(7))]
    for at, pressure, palm in ((300, light, None), (400, heavy, (300, 600)), (470, heavy, None)):
        phone.pen(line(60, at, 330, at + 20, 7), pressure, palm)
        count += 1
        until(lambda wanted=count: strokes(site) == wanted, "the pen's stroke, and no other")
    ink = [op for _, op in operations(site)[before:] if isinstance(op, wire.Stroke)]
    first, second, third = (
        max(w for op in ink if op.stroke_id == one for _, _, w in op.points)
        for one in dict.fromkeys(op.stroke_id for op in ink)
    )
    assert first < 1.5 * 8 * 20 and second > 2 * first, "thicker where it is pressed harder"
    assert third == pytest.approx(second, rel=0.5)
    assert phone.view() == view, "the palm has moved nothing"
    # With the pen away, one finger moves the view and two zoom: ink comes from the pen alone for a while.
    phone.fingers(line(150, 300, 250, 300))
    assert phone.view()["x"] - view["x"] == pytest.approx(100, abs=20)
    phone.fingers(line(180, 400, 140, 400), line(220, 400, 260, 400))
    assert phone.view()["scale"] > 1.5 * view["scale"]
    assert strokes(site) == count
    phone.shows(pixels_of(site))


_WATCHED = """
import numpy as np
from canvas import frames
from canvas.models import Canvas
canvas = Canvas.objects.create(slug="watched", title="Watched", width=1024, height=1024)
pixels = np.kron(np.random.default_rng(3).integers(0, 256, (64, 64, 3), np.uint8), np.ones((16, 16, 1), np.uint8))
frames.keep(frames.NewFrame(canvas, frames.encode(pixels, "dream"), "dream", seq=0, title="style"))
"""


def test_who_watches_loads_a_small_copy_and_who_draws_the_picture(site: RunningSite, browser: Browser) -> None:
    site.shell(_WATCHED)
    visitor = Visitor(browser, site, site.person(6), **PHONE)
    loaded: list[str] = []
    visitor.page.on("requestfinished", lambda request: loaded.append(request.url))
    visitor.open("watched")
    frames = [url for url in loaded if "/media/frames/" in url]
    (small,) = frames
    assert small.endswith("-thumb.webp")
    seen = visitor.pixels()
    assert seen.shape == (1024, 1024, 3), "the canvas has its own size all the same"

    visitor.fingers(line(60, 300, 330, 420))
    until(lambda: (visitor.pixels() != seen).mean() > 0.5, "the picture itself is shown")
    assert any("/media/frames/" in url and not url.endswith("-thumb.webp") for url in loaded)
    visitor.close()
    assert visitor.trouble == []


def test_the_page_names_all_modules_at_once(browser: Browser, site: RunningSite) -> None:
    """Else a browser learns of each level of imports by a round trip of its own."""
    phone = Visitor(browser, site, **PHONE).open()
    loaded = "performance.getEntriesByType('resource').map(({name}) => name).filter((name) => name.endsWith('.js'))"
    named = "[...document.querySelectorAll('link[rel=modulepreload]')].map(({href}) => href)"
    modules = phone.page.evaluate(named)
    assert set(phone.page.evaluate(loaded)) == set(modules) and len(modules) == len(set(modules)) > 40
    assert phone.trouble == []
    phone.close()
