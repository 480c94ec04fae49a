"""axe-core on a page: `assert serious(page) == []`."""

from __future__ import annotations

import functools
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.running import ROOT

SOURCE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
GRAVE = ("serious", "critical")


@functools.cache
def _axe() -> str:
    if not SOURCE.is_file():
        pytest.skip("needs axe-core: npm ci")
    return SOURCE.read_text()


def serious(page: Page, *, leave_out: tuple[str, ...] = ()) -> list[str]:
    """What axe finds serious or critical on the page as it stands: a line for each place, "rule: why (selector)".

    `leave_out` are selectors of parts that are not the page's own. The script is evaluated, not added to the page, so
    that the site's policy on scripts stays as it is.
    """
    page.evaluate(_axe())
    found: dict[str, Any] = page.evaluate(
        "(exclude) => axe.run({ exclude }, { resultTypes: ['violations'] })", [[selector] for selector in leave_out]
    )
    return [
        f"{violation['id']}: {violation['help']} ({' '.join(map(str, node['target']))})"
        for violation in found["violations"]
        if violation["impact"] in GRAVE
        for node in violation["nodes"]
    ]
