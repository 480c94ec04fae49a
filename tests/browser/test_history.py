"""History in a real browser: nothing the policy forbids, every way through time, at a phone's and a desktop's size."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect

from tests.browser.axe import serious
from tests.running import PASSWORD, RunningSite

pytestmark = [pytest.mark.browser, pytest.mark.slow]
ZONE = "Australia/Adelaide"  # half an hour away from most, and it changes its clocks
SIZES = {"phone": {"width": 390, "height": 844}, "desktop": {"width": 1440, "height": 900}}


@pytest.fixture(scope="module")
def dreamed(site: RunningSite) -> RunningSite:
    """A site with sixty frames; the canvas of the template is drawn on already, so they get one of their own."""
    site.manage("seed_history", "--frames", "60", "--pictures", "3", "--side", "96", "--canvas", "night")
    return site


@pytest.fixture(params=SIZES)
def page(request: pytest.FixtureRequest, browser: Browser, dreamed: RunningSite) -> Iterator[Page]:
    context = browser.new_context(viewport=SIZES[request.param], reduced_motion="reduce", timezone_id=ZONE)
    context.add_cookies([{"name": "zone", "value": ZONE, "url": dreamed.url}])
    page = context.new_page()
    trouble: list[str] = []
    page.on(
        "console", lambda message: trouble.append(_described(message)) if message.type in ("error", "warning") else None
    )
    page.on("pageerror", lambda error: trouble.append(str(error)))
    yield page
    context.close()
    assert trouble == []


def _described(message: ConsoleMessage) -> str:
    return f"{message.text} ({message.location.get('url')})"


def unfold(page: Page) -> None:
    """On a phone pictures come first, and what leads to a moment is folded behind a button."""
    summary, at = page.locator(".when > summary"), page.get_by_label("Go to a moment")
    if page.viewport_size == SIZES["phone"]:
        expect(at).not_to_be_visible()
        first = page.locator("ol.frames img").first.bounding_box()
        assert first and first["y"] < 500
        summary.click()
    else:
        expect(summary).not_to_be_visible()
    expect(at).to_be_visible()


def fits(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


def test_through_time(page: Page, dreamed: RunningSite) -> None:
    page.goto(dreamed.url + "/history/?canvas=night")
    assert fits(page)
    expect(page.locator(".tile[id]")).to_have_count(48)
    page.get_by_role("link", name="Older").click()
    expect(page.locator(".tile[id]")).to_have_count(12)
    page.locator("#frame-5 a").click()
    expect(page.get_by_role("heading", name="Frame 5")).to_be_visible()
    assert fits(page)
    expect(page.locator(".frame-picture > a img")).to_have_js_property("naturalWidth", 96)
    scripted = page.get_by_role("button", name="Drawn and dreamed")
    expect(scripted).to_be_visible()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("heading", name="Frame 6")).to_be_visible()
    expect(scripted).to_be_visible()
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_role("heading", name="Frame 5")).to_be_visible()
    page.get_by_role("link", name="All frames").click()
    expect(page.locator("#frame-5")).to_be_in_viewport()


def test_whose_strokes_a_form_grew_from(page: Page, dreamed: RunningSite) -> None:
    page.goto(dreamed.url + "/history/?canvas=night")
    page.locator("#frame-60 a").click()
    page.get_by_role("button", name="Whose strokes").click()
    stage, told = page.get_by_role("application"), page.locator(".origins-told")
    expect(told).to_have_text("Touch a form in the picture.")
    stage.click()
    expect(told).to_contain_text("This grew from strokes by")
    expect(page.locator(".origins-line").first).to_be_attached()
    expect(told.get_by_role("link").first).to_have_attribute("href", re.compile("^/people/"))
    here, address = page.locator(".origins-place").get_attribute("cx"), page.url
    stage.press("Shift+ArrowRight")
    assert page.locator(".origins-place").get_attribute("cx") != here
    with page.expect_response(re.compile("origins")):
        stage.press("Enter")
    assert page.url == address, "arrow keys move the place, and turn no page"
    assert serious(page) == [] and fits(page)
    page.get_by_role("button", name="The dream").click()
    expect(told).to_be_hidden()
    expect(page.locator(".frame-picture > a img")).to_be_visible()


def test_a_moment(page: Page, dreamed: RunningSite) -> None:
    """By the form, in the viewer's own time, which is not UTC here; and back to the living canvas."""
    page.goto(dreamed.url + "/history/?canvas=night")
    made_at = datetime.fromisoformat(str(page.locator("#frame-30 time").get_attribute("datetime")))
    unfold(page)
    expect(page.get_by_label("in the time zone")).to_have_value(ZONE)
    there = (made_at + timedelta(seconds=2)).astimezone(ZoneInfo(ZONE))
    page.get_by_label("Go to a moment").fill(there.strftime("%Y-%m-%dT%H:%M:%S"))
    page.get_by_role("button", name="Go").click()
    expect(page.locator("[data-field=frame]")).to_have_text("The frame below (30)")
    expect(page.locator("[data-field=local]")).to_contain_text(there.strftime("%H:%M:%S"))
    expect(page.get_by_role("link", name="Back to the live canvas")).to_have_attribute("href", "/c/night/")
    assert fits(page)


def test_the_line_of_time_by_pointer(page: Page, dreamed: RunningSite) -> None:
    page.goto(dreamed.url + "/history/?canvas=night")
    unfold(page)
    slider = page.get_by_role("slider", name="The whole history")
    box = slider.bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 20)
    bubble = page.locator(".tooltip")
    expect(bubble).to_be_visible()
    expect(bubble.locator("img")).to_be_visible()
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 4, box["y"] + 20, steps=4)
    page.mouse.up()
    page.wait_for_url("**/history/2*Z?canvas=night")
    expect(page.locator("[data-field=frame]")).to_have_text(re.compile(r"\((1[0-9]|[5-9])\)"))
    before = page.url
    box = slider.bounding_box()
    assert box
    slider.click(position={"x": box["width"] - 2, "y": 20})
    expect(page.locator("[data-field=frame]")).to_have_text(re.compile(r"\((59|60)\)"))
    assert page.url != before, "a moment has an address of its own"
    page.go_back()
    expect(page).to_have_url(before)
    expect(page.locator("[data-field=frame]")).to_have_text(re.compile(r"\((1[0-9]|[5-9])\)"))


@pytest.mark.parametrize("page", ["desktop"], indirect=True)
def test_the_line_of_time_by_keys(page: Page, dreamed: RunningSite) -> None:
    page.goto(dreamed.url + "/history/?canvas=night")
    slider = page.get_by_role("slider", name="The whole history")
    slider.focus()
    shown = slider.get_attribute("aria-valuetext")
    page.keyboard.press("Home")
    expect(slider).not_to_have_attribute("aria-valuetext", str(shown))
    page.wait_for_url("**/history/2*Z?canvas=night")
    slider = page.get_by_role("slider", name="The whole history")
    slider.focus()
    page.keyboard.press("End")
    expect(page.locator("[data-field=frame]")).to_have_text("The frame below (60)")
    slider.blur()
    page.keyboard.press("ArrowLeft")
    expect(page.locator("[data-field=frame]")).to_have_text("The frame below (59)")


@pytest.mark.parametrize("page", ["desktop"], indirect=True)
def test_the_canvas_then_is_painted_as_the_server_paints_it(page: Page, dreamed: RunningSite) -> None:
    """And what was drawn stands beside what was dreamed of it."""
    page.goto(dreamed.url + "/history/?canvas=night")
    number, moment = _with_ink(dreamed)
    page.goto(f"{dreamed.url}/history/{moment}?canvas=night")
    expect(page.locator("canvas.moment-picture")).to_be_visible()
    expect(page.locator(".loading")).to_have_count(0)
    same = page.evaluate(
        """async (address) => {
            const image = new Image();
            image.src = address;
            await image.decode();
            const canvas = document.createElement('canvas');
            [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
            canvas.getContext('2d').drawImage(image, 0, 0);
            const bytes = (it) => it.getContext('2d').getImageData(0, 0, it.width, it.height).data;
            const [a, b] = [bytes(canvas), bytes(document.querySelector('canvas.moment-picture'))];
            return a.length === b.length && a.every((value, index) => Math.abs(value - b[index]) <= 2);
        }""",
        f"/history/{moment}.png?canvas=night",
    )
    assert same, "two decoders of JPEG may differ by two levels; the strokes may not differ at all"
    page.get_by_role("button", name="Drawn and dreamed").click()
    sides = page.locator(".compare-side img")
    expect(sides.first).to_have_attribute("src", re.compile("^blob:"))
    expect(sides.nth(1)).to_have_attribute("src", re.compile(r"/media/frames/"))
    expect(page.locator("[data-field=following]")).to_contain_text(f"({number + 1})")
    page.get_by_role("slider", name="Where the drawing ends").press("End")
    page.get_by_role("button", name="This moment").click()
    page.get_by_role("button", name="Watch it being drawn").click()
    expect(page.get_by_role("button", name="Watch it being drawn")).to_be_visible()


def _with_ink(site: RunningSite) -> tuple[int, str]:
    """A frame on which somebody drew before the next one, and the moment after the first of those strokes."""
    rows = site.rows(
        "SELECT f.number, min(b.at) FROM canvas_frame f JOIN canvas_frame n ON n.canvas_id = f.canvas_id AND"
        " n.number = f.number + 1 JOIN canvas_batch b ON b.canvas_id = f.canvas_id AND b.first > f.seq AND"
        " b.last <= n.seq JOIN canvas_canvas c ON c.id = f.canvas_id WHERE c.slug = 'night' AND n.kind = 'dream'"
        " GROUP BY f.number ORDER BY f.number DESC LIMIT 1"
    )
    number, at = rows[0]
    moment = datetime.fromisoformat(at).replace(tzinfo=UTC) + timedelta(seconds=1)
    return number, moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def test_yesterday_evening_in_three_clicks(page: Page, dreamed: RunningSite) -> None:
    """Calendar, day, picture: nobody needs to know a date's number."""
    page.goto(dreamed.url + "/history/?canvas=night")
    page.get_by_role("link", name="Calendar").click()
    page.locator(".calendar td a").last.click()
    expect(page.locator(".hour").first).to_be_visible()
    assert fits(page)
    page.locator(".hour .tile a").last.click()
    expect(page.get_by_role("heading", name=re.compile("Frame"))).to_be_visible()
    page.get_by_role("link", name="This moment in the timeline").click()
    expect(page.locator("[data-field=utc]")).to_be_visible()


@pytest.mark.parametrize("page", ["desktop"], indirect=True)
def test_the_slideshow_waits_for_those_who_asked_for_less_motion(page: Page, dreamed: RunningSite) -> None:
    page.goto(dreamed.url + "/history/slideshow/?canvas=night&from=3")
    first = page.get_by_role("link", name="Frame 3")
    expect(first).to_be_visible()
    expect(page.get_by_role("button", name="Play")).to_be_visible()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("link", name="Frame 4")).to_be_visible()
    page.get_by_label("Pace").select_option("1")
    page.get_by_role("button", name="Play").click()
    # Whoever looks seldom may miss one of a second each.
    expect(page.get_by_role("link", name=re.compile(r"Frame ([6-9]|\d\d)$"))).to_be_visible()
    page.get_by_role("button", name="Pause").click()


def test_without_javascript(browser: Browser, dreamed: RunningSite) -> None:
    with closing(browser.new_context(java_script_enabled=False)) as context:
        page = context.new_page()
        page.goto(dreamed.url + "/history/?canvas=night")
        made_at = str(page.locator("#frame-20 time").get_attribute("datetime"))
        page.get_by_label("Go to a moment").fill(made_at[:19])
        page.get_by_role("button", name="Go").click()
        expect(page.locator("[data-field=frame]")).to_have_text(re.compile(r"\((19|20)\)"))
        expect(page.locator("img.moment-picture")).to_have_js_property("naturalWidth", 96)
        page.get_by_role("link", name="Previous frame").click()
        expect(page.locator("[data-field=frame]")).to_have_text(re.compile(r"\((18|19)\)"))
        page.get_by_role("link", name="The whole day").click()
        page.locator(".hour .tile a").first.click()
        with page.expect_download() as download:
            page.get_by_role("link", name="What was drawn, before the dream").click()
        assert download.value.path().read_bytes()[:4] == b"\x89PNG"


def test_the_first_visit_already_has_the_viewers_own_days(browser: Browser, dreamed: RunningSite) -> None:
    with closing(browser.new_context(timezone_id=ZONE)) as context:
        page = context.new_page()
        page.goto(dreamed.url + "/history/?canvas=night", wait_until="commit")
        expect(page.locator(f"[data-zone-used='{ZONE}']")).to_be_visible()
        expect(page.locator(".day h2 small").first).to_have_text(ZONE)


def test_nothing_serious_for_axe(page: Page, dreamed: RunningSite) -> None:
    page.goto(dreamed.url + "/history/?canvas=night")
    frame = page.locator(".tile[id] a").nth(3).get_attribute("href")
    moment = page.locator(".chip", has_text="The beginning").get_attribute("href")
    day = page.locator(".day h2 a[href*='/history/2']").first.get_attribute("href")
    addresses = [
        "/history/?canvas=night",
        "/history/calendar/?canvas=night",
        "/highlights/",
        frame,
        moment,
        day,
        "/history/slideshow/?canvas=night",
        f"{frame}embed/",
    ]
    found = {}
    for address in addresses:
        page.goto(f"{dreamed.url}{address}")
        page.wait_for_load_state("load")
        assert fits(page), address
        if grave := serious(page):
            found[address] = grave
    assert found == {}
    page.evaluate("document.body.append(document.createElement('button'))")
    assert serious(page), "it would have seen a button without a name"


@pytest.mark.parametrize("page", ["desktop"], indirect=True)
def test_the_first_tab_skips_to_the_content(page: Page, dreamed: RunningSite) -> None:
    page.goto(dreamed.url + "/history/?canvas=night")
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("#content$"))


@pytest.mark.parametrize("page", ["phone"], indirect=True)
def test_an_account(page: Page, dreamed: RunningSite) -> None:
    name = "visitor"
    page.goto(dreamed.url + "/history/?canvas=night")
    page.get_by_role("link", name="Sign in").click()
    page.get_by_role("link", name="Make an account").click()
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Sign up").click()
    page.wait_for_url("**/history/?canvas=night")
    message = page.locator(".message")
    expect(message).to_contain_text(f"Hello, {name}.")
    message.get_by_role("button", name="Dismiss").click()
    expect(message).to_have_count(0)
    menu = page.locator("details.menu")
    menu.locator("summary").click()
    assert fits(page)
    page.keyboard.press("Escape")
    expect(menu).not_to_have_attribute("open", "")
    menu.locator("summary").click()
    menu.get_by_role("link", name="Account").click()
    expect(page.get_by_role("heading", name=name)).to_be_visible()
    assert fits(page)
    a_feed_of_ones_own(page)
    for address in ("/canvases/", "/canvases/new/", "/films/mine/?canvas=night"):  # where members make things
        page.goto(dreamed.url + address)
        assert fits(page) and serious(page) == [], address
    page.goto(dreamed.url + "/account/")
    page.get_by_role("main").get_by_role("button", name="Sign out").click()
    page.wait_for_url(dreamed.url + "/")


def a_feed_of_ones_own(page: Page) -> None:
    """Switched on, its address copied, moved to another one, and switched off again, on the account's page."""
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    ask, secret = page.get_by_role("button", name="Switch the feed on"), page.locator("#feed code")
    expect(secret).to_have_count(0)  # nobody has one unasked
    ask.click()
    expect(secret).to_be_visible()
    first = secret.inner_text()
    assert fits(page) and serious(page) == []
    page.get_by_role("button", name="Copy the address").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == first
    assert page.request.get(first).status == 200
    page.get_by_role("button", name="Another address").click()
    expect(secret).not_to_have_text(first)
    expect(page.locator(".message")).to_contain_text("The old one leads nowhere.")
    second = secret.inner_text()
    assert (page.request.get(first).status, page.request.get(second).status) == (404, 200)
    page.get_by_role("button", name="Switch it off").click()
    expect(ask).to_be_visible()
    expect(secret).to_have_count(0)
    assert page.request.get(second).status == 404


def test_a_film_of_this_place(page: Page, dreamed: RunningSite) -> None:
    """From the canvas' menu with what the window shows; then another place, dragged out on the picture."""
    name, _, value = dreamed.person(1).headers["Cookie"].partition("=")
    page.context.add_cookies([{"name": name, "value": value, "url": dreamed.url}])
    page.goto(dreamed.url + "/c/night/#x=48&y=48&zoom=1.2")
    page.locator(".stage.ready[data-connection=live]").wait_for()
    page.locator("details[data-menu] > summary").last.click()
    page.get_by_role("link", name="A film of this place").click()
    numbers = [page.locator(f"[data-own-film] [name={field}]") for field in ("x", "y", "width", "height")]
    expect(numbers[2]).not_to_have_value("")
    left, top, width, height = (int(number.input_value()) for number in numbers)
    # 1.2 times as large as the whole: at most 80 of the 96 px fit on one side, around the middle.
    assert 60 <= min(width, height) <= 82 and max(width, height) <= 96, (width, height)
    assert (2 * left + width, 2 * top + height) == (pytest.approx(96, abs=4), pytest.approx(96, abs=4))
    assert fits(page)

    picture = page.locator("[data-place] svg")
    picture.scroll_into_view_if_needed()
    box = picture.bounding_box()
    assert box
    side = min(box["width"], box["height"])  # it stands at the upper left of its box
    page.mouse.move(box["x"] + 0.1 * side, box["y"] + 0.15 * side)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.5 * side, box["y"] + 0.5 * side, steps=3)
    page.mouse.move(box["x"] + 0.9 * side, box["y"] + 0.95 * side, steps=3)
    page.mouse.up()
    dragged = [int(number.input_value()) for number in numbers]
    assert dragged == [pytest.approx(wanted, abs=2) for wanted in (9.6, 14.4, 76.8, 76.8)]
    assert page.locator("[data-rect]").get_attribute("width") == str(dragged[2])
    page.mouse.click(box["x"] + 0.5 * side, box["y"] + 0.5 * side)
    assert [int(number.input_value()) for number in numbers] == dragged, "a tap chooses nothing"
