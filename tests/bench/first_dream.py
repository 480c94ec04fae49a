"""`make stopwatch`: from choosing a photograph to one's own first dream of it on the screen, in a real browser.

A member opens the studio, chooses a file, and takes what is offered: the whole picture, the first style that arrives,
the sliders as they are. Timed are the first dreamed picture and all twelve, counted from the choice of the file, and
the GIF of the dream itself, counted from the first picture. Web and worker run on this machine, with the house model.
"""

from __future__ import annotations

import argparse
import io
import os
import shutil
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, sync_playwright

from tests import environment, running
from tests.bench.works import city
from tests.browser.conftest import PROGRAMS, QUIET
from tests.browser.visitor import DESKTOP, PHONE, Visitor

environment.isolate()
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dreamsite.settings")

SCREENS: dict[str, dict[str, Any]] = {"390 px": PHONE, "1440 px": DESKTOP}
PHOTOGRAPHS = ["1600x1200", "4032x3024"]  # a small one, and a phone's of twelve megapixels
ASKED = 30.0, 60.0  # seconds to the first dreamed picture, and from it to the GIF
_SEEN = "[...document.querySelectorAll('.sketch img')].filter((one) => one.complete && one.naturalWidth).length"


def photograph(size: str) -> dict[str, Any]:
    """A street in the evening, as a camera's file."""
    width, height = map(int, size.split("x"))
    buffer = io.BytesIO()
    city(7, width, height).save(buffer, "JPEG", quality=90)
    return {"name": "street.jpg", "mimeType": "image/jpeg", "buffer": buffer.getvalue()}


def first_dream(browser: Browser, site: running.RunningSite, screen: str, size: str) -> tuple[float, float, float]:
    """Seconds to the first dreamed picture, to the twelfth, and from the first to the GIF."""
    file = photograph(size)
    visitor = Visitor(browser, site, site.person(list(SCREENS).index(screen)), **SCREENS[screen])
    page = visitor.page
    page.goto(f"{site.url}/studio/")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / file["name"]  # a browser takes large files from the disk
        path.write_bytes(file["buffer"])
        began = time.monotonic()
        page.set_input_files("[name=picture]", path)
        page.locator("[data-crop] [data-go]").click()
        page.wait_for_url("**/studio/pictures/*/")
        running.until(lambda: page.evaluate(_SEEN) >= 1, "the first dreamed picture")
        first = time.monotonic()
    page.locator(".sketch:has(img)").first.click()
    page.locator("[data-dream]:enabled").click()
    page.wait_for_url("**/studio/dreams/*/")
    dream = page.url
    page.go_back()  # the eleven others come before the dream: they are smaller
    running.until(lambda: page.evaluate(_SEEN) >= 12, "all twelve")
    twelfth = time.monotonic()
    page.goto(dream)
    page.locator("a[href$='.gif']").wait_for()
    done = time.monotonic()
    visitor.close()
    return first - began, twelfth - began, done - first


def measure(turns: int, sizes: list[str]) -> None:
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        raise SystemExit(f"received none of {', '.join(PROGRAMS)}, expected a chromium: apt-get install {PROGRAMS[0]}")
    root = ["--no-sandbox"] if os.geteuid() == 0 else []
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=[*QUIET, *root])
        browser.on("context", lambda context: context.set_default_timeout(600_000))
        template = running.prepare(Path(folder) / "template")
        for size in sizes:
            for screen in SCREENS:
                found = []
                for turn in range(turns):
                    var = running.copy(template, Path(folder) / f"{size}-{screen.split()[0]}-{turn}")
                    site = running.RunningSite(var, HOUSE_MODEL="true")
                    try:
                        site.start_web()
                        site.start_worker()
                        found.append(first_dream(browser, site, screen, size))
                    finally:
                        site.stop()
                first, twelfth, gif = (statistics.median(column) for column in zip(*found, strict=True))
                print(
                    f"| {size.replace('x', ' × ')} | {screen} | {first:.1f} s | {twelfth:.0f} s | {gif:.0f} s |",
                    flush=True,
                )
        browser.close()


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="tests.bench.first_dream", description=(__doc__ or "").split("\n\n")[1])
    parser.add_argument("--turns", type=int, default=3, help="visits of each kind (%(default)s)")
    parser.add_argument("--photo", action="append", metavar="WIDTHxHEIGHT", help=f"default: {', '.join(PHOTOGRAPHS)}")
    options = parser.parse_args(argv)
    print("| photograph | screen | first dream | all twelve | the GIF, after that |\n|---|---|---|---|---|")
    measure(options.turns, options.photo or PHOTOGRAPHS)
    print(f"| asked | | {ASKED[0]:.0f} s | | {ASKED[1]:.0f} s |")


if __name__ == "__main__":
    main()
