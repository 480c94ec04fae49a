"""The site with two more addresses: one lends itself every connection of the pool, the other gives them back."""

from __future__ import annotations

import asyncio
from typing import Any

from django.db import connection

from dreamsite import stores
from dreamsite.asgi import application as site

_lent: list[Any] = []


def lend() -> None:
    pool = connection.pool
    pool.open()
    _lent.extend(pool.getconn() for _ in range(stores.POSTGRESQL["pool"]["max_size"]))


def give_back() -> None:
    while _lent:
        connection.pool.putconn(_lent.pop())


async def application(scope: Any, receive: Any, send: Any) -> None:
    ours = {"/greedy": lend, "/generous": give_back}
    if do := ours.get(scope.get("path", "")):
        await asyncio.to_thread(do)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"done"})
    else:
        await site(scope, receive, send)
