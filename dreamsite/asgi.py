"""The site as an ASGI application, for daphne and uvicorn: pages through Django, the sockets through Channels."""

from __future__ import annotations

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dreamsite.settings")
http = get_asgi_application()  # sets Django up; what follows needs it

from channels.auth import AuthMiddlewareStack  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from channels.security.websocket import OriginValidator  # noqa: E402
from django.conf import settings  # noqa: E402
from django.urls import path, re_path  # noqa: E402

from canvas.consumer import CanvasConsumer, NoCanvasConsumer  # noqa: E402

websocket = OriginValidator(
    AuthMiddlewareStack(
        URLRouter(
            [
                # The stubs of path() know only views, those of URLRouter only what path() does not give.
                path("ws/c/<slug:slug>/", CanvasConsumer.as_asgi()),  # type: ignore[list-item, arg-type]
                re_path("", NoCanvasConsumer.as_asgi()),  # type: ignore[list-item, arg-type]
            ]
        )
    ),
    settings.SITE_ORIGINS,
)

application = ProtocolTypeRouter({"http": http, "websocket": websocket})
