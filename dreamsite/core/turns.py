"""Costly work that strangers may ask for: some at a time, and each address at a pace. Each process for itself.

Who gets no turn is told to come back: `Busy` becomes a 503 or a 429 with Retry-After (core.middleware).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from dreamsite.core.addresses import network
from dreamsite.core.errors import Busy

FORGET_SECONDS = 600.0


class Turns:
    """`at_once` at a time; the others wait, for `patience` seconds at most, and so do at most `waiting` of them."""

    def __init__(self, what: str, at_once: int, *, patience: float = 10.0, waiting: int = 8) -> None:
        self.patience = patience
        self._what, self._places = what, threading.BoundedSemaphore(at_once)
        self._line = threading.BoundedSemaphore(at_once + waiting)

    @contextmanager
    def take(self) -> Iterator[None]:
        if not self._line.acquire(blocking=False):
            raise Busy(self._what)
        try:
            if not self._places.acquire(timeout=self.patience):
                raise Busy(self._what)
            try:
                yield
            finally:
                self._places.release()
        finally:
            self._line.release()


class Pace:
    """Each address (IPv6: /64) may ask for `burst` at once, and then for one every `seconds`."""

    def __init__(self, what: str, burst: int, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._what, self._burst, self._seconds, self._clock = what, burst, seconds, clock
        self._full_at: dict[str, float] = {}  # address -> when it may have all of the burst again
        self._forgotten, self._lock = clock(), threading.Lock()

    def take(self, address: str) -> None:
        now, key = self._clock(), network(address)
        if not key:
            return  # the machine itself
        with self._lock:
            if now - self._forgotten > FORGET_SECONDS:
                self._forgotten = now
                self._full_at = {one: at for one, at in self._full_at.items() if at > now}
            at = max(now, self._full_at.get(key, now)) + self._seconds
            if at - now > self._burst * self._seconds:
                raise Busy(self._what, status=429, seconds=at - now - self._burst * self._seconds)
            self._full_at[key] = at
