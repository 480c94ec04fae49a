"""Eraser, redo, the colour wheel and a picture of one's own, with a mouse and with fingers."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, expect

from canvas import wire
from tests.browser import axe
from tests.browser.visitor import PHONE, Visitor, line, operations, pixels_of, strokes
from tests.running import RunningSite, until

pytestmark = pytest.mark.browser


@pytest.fixture
def visit(browser: Browser, site: RunningSite) -> Iterator[Callable[..., Visitor]]:
    visitors: list[Visitor] = []

    def make(person: int, **options: Any) -> Visitor:
        visitors.append(Visitor(browser, site, site.person(person), **options).open())
        return visitors[-1]

    yield make
    for visitor in visitors:
        visitor.close()
    assert [visitor.trouble for visitor in visitors] == [[] for _ in visitors]


def test_the_eraser_takes_off_ones_own_stroke_and_leaves_the_others(
    site: RunningSite, visit: Callable[..., Visitor]
) -> None:
    one, two = visit(1), visit(2)
    two.draw(line(300, 300, 900, 300))
    until(lambda: strokes(site) == 1)
    one.shows(pixels_of(site))
    below = one.pixels()
    one.draw(line(300, 250, 900, 350))
    until(lambda: strokes(site) == 2)
    one.page.keyboard.press("e")
    one.draw(line(600, 240, 600, 360))
    one.shows(below)
    two.shows(below)
    # It can be undone and done again, by key and by button.
    one.page.keyboard.press("Control+z")
    until(lambda: strokes(site) == 3)
    one.shows(pixels_of(site))
    assert (one.pixels() != below).any()
    one.page.click("[data-does=redo]")
    two.shows(below)
    one.draw(line(300, 300, 900, 300))
    expect(one.page.get_by_text("The eraser takes off strokes of yours")).to_be_visible()


def test_redo_by_every_way(site: RunningSite, visit: Callable[..., Visitor]) -> None:
    artist = visit(3)
    redo = artist.page.locator("[data-does=redo]")
    expect(redo).to_be_disabled()
    before = strokes(site)
    artist.draw(line(200, 600, 500, 600))
    until(lambda: strokes(site) == before + 1)
    artist.shows(pixels_of(site))
    drawn = artist.pixels()
    for key in ("Control+Shift+z", "Control+y", ""):
        artist.page.keyboard.press("Control+z")
        expect(redo).to_be_enabled()
        if key:
            artist.page.keyboard.press(key)
        else:
            redo.click()
        artist.shows(drawn)
    expect(redo).to_be_disabled()


def test_a_finger_erases_and_two_fingers_do_not(site: RunningSite, visit: Callable[..., Visitor]) -> None:
    phone = visit(4, **PHONE)
    blank, before = pixels_of(site), strokes(site)
    phone.fingers(line(60, 300, 330, 300))
    until(lambda: strokes(site) == before + 1)
    phone.page.tap("[data-tool=eraser]")
    phone.fingers(line(180, 290, 80, 290), line(220, 310, 320, 310))  # a pinch over it
    assert not isinstance(operations(site)[-1][1], wire.Undo)
    phone.page.tap("[data-does=fit]")
    phone.page.tap("[data-does=fit]")
    phone.fingers(line(190, 250, 190, 350))
    phone.shows(blank)


@pytest.mark.parametrize("how", [{}, PHONE], ids=["desk", "phone"])
def test_the_colour_wheel(site: RunningSite, visit: Callable[..., Visitor], how: dict[str, Any]) -> None:
    artist = visit(5, **how)
    page = artist.page
    page.click("[data-tool=any]")
    ring, square = page.locator("[data-wheel=ring]"), page.locator("[data-wheel=square]")
    for part in (ring, square):
        box = part.bounding_box()
        assert box and box["x"] >= 0 and box["y"] >= 0
        assert page.viewport_size and box["x"] + box["width"] <= page.viewport_size["width"]
    assert axe.serious(page) == []
    box = square.bounding_box()
    assert box
    page.mouse.click(box["x"] + box["width"] - 4, box["y"] + 4)  # as bright and clear as it gets
    box = ring.bounding_box()
    assert box
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] - 8)  # opposite of red
    expect(page.locator("[data-wheel=name]")).to_have_text("bright turquoise")
    ring.press("ArrowRight")
    hex = page.locator("[data-wheel=hex]")
    assert page.locator("[data-tool=any]").get_attribute("data-colour") == hex.input_value()
    hex.fill("#2040C0")
    hex.press("Enter")
    expect(page.get_by_role("group", name="Recent colours").get_by_role("button").first).to_have_attribute(
        "title", "blue"
    )
    page.keyboard.press("Escape")
    expect(ring).to_be_hidden()
    before = len(operations(site))
    if how:
        artist.fingers(line(60, 420, 330, 420))
    else:
        artist.draw(line(300, 700, 700, 700))
    until(lambda: len(operations(site)) > before)
    drawn = operations(site)[-1][1]
    assert isinstance(drawn, wire.Stroke) and drawn.colour == (0x20, 0x40, 0xC0)


def test_a_picture_of_ones_own_stays_in_the_browser(site: RunningSite, visit: Callable[..., Visitor]) -> None:
    artist = visit(6)
    page = artist.page
    sent: list[tuple[str, int]] = []
    page.on("request", lambda request: sent.append((request.url, len(request.post_data_buffer or b""))))
    pixels = np.full((300, 400, 3), (10, 200, 60), np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    page.set_input_files(
        "[data-reference=file]", {"name": "me.png", "mimeType": "image/png", "buffer": file.getvalue()}
    )
    sheet = page.locator("canvas.reference-picture")
    expect(sheet).to_be_visible()
    assert sheet.evaluate("(e) => [...e.getContext('2d').getImageData(9, 9, 1, 1).data]") == [10, 200, 60, 255]
    assert axe.serious(page) == []
    # What is drawn goes through it, and it can be moved, faded and taken away.
    before, count = sheet.bounding_box(), strokes(site)
    artist.draw(line(500, 400, 800, 400))
    until(lambda: strokes(site) == count + 1)
    page.click("[data-reference=move]")
    artist.draw(line(700, 400, 760, 430))
    after = sheet.bounding_box()
    assert before and after
    assert (after["x"] - before["x"], after["y"] - before["y"]) == (pytest.approx(60, abs=1), pytest.approx(30, abs=1))
    page.locator("[data-reference=opacity]").fill("80")
    assert sheet.evaluate("(e) => e.style.opacity") == "0.8"
    page.click("[data-reference=remove]")
    expect(sheet).to_be_hidden()
    assert strokes(site) == count + 1
    assert [each for each in sent if not each[0].startswith(site.url)] == [] and all(size == 0 for _, size in sent)
    page.set_input_files("[data-reference=file]", {"name": "x.png", "mimeType": "image/png", "buffer": b"no picture"})
    expect(page.get_by_text("cannot read that file as a picture")).to_be_visible()
