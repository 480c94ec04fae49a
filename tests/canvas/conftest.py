from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from canvas.models import Canvas
from dreamsite.core.models import User


@pytest.fixture
def canvas(db: None, settings: Any, tmp_path: Path) -> Canvas:
    """A canvas of 64 px, with a folder of its own for frames."""
    settings.MEDIA_ROOT = tmp_path / "media"
    return Canvas.objects.create(slug="here", title="Here", width=64, height=64)


@pytest.fixture
def people(db: None) -> list[User]:
    return [User.objects.create(username=name) for name in ("ann", "ben")]
