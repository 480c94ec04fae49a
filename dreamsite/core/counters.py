"""How often somebody did something lately, in the cache: for limits that may be lost with it, and never for rights."""

from __future__ import annotations

import time

from django.core.cache import cache


def _key(what: str, seconds: int) -> str:
    """Another one in each stretch of so many seconds: a number that never grew old would bar somebody for ever."""
    return f"{what}:{int(time.time() // seconds)}"


def count(what: str, seconds: int) -> int:
    """Counts one more, and says how many there were in this stretch of `seconds`, with this one."""
    key = _key(what, seconds)
    if cache.add(key, 1, 2 * seconds):
        return 1
    try:
        return cache.incr(key)
    except ValueError:  # it was lost in between: pushed out, or Redis went away
        return 1


def counted(what: str, seconds: int) -> int:
    """How many there were in this stretch."""
    return int(cache.get(_key(what, seconds), 0))
