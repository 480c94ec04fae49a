from __future__ import annotations

import pytest

from dreamsite.core.models import User
from tests.canvas.conftest import canvas, people
from tests.moderation import helpers

__all__ = ["canvas", "people"]


@pytest.fixture
def moderator(db: None) -> User:
    return helpers.moderator("mod")


@pytest.fixture
def mona(db: None) -> User:
    return helpers.moderator("mona")


@pytest.fixture
def otto(db: None) -> User:
    return helpers.moderator("otto")
