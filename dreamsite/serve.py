"""The command lines of the two web servers, in one place for `manage.py up`, deployments, tests and load.

Both run with bounds of ours (dreamsite.servers). Who stands behind a proxy is dreamsite.asgi's to say, from the end of
X-Forwarded-For: both servers would believe its beginning, which is the client's own.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

from canvas import limits

APPLICATION = "dreamsite.asgi:application"
# Above the protocol's own limit, so that the room can say 4413 to what is only a little too large; what is
# larger still the server cuts off before it has it in memory.
LARGEST = 2 * limits.MAX_MESSAGE
HANDSHAKE_SECONDS = 15
SOCKET_SECONDS = 6 * 3600  # an open socket's session is looked at anew when it comes back


def daphne(host: str, port: int) -> list[str]:
    """The default. The pings find viewers who left without a word."""
    return [
        sys.executable,
        "-m",
        "dreamsite.servers.daphne",
        "-b",
        host,
        "-p",
        str(port),
        "-v",
        "0",
        "--no-server-name",
        "--websocket-max-message-size",
        str(LARGEST),
        "--websocket-max-frame-size",
        str(LARGEST),
        "--websocket_connect_timeout",
        str(HANDSHAKE_SECONDS),
        "--websocket_timeout",
        str(SOCKET_SECONDS),
        "--ping-interval",
        "20",
        "--ping-timeout",
        "30",
        "--application-close-timeout",
        "5",
        APPLICATION,
    ]


def uvicorn(host: str, port: int) -> list[str]:
    """The other one, on uvloop. Deflate off: ink does not compress, sockets get dear."""
    return [
        sys.executable,
        "-m",
        "uvicorn",
        "--host",
        host,
        "--port",
        str(port),
        "--log-level",
        "warning",
        "--no-server-header",
        "--ws-per-message-deflate",
        "false",
        "--ws-max-size",
        str(LARGEST),
        "--ws-ping-interval",
        "20",
        "--ws-ping-timeout",
        "30",
        "--timeout-graceful-shutdown",
        "2",
        "--lifespan",
        "on",  # dreamsite.stopping takes the signals there
        "--no-proxy-headers",
        "--http",
        "dreamsite.servers.uvicorn:Connection",
        "--ws",
        "dreamsite.servers.uvicorn:Socket",
        APPLICATION,
    ]


SERVERS: dict[str, Callable[..., list[str]]] = {"daphne": daphne, "uvicorn": uvicorn}
