from __future__ import annotations

import threading
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dreamer.library.fetch import source
from dreamer.library.sources import SOURCES, Source

from . import published as ours
from .server import Server


@pytest.fixture(autouse=True)
def own_random_numbers(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A test draws the same numbers whichever tests ran before it in its process."""
    if isinstance(getattr(request.module, "RANDOM", None), np.random.Generator):
        seed = zlib.crc32(request.node.name.encode())
        monkeypatch.setattr(request.module, "RANDOM", np.random.default_rng(seed))


@pytest.fixture(scope="session")
def caffemodel() -> bytes:
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
