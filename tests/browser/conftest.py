"""A real chromium: the machine's own, driven by Playwright, which downloads none."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.running import PATIENCE

# The shell is the same engine without the windows around it: a page opens in half of the time.
PROGRAMS = "chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"
QUIET = ["--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync"]


# Not for the whole session: Playwright's loop counts as running until it is closed, and the async tests of other
# folders could not start theirs.
@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        pytest.skip(f"needs chromium: apt-get install {PROGRAMS[0]}")
    root = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=program, args=[*QUIET, *root])
        # Playwright's own bounds are seconds.
        expect.set_options(timeout=PATIENCE * 1000)
        opened.on("context", lambda context: context.set_default_timeout(PATIENCE * 1000))
        yield opened
        opened.close()
