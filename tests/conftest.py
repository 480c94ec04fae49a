"""Fixtures of the whole suite: people, a canvas, running sites, services."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import running


@pytest.fixture(scope="session")
def site_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return running.prepare(tmp_path_factory.mktemp("site") / "var")


@pytest.fixture(scope="module")
def site(site_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[running.RunningSite]:
    """A running web server without a dreamer, shared by the tests of a module."""
    here = running.RunningSite(running.copy(site_template, tmp_path_factory.mktemp("running") / "var"))
    here.start_web()
    yield here
    here.stop()


@pytest.fixture(scope="session")
def googlenet() -> Path:
    """The folder of the real GoogLeNet; tests that need it are skipped where it is not."""
    folder = os.environ.get("DREAMSITE_TEST_GOOGLENET", "")
    if not folder or not (Path(folder) / "googlenet.onnx").is_file():
        pytest.skip("needs the real GoogLeNet: set DREAMSITE_TEST_GOOGLENET to the folder with googlenet.onnx")
    return Path(folder)


@pytest.fixture(scope="session")
def images() -> Path:
    """The folder with sky.jpg and flowers.jpg."""
    folder = os.environ.get("DREAMSITE_TEST_IMAGES", "")
    if not folder or not (Path(folder) / "sky.jpg").is_file():
        pytest.skip("needs photographs: set DREAMSITE_TEST_IMAGES to the folder with sky.jpg and flowers.jpg")
    return Path(folder)
