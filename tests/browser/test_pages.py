"""Pages, exhibits, the farewell and the export in a real browser, at a phone's and a desktop's size."""

from __future__ import annotations

import functools
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests import running
from tests.browser.axe import serious
from tests.running import RunningSite

pytestmark = [pytest.mark.browser, pytest.mark.slow]
SIZES = {"phone": {"width": 390, "height": 844}, "desktop": {"width": 1440, "height": 900}}
ADDRESS = "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"  # of BIP 173's test vectors

FILL = """
import numpy as np
from decimal import Decimal
from django.utils import timezone
from canvas import frames
from canvas.models import Canvas
from dreamsite.core.models import User
from gallery.models import LedgerEntry, Exhibit, Picture
canvas, pixels = Canvas.objects.default(), np.full((1536, 1536, 3), 200, np.uint8)
made = []
for red in (0, 120, 255):
    pixels[..., 0] = red
    picture = frames.encode(pixels, "dream")
    made.append(frames.keep(frames.NewFrame(canvas, picture, "dream", seq=1, authors=[1], title="towers")))
exhibit = Exhibit.objects.create(title="Reds", slug="reds", statement="**None** to all", published_at=timezone.now())
Picture.objects.create(exhibit=exhibit, position=1, before_frame=made[0], after_frame=made[2], caption="All of it")
Picture.objects.create(exhibit=exhibit, position=2, after_frame=made[1], caption="Half of it", credit="Somebody")
LedgerEntry.objects.create(kind="cost", amount=Decimal(60), days=30)
LedgerEntry.objects.create(kind="gift", amount=Decimal(20), note="From a stranger who likes towers very much")
"""


@pytest.fixture(scope="module")
def site(site_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    var = running.copy(site_template, tmp_path_factory.mktemp("running") / "var")
    here = RunningSite(var, DONATE_BITCOIN=ADDRESS, DONATE_LINKS="Liberapay=https://liberapay.com/x")
    here.shell(FILL)
    here.start_web()
    yield here
    here.stop()


@pytest.fixture(params=SIZES)
def page(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport=SIZES[request.param], reduced_motion="reduce")
    page = context.new_page()
    trouble: list[str] = []
    page.on(
        "console",
        lambda message: trouble.append(f"{message.text} {message.location}") if message.type != "log" else None,
    )
    page.on("pageerror", lambda error: trouble.append(str(error)))
    yield page
    context.close()
    assert trouble == []


def fits(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


def test_each_page_fits_and_leaves_nobody_out(page: Page, site: RunningSite) -> None:
    for address in ("/about/", "/faq/", "/donate/", "/exhibits/", "/exhibits/reds/"):
        page.goto(site.url + address)
        assert fits(page), address
        assert serious(page) == [], address


def test_before_and_after_by_keys_and_by_pointer(page: Page, site: RunningSite) -> None:
    page.goto(site.url + "/exhibits/reds/")
    edge = page.get_by_role("slider")
    edge.focus()
    page.keyboard.press("Home")
    expect(edge).to_have_attribute("aria-valuetext", "0 %")
    page.keyboard.press("Shift+ArrowRight")
    expect(edge).to_have_attribute("aria-valuetext", "10 %")
    box = page.locator(".compare-pictures").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] * 0.75, box["y"] + box["height"] / 2)
    expect(edge).to_have_attribute("aria-valuetext", "75 %")
    assert fits(page)


def test_the_whole_screen_by_keys(page: Page, site: RunningSite) -> None:
    page.goto(site.url + "/exhibits/reds/")
    page.get_by_role("button", name="Picture 1 in full screen").press("Enter")
    expect(page.get_by_text("1 / 2")).to_be_visible()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_text("2 / 2")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_text("2 / 2")).to_be_hidden()
    expect(page.get_by_role("button", name="Picture 1 in full screen")).to_be_focused()


def test_without_a_script_both_pictures_are_seen(browser: Browser, site: RunningSite) -> None:
    context = browser.new_context(java_script_enabled=False, viewport=SIZES["phone"])
    page = context.new_page()
    page.goto(site.url + "/exhibits/reds/")
    for image in page.locator(".compare-side img").all():
        expect(image).to_be_visible()
    page.goto(site.url + "/donate/")
    expect(page.get_by_text(ADDRESS)).to_be_visible()
    context.close()


def test_the_address_is_copied_and_the_code_is_drawn(browser: Browser, site: RunningSite) -> None:
    context = browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.goto(site.url + "/donate/")
    page.get_by_role("button", name="Copy the address").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == ADDRESS
    assert page.locator(".donation-code img").evaluate("image => image.naturalWidth") > 0
    context.close()


def test_the_export_needs_no_server_of_ours(browser: Browser, site: RunningSite, tmp_path: Path) -> None:
    """Each page of it, from a plain web server: nothing is missing, and the browser complains of nothing."""
    folder = tmp_path / "site"
    site.manage("export_static", str(folder))
    handler = functools.partial(_Silent, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        root = f"http://127.0.0.1:{server.server_port}/"
        context = browser.new_context(viewport=SIZES["desktop"])
        page, trouble = context.new_page(), []
        page.on("console", lambda message: trouble.append(f"{page.url}: {message.text}"))
        page.on("pageerror", lambda error: trouble.append(f"{page.url}: {error}"))
        page.on("request", lambda request: None if request.url.startswith(root) else trouble.append(request.url))
        files = sorted(folder.rglob("*.html"))
        assert len(files) >= 14
        for file in files:
            address = root + file.relative_to(folder).as_posix()
            # A page that only leads on may do so before it has loaded: then it is its target that has to load.
            leads_on = 'http-equiv="refresh"' in file.read_text()
            page.goto(address, wait_until="commit" if leads_on else "load")
            if leads_on:
                page.wait_for_url(lambda now, address=address: now != address, wait_until="load")
        assert trouble == []
        page.goto(root)
        expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
        page.get_by_role("link", name="Every moment").click()
        page.locator("#frame-2 a").click()
        expect(page.get_by_role("heading", name="Frame 2")).to_be_visible()
        context.close()
        server.shutdown()


class _Silent(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        pass


def test_who_is_on_the_canvas_is_led_to_the_farewell(page: Page, site: RunningSite) -> None:
    page.goto(site.url + "/")
    expect(page.locator("[data-bar=people]")).to_be_visible()
    page.wait_for_function("document.querySelector('[data-bar=status]').hidden")
    site.manage("end_project", "--yes")
    try:
        expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
        assert fits(page)
        assert serious(page) == []
        expect(page.get_by_text(ADDRESS)).to_be_visible()
        page.get_by_role("link", name="The last canvas").click()
        expect(page.locator(".last-scroll img")).to_have_js_property("naturalWidth", 1536)
        assert fits(page) and serious(page) == []
    finally:
        site.manage("resume_project")
    page.goto(site.url + "/")
    expect(page.locator("canvas.picture").first).to_be_visible()
