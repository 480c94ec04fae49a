"""Drawing in one real browser and watching in another."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import cos, sin
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, expect

from canvas import wire
from tests.browser import axe
from tests.browser.visitor import PHONE, Visitor, finished, line, operations, pixels_of, strokes
from tests.running import RunningSite, until

pytestmark = pytest.mark.browser

# One of its own for what gets a frame: the other tests' canvas is its journal alone.
CANVAS = """
from canvas.models import Canvas
Canvas.objects.create(slug="framed", title="Framed", width=1536, height=1536)
"""
# A frame as the dreamer makes it, without a dreamer: the canvas in negative, as the JPEG that a dream is.
FRAME = """
from canvas import frames
from canvas.models import Canvas
canvas = Canvas.objects.get(slug="framed")
composed = frames.compose(canvas)
made = frames.encode(255 - composed.pixels, "dream")
frames.keep(frames.NewFrame(canvas, made, "dream", composed.seq, composed.authors, title="a negative"))
"""
AS_SERVED = """
import sys
from canvas import frames
from canvas.models import Canvas
sys.stdout.write("pixels:" + frames.compose(Canvas.objects.get(slug="framed")).pixels.tobytes().hex())
"""


@pytest.fixture
def visit(browser: Browser, site: RunningSite) -> Iterator[Callable[..., Visitor]]:
    """Visitors of the module's site; at the end none of their pages may have complained."""
    visitors: list[Visitor] = []

    def make(*arguments: Any, **options: Any) -> Visitor:
        visitors.append(Visitor(browser, site, *arguments, **options))
        return visitors[-1]

    yield make
    for visitor in visitors:
        visitor.close()
    assert [visitor.trouble for visitor in visitors] == [[] for _ in visitors]


def spiral(x: float, y: float, size: float) -> list[tuple[float, float]]:
    return [(x + size * t / 30 * cos(t / 3), y + size * t / 30 * sin(t / 3)) for t in range(30)]


def test_ink_is_seen_elsewhere_pixel_for_pixel(site: RunningSite, visit: Callable[..., Visitor]) -> None:
    artist, watcher = visit(site.person(0)).open(), visit(**PHONE).open()
    before = strokes(site)
    for number, colour in enumerate("4563"):
        artist.page.keyboard.press(colour)
        artist.draw(spiral(400 + 200 * number, 400, 160))
    until(lambda: strokes(site) == before + 4, what="four strokes in the journal")
    expected = pixels_of(site)
    artist.shows(expected, "the artist's browser paints as the server does")
    watcher.shows(expected, "the watcher's browser paints as the server does")
    assert (expected != 255).any(axis=2).sum() > 5000
    expect(watcher.page.locator("[data-bar=people]")).to_have_text("2")


def test_ink_is_painted_before_the_server_has_it(site: RunningSite, visit: Callable[..., Visitor]) -> None:
    artist = visit(site.person(0)).open()
    ink, before = artist.shown_ink(), len(operations(site))
    artist.context.set_offline(True)
    artist.draw(line(300, 750, 900, 760))
    assert artist.shown_ink() > ink + 1000
    assert len(operations(site)) == before
    artist.context.set_offline(False)
    until(lambda: len(operations(site)) > before, what="the ink arrives")


def test_two_who_draw_at_once_see_the_same(site: RunningSite, visit: Callable[..., Visitor]) -> None:
    one, two = visit(site.person(1)).open(), visit(site.person(2)).open()
    before = strokes(site)
    one.page.mouse.move(300, 300)
    one.page.mouse.down()
    two.page.mouse.move(320, 280)
    two.page.mouse.down()
    for step in range(40):
        one.page.mouse.move(300 + 15 * step, 300 + 100 * sin(step / 4))
        two.page.mouse.move(320 + 15 * step, 280 + 100 * cos(step / 5))
    one.page.mouse.up()
    two.page.mouse.up()
    until(lambda: strokes(site) == before + 2)
    expected = pixels_of(site)
    one.shows(expected)
    two.shows(expected)


def test_undo_takes_back_ones_own_stroke_only(site: RunningSite, visit: Callable[..., Visitor]) -> None:
    one, two = visit(site.person(1)).open(), visit(site.person(2)).open()
    before = strokes(site)
    two.draw(line(300, 500, 900, 300))
    until(lambda: strokes(site) == before + 1)
    one.shows(pixels_of(site))
    without = one.pixels()
    one.draw(line(300, 300, 900, 500))
    until(lambda: strokes(site) == before + 2)
    two.shows(pixels_of(site))
    one.page.keyboard.press("Control+z")
    one.shows(without)
    two.shows(without)
    assert isinstance(operations(site)[-1][1], wire.Undo)


@pytest.mark.parametrize("leaves", ["by its button", "with the first stroke"])
def test_strangers_are_told_what_this_is_once(site: RunningSite, visit: Callable[..., Visitor], leaves: str) -> None:
    stranger = visit(welcomed=False)
    page = stranger.page
    page.goto(site.url + "/")
    strip = page.locator("[data-hello]")
    expect(strip).to_be_visible()
    assert len(strip.inner_text().replace("Close", "").split()) <= 20
    assert page.locator("dialog[open]").count() == 0
    assert axe.serious(page) == []
    stranger.ready()
    if leaves == "by its button":
        strip.get_by_role("button").click()
    else:
        stranger.draw(line(300, 300, 500, 340))
    expect(strip).to_be_hidden()
    page.reload()
    stranger.ready()
    expect(strip).to_be_hidden()
    page.keyboard.press("?")
    expect(page.locator("[data-dialog=welcome]")).to_be_visible()


def test_the_rainbow_well_picks_up_what_it_meets(site: RunningSite, visit: Callable[..., Visitor]) -> None:
    artist = visit(site.person(3)).open()
    artist.page.keyboard.press("8")
    count, lines = strokes(site), range(600, 700, 8)
    for y in lines:
        artist.draw(line(900, y, 1100, y, 4))
    until(lambda: strokes(site) == count + len(lines))
    before = len(operations(site))
    artist.page.keyboard.press("3")
    artist.draw(line(860, 650, 1140, 650, 40), pause_ms=12)
    until(lambda: finished(site, before))
    met = {op.colour for _, op in operations(site)[before:] if isinstance(op, wire.Stroke)}
    assert len(met) >= 3 and (255, 255, 255) in met
    artist.shows(pixels_of(site))


def test_the_eyedropper_takes_the_colour_under_it(site: RunningSite, visit: Callable[..., Visitor]) -> None:
    artist = visit(site.person(3)).open()
    page = artist.page
    page.keyboard.press("1")
    for _ in range(2):
        artist.draw(line(500, 200, 560, 200, 6))
    page.keyboard.press("2")
    assert page.locator("[data-tool=any]").get_attribute("data-colour") == "#ffffff"
    page.keyboard.press("i")
    assert page.locator("[data-tool=eyedropper]").get_attribute("aria-pressed") == "true"
    page.mouse.click(530, 200)
    colour = str(page.locator("[data-tool=any]").get_attribute("data-colour"))
    assert int(colour[1:3], 16) < 90
    assert page.locator("[data-tool=brush]").get_attribute("aria-pressed") == "true"


def sees_the_drawing_under_the_dream(artist: Visitor) -> None:
    """While the key or the button is held, and no longer; the picture below is what it was."""
    overlay = artist.page.locator("canvas.leaving")
    corner = "document.querySelector('canvas.leaving').getContext('2d').getImageData(5, 5, 1, 1).data.join()"
    button = artist.page.locator("[data-does=peek]")
    artist.page.keyboard.down("d")
    expect(button).to_have_attribute("aria-pressed", "true")
    expect(overlay).to_be_visible()
    assert artist.page.evaluate(corner) == "255,255,255,255", "white, as it was before the negative"
    artist.page.keyboard.up("d")
    expect(overlay).to_be_hidden()
    box = button.bounding_box()
    assert box
    artist.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    artist.page.mouse.down()
    expect(overlay).to_be_visible()
    artist.page.mouse.up()
    expect(overlay).to_be_hidden()


def as_served(site: RunningSite, visitor: Visitor) -> None:
    served = site.shell(AS_SERVED).partition("pixels:")[2]
    expected = np.frombuffer(bytes.fromhex(served), np.uint8).reshape(1536, 1536, 3)

    def alike() -> bool:
        """JPEG decoders may differ by a little."""
        off = np.abs(visitor.pixels().astype(int) - expected)
        return bool(off.max() <= 8 and off.mean() <= 2)

    until(alike, what="the server's picture")


def undreams(site: RunningSite, artist: Visitor, watcher: Visitor) -> None:
    """A second frame is light where the first was dark; the brush brings the first one back."""
    site.shell(FRAME)
    until(lambda: artist.pixels()[5, 5].min() > 235, what="the negative of the negative")
    artist.page.get_by_role("button", name="Undream").click()
    artist.draw(line(500, 700, 1000, 700), pause_ms=20)
    until(lambda: strokes(site, "framed") == 3)
    assert [op.frame is None for _, op in operations(site, "framed") if isinstance(op, wire.Stroke) and op.last] == [
        True,
        True,
        False,
    ]
    as_served(site, artist)
    x, y, scale = (artist.view()[name] for name in ("x", "y", "scale"))
    column, row = round((750 - x) / scale), round((700 - y) / scale)
    assert artist.pixels()[row, column].max() < 130
    until(lambda: watcher.pixels()[row, column].max() < 130, what="the watcher sees it, too")
    artist.page.keyboard.press("b")


def test_a_new_frame_comes_without_a_reload_and_later_ink_lies_on_it(
    site: RunningSite, visit: Callable[..., Visitor]
) -> None:
    site.shell(CANVAS)
    artist = visit(site.person(4)).open("framed")
    watcher = visit(**PHONE, reduced_motion="reduce").open("framed")
    artist.page.evaluate("window.sameDocument = true")
    artist.draw(line(300, 300, 1000, 400))
    until(lambda: strokes(site, "framed") == 1)
    site.shell(FRAME)
    until(lambda: artist.pixels()[5, 5].max() < 20, what="the negative's dark corner")
    for each in (artist, watcher):  # the newest ink shines through, also where nothing is to move
        expect(each.page.locator("canvas.leaving.shining")).to_be_visible()
    assert watcher.page.locator("canvas.leaving").evaluate("(canvas) => getComputedStyle(canvas).opacity") == "0.35"
    until(lambda: watcher.pixels()[5, 5].max() < 20)
    expect(artist.page.locator("[data-does=undo]")).to_be_disabled()
    artist.page.keyboard.press("2")
    artist.draw(spiral(700, 500, 180))
    until(lambda: strokes(site, "framed") == 2)
    as_served(site, artist)
    # Who watches on a phone sees a small copy of the frame.
    exact = artist.pixels().astype(int)
    until(lambda: np.abs(watcher.pixels() - exact).mean() <= 4, what="the same picture, softer")
    sees_the_drawing_under_the_dream(artist)
    undreams(site, artist, watcher)
    assert artist.page.evaluate("window.sameDocument") is True
    artist.page.locator(".dream summary").click()
    artist.page.get_by_role("link", name="Open this frame").click()
    assert "/frames/" in artist.page.url
