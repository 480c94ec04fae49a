"""How a web process ends: out of readiness, its sockets sent away one after another, the last ink written, the end.

Neither server does that by itself: daphne drops every socket without a word, uvicorn closes all of them at once. Both
end at a signal, and both call a handler for it. That handler is put off until everybody has gone.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from typing import Any

from django.conf import settings

from canvas.hub import hub

log = logging.getLogger(__name__)

REQUESTS_SECONDS = 10.0  # so long pages and files that are under way may take
SIGNALS = (signal.SIGTERM, signal.SIGINT)

begun = False  # no longer ready
requests = 0  # HTTP requests under way


def prepare() -> None:
    """Called where the server imports the application. daphne has its handlers once its reactor runs."""
    reactor: Any = sys.modules.get("twisted.internet.reactor")
    if reactor is not None:  # under uvicorn it never runs
        reactor.callWhenRunning(lambda: reactor.callLater(0, _take_signals))


async def lifespan(receive: Any, send: Any) -> None:
    """ASGI's lifespan, which daphne does not have. uvicorn has its handlers when it begins."""
    while (message := await receive())["type"] == "lifespan.startup":
        _take_signals()
        await send({"type": "lifespan.startup.complete"})
    await send({"type": f"{message['type']}.complete"})


def _take_signals() -> None:
    loop = asyncio.get_running_loop()
    for number in SIGNALS:
        servers = signal.getsignal(number)
        if callable(servers) and servers is not signal.default_int_handler:
            signal.signal(number, _handler(loop, servers))


def _handler(loop: asyncio.AbstractEventLoop, servers: Any) -> Any:
    def handle(number: int, frame: Any) -> None:
        global begun
        if begun:  # a second signal: at once
            servers(number, frame)
            return
        begun = True
        loop.call_soon_threadsafe(_begin, servers, number)

    return handle


def _begin(servers: Any, number: int) -> None:
    global _task
    _task = asyncio.ensure_future(_leave(servers, number))


_task: asyncio.Future[None] | None = None  # kept, or it might be collected


async def _leave(servers: Any, number: int) -> None:
    try:
        await asyncio.sleep(settings.STOP_DELAY)  # until whoever asks /readyz sends nobody here any more
        await hub.leave()
        for _ in range(int(REQUESTS_SECONDS * 20)):
            if not requests:
                break
            await asyncio.sleep(0.05)
    except Exception:
        log.exception("The process ends, and not everybody could be told.")
    finally:
        servers(number, None)
