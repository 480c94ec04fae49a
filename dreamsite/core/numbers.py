"""Whole numbers that strangers write."""

from __future__ import annotations

LARGEST = 2**63 - 1  # what a column of both databases can hold


def whole(text: str) -> int | None:
    """The number that these digits say; None for anything else, and for more than a column holds (LARGEST)."""
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        return None
    number = int(text)
    return number if number <= LARGEST else None
