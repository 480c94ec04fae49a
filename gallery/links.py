"""Addresses of pages about a canvas: the default canvas, the one at `/`, is not named in them."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.urls import reverse

from canvas.models import Canvas, Frame


def canvas_url(name: str, canvas: Canvas | None, *args: Any, **params: Any) -> str:
    """The address of the page `name` about this canvas, None for the default one; parameters that are None are left
    out."""
    query = _canvas_params(canvas) | {key: value for key, value in params.items() if value is not None}
    return reverse(name, args=args) + (f"?{urlencode(query)}" if query else "")


def frame_url(name: str, frame: Frame, **params: Any) -> str:
    """The address of the page `name` about a frame: one of a canvas that is not listed opens only with its key."""
    query = ({} if frame.canvas.listed else {"canvas": frame.canvas.slug}) | params
    return reverse(name, args=[frame.pk]) + (f"?{urlencode(query)}" if query else "")


def canvas_query(canvas: Canvas) -> str:
    """The query string that names this canvas; empty for the default one."""
    return urlencode(_canvas_params(canvas))


def _canvas_params(canvas: Canvas | None) -> dict[str, Any]:
    return {} if canvas is None or canvas.slug == settings.CANVAS_SLUG else {"canvas": canvas.slug}
