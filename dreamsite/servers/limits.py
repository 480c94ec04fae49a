"""Bounds of connections, by address and by time. Plain Python; each web process counts for itself."""

from __future__ import annotations

import time
from collections.abc import Callable

from dreamsite.core.addresses import network
from dreamsite.core.token_bucket import TokenBucket, TokenBuckets

# Half a request: the head within so many seconds; the body too, or faster on average than the rate after that.
HEAD_SECONDS = 20.0
BODY_SECONDS, BODY_RATE = 60.0, 4096.0  # bytes a second: slower than any telephone that still shows a picture
CONNECTIONS = 200  # open at once from one address, whatever for: a browser opens six, a school's router shares one
# Handshakes of sockets from one address, a second and at once: a school comes back after a restart.
HANDSHAKES_RATE, HANDSHAKES_BURST = 5.0, 200.0  # how many may be open: settings.SOCKETS_PER_ADDRESS
# Bytes a second that a socket may send, pings and all, beside what the room counts (canvas.limits.BYTES_RATE).
SOCKET_RATE, SOCKET_BURST = 256 * 1024.0, 4 * 2**20
# A fragment, a ping or a pong counts as so many bytes more: the room counts none of them, and each takes 10 µs to read.
FRAME_BYTES = 64
CLOSING_SECONDS = 5.0  # a socket that was told why it is closed has so long to answer
FLUSH_SECONDS = 60.0  # a connection that is closed has so long to take what was written to it before
UNREAD_PONGS = 64 * 1024  # bytes that a client has not taken: its pings get no more answers until it has

LARGEST_BODY = 2**20 + 64 * 1024  # bytes of a request without leave for more (dreamsite.core.upload_pass)


class Overdue:
    """The clock of one connection's requests: how long has what is half here been coming?"""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._since: float | None = clock()  # a connection without a word is half a request, too
        self._body: int | None = None

    def head(self) -> None:
        """Bytes of a request's head came."""
        if self._since is None:
            self._since, self._body = self._clock(), None

    def body(self, size: int) -> None:
        """`size` more bytes of its body came."""
        self._body = (self._body or 0) + size

    def complete(self) -> None:
        """The request is here, or what came was none."""
        self._since = self._body = None

    def __bool__(self) -> bool:
        if self._since is None:
            return False
        allowed = HEAD_SECONDS if self._body is None else BODY_SECONDS + self._body / BODY_RATE
        return self._clock() - self._since > allowed


class Inflow:
    """Bytes that one open socket sends."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._bucket = TokenBucket(SOCKET_RATE, SOCKET_BURST)

    def take(self, size: int) -> bool:
        return self._bucket.take(size, self._clock())


class AddressLimit:
    """How much is open from each address (IPv6: each /64) at once, and how fast more may come."""

    def __init__(self, most: int, rate: float, burst: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.most = most
        self._clock = clock
        self._open: dict[str, int] = {}
        self._buckets = TokenBuckets(rate, burst)

    def enter(self, address: str) -> str | None:
        """The key to `leave` with, or None where this address has too much."""
        key, now = network(address), self._clock()
        if self._open.get(key, 0) >= self.most:
            return None
        if not self._buckets.take(key, now):
            return None
        self._open[key] = self._open.get(key, 0) + 1
        return key

    def leave(self, key: str) -> None:
        left = self._open.get(key, 0) - 1
        if left > 0:
            self._open[key] = left
        else:
            self._open.pop(key, None)
