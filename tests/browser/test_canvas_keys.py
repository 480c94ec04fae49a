"""The canvas without a pointer: everything but drawing by hand is in reach of the keyboard."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.visitor import Visitor, line, strokes
from tests.running import RunningSite, until

pytestmark = pytest.mark.browser


@pytest.fixture
def visitor(browser: Browser, site: RunningSite) -> Iterator[Visitor]:
    visitor = Visitor(browser, site, site.person(6)).open()
    yield visitor
    visitor.close()
    assert visitor.trouble == []


def focused(visitor: Visitor) -> str:
    return str(
        visitor.page.evaluate(
            "(() => { const e = document.activeElement; if (e === document.body) return 'BODY';"
            " return (e.ariaLabel || e.title || e.innerText || e.tagName).trim() })()"
        )
    )


def test_tab_reaches_every_control_and_shows_where_it_is(visitor: Visitor) -> None:
    page = visitor.page
    met: list[str] = []
    for _ in range(60):
        page.keyboard.press("Tab")
        name = focused(visitor)
        if name == "BODY" or (met and name == met[0]):
            break
        met.append(name)
        outline = page.evaluate(
            "(() => { const e = document.activeElement;"
            " const shown = [e, e.parentElement].map((each) => getComputedStyle(each).outlineStyle);"
            " return shown.includes('solid') })()"
        )
        assert outline, f"nothing shows that {name} has the focus"
    text = " | ".join(met)
    tools = "Colour", "Any colour", "Size", "Opacity", "Another palette", "Brush", "Erase", "Pick", "Move"
    for control in ("Skip to content", "History", "Zoom in", "Show everything", "Zoom out", *tools):
        assert control in text, f"{control} is not among {text}"


def test_every_control_has_a_name(visitor: Visitor) -> None:
    nameless = visitor.page.evaluate(
        """[...document.querySelectorAll("button, a, input, summary, [role]")]
            .filter((e) => e.checkVisibility() && !(e.ariaLabel || e.title || e.innerText.trim() || e.labels?.length
                || e.querySelector("[aria-label], img[alt]") || e.matches("[role=presentation], [role=status]")))
            .map((e) => e.outerHTML.slice(0, 120))"""
    )
    assert nameless == []


def test_zoom_pan_and_fit(visitor: Visitor) -> None:
    page = visitor.page
    start = visitor.view()
    page.keyboard.press("+")
    near = visitor.view()
    assert near["scale"] == pytest.approx(1.25 * start["scale"], rel=1e-4)
    page.keyboard.press("-")
    assert visitor.view()["scale"] == pytest.approx(start["scale"], rel=1e-4)
    page.keyboard.press("ArrowDown")
    assert visitor.view()["y"] == pytest.approx(start["y"] - 80, abs=1)
    page.keyboard.press("ArrowRight")
    assert visitor.view()["x"] == pytest.approx(start["x"] - 80, abs=1)
    page.keyboard.press("0")
    fitted = visitor.view()
    assert fitted["scale"] == pytest.approx(900 / 1536, rel=1e-4)
    assert [fitted["x"], fitted["y"]] == pytest.approx([270, 0], abs=0.01)
    page.keyboard.press("0")
    assert visitor.view()["scale"] == pytest.approx(1440 / 1536, rel=1e-4)


def test_wheel_zooms_towards_the_pointer_and_space_pans(site: RunningSite, visitor: Visitor) -> None:
    page = visitor.page
    before, count = visitor.view(), strokes(site)
    page.mouse.move(1000, 200)
    page.mouse.wheel(0, -300)
    until(lambda: visitor.view()["scale"] > before["scale"] * 1.2)
    after = visitor.view()
    for axis, at in ("x", 1000), ("y", 200):
        assert (at - before[axis]) / before["scale"] == pytest.approx((at - after[axis]) / after["scale"], abs=0.5)
    page.keyboard.down("Space")
    visitor.draw(line(700, 400, 760, 430))
    page.keyboard.up("Space")
    moved = visitor.view()
    assert [moved["x"] - after["x"], moved["y"] - after["y"]] == pytest.approx([60, 30], abs=1)
    page.mouse.move(700, 400)
    page.mouse.down(button="middle")
    page.mouse.move(640, 380, steps=3)
    page.mouse.up(button="middle")
    assert visitor.view()["x"] == pytest.approx(moved["x"] - 60, abs=1)
    assert strokes(site) == count


def test_brush_palette_and_tools(visitor: Visitor) -> None:
    page = visitor.page
    swatches = page.locator("[data-tool=swatches] button")
    assert swatches.count() == 8
    colours = [swatches.nth(i).get_attribute("data-colour") for i in range(8)]
    assert colours[:3] == ["#000000", "#ffffff", "rainbow"]
    page.keyboard.press("p")
    assert [swatches.nth(i).get_attribute("data-colour") for i in range(8)][3:] != colours[3:]
    page.keyboard.press("2")
    expect(swatches.nth(1)).to_have_attribute("aria-checked", "true")
    swatches.nth(1).focus()
    page.keyboard.press("ArrowRight")
    expect(swatches.nth(2)).to_have_attribute("aria-checked", "true")
    page.keyboard.press("]")
    page.keyboard.press(".")
    expect(page.locator("[data-tool=size-text]")).to_have_text("25 px")
    expect(page.locator("[data-tool=opacity-text]")).to_have_text("80 %")
    page.keyboard.press("h")
    expect(page.locator("[data-tool=hand]")).to_have_attribute("aria-pressed", "true")
    page.locator("[data-tool=brush]").focus()
    page.keyboard.press("Enter")
    expect(page.locator("[data-tool=brush]")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("Enter")
    expect(page.locator("#brush-sheet")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#brush-sheet")).to_be_hidden()


def test_each_session_has_another_palette_and_the_same_brush(visitor: Visitor) -> None:
    """A palette and a colour last as long as the browser's session, the brush's size longer."""
    page = visitor.page
    name, colour = page.locator("[data-tool=palette-name]"), page.locator("[data-tool=any]")
    page.keyboard.press("]")
    size = page.locator("[data-tool=size-text]").inner_text()
    kept = (name.inner_text(), colour.get_attribute("data-colour"))
    page.reload()
    visitor.ready()
    assert (name.inner_text(), colour.get_attribute("data-colour")) == kept
    for _ in range(3):
        before = name.inner_text()
        page.evaluate("sessionStorage.removeItem('dreamsite:brush')")
        page.reload()
        visitor.ready()
        assert name.inner_text() != before
    assert page.locator("[data-tool=size-text]").inner_text() == size


def test_controls_step_aside(visitor: Visitor) -> None:
    page = visitor.page
    page.mouse.move(600, 400)
    page.mouse.down()
    page.mouse.move(700, 450, steps=8)
    expect(page.locator("body")).to_have_class("canvas-page drawing")
    page.mouse.up()
    expect(page.locator("body")).to_have_class("canvas-page")
    page.keyboard.press("f")
    expect(page.locator(".dock")).to_have_css("opacity", "1")  # its own; the foot around it fades
    expect(page.locator(".foot")).to_have_css("opacity", "0")
    page.keyboard.press("Escape")
    expect(page.locator(".foot")).to_have_css("opacity", "1")
