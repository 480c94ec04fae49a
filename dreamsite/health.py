"""For those who watch over the site: is this process alive, and can it serve?

`/healthz` answers at once: 200 while the process can do its work, 503 when only a new process will help, which is so
when its pool of connections has given none for a minute and the database takes new ones. It never waits for that to
be found out: each probe starts the question and is answered by what the ones before it have found.

`/readyz` answers 503 where this process should get no visitors: it is about to end, the database does not answer it,
or for ten seconds it could not write the ink it has: one slow write is no reason to send readers away. Storage, layer
and dreamer are asked and reported, and are no reason: the canvas works on without them, and they fail in all processes
at once, which would take the whole site away.

Both answer whatever name or address they are asked by. What is wrong in detail is for this machine, or for whoever has
METRICS_TOKEN; all others are told whether the process is ready.
"""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any

from channels.layers import get_channel_layer
from django.conf import settings
from django.core.files.storage import default_storage
from django.db import OperationalError, connection
from django.db.models import F, OuterRef, Q, Subquery, Value
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache

from canvas import connections
from canvas.hub import hub
from canvas.models import Batch, Canvas, Dream, Frame
from dreamsite import stopping
from dreamsite.core.models import SiteState

log = logging.getLogger(__name__)

PATIENCE_SECONDS = 3.0  # each question; probes usually give up after five
KEEP_SECONDS = 2.0  # however often this public page is asked, the parts are asked no oftener
LATE_AFTER = 10  # of its intervals that a canvas waits for its dream
DRY_SECONDS = 60.0  # a pool that gives no connection for so long will give none again

_dry_since: float | None = None  # since when the pool gives nothing though the database is there
_kept: tuple[float, dict[str, Any]] | None = None
_threads = ThreadPoolExecutor(max_workers=5, thread_name_prefix="readyz")  # as many as there are questions
_running: dict[Callable[[], dict[str, Any]], Future[dict[str, Any]]] = {}


@never_cache
async def healthz(request: HttpRequest) -> HttpResponse:
    if connections.pooled():
        _begin(_watch_pool)
    if _dry_since is not None and time.monotonic() - _dry_since > DRY_SECONDS:
        words = f"The pool has given no connection to the database for {DRY_SECONDS:.0f} s: restart this process.\n"
        return HttpResponse(words, content_type="text/plain", status=503)
    return HttpResponse("ok\n", content_type="text/plain")


def _watch_pool() -> dict[str, Any]:
    """Whether the pool gives a connection; where it does not, whether the database takes one that is not the pool's."""
    global _dry_since
    try:
        connection.ensure_connection()
    except OperationalError as error:
        other = connections.unpooled()
        try:
            other.ensure_connection()
        except OperationalError:
            _dry_since = None  # the database is away: a new process would find it no sooner
        else:
            log.error("The pool gives no connection, and the database is there: %s", error)
            _dry_since = _dry_since or time.monotonic()
        finally:
            other.close()
    else:
        _dry_since = None
    return {}


@never_cache
async def readyz(request: HttpRequest) -> JsonResponse:
    """{"ready": bool}, and for those who may know the parts; each of them says "ok" or "failed"."""
    global _kept
    if _kept is None or time.monotonic() - _kept[0] > KEEP_SECONDS:
        _kept = time.monotonic(), await _report()
    report = {**_kept[1], "stopping": stopping.begun}
    report["ready"] = report["ready"] and not stopping.begun
    status = 200 if report["ready"] else 503
    return JsonResponse(report if trusted(request) else {"ready": report["ready"]}, status=status)


def trusted(request: HttpRequest) -> bool:
    """Whether a request comes from this machine itself, through no proxy, or with METRICS_TOKEN."""
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if settings.METRICS_TOKEN and secrets.compare_digest(given.encode(), settings.METRICS_TOKEN.encode()):
        return True
    passed_on = {"X-Forwarded-For", "Forwarded", "Via", "X-Real-Ip"} & request.headers.keys()
    return not passed_on and request.META.get("REMOTE_ADDR") in ("127.0.0.1", "::1")


async def _report() -> dict[str, Any]:
    database, storage, layer = await asyncio.gather(
        part("database", in_thread(_ask_database)),
        part("storage", in_thread(_ask_storage)),
        part("layer", _ask_layer),
    )
    parts = {"database": database, "storage": storage, "layer": layer}
    dream = await part("dream", in_thread(_last_dream)) if database["state"] == "ok" else {"state": "unknown"}
    stuck = any(room.stuck for room in hub.rooms())
    ink = {"state": "failed" if stuck else "ok"}
    return {"ready": database["state"] == "ok" and not stuck, **parts, "ink": ink, "dream": dream}


async def part(name: str, ask: Callable[[], Awaitable[dict[str, Any]]]) -> dict[str, Any]:
    begun = time.perf_counter()
    try:
        answer = await asyncio.wait_for(ask(), PATIENCE_SECONDS)
    except Exception:
        # What failed is for the log; this page is public and says only that something did.
        log.exception("Not ready: the %s check failed", name)
        return {"state": "failed"}
    return {"state": "ok", "ms": round((time.perf_counter() - begun) * 1000, 1), **answer}


def in_thread(ask: Callable[[], dict[str, Any]]) -> Callable[[], Awaitable[dict[str, Any]]]:
    """Asks in a thread of this page's own, each question once at a time.

    Neither the thread that all views share nor those that files are streamed from may wait for a database that hangs,
    and a probe that comes back every few seconds must not leave another waiting thread behind each time.
    """

    async def answer() -> dict[str, Any]:
        # A question under way goes on when its asker has no more patience; the next one waits for the same answer.
        return await asyncio.wrap_future(_begin(ask))

    return answer


def _begin(ask: Callable[[], dict[str, Any]]) -> Future[dict[str, Any]]:
    """The question, begun now or under way already."""

    def alone() -> dict[str, Any]:
        try:
            return ask()
        finally:
            connection.close()

    running = _running.get(ask)
    if running is None or running.done():
        running = _running[ask] = _threads.submit(alone)
    return running


def _ask_database() -> dict[str, Any]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        cursor.fetchone()
    return {"kind": connection.vendor}


def _ask_storage() -> dict[str, Any]:
    if settings.SERVE_MEDIA:
        folder = Path(default_storage.path(""))
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError(f"{folder} cannot be written to")
        return {"kind": "folder"}
    default_storage.exists("readyz")
    return {"kind": "bucket"}


async def _ask_layer() -> dict[str, Any]:
    layer = get_channel_layer()
    if layer is None:
        raise RuntimeError("CHANNEL_LAYERS names no default layer")
    channel = await layer.new_channel()
    await layer.send(channel, {"type": "readyz"})
    await layer.receive(channel)
    # A layer has no word for giving a channel back; it lets go of one when a receive is cancelled. Otherwise Redis
    # would keep a subscription for every time this page was asked.
    goodbye = asyncio.ensure_future(layer.receive(channel))
    await asyncio.sleep(0)
    goodbye.cancel()
    await asyncio.wait([goodbye])
    return {"kind": type(layer).__name__}


def _last_dream() -> dict[str, Any]:
    """How long the canvases that dream now have waited: the one that has, measured by its own rhythm, for longest.

    Those that rest, are paused, closed or untouched wait for nothing. A canvas waits since its newest dream, or since
    the first ink after that.
    """
    now = timezone.now()
    waiting = [] if SiteState.ended() else _dreaming(now)
    waited, interval = max(waiting, key=lambda one: one[0] / one[1], default=(0.0, 1.0))
    late = waited > LATE_AFTER * interval
    return {"canvases": len(waiting), "age_seconds": round(waited, 1) if waiting else None, "late": late}


def _dreaming(now: datetime) -> list[tuple[float, float]]:
    """(seconds waited, interval) of each canvas of which a dream is to come."""
    dreams = Frame.objects.visible().dreams().filter(canvas=OuterRef("pk")).order_by("-number")
    ink = Batch.objects.filter(canvas=OuterRef("pk"), last__gt=OuterRef("dreamed")).order_by("last")
    lives = Canvas.objects.existing().filter(Q(closed_at=None) | Q(closed_at__gt=now), daily=False)
    found: Any = (
        lives.annotate(
            dreamed=Coalesce(Subquery(dreams.values("seq")[:1]), 0), state=Coalesce("dream__state", Value(""))
        )
        .exclude(dream__paused=True)
        .exclude(Q(state=Dream.State.RESTING), head__lte=F("dreamed"))
        .annotate(dreamed_at=Subquery(dreams.values("made_at")[:1]), drawn_at=Subquery(ink.values("at")[:1]))
    )
    since = ((canvas, max(filter(None, (canvas.dreamed_at, canvas.drawn_at)), default=None)) for canvas in found)
    return [((now - at).total_seconds(), canvas.interval) for canvas, at in since if at is not None]
