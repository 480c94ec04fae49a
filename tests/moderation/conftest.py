from __future__ import annotations

import pytest

from dreamsite.core.models import User
from tests.canvas.conftest import canvas, people

from .persons import moderator

__all__ = ["canvas", "people"]


@pytest.fixture
def mona(db: None) -> User:
    return moderator("mona")


@pytest.fixture
def otto(db: None) -> User:
    return moderator("otto")
