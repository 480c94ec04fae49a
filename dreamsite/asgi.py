"""The site as an ASGI application, for daphne and uvicorn: pages through Django, the sockets through Channels."""

from __future__ import annotations

import gc
import os
import threading
from importlib import import_module
from typing import Any, cast

from channels.routing import ProtocolTypeRouter
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.core.files.storage import default_storage
from django.utils.module_loading import import_string

from canvas import connections
from dreamsite import logs
from dreamsite.core import addresses
from dreamsite.servers.bounds import BoundedBody, BoundedByAddress

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dreamsite.settings")
http = get_asgi_application()
# By name, since they import models: those can be imported only now that Django is set up.
websocket = import_string("dreamsite.routing.websocket")
storage_trouble = import_string("canvas.frames.storage_trouble")
stopping: Any = import_module("dreamsite.stopping")

if settings.S3_BUCKET:
    cast(Any, default_storage).hurried = True

by_protocol = ProtocolTypeRouter({"http": BoundedBody(http), "websocket": BoundedByAddress(websocket)})


async def _site(scope: Any, receive: Any, send: Any) -> None:
    """The site stands at the root of SITE_URL, and no client has a say in that.

    daphne takes the path's prefix from a header of any client, and Django would write it in front of every link; both
    servers take the scheme from X-Forwarded-Proto behind a proxy, which only a site at https has use for. Whose
    address it is, is settled here for everything that asks: our own proxies say, never the client.
    """
    scope = {**scope, "root_path": ""}
    if settings.PROXIES and scope.get("client"):
        hops = [value.decode("latin1") for name, value in scope["headers"] if name == b"x-forwarded-for"]
        scope["client"] = [addresses.forwarded(scope["client"][0], hops, settings.PROXIES), 0]
    if scope["type"] == "http" and not settings.HTTPS:
        scope["scheme"] = "http"
    counts = scope["type"] == "http"
    stopping.requests += counts
    try:
        await by_protocol(scope, receive, send)
    finally:
        stopping.requests -= counts


named = logs.named(_site, behind_proxy=settings.BEHIND_PROXY)
stopping.prepare()


async def application(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        await stopping.lifespan(receive, send)
    else:
        await named(scope, receive, send)


STARTING_SECONDS = 15.0  # so long a storage or a database that does not answer holds the start


def _look_at_storage() -> None:
    connections.bypass_pool()
    _trouble.append(storage_trouble())
    connections.close()


# A process of a fleet that was set up with another storage must not serve. In a thread: servers import this file
# inside their event loop, where the database may not be asked.
_trouble: list[str] = []
_looking = threading.Thread(target=_look_at_storage, daemon=True)
_looking.start()
_looking.join(STARTING_SECONDS)
if any(_trouble):
    raise SystemExit(_trouble[0])

# What is loaded by now stays as long as the process: a full collection that walked it, too, held everybody's ink for a
# third of a second while a thousand watched.
gc.collect()
gc.freeze()
