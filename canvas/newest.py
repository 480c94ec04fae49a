"""How much of the picture the newest accounts have painted over lately, and from which addresses. Plain Python.

Twenty accounts of a minute's age look like twenty people. What tells them from a crowd of newcomers is that the picture
is gone, and that few addresses did it. Coarse: ground is counted in the cells of canvas.ink_ownership, each up to its
own size.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection

from canvas import limits

CELL = limits.OWNERSHIP_CELL**2  # pixels
PARTS = 6  # of the time looked at


class Ground:
    """How many pixels of each cell were covered."""

    def __init__(self) -> None:
        self.cells: dict[int, float] = {}
        self.covered = 0.0

    def cover(self, cell: int, pixels: float) -> None:
        before = self.cells.get(cell, 0.0)
        self.cells[cell] = before + pixels
        self.covered += min(CELL, before + pixels) - min(CELL, before)


class Newest:
    def __init__(self) -> None:
        self._parts: deque[tuple[int, dict[str, Ground]]] = deque(maxlen=PARTS)  # when, address -> ground
        self._all, self._addresses = Ground(), dict[str, Ground]()
        self._slow_until: dict[str, float] = {}

    def painted(self, address: str, cells: Collection[int], pixels: float, total: float, now: float) -> None:
        """A piece of theirs covered `pixels` in these cells of a canvas of `total` pixels; `now` in seconds."""
        if not address:
            return  # a socket of the machine itself
        part = int(now * PARTS / limits.NEWEST_WITHIN)
        if not self._parts or self._parts[-1][0] != part:
            self._begin(part)
        here = self._parts[-1][1].setdefault(address, Ground())
        of_address = self._addresses.setdefault(address, Ground())
        for cell in cells:
            for ground in (here, of_address, self._all):
                ground.cover(cell, pixels / len(cells))
        if self._all.covered > limits.NEWEST_SHARE * total:
            for one, ground in self._addresses.items():
                if ground.covered > limits.NEWEST_ADDRESS_SHARE * total and not self.slow(one, now):
                    self._slow_until[one] = now + limits.NEWEST_SLOW_SECONDS

    def _begin(self, part: int) -> None:
        """The next part of the minute; what is older than a minute no longer counts."""
        kept = [one for one in self._parts if one[0] > part - PARTS]
        self._parts.clear()
        self._parts.extend([*kept[-(PARTS - 1) :], (part, {})])
        self._all, self._addresses = Ground(), {}
        for _, addresses in self._parts:
            for address, counted in addresses.items():
                of_address = self._addresses.setdefault(address, Ground())
                for cell, pixels in counted.cells.items():
                    of_address.cover(cell, pixels)
                    self._all.cover(cell, pixels)

    def slow(self, address: str, now: float) -> bool:
        """Whether the newest accounts behind this address are slowed."""
        return now < self._slow_until.get(address, 0.0)

    def forget(self, now: float) -> None:
        self._slow_until = {address: until for address, until in self._slow_until.items() if until > now}
