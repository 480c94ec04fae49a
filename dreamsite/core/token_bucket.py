"""Token buckets: how fast somebody may do something, and how much at once. One, or one for each of many."""

from __future__ import annotations

from collections.abc import Hashable

FORGET_SECONDS = 60.0


class TokenBucket:
    """A token bucket: `rate` a second on average, `burst` at once. What does not fit takes nothing."""

    __slots__ = ("_at", "_burst", "_rate", "_tokens")

    def __init__(self, rate: float, burst: float) -> None:
        self._rate, self._burst, self._tokens, self._at = rate, burst, burst, 0.0

    def take(self, amount: float, now: float) -> bool:
        self._fill(now)
        if amount > self._tokens:
            return False
        self._tokens -= amount
        return True

    def has(self, amount: float, now: float) -> bool:
        self._fill(now)
        return amount <= self._tokens

    def spend(self, amount: float, now: float) -> None:
        """What is gone already: takes it, or what is left."""
        self._fill(now)
        self._tokens = max(0.0, self._tokens - amount)

    def full(self, now: float) -> bool:
        self._fill(now)
        return self._tokens >= self._burst

    def share(self, now: float) -> float:
        """How full it is, 0..1."""
        self._fill(now)
        return self._tokens / self._burst

    def seconds_to(self, share: float, now: float) -> float:
        """In how many seconds it is as full as that."""
        self._fill(now)
        return max(0.0, share * self._burst - self._tokens) / self._rate

    def resize(self, rate: float, burst: float, now: float) -> None:
        """Another rate and burst; it stays as full, in proportion, as it is."""
        if (rate, burst) != (self._rate, self._burst):
            self._fill(now)
            self._tokens *= burst / self._burst
            self._rate, self._burst = rate, burst

    def _fill(self, now: float) -> None:
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate)
        self._at = now


class TokenBuckets:
    """A bucket for each key, such as a person or an address.

    Keys whose bucket is full again are forgotten now and then: memory is bounded by the rate.
    """

    def __init__(self, rate: float, burst: float) -> None:
        self._rate, self._burst = rate, burst
        self._buckets: dict[Hashable, TokenBucket] = {}
        self._forgotten = 0.0

    def take(self, key: Hashable, now: float) -> bool:
        """Whether it may do it once more, which is then counted."""
        if now - self._forgotten > FORGET_SECONDS:
            self.forget(now)
        return self._buckets.setdefault(key, TokenBucket(self._rate, self._burst)).take(1, now)

    def seconds_to_next(self, key: Hashable, now: float) -> float:
        """In how many seconds it may do it again."""
        known = self._buckets.get(key)
        return known.seconds_to(1 / self._burst, now) if known else 0.0

    def forget(self, now: float) -> None:
        self._forgotten = now
        self._buckets = {key: bucket for key, bucket in self._buckets.items() if not bucket.full(now)}

    def clear(self) -> None:
        self._buckets.clear()

    def __len__(self) -> int:
        return len(self._buckets)
