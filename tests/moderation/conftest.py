from __future__ import annotations

import pytest

from dreamsite.core.models import User
from tests.canvas.conftest import canvas as place
from tests.canvas.conftest import people

from .persons import moderator

__all__ = ["people", "place"]


@pytest.fixture
def mona(db: None) -> User:
    return moderator("mona")


@pytest.fixture
def otto(db: None) -> User:
    return moderator("otto")
