"""Processes that were given another storage than the one that the database was filled with."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.dreamer import nets
from tests.running import ROOT, RunningSite, copy, until

_DREAMED = """
import numpy
from canvas import frames
from canvas.models import Canvas, Frame
canvas = Canvas.objects.get(slug="small")
for shade in range(3):
    made = frames.encode(numpy.full((128, 128, 3), 80 * shade, numpy.uint8), Frame.Kind.DREAM)
    frames.keep(frames.NewFrame(canvas, made, Frame.Kind.DREAM, seq=0))
"""


@pytest.fixture(scope="module")
def filled(site_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The var/ of a site with three frames."""
    site = RunningSite(copy(site_template, tmp_path_factory.mktemp("filled") / "var"))
    try:
        site.shell(_DREAMED)
    finally:
        site.stop()
    return site.var


@pytest.fixture
def dreamed(make_site: Callable[..., RunningSite], filled: Path, tmp_path: Path) -> RunningSite:
    return make_site(copy(filled, tmp_path / "dreamed"))


@pytest.fixture
def elsewhere(make_site: Callable[..., RunningSite], dreamed: RunningSite, tmp_path: Path) -> RunningSite:
    """The same database, and a media folder in which nothing is."""
    var = tmp_path / "elsewhere"
    var.mkdir()
    (var / "static").symlink_to(dreamed.var / "static")
    return make_site(var, DATABASE_URL=f"sqlite:///{dreamed.var / 'dreamsite.sqlite3'}")


def base(site: RunningSite) -> int:
    ((number,),) = site.rows(
        "SELECT f.number FROM canvas_canvas c JOIN canvas_frame f ON f.id = c.frame_id WHERE c.slug = 'small'"
    )
    return int(number)


@pytest.mark.parametrize("process", ["dreamer", "worker", "daphne", "uvicorn", "up"])
def test_a_process_with_another_storage_refuses_to_start(
    dreamed: RunningSite, elsewhere: RunningSite, process: str
) -> None:
    command = ["serve", "--server", process] if process in ("daphne", "uvicorn") else [process]
    ended = subprocess.run(
        [sys.executable, "manage.py", *command],
        cwd=ROOT,
        env=elsewhere.env,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    output = ended.stdout + ended.stderr
    assert ended.returncode != 0
    assert "small starts from frame 3" in output and str(elsewhere.var / "media") in output, output
    assert "Traceback" not in output, output
    assert base(dreamed) == 3


def test_what_is_brought_there_later_is_found(dreamed: RunningSite, elsewhere: RunningSite) -> None:
    """A move in its natural order: the database first, the pictures second."""
    shutil.copytree(dreamed.var / "media", elsewhere.var / "media")
    elsewhere.start_web()
    assert base(dreamed) == 3


def test_a_running_dreamer_waits_for_a_storage_that_was_emptied(dreamed: RunningSite) -> None:
    """And dreams on when it is back, from the frame that it started from."""
    site = dreamed
    site.env |= {"DREAM_INTERVAL": "1", "DREAM_IDLE_LIMIT": "1000"}
    media, away = site.var / "media", site.var / "away"
    nets.register_tiny(site.var / "models")
    site.start_dreamer("--canvas", "small")
    until(lambda: len(site.frames()) > 3, "a dream")
    media.rename(away)
    until(lambda: site.dream()["state"] == "failed", "a dream that fails")
    kept, number = len(site.frames()), base(site)
    assert "is missing" in site.dream()["message"]
    until(lambda: site.log("dreamer").count("the dream failed") > 2, "it is tried again")
    assert base(site) == number == kept and len(site.frames()) == kept
    shutil.rmtree(media, ignore_errors=True)
    away.rename(media)
    until(lambda: len(site.frames()) > kept, "a dream")
    assert base(site) > number
