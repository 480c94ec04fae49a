"""The shared cache, with a memory of its own for the time that Redis does not answer.

What is kept in it may be lost without harm: rate limits above all. While Redis is away each process counts for itself.
Sign-in then stays open and guessing stays slow: somebody gets as many tries as there are processes, instead of none,
which would lock everybody out, or any number.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache
from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError

log = logging.getLogger(__name__)

AHEAD_SECONDS = 60.0  # by which the clocks of two machines may differ
AWAY_SECONDS = 10.0  # after a failure nobody waits for Redis again for so long


def _of_the_past(value: Any) -> Any:
    """Times at which something was tried, as allauth keeps them, without those that lie ahead.

    They were written before the machine's clock was set back. Whoever was told to wait would wait for hours longer.
    """
    if isinstance(value, list) and value and all(isinstance(at, float) for at in value):
        latest = time.time() + AHEAD_SECONDS
        return [at for at in value if at <= latest]
    return value


class SteadyMemoryCache(LocMemCache):
    """This process' memory. What it holds grows old by a clock that only goes forward, however the machine's is set."""

    _expire_info: dict[str, float | None]

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        return _of_the_past(super().get(key, default, version))

    def get_backend_timeout(self, timeout: Any = DEFAULT_TIMEOUT) -> float | None:
        expires: float | None = super().get_backend_timeout(timeout)
        return None if expires is None else expires - time.time() + time.monotonic()

    def _has_expired(self, key: str) -> bool:
        expires = self._expire_info.get(key, -1.0)
        return expires is not None and expires <= time.monotonic()


class SteadyRedisCache(BaseCache):
    """Redis, or this process' memory. Never raises for a Redis that is down, frozen or out of memory."""

    _away_until = 0.0  # for the whole process: each thread has a cache object of its own

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(params)
        self._redis = RedisCache(server, params)
        self._memory = SteadyMemoryCache(f"away-{server}", {key: params[key] for key in params if key != "OPTIONS"})

    def _do(self, name: str, *arguments: Any, **options: Any) -> Any:
        if time.monotonic() >= SteadyRedisCache._away_until:
            try:
                return _of_the_past(getattr(self._redis, name)(*arguments, **options))
            except (RedisError, OSError) as error:
                SteadyRedisCache._away_until = time.monotonic() + AWAY_SECONDS
                log.warning("The cache is out of reach, counting in memory for %d s: %s", AWAY_SECONDS, error)
        return getattr(self._memory, name)(*arguments, **options)


def _passed_on(name: str) -> Callable[..., Any]:
    def method(self: SteadyRedisCache, *arguments: Any, **options: Any) -> Any:
        return self._do(name, *arguments, **options)

    method.__name__ = name
    return method


# What Django asks a cache to do; its other methods are made of these.
for _name in (
    "add",
    "get",
    "set",
    "touch",
    "delete",
    "get_many",
    "set_many",
    "delete_many",
    "has_key",
    "incr",
    "clear",
):
    setattr(SteadyRedisCache, _name, _passed_on(_name))
