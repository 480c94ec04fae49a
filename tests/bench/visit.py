"""`make visit`: from a link that is opened to one's first stroke seen by somebody else, and what watching costs, in a
real browser.

The phone is throttled as Lighthouse does it for a slow one: 150 ms a round trip, 1.6 Mbit/s down, 0.75 up, a processor
four times slower. The other visitor is not. On the canvas is a dreamed frame of the usual size. A member's name and
password are typed at 100 ms a key.

Then pages are left open while dreams come: what a browser receives for each, files and socket, makes megabytes an hour
at the usual rhythm.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from tests import environment, running
from tests.browser.conftest import PROGRAMS, QUIET
from tests.browser.visitor import PHONE, Visitor, line, strokes

environment.isolate()
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dreamsite.settings")

ROUND_TRIP = 150  # ms
DOWN, UP = 1.6e6 / 8 * 0.9, 0.75e6 / 8 * 0.9  # bytes/s; Lighthouse takes a tenth off
SLOWER = 4  # the processor
KEY = 100  # ms between two keys
ASKED = {"as a guest": 5.0, "with signing up": 20.0}  # seconds

DREAMS = 4  # that a page which is left open waits for
SILENT = 10.0  # s in which nothing comes to a page that nobody sees

# A frame that weighs what a dream does, 0.8 MB and 0.1 MB its small copy: smooth forms with grain on them.
_FRAME = """
import numpy
from PIL import Image
from canvas import frames
from canvas.models import Canvas, Frame
canvas, random = Canvas.objects.default(), numpy.random.default_rng(%d)
soft = random.integers(0, 256, (90, 90, 3), numpy.uint8)
large = numpy.asarray(Image.fromarray(soft).resize((canvas.width, canvas.height), Image.Resampling.BICUBIC)).astype(int)
grain = random.normal(0, 1.5, large.shape)
made = frames.encode((large + grain).clip(0, 255).astype(numpy.uint8), Frame.Kind.DREAM)
frames.keep(frames.NewFrame(canvas, made, Frame.Kind.DREAM, seq=canvas.head))
"""
_INTERVAL = "from django.conf import settings; print('interval:', settings.DREAM_INTERVAL)"
_HIDE = """(() => {
    Object.defineProperty(document, "hidden", { get: () => true });
    document.dispatchEvent(new Event("visibilitychange"));
})()"""
# What is shown, 64 px wide: read in a blink, and a stroke is seen in it.
_SHOWN = """(() => {
    const small = new OffscreenCanvas(64, 64).getContext("2d");
    small.drawImage(document.querySelector("canvas.picture"), 0, 0, 64, 64);
    return small.getImageData(0, 0, 64, 64).data.join();
})()"""
_PAINTED = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"


def throttled(page: Page) -> Page:
    devtools = page.context.new_cdp_session(page)
    devtools.send("Network.enable")
    devtools.send(
        "Network.emulateNetworkConditions",
        {"offline": False, "latency": ROUND_TRIP, "downloadThroughput": DOWN, "uploadThroughput": UP},
    )
    devtools.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    return page


def as_guest(stranger: Visitor) -> None:
    stranger.page.goto(stranger.site.url + "/", wait_until="commit")


def with_signing_up(stranger: Visitor) -> None:
    page = stranger.page
    page.goto(stranger.site.url + "/", wait_until="commit")
    page.locator("details:has(a[href*=signup]) > summary").first.click()
    page.locator("details a[href*=signup]").first.click(no_wait_after=True)
    page.locator("[name=username]").press_sequentially("mira", delay=KEY)
    page.locator("[name=password1]").press_sequentially(running.PASSWORD, delay=KEY)
    page.locator("form[action*=signup] button[type=submit]").click(no_wait_after=True)
    page.wait_for_url(stranger.site.url + "/", wait_until="commit")


def visit(browser: Browser, site: running.RunningSite, arrive: Callable[[Visitor], None]) -> tuple[float, float, float]:
    """Seconds from the opened link to the first paint, to the canvas that can be drawn on, to the stroke seen."""
    other = Visitor(browser, site, site.person(0)).open()
    stranger = Visitor(browser, site, **PHONE)
    throttled(stranger.page)
    before, shown = strokes(site), other.page.evaluate(_SHOWN)
    began = time.monotonic()
    arrive(stranger)
    stranger.page.wait_for_selector(".dock", state="visible")
    stranger.ready()
    ready = time.monotonic() - began
    painted = float(stranger.page.evaluate(_PAINTED) or 0) / 1000
    stranger.fingers(line(80, 300, 300, 480, steps=8))
    running.until(lambda: strokes(site) > before, "the stroke in the journal")
    running.until(lambda: other.page.evaluate(_SHOWN) != shown, "the stroke at the other's")
    seen = time.monotonic() - began
    for visitor in (stranger, other):
        visitor.close()
    return painted, ready, seen


def measure(turns: int) -> tuple[dict[str, list[tuple[float, float, float]]], dict[str, float]]:
    """The times of each visit, and the megabytes an hour of pages that are left open."""
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        raise SystemExit(f"received none of {', '.join(PROGRAMS)}, expected a chromium: apt-get install {PROGRAMS[0]}")
    ways: dict[str, Callable[[Visitor], None]] = {"as a guest": as_guest, "with signing up": with_signing_up}
    found: dict[str, list[tuple[float, float, float]]] = {name: [] for name in ways}
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        root = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=program, args=[*QUIET, *root])
        template = running.prepare(Path(folder) / "template")
        for turn in range(turns):
            for name, arrive in ways.items():
                site = running.RunningSite(running.copy(template, Path(folder) / f"{turn}-{name.replace(' ', '-')}"))
                try:
                    site.shell(_FRAME % 3)
                    site.start_web()
                    found[name].append(visit(browser, site, arrive))
                finally:
                    site.stop()
        site = running.RunningSite(running.copy(template, Path(folder) / "left-open"))
        try:
            site.shell(_FRAME % 3)
            site.start_web()
            left_open = watch(browser, site)
        finally:
            site.stop()
        browser.close()
    return found, left_open


def watch(browser: Browser, site: running.RunningSite) -> dict[str, float]:
    """MB an hour (10^6 bytes) that each kind of page receives while it is left open and dreams come."""
    an_hour = 3600 / float(site.shell(_INTERVAL).partition("interval:")[2])
    pages = {
        "watching on a phone": Visitor(browser, site, **PHONE),
        "watching at 1440 px": Visitor(browser, site),
        "drawing": Visitor(browser, site, site.person(0)),
        "a tab that nobody sees": Visitor(browser, site, **PHONE),
    }
    unseen = pages["a tab that nobody sees"]
    received = {name: _received(visitor.page) for name, visitor in pages.items()}
    for visitor in pages.values():
        visitor.open()
    pages["drawing"].draw(line(600, 300, 900, 480, steps=8))
    running.until(lambda: strokes(site) == 1, "the stroke in the journal")
    unseen.page.evaluate(_HIDE)
    time.sleep(SILENT)  # what the pages themselves load is over
    begun = {name: sum(parts) for name, parts in received.items()}
    shown = {name: visitor.page.evaluate(_SHOWN) for name, visitor in pages.items()}
    for dream in range(DREAMS):
        site.shell(_FRAME % (10 + dream))
        for name, visitor in pages.items():
            if visitor is not unseen:
                shown[name] = _changed(visitor.page, shown[name])
    time.sleep(SILENT)
    found = {name: (sum(parts) - begun[name]) / DREAMS * an_hour / 1e6 for name, parts in received.items()}
    for visitor in pages.values():
        visitor.close()
    return found


def _changed(page: Page, before: str) -> str:
    """What is shown, once that is something else."""
    running.until(lambda: page.evaluate(_SHOWN) != before, "the dream")
    return str(page.evaluate(_SHOWN))


def _received(page: Page) -> list[float]:
    """Grows by the bytes of every answer and socket message that the page receives."""
    parts: list[float] = []
    devtools = page.context.new_cdp_session(page)
    devtools.send("Network.enable")
    devtools.on("Network.loadingFinished", lambda event: parts.append(event["encodedDataLength"]))
    devtools.on(
        "Network.webSocketFrameReceived", lambda event: parts.append(0.75 * len(event["response"]["payloadData"]))
    )  # base64
    return parts


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="tests.bench.visit", description=(__doc__ or "").split("\n\n")[1])
    parser.add_argument(
        "--turns", type=int, default=3, help="visits of each kind (%(default)s); 0: only what watching costs"
    )
    options = parser.parse_args(argv)
    visits, left_open = measure(options.turns)
    if options.turns:
        print("| | first paint | ready to draw | stroke seen by another | asked |\n|---|---|---|---|---|")
    for name, times in visits.items():
        if not times:
            continue
        painted, ready, seen = (statistics.median(column) for column in zip(*times, strict=True))
        print(f"| {name} | {painted:.1f} s | {ready:.1f} s | {seen:.1f} s | {ASKED[name]:.0f} s |")
    print("\n| left open | MB an hour |\n|---|---|")
    for name, megabytes in left_open.items():
        print(f"| {name} | {megabytes:.1f} |")


if __name__ == "__main__":
    main()
