"""Which socket goes to which consumer. Loaded by `dreamsite.asgi`, once Django is set up."""

from __future__ import annotations

from typing import Any

from channels.auth import AuthMiddlewareStack
from channels.routing import URLRouter
from channels.security.websocket import OriginValidator
from django.conf import settings
from django.urls import path, re_path

from canvas.consumer import CanvasConsumer, NoCanvasConsumer

# Any: the stubs of path() know only views.
canvas: Any = CanvasConsumer.as_asgi()
no_canvas: Any = NoCanvasConsumer.as_asgi()

websocket = OriginValidator(
    AuthMiddlewareStack(URLRouter([path("ws/c/<slug:slug>/", canvas), re_path("", no_canvas)])),
    settings.SITE_ORIGINS,
)
