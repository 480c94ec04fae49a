"""The site around the canvas: these tests are about pages."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def plain(plain_site: None) -> None:
    """All of them, without asking."""
