"""How often a task is tried, and how long it waits in between: poison rows must not keep a worker busy."""

from __future__ import annotations

from datetime import timedelta

ATTEMPTS = 6
FIRST_SECONDS = 15.0


def wait_after(attempt: int) -> timedelta | None:
    """The pause after the failed attempt number `attempt` (1, 2, …): 15 s, 1, 4, 16 min, 1 h; None: no more of them."""
    if attempt >= ATTEMPTS:
        return None
    return timedelta(seconds=FIRST_SECONDS * 4 ** max(0, attempt - 1))
