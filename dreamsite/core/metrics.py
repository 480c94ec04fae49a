"""Numbers for Prometheus out of processes that have no pages."""

from __future__ import annotations

import logging

from django.conf import settings
from prometheus_client import start_http_server

log = logging.getLogger(__name__)


def serve() -> None:
    """Answers at METRICS_ADDRESS, in a thread, where that is set: what dreamers and workers call when they begin."""
    if settings.METRICS_ADDRESS:
        host, port = settings.METRICS_ADDRESS
        try:
            start_http_server(port, addr=host)
        except OSError as error:  # another process on this machine has the address: no reason not to work
            log.error("Nothing answers Prometheus here: %s:%d cannot be had (%s).", host, port, error.strerror)
