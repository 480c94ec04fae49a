from __future__ import annotations

from tests.canvas.conftest import people, place

__all__ = ["people", "place"]
