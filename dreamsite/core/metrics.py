"""Numbers for Prometheus out of processes that have no pages."""

from __future__ import annotations

from django.conf import settings
from prometheus_client import start_http_server


def serve() -> None:
    """Answers at METRICS_ADDRESS, in a thread, where that is set: what dreamers and workers call when they begin."""
    if settings.METRICS_ADDRESS:
        host, port = settings.METRICS_ADDRESS
        start_http_server(port, addr=host)
