"""The time of day, which somebody may set at any moment, for what browsers name by it. Plain Python.

The id of a stroke begins with the server's time, as the browser was told it when it joined. When the server's clock is
set, the ids of all who are here are wrong at once, for as long as they stay.
"""

from __future__ import annotations

from collections.abc import Callable

from canvas import limits


class WallClock:
    """`clock`: seconds that only go forward; `wall_ms`: ms since 1970, as the machine says."""

    def __init__(self, clock: Callable[[], float], wall_ms: Callable[[], int]) -> None:
        self._clock, self._wall_ms = clock, wall_ms
        self._ahead = self._now_ahead()
        self._before: list[tuple[float, float]] = []  # (until when it counts, what was ahead before)
        self.was_set = False  # since somebody last asked and put it back

    def readings(self) -> tuple[int, ...]:
        """What time it is: first as the machine says, then as it said before its clock was set, while that counts."""
        now, ahead = self._clock(), self._now_ahead()
        if abs(ahead - self._ahead) > limits.CLOCK_SET_MS:
            self._before.append((now + limits.STALE_MS / 1000, self._ahead))
            self._ahead, self.was_set = ahead, True
        self._before = [(until, before) for until, before in self._before if until > now]
        return int(ahead + now * 1000), *(int(before + now * 1000) for _, before in self._before)

    def _now_ahead(self) -> float:
        return self._wall_ms() - self._clock() * 1000
