from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dreamer.library.conventions import GOOGLENET_MODULES
from dreamer.library.fetch import source
from dreamer.library.sources import SOURCES, Source

from . import published as ours
from .server import Server


@pytest.fixture(scope="session")
def full_caffemodel() -> bytes:
    """A GoogLeNet as wide as the published one: 28 MB."""
    return ours.googlenet()


@pytest.fixture
def caffemodel(monkeypatch: pytest.MonkeyPatch) -> bytes:
    """One with an eighth of the channels in its modules, which is what a GoogLeNet is in these tests: all its layers
    are read, recognised and tried out, in a third of the time."""
    for module, channels in GOOGLENET_MODULES.items():
        monkeypatch.setitem(GOOGLENET_MODULES, module, tuple(number // 8 for number in channels))
    return ours.googlenet()


@pytest.fixture
def published(
    server: Server, tmp_path: Path, caffemodel: bytes, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> Source:
    """What `manage.py model fetch googlenet` gets here, into `tmp_path`."""
    settings.MODELS_DIR = tmp_path
    found = ours.local(source("googlenet"), server, caffemodel)
    monkeypatch.setitem(SOURCES, "googlenet", found)
    return found


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with Server() as found:
        thread = threading.Thread(target=found.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield found
        found.release.set()
        found.shutdown()
        thread.join()


@pytest.fixture
def log() -> list[str]:
    return []
