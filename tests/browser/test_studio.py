"""The studio in a real browser, on a phone and on a desktop: a picture is cropped, tried, masked and dreamed."""

from __future__ import annotations

import io
import json
import re
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, Request, expect

from tests import running
from tests.browser.axe import serious
from tests.browser.visitor import DESKTOP, PHONE, Visitor
from tests.dreamer import nets
from tests.running import RunningSite, until
from tests.video import films

pytestmark = [pytest.mark.browser, pytest.mark.slow]
SIZES = {"phone": PHONE, "desktop": DESKTOP}
# What is done in the same way on both is done once, on the phone; how its pages look, on both (`sound`).
on_the_phone = pytest.mark.parametrize("ada", ["phone"], indirect=True)


@pytest.fixture(scope="module")
def site(site_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    """With a worker. The network `tiny` has three styles and dreams in a blink."""
    var = running.copy(site_template, tmp_path_factory.mktemp("studio") / "var")
    here = RunningSite(var, CANVAS_SLUG=running.SMALL, DREAM_THREADS="1", DREAM_MODEL="tiny", HOUSE_MODEL="0")
    folder = nets.register_tiny(here.var / "models")
    layers = "block/output", "block/3x3", "pool2"
    styles = [{"layer": layer, "channel": None, "title": f"Style {n}"} for n, layer in enumerate(layers)]
    (folder / "labels.txt").write_text("\n".join(f"fruit {n}" for n in range(9)) + "\nbanana\n")
    (folder / "shelf.json").write_text(json.dumps(styles))
    here.start_web()
    here.start_worker()
    yield here
    # A worker that ends in the middle of a dream says so in its log, with a trace.
    open_works = "SELECT COUNT(*) FROM gallery_work WHERE state IN ('waiting', 'running')"
    until(lambda: here.rows(open_works) == [(0,)], "nothing is dreamed any more")
    here.stop()
    for log in (here.name, "worker"):
        assert "Traceback" not in here.log(log), here.log(log)[-5000:]


@pytest.fixture(params=SIZES, ids=str)
def ada(request: pytest.FixtureRequest, browser: Browser, site: RunningSite) -> Iterator[Visitor]:
    visitor = Visitor(browser, site, site.person(list(SIZES).index(request.param)), **SIZES[request.param])
    yield visitor
    assert visitor.trouble == []
    visitor.close()


def picture(width: int = 400, height: int = 300, kind: str = "JPEG") -> dict[str, Any]:
    """A file: the left half is red, the right half blue."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[:, : width // 2, 0], pixels[:, width // 2 :, 2] = 220, 220
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind)
    return {"name": "halves", "mimeType": f"image/{kind.lower()}", "buffer": buffer.getvalue()}


def sound(page: Page) -> None:
    """Nobody is shut out, and nothing hangs over the window's edge."""
    assert serious(page) == []
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


def sound_on_both(page: Page) -> None:
    """The same, and so it is where the phone's window becomes a desktop's; the window stays as it was."""
    sound(page)
    page.set_viewport_size(DESKTOP["viewport"])
    sound(page)
    page.set_viewport_size(PHONE["viewport"])


def chosen(ada: Visitor, file: dict[str, Any]) -> tuple[Page, list[Request]]:
    """The studio's page with a file chosen, and the uploads that follow."""
    page = ada.page
    sent: list[Request] = []
    page.on("request", lambda request: sent.append(request) if request.method == "POST" else None)
    page.goto(f"{ada.site.url}/studio/")
    sound(page)
    page.set_input_files("[name=picture]", [file])
    expect(page.locator("[data-crop]")).to_be_visible()
    sound(page)
    return page, sent


def stored(page: Page) -> Image.Image:
    """What the server has of the picture whose page is open."""
    page.wait_for_url("**/studio/pictures/*/")
    url = page.evaluate("document.querySelector('[data-shown]').src")
    return Image.open(io.BytesIO(page.request.get(url).body())).convert("RGB")


def test_only_the_chosen_part_travels(ada: Visitor) -> None:
    page, sent = chosen(ada, picture())
    measure = page.locator("[data-measure]")
    expect(measure).to_have_text("All of it, 400 × 300")
    # By the hand: the left edge to the middle and beyond, so that nothing red is left.
    page.locator("[data-corner='-1,-1']").hover()
    stage = page.locator("[data-stage]").bounding_box()
    assert stage
    page.mouse.down()
    page.mouse.move(stage["x"] + 0.6 * stage["width"], stage["y"] + 0.2 * stage["height"], steps=5)
    page.mouse.up()
    expect(measure).to_contain_text(" of 400 × 300")
    width, height = map(int, measure.inner_text().split(" of ")[0].split(" × "))
    assert 140 <= width <= 190 and 215 <= height <= 265
    # By keys: a corner moves two steps of eight pixels to the left.
    page.locator("[data-corner='1,1']").focus()
    for _ in range(2):
        page.keyboard.press("ArrowLeft")
    expect(measure).to_have_text(f"{width - 16} × {height} of 400 × 300")
    sound(page)
    page.locator("[data-go]").click()
    image = stored(page)
    assert image.size == (width - 16, height)
    pixels = np.asarray(image).reshape(-1, 3)
    assert pixels[:, 2].min() > 200 and pixels[:, 0].max() < 30, "nothing of the red half reached the server"
    assert len([request for request in sent if request.url.endswith("/upload/")]) == 1


@on_the_phone
def test_proportions_are_kept_and_what_the_server_cannot_read_is_made_a_jpeg(ada: Visitor) -> None:
    page, _ = chosen(ada, picture(kind="GIF"))
    page.get_by_label("Square").check(force=True)
    measure = page.locator("[data-measure]")
    expect(measure).to_have_text("300 × 300 of 400 × 300")
    page.locator("[data-part]").focus()
    for _ in range(30):
        page.keyboard.press("ArrowRight")
    page.locator("[data-go]").click()
    image = stored(page)
    assert image.size == (300, 300)
    assert np.asarray(image)[:, 120:, 0].max() < 40, "the square is at the right"


@on_the_phone
def test_another_picture_may_be_chosen_and_what_is_none_is_told_in_words(ada: Visitor) -> None:
    page, sent = chosen(ada, picture())
    page.locator("[data-another]").click()
    expect(page.locator("[data-crop]")).to_be_hidden()
    page.set_input_files("[name=picture]", [{"name": "x.jpg", "mimeType": "image/jpeg", "buffer": b"no picture"}])
    expect(page.locator("form:has([name=picture]) .drop-state")).to_contain_text("not a JPEG, PNG, WebP or GIF")
    assert len(sent) == 1
    until(lambda: any("422" in message for message in ada.trouble), "the browser's own line about the 422")
    ada.trouble.clear()
    page.set_input_files("[name=picture]", [picture(64, 48)])
    page.locator("[data-go]").click()
    assert stored(page).size == (64, 48)


# --- adjusting ------------------------------------------------------------------------------------------------------


def bench(ada: Visitor) -> Page:
    """The page of a picture whose first style is picked."""
    page, _ = chosen(ada, picture())
    page.locator("[data-go]").click()
    page.wait_for_url("**/studio/pictures/*/")
    page.locator(".sketch:has(img)").first.click()
    expect(page.locator("[data-adjust]")).to_be_visible()
    return page


def dreamed(page: Page) -> tuple[Any, Any]:
    """The picture and the dream on it that is ordered now."""
    page.locator("[data-dream]").click()
    page.wait_for_url("**/studio/dreams/*/")
    page.wait_for_selector(".compare")
    urls = page.evaluate("[...document.querySelectorAll('.compare-side img')].map((image) => image.src)")
    images = [Image.open(io.BytesIO(page.request.get(url).body())).convert("RGB") for url in urls]
    before, after = (np.asarray(image).astype(int) for image in images)
    return before, after


def test_what_is_painted_over_is_spared(ada: Visitor) -> None:
    page = bench(ada)
    page.get_by_text("Spare a part").click()
    page.locator("[data-mask-size]").fill("124")
    mask = page.locator("[data-mask-canvas]")
    mask.scroll_into_view_if_needed()
    box = mask.bounding_box()
    assert box
    # The keys take the brush from the middle to the right edge for a dab; the hand paints down the left edge, twice.
    mask.focus()
    for _ in range(12):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    for x in (0.05, 0.15):
        page.mouse.move(box["x"] + x * box["width"], box["y"] + 1)
        page.mouse.down()
        page.mouse.move(box["x"] + x * box["width"], box["y"] + box["height"] - 1, steps=8)
        page.mouse.up()
    assert page.locator("[name=mask]").input_value().startswith("data:image/png;base64,")
    sound(page)
    before, after = dreamed(page)
    change = np.abs(after - before).mean(axis=2)
    assert change[20:-20, 2:50].mean() < 6, "the left edge stays"
    assert change[145:155, 385:398].mean() < 6, "and so does the dab of the keys"
    assert change[:, 200:300].mean() > 2 * change[20:-20, 2:50].mean() + 2, "the middle is dreamed on"


@on_the_phone
def test_the_mask_is_swapped_and_cleared(ada: Visitor) -> None:
    page = bench(ada)
    page.get_by_text("Spare a part").click()
    page.locator("[data-mask-invert]").click()
    value = page.locator("[name=mask]")
    expect(value).not_to_have_value("")
    expect(page.locator("[data-state]")).to_contain_text("nothing to dream on")
    page.locator("[data-mask-clear]").click()
    expect(value).to_have_value("")
    until(lambda: any("400" in message for message in ada.trouble), "the browser's own line about the 400")
    ada.trouble.clear()


@on_the_phone
def test_another_picture_is_uploaded_to_guide_it(ada: Visitor) -> None:
    page = bench(ada)
    page.get_by_text("Let another picture guide it").click()
    page.set_input_files("[data-guide-file]", [picture(90, 90)])
    expect(page.locator(".guide img").last).to_be_visible()
    expect(page.locator("[name=guide]")).not_to_have_value("")
    sound_on_both(page)
    assert dreamed(page)[1].shape == (300, 400, 3)
    page.locator("summary", has_text="Recipe").click()
    expect(page.locator(".recipe")).to_contain_text('"guide": "match"')


@on_the_phone
def test_a_class_is_found_by_name(ada: Visitor) -> None:
    page = bench(ada)
    search = page.locator("#class-search")
    search.fill("kiwi")
    expect(page.locator("[data-class-state]")).to_have_text("This network knows no kiwi.")
    search.fill("ban")
    expect(page.locator("[data-class=banana]")).to_be_visible()
    sound_on_both(page)
    search.press("Enter")
    expect(page.locator("[data-class=banana]")).to_have_attribute("aria-pressed", "true")
    expect(page.locator("[data-chosen]")).to_have_text("banana")
    dreamed(page)
    expect(page.locator("h1")).to_have_text("banana")


@on_the_phone
def test_a_large_photograph_is_printed_as_large_as_it_came(ada: Visitor) -> None:
    page, _ = chosen(ada, picture(4400, 600))
    page.locator("[data-go]").click()
    page.wait_for_url("**/studio/pictures/*/")
    page.locator(".sketch img").first.wait_for()
    assert stored(page).width == 3840, "pages work on a smaller one"
    for change in (page.locator(".sketch").first.click, lambda: page.get_by_label("Fine to large").fill("1")):
        with page.expect_response("**/order/"):  # a preview of each, and none is on its way any more
            change()
    look, own = page.locator("[data-size='1920']"), page.locator("[data-size='3840']")
    expect(look).to_contain_text("1920 × 262, about ")
    expect(own).to_contain_text("3840 × 524, about ")
    asked: list[Request] = []
    page.on("request", lambda request: asked.append(request) if request.method == "POST" else None)
    page.get_by_role("radio", name="Large, to print").check()
    page.get_by_role("radio", name="To look at").check()
    assert asked == [], "a preview is as large as it is, whichever is chosen"
    sound_on_both(page)
    page.locator("[data-dream]").click()
    page.wait_for_url("**/studio/dreams/*/")
    large = page.locator("#print")
    expect(large).to_contain_text("4400 × 600 pixels", timeout=60_000)
    expect(large).to_contain_text("37.3 × 5.1 cm")
    sound_on_both(page)
    with page.expect_download() as download:
        page.get_by_role("link", name="PNG", exact=True).click()
    with Image.open(download.value.path()) as image:
        assert (image.format, image.width) == ("PNG", 1920)
    page.get_by_role("button", name="Make it, as JPEG").click()
    made = large.get_by_role("link", name="Download (JPEG)")
    made.wait_for(timeout=60_000)
    sound_on_both(page)
    address = str(made.evaluate("link => link.href"))
    with Image.open(io.BytesIO(page.request.get(address).body())) as image:
        assert image.size == (4400, 600)


@on_the_phone
def test_networks_stand_side_by_side(ada: Visitor) -> None:
    page = bench(ada)
    page.goto(page.url + "compare/")
    expect(page.locator(".beside .sketch img").first).to_be_visible()
    sound_on_both(page)
    page.locator(".beside .sketch").nth(1).click()
    expect(page.locator("[data-adjust]")).to_be_visible()
    expect(page.locator(".sketch[aria-pressed=true]")).to_have_count(1)


def clip(seconds: float = 1.0) -> dict[str, Any]:
    data = films.video(films.scene(round(12 * seconds), 160, 96), sound=films.tone(seconds))
    return {"name": "pond.mp4", "mimeType": "video/mp4", "buffer": data}


@on_the_phone
def test_a_video_is_brought_dreamed_and_shown_beside_itself(ada: Visitor) -> None:
    page = ada.page
    page.goto(f"{ada.site.url}/studio/")
    page.set_input_files("[name=video]", [{"name": "x.mp4", "mimeType": "video/mp4", "buffer": b"no video at all"}])
    page.wait_for_url("**/studio/dreams/*/")
    expect(page.locator("h1")).to_have_text("This video cannot be taken")
    expect(page.locator(".empty")).to_contain_text("no video we can read")
    sound_on_both(page)
    page.get_by_role("link", name="Choose another video").click()
    page.locator("[name=video]").wait_for(state="attached")
    page.set_input_files("[name=video]", [clip()])
    page.wait_for_url("**/studio/pictures/*/")
    page.locator(".sketch img").first.wait_for()
    page.locator(".sketch").first.click()
    expect(page.locator("[data-cost]")).to_contain_text("It takes")
    expect(page.locator("[data-mask]")).to_be_hidden()
    with_music(page)
    sound_on_both(page)
    page.locator("[data-dream]").click()
    page.wait_for_url("**/studio/dreams/*/")
    page.locator("[data-films]").wait_for()
    expect(page.locator("[data-controls]")).to_be_visible()
    expect(page.locator(".work-details")).to_contain_text("“Night” by Ada Lovelace, CC BY 4.0")
    sound_on_both(page)
    page.locator("[data-play]").click()
    expect(page.locator("[data-play]")).to_have_text("Pause")
    before, after = (f"document.querySelectorAll('[data-films] video')[{n}]" for n in (0, 1))
    until(lambda: page.evaluate(f"{after}.currentTime > 0.2 && !{before}.paused"), "the two run together")
    page.locator("[data-play]").click()
    until(
        lambda: page.evaluate(f"{after}.paused && Math.abs({after}.currentTime - {before}.currentTime) < 0.05"),
        "the two run together",
    )
    page.locator("[data-moment]").focus()
    page.keyboard.press("End")
    ended = f"{after}.currentTime > 4.5 && {before}.currentTime > 0.8 && {before}.currentTime < 1.2 && {before}.paused"
    until(lambda: page.evaluate(ended), "the video stays at its end while the dream shows whose music it is")


def with_music(page: Page) -> None:
    """Brings music while the page stays as it is, and chooses it."""
    music = page.get_by_label("Music instead")
    expect(music).to_be_disabled()
    expect(page.locator("[data-no-music]")).to_be_visible()
    page.locator("#music-add").click()
    credit = {
        "Title": "Night",
        "Author": "Ada Lovelace",
        "Licence": "CC BY 4.0",
        "Where it is found": "https://a.example/n",
    }
    for label, text in credit.items():
        page.locator("[data-music]").get_by_label(label, exact=True).fill(text)
    file = {"name": "a.wav", "mimeType": "audio/wav"}
    page.set_input_files("[name=music]", [{**file, "buffer": b"no music at all"}])
    page.get_by_role("button", name="Add the music").click()
    expect(page.locator("[data-music] [role=alert]")).to_contain_text("no sound we can read")
    page.set_input_files("[name=music]", [{**file, "buffer": chord()}])  # its credit is still there
    page.get_by_role("button", name="Add the music").click()
    expect(page.locator("[data-music] audio")).to_be_visible()
    expect(music).to_be_checked()
    expect(page.locator(".sketch[aria-pressed=true]")).to_have_count(1)
    page.get_by_label("the louder, the deeper").check()


def test_a_journey_is_steered_by_the_hand_and_by_keys(ada: Visitor) -> None:
    page = bench(ada)
    page.get_by_text("A journey into it").click()
    expect(page.locator("[data-journey-cost]")).to_contain_text("8 key frames")
    page.get_by_label("Size").last.select_option("640")
    sound(page)
    page.locator("[data-journey-begin]").click()
    page.wait_for_url("**/studio/journeys/*/")
    steer = page.locator("[data-steer]")
    expect(steer).to_be_visible()
    sound(page)
    box = steer.bounding_box()
    assert box
    steer.click(position={"x": 0.9 * box["width"], "y": 0.4 * box["height"]})
    expect(page.locator(".strip a")).to_have_count(2)
    expect(page.locator("[data-open]")).to_have_count(0)
    seconds = page.locator("form[action$='/film/'] [name=seconds]")
    seconds.fill("1.5")
    page.locator("#steer").focus()
    page.keyboard.press("ArrowLeft")
    expect(page.locator("[data-steer-words]")).to_have_text("45 % from the left, 50 % from the top")
    page.keyboard.press("Enter")
    expect(page.locator(".strip a")).to_have_count(3)
    expect(page.locator("#steer")).to_be_focused()
    expect(seconds).to_have_value("1.5")  # what somebody has filled in stays
    told = page.request.get(page.url.rstrip("/") + ".json").json()["key_frames"]
    assert [one["towards"] for one in told] == [[0.75, pytest.approx(0.4, abs=0.02), 2.0], [0.45, 0.5, 2.0], None]
    sound(page)


def chord() -> bytes:
    """Two seconds of sound, as a WAV file."""
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes((np.sin(np.arange(2 * 8000) * 0.3) * 9000).astype("<i2").tobytes())
    return out.getvalue()


# --- a dream ends while somebody is at something else ---------------------------------------------------------------


@contextmanager
def held(site: RunningSite) -> Iterator[None]:
    """Dreams of the studio wait, as they do while the canvas dreams."""
    dream = "Dream.objects.update_or_create(canvas=Canvas.objects.first(), defaults="
    site.shell(
        "from datetime import timedelta\nfrom django.utils import timezone\nfrom canvas.models import Canvas, Dream\n"
        f"{dream}{{'state': 'dreaming', 'expires_at': timezone.now() + timedelta(hours=1)}})"
    )
    try:
        yield
    finally:
        site.shell(f"from canvas.models import Canvas, Dream\n{dream}{{'state': 'waiting', 'expires_at': None}})")


def ordered(page: Page) -> str:
    """The address of a dream that is ordered now, and under way."""
    page.locator("[data-dream]:enabled").click()
    page.wait_for_url("**/studio/dreams/*/")
    expect(page.locator("[data-part]")).to_be_visible()
    return page.url


@on_the_phone
def test_a_dream_that_ends_takes_nothing_from_whoever_paints_the_next_one(ada: Visitor) -> None:
    page = bench(ada)
    picture_page = page.url
    expect(page.locator("[data-cost]")).to_contain_text("It takes")
    with held(ada.site):
        dream = ordered(page).removeprefix(ada.site.url)
        page.goto(picture_page)
        card = page.locator(f"a.work-card[href='{dream}']")
        expect(card.locator("progress")).to_be_visible()
        page.locator(".sketch:has(img)").first.click()
        page.get_by_text("Spare a part").click()
        expect(page.locator("[data-mask-canvas]")).to_be_visible()  # what is hidden takes no focus
        page.locator("[data-mask-canvas]").focus()
        page.keyboard.press("Space")
        page.locator("#class-search").fill("ban")
        painted = page.locator("[name=mask]").input_value()
        assert painted.startswith("data:image/png;base64,")
    expect(card.locator("img")).to_be_visible()
    expect(card.locator("progress")).to_have_count(0)
    assert page.locator("[name=mask]").input_value() == painted
    expect(page.locator("#class-search")).to_have_value("ban")


@on_the_phone
def test_a_dream_that_ends_while_nobody_looks_is_told_and_is_seen_once_somebody_does(ada: Visitor) -> None:
    page = bench(ada)
    page.add_init_script(
        "Object.defineProperty(Document.prototype, 'hidden', { get: () => Boolean(window.away) });"
        "Object.defineProperty(Document.prototype, 'visibilityState', "
        "{ get: () => (window.away ? 'hidden' : 'visible') });"
    )
    with held(ada.site):
        key = ordered(page).rstrip("/").rpartition("/")[2]
        title = page.title().rpartition(" · ")[0]
        page.evaluate("window.away = true; document.dispatchEvent(new Event('visibilitychange'))")
    expect(page).to_have_title(re.compile("^Your dream “.+” is done.$"))
    seen = "SELECT state, seen_at IS NOT NULL FROM gallery_work WHERE key = ?"
    assert ada.site.rows(seen, key) == [("done", 0)], "nobody has seen it yet"
    page.evaluate("window.away = false; document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.locator(".compare")).to_be_visible()
    assert page.title().startswith(title)
    assert ada.site.rows(seen, key) == [("done", 1)]
