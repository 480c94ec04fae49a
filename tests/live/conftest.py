"""Sites that run, and drawers that never give up."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import running

UNREAD = 256 * 1024  # a smaller outbox: the pens' allowance fills it in one go


@pytest.fixture(scope="module", params=["daphne", "uvicorn"])
def either_site(
    request: pytest.FixtureRequest, site_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[running.RunningSite]:
    """The same site under each of the two servers; a slow reader gets five seconds."""
    var = running.copy(site_template, tmp_path_factory.mktemp(request.param) / "var")
    site = running.RunningSite(
        var, server=request.param, tune={"canvas.limits.BEHIND_SECONDS": 5.0, "canvas.limits.OUTBOX_BYTES": UNREAD}
    )
    site.start_web()
    yield site
    site.stop()
    # Whatever anybody sent, the log holds no traceback.
    assert "Traceback" not in site.log() and "never retrieved" not in site.log(), site.log()[-6000:]
