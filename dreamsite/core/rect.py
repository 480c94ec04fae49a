"""The one rectangle: edges in whole pixels, left and top inside, right and bottom outside. Plain Python."""

from __future__ import annotations

from typing import NamedTuple


class Rect(NamedTuple):
    left: int
    top: int
    right: int
    bottom: int

    @classmethod
    def sized(cls, x: int, y: int, width: int, height: int) -> Rect:
        return cls(x, y, x + width, y + height)

    @property
    def width(self) -> int:
        return self.right - self.left

    @property
    def height(self) -> int:
        return self.bottom - self.top

    @property
    def area(self) -> int:
        """0 where it is empty."""
        return max(self.width, 0) * max(self.height, 0)

    def overlaps(self, other: Rect) -> bool:
        """Whether the two share a pixel."""
        return (
            self.left < other.right and other.left < self.right and self.top < other.bottom and other.top < self.bottom
        )

    def contains(self, other: Rect) -> bool:
        """Whether no pixel of the other is outside this one."""
        return (
            self.left <= other.left
            and self.top <= other.top
            and other.right <= self.right
            and other.bottom <= self.bottom
        )

    def intersection(self, other: Rect) -> Rect:
        """What they share; empty, with a width or height of 0 or less, where that is nothing."""
        return Rect(
            max(self.left, other.left),
            max(self.top, other.top),
            min(self.right, other.right),
            min(self.bottom, other.bottom),
        )

    def grown(self, by: int) -> Rect:
        """By so many pixels at each edge."""
        return Rect(self.left - by, self.top - by, self.right + by, self.bottom + by)

    def union(self, other: Rect) -> Rect:
        """The smallest rectangle that contains both."""
        return Rect(
            min(self.left, other.left),
            min(self.top, other.top),
            max(self.right, other.right),
            max(self.bottom, other.bottom),
        )
