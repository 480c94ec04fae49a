"""What holds for both servers, in front of the application: how many sockets an address opens, how large a body is."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from dreamsite.core import upload_pass
from dreamsite.servers import limits
from dreamsite.servers.limits import AddressLimit

TOO_LARGE = b"This is more than can be taken here.\n"


class BoundedByAddress:
    """Sockets of each address are bounded before anything is looked up for them; too many are a 403."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner
        most = settings.SOCKETS_PER_ADDRESS
        self._sockets = AddressLimit(most, limits.HANDSHAKES_RATE, max(limits.HANDSHAKES_BURST, most))

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        key = self._sockets.enter(scope["client"][0] if scope.get("client") else "")
        if key is None:
            await receive()
            await send({"type": "websocket.close"})
            return
        try:
            await self.inner(scope, receive, send)
        finally:
            self._sockets.leave(key)


class BoundedBody:
    """No application sees a body that is larger than its sender has leave for: 413, and the connection is closed."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        cookies = b"; ".join(value for name, value in scope["headers"] if name == b"cookie").decode("latin1")
        allowed = max(limits.LARGEST_BODY, upload_pass.granted(cookies))
        length = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
        came, began = 0, False

        async def count() -> Any:
            nonlocal came
            message = await receive()
            came += len(message.get("body", b""))
            return message if came <= allowed else {"type": "http.disconnect"}

        async def watch(message: Any) -> None:
            nonlocal began
            began = True
            await send(message)

        if not length.isdigit() or (len(length) < 20 and int(length) <= allowed):
            await self.inner(scope, count, watch)
            if came <= allowed:
                return
        if not began:
            headers = [(b"connection", b"close"), (b"content-type", b"text/plain")]
            await send({"type": "http.response.start", "status": 413, "headers": headers})
            await send({"type": "http.response.body", "body": TOO_LARGE})
