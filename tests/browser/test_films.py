"""The player in a real browser: every way through a film, at a phone's and a desktop's size."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.axe import serious
from tests.running import RunningSite, until

pytestmark = [pytest.mark.browser, pytest.mark.slow]
SIZES = {"phone": {"width": 390, "height": 844}, "desktop": {"width": 1440, "height": 900}}


@pytest.fixture(scope="module")
def film(site: RunningSite) -> str:
    """The path of a film of sixty frames, made by the command."""
    site.manage("seed_history", "--frames", "60", "--pictures", "3", "--side", "96", "--canvas", "reel")
    site.env["FILM_AV1"] = "0"
    output = site.manage("film", "--canvas", "reel", "--from", "2020-01-01", "--now")
    return output.split(site.url)[1].split()[0]


@pytest.fixture(params=SIZES)
def page(request: pytest.FixtureRequest, browser: Browser, site: RunningSite, film: str) -> Iterator[Page]:
    context = browser.new_context(viewport=SIZES[request.param], reduced_motion="reduce", has_touch=True)
    page = context.new_page()
    trouble: list[str] = []
    page.on("console", lambda message: trouble.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.goto(site.url + film)
    loaded(page)
    yield page
    context.close()
    assert trouble == []


def loaded(page: Page) -> None:
    # Not wait_for_function: it evaluates words, which the site's policy forbids.
    until(lambda: page.evaluate("document.querySelector('video').readyState >= 2"), "the film has a picture")


def now(page: Page) -> float:
    until(lambda: page.evaluate("!document.querySelector('video').seeking"), "the picture is there")
    return float(page.evaluate("document.querySelector('video').currentTime"))


def test_ways_through_a_film(page: Page, site: RunningSite, film: str) -> None:
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing wider than the screen"
    length = float(page.locator("[data-seek]").get_attribute("max") or 0)

    # Single pictures, by key and by button; the picture changes with each.
    page.keyboard.press("5")
    begun = now(page)
    assert begun == pytest.approx(length / 2, abs=0.05)
    for key, by in ((".", 1), (".", 1), (",", -1)):
        before = now(page)
        page.keyboard.press(key)
        assert now(page) - before == pytest.approx(by / 24, abs=0.6 / 24)
    page.get_by_role("button", name="Forward one frame").click()
    page.get_by_role("button", name="Back one frame").click()
    assert int(now(page) * 24) == int(begun * 24) + 1

    # Chapters: the list, the keys, and a link to one.
    chapters = page.locator("[data-chapters] a")
    assert chapters.count() >= 4
    chapters.nth(2).click()
    start = float(chapters.nth(2).get_attribute("data-at") or 0)
    assert now(page) == pytest.approx(start, abs=0.05)
    expect(chapters.nth(2)).to_have_attribute("aria-current", "true")
    page.keyboard.press("n")
    assert now(page) > start
    page.goto(page.url)
    loaded(page)
    assert now(page) == pytest.approx(start, abs=0.05), "the address has the moment"

    # Speed, then play and pause.
    page.keyboard.press(">")
    assert page.evaluate("document.querySelector('video').playbackRate") == 1.5
    page.keyboard.press("k")
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    until(lambda: page.evaluate("document.querySelector('video').currentTime") > start + 0.05, "it plays")
    page.keyboard.press("k")
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()

    # What is there under the pointer; then there with a press.
    bar = page.locator("[data-bar]")
    box = bar.bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] * 0.75, box["y"] + box["height"] / 2)
    preview = page.locator("[data-preview]")
    expect(preview).to_be_visible()
    inside = preview.bounding_box()
    assert inside and inside["x"] >= 0 and inside["x"] + inside["width"] <= page.viewport_size["width"]
    assert "previews" in page.locator("[data-preview-picture]").evaluate("(e) => e.style.backgroundImage")
    page.mouse.click(box["x"] + box["width"] * 0.75, box["y"] + box["height"] / 2)
    assert now(page) == pytest.approx(length * 0.75, abs=length * 0.03)

    # From here to the frame itself.
    page.locator("[data-to-frame]").click()
    expect(page.locator("h1")).to_contain_text("Frame ")


def test_nothing_serious_stands_in_anybodys_way(page: Page, site: RunningSite, film: str) -> None:
    assert serious(page) == []
    for path in ("/films/?canvas=reel", "/films/", "/downloads/"):
        page.goto(site.url + path)
        assert serious(page) == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


# A desktop's chromium has no sheet to share by: this one takes what is handed to it.
SHEET = """
Object.defineProperty(navigator, "canShare", { value: ({ files }) => files.length === 1 });
Object.defineProperty(navigator, "share", { value: async ({ files }) => { window.posted = files[0]; } });
"""
MAKE_CLIPS = """
from gallery.films import make
from gallery.models import Film
for clip in Film.objects.filter(state="waiting").exclude(of=None):
    make.make(clip.pk)
"""


@pytest.mark.parametrize("page", ["phone"], indirect=True)
def test_a_clip_is_made_and_its_file_posted(page: Page, site: RunningSite, film: str) -> None:
    name, _, value = site.person(1).headers["Cookie"].partition("=")
    page.context.add_cookies([{"name": name, "value": value, "url": site.url}])
    page.add_init_script(SHEET)
    page.goto(site.url + film)
    loaded(page)
    expect(page.get_by_role("button", name="Post it")).to_have_count(0)  # a whole film is shared by its link
    page.get_by_role("button", name="Make it: Square").click()
    expect(page.get_by_role("heading", name="waiting to be made")).to_be_visible()
    site.shell(MAKE_CLIPS)
    button = page.get_by_role("button", name="Post it")  # the page finds out by itself
    expect(button).to_be_visible()
    assert serious(page) == []
    button.tap()
    until(lambda: page.evaluate("window.posted?.size ?? 0") > 10_000, "the file is handed to the sheet")
    named, kind = page.evaluate("[window.posted.name, window.posted.type]")
    assert named.endswith(".mp4") and kind == "video/mp4"
    head = page.evaluate("window.posted.slice(4, 8).text()")
    assert head == "ftyp", "it is the film itself"
    expect(button).to_be_enabled()
