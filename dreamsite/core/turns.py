"""Costly work that anybody may ask for: some at a time, and each address or account at a pace. Each process for itself.

Who gets no turn is told to come back: `Busy` becomes a 503 or a 429 with Retry-After (core.middleware).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager

from dreamsite.core.addresses import network
from dreamsite.core.errors import Busy
from dreamsite.core.token_bucket import TokenBuckets


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
    """Each address (IPv6: /64) or account may ask for `burst` at once, and then for one every `seconds`."""

    def __init__(self, what: str, burst: int, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._what, self._clock, self._lock = what, clock, threading.Lock()
        self._buckets = TokenBuckets(1 / seconds, burst)

    def take(self, address: str) -> None:
        if key := network(address):  # else the machine itself
            self._take(key)

    def take_as(self, person: int) -> None:
        """By the number of an account: for what only those who are signed in may ask for."""
        self._take(person)

    def _take(self, key: Hashable) -> None:
        now = self._clock()
        with self._lock:
            if not self._buckets.take(key, now):
                raise Busy(self._what, status=429, seconds=self._buckets.seconds_to_next(key, now))

    def forget(self) -> None:
        """Everybody may have all of it again."""
        self._buckets.clear()
