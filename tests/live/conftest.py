"""Sites that run, and drawers that never give up."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import running

UNREAD = 256 * 1024  # a smaller outbox: the pens' allowance fills it in one go
SERVERS = ["daphne", "uvicorn"]


@pytest.fixture(scope="module", params=SERVERS)
def either_site(
    request: pytest.FixtureRequest, site_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[running.RunningSite]:
    """The same site under each of the two servers."""
    var = running.copy(site_template, tmp_path_factory.mktemp(request.param) / "var")
    yield from _running(running.RunningSite(var, server=request.param, tune={"canvas.limits.OUTBOX_BYTES": UNREAD}))


@pytest.fixture(params=SERVERS)
def strict_site(request: pytest.FixtureRequest, site_template: Path, tmp_path: Path) -> Iterator[running.RunningSite]:
    """As `either_site`, but whoever is behind for two seconds is closed."""
    tune = {"canvas.limits.BEHIND_SECONDS": 2.0, "canvas.limits.OUTBOX_BYTES": UNREAD}
    var = running.copy(site_template, tmp_path / "var")
    yield from _running(running.RunningSite(var, server=request.param, tune=tune))


def _running(site: running.RunningSite) -> Iterator[running.RunningSite]:
    site.start_web()
    yield site
    site.stop()
    # Whatever anybody sent, the log holds no traceback.
    assert "Traceback" not in site.log() and "never retrieved" not in site.log(), site.log()[-6000:]
