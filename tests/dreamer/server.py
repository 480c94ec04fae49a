"""A real HTTP server that misbehaves in every way downloads do."""

from __future__ import annotations

import threading
import urllib.parse
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PAGE = b"<!doctype html><title>Sign in to this network</title>" * 100  # with status 200, in place of a file


class Server(ThreadingHTTPServer):
    """Serves `files`; what goes wrong is a function per path. `requests` lists (path, Range) as they came."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files: dict[str, bytes] = {}
        self.faults: dict[str, Callable[[Handler, bytes], None]] = {}
        self.requests: list[tuple[str, str | None]] = []
        self.release = threading.Event()

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/{path}"


class Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path = urllib.parse.unquote(self.path.lstrip("/"))
        self.server.requests.append((path, self.headers.get("Range")))
        self.close_connection = True
        if path not in self.server.files:
            self.send_error(404)
            return
        data = self.server.files[path]
        self.server.faults.get(path, Handler.whole)(self, data)

    def whole(self, data: bytes, ranges: bool = True, length: int | None = None) -> None:
        """The right answer, with or without ranges, perhaps under a wrong length."""
        wanted = self.headers.get("Range")
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and ranges else 0
        if start and start >= len(data):
            self.send_response(416)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        self.send_header("Content-Length", str(len(data) - start if length is None else length - start))
        self.end_headers()
        self.wfile.write(data[start:])

    def log_message(self, format: str, *args: object) -> None:
        pass


def broken_after(count: int) -> Callable[[Handler, bytes], None]:
    """Sends `count` bytes of what is asked for, under the right length, and hangs up; resumes properly."""

    def fault(handler: Handler, data: bytes) -> None:
        wanted = handler.headers.get("Range")
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted else 0
        end = min(start + count, len(data))
        handler.send_response(206 if start else 200)
        if start:
            handler.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        handler.send_header("Content-Length", str(len(data) - start))
        handler.end_headers()
        handler.wfile.write(data[start:end])

    return fault
