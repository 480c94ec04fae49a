"""The page Networks in a real browser, on a phone and on a desktop: uploading, choosing, pictures that arrive."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests import running
from tests.browser.axe import serious
from tests.browser.visitor import PHONE, Visitor
from tests.dreamer import nets
from tests.running import RunningSite, until

pytestmark = [pytest.mark.browser, pytest.mark.slow]
SIZES = {"phone": PHONE, "desktop": {}}
PICTURES = "[...document.querySelectorAll('.networks-shelf img')].every((img) => img.naturalWidth)"
# The administration's own parts are Django's.
NOT_OURS = ("#header", "#nav-sidebar", ".breadcrumbs", "#toggle-nav-sidebar")


@pytest.fixture(scope="module")
def site(site_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    """With a worker; person00 owns it. The network `tiny` has three styles."""
    var = running.copy(site_template, tmp_path_factory.mktemp("networks") / "var")
    here = RunningSite(var, CANVAS_SLUG=running.SMALL, DREAM_THREADS="1", NETWORK_UPLOAD_MB="3")
    folder = nets.register_tiny(here.var / "models")
    styles = [{"layer": "block/output", "channel": channel, "title": f"Style {channel}"} for channel in range(3)]
    (folder / "shelf.json").write_text(json.dumps(styles))
    here.rows("UPDATE core_user SET is_staff = 1, is_superuser = 1 WHERE username = 'person00'")
    here.start_web()
    here.start_worker()
    yield here
    here.stop()
    for log in (here.name, "worker"):
        assert "Traceback" not in here.log(log), here.log(log)[-5000:]


@pytest.fixture(params=SIZES, ids=str)
def owner(request: pytest.FixtureRequest, browser: Browser, site: RunningSite) -> Iterator[Visitor]:
    visitor = Visitor(browser, site, site.person(0), **SIZES[request.param])
    yield visitor
    assert visitor.trouble == []
    visitor.close()


def networks(owner: Visitor, path: str = "") -> Page:
    owner.page.goto(f"{owner.site.url}/staff/dreamer/network/{path}")
    return owner.page


def sound(page: Page) -> None:
    """Nobody is shut out, and nothing hangs over the window's edge."""
    assert serious(page, leave_out=NOT_OURS) == []
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


def choose_file(page: Page, name: str, data: bytes) -> None:
    if not page.locator("#id_file").is_visible():
        page.locator(".networks-import > summary").click()
    page.set_input_files("#id_file", [{"name": name, "mimeType": "application/octet-stream", "buffer": data}])


def test_a_file_is_refused_in_words_then_another_one_is_imported_and_used(owner: Visitor, site: RunningSite) -> None:
    page = networks(owner)
    sound(page)
    # Wrong by its name, then too large: said at the field, and what was filled in is still there.
    choose_file(page, "notes.txt", b"not a network")
    page.fill("#id_title", "My own")
    page.get_by_role("button", name="Import").click()
    expect(page.locator("#id_file_error")).to_contain_text("notes.txt is no file of a kind that can be imported")
    expect(page.locator("#id_title")).to_have_value("My own")
    sound(page)
    choose_file(page, "large.onnx", bytes(5_000_000))
    page.get_by_role("button", name="Import").click()
    expect(page.locator("#id_file_error")).to_contain_text("larger than 3.0 MB")
    assert len(owner.trouble) == 2 and all("422" in message or "413" in message for message in owner.trouble)
    owner.trouble.clear()
    # No network, which a worker finds out.
    choose_file(page, "broken.onnx", b"not a network" * 100)
    page.get_by_role("button", name="Import").click()
    failed = page.locator(".networks-job", has_text="broken")
    expect(failed).to_contain_text("broken.onnx is not an ONNX file")
    sound(page)
    failed.get_by_role("button", name="Dismiss").click()
    expect(failed).to_have_count(0)
    # A sound one: it comes without anybody reloading, and no canvas changes before somebody says so.
    name = f"mine-{'phone' if owner.page.viewport_size == PHONE['viewport'] else 'desktop'}"
    choose_file(page, f"{name}.onnx", nets.tiny_inception().SerializeToString())
    page.get_by_text("For networks that the site does not know", exact=True).click()
    page.select_option("#id_convention", "raw")
    page.get_by_role("button", name="Import").click()
    mine = page.locator(".networks-network", has_text=name)
    expect(mine).to_contain_text("s at 128 px on this machine")
    expect(mine).to_contain_text("no canvas")
    row = page.locator("form.networks-row", has_text="Small")
    row.locator("select").select_option(name)
    row.get_by_role("button", name="Use").click()
    expect(page.locator(".messagelist")).to_contain_text(f"Small dreams with {name} from its next dream on.")
    expect(mine).to_contain_text("Small")
    row.locator("select").select_option("")
    row.get_by_role("button", name="Use").click()
    # Then it goes again.
    expect(mine).to_contain_text("no canvas")
    mine.get_by_text("Remove …").click()
    mine.get_by_role("button", name="Remove").click()
    expect(page.locator(".messagelist")).to_contain_text(f"The network {name} is removed.")


def test_the_shelf_fills_with_pictures_and_a_style_of_one_s_own_joins_it(owner: Visitor, site: RunningSite) -> None:
    page = networks(owner, "n/tiny/")
    shelf = page.locator(".networks-shelf img")
    before = shelf.count()
    until(lambda: page.evaluate(PICTURES))
    sound(page)
    page.get_by_label("Style 1").uncheck()
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".messagelist")).to_contain_text("Small keeps to it")
    expect(page.get_by_label("Style 1")).not_to_be_checked()
    page.get_by_label("Style 1").check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_label("Style 1")).to_be_checked()
    # A preview on the canvas as it is, and then into the shelf.
    page.fill("#id_wanted", "thing 7")
    page.get_by_role("button", name="Preview on Small").click()
    preview = page.locator(".networks-preview img")
    expect(preview).to_be_visible()
    until(lambda: page.evaluate("document.querySelector('.networks-preview img').naturalWidth") == running.SMALL_SIDE)
    sound(page)
    expect(page.locator("#id_wanted")).to_have_value("thing 7")
    page.get_by_role("button", name="Add to the styles").click()
    expect(shelf).to_have_count(before + 1)
    expect(page.get_by_label("thing 7")).to_be_checked()
    until(lambda: page.evaluate(PICTURES))
    page.get_by_role("button", name="Take away").click()
    expect(shelf).to_have_count(before)
