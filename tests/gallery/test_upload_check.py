"""The owner's own check of uploads: what it accepts comes in, what it refuses or cannot look at does not."""

from __future__ import annotations

import io
import shlex
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from gallery.uploads import check, pictures
from tests.gallery import hostile

PHOTO = hostile.encoded(hostile.photo(), "PNG")


def clean() -> pictures.CleanedPicture:
    return pictures.clean(io.BytesIO(PHOTO))


def command(code: str) -> str:
    return shlex.join([sys.executable, "-c", code])


class Server(HTTPServer):
    """Answers every POST with `answer`, and keeps what it got."""

    answer: tuple[int, bytes] = (204, b"")
    received: tuple[str, bytes] | None = None


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received = self.headers["Content-Type"], body
        status, answer = self.server.answer
        self.send_response(status)
        self.send_header("Content-Length", str(len(answer)))
        if status == 302:
            self.send_header("Location", "/accepts-everything")
        self.end_headers()
        self.wfile.write(answer)

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def server(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        settings.UPLOAD_CHECK = f"http://127.0.0.1:{server.server_port}/check"
        yield server
        server.shutdown()
        thread.join()


def test_a_command_gets_the_picture_as_it_will_be_stored(settings: Any, tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    settings.UPLOAD_CHECK = command(f"import sys; open({str(seen)!r}, 'wb').write(sys.stdin.buffer.read())")
    assert clean().data == seen.read_bytes() != PHOTO


def test_a_command_refuses_with_its_own_words(settings: Any) -> None:
    settings.UPLOAD_CHECK = command("print('No kittens here.\\x07\\nsecret'); raise SystemExit(1)")
    with pytest.raises(pictures.InvalidUpload, match=r"^No kittens here\.$"):
        clean()
    settings.UPLOAD_CHECK = command("raise SystemExit(1)")
    with pytest.raises(pictures.InvalidUpload, match="not accepted here"):
        clean()


@pytest.mark.parametrize(
    "setting",
    [command("raise SystemExit(2)"), "/no/such/program", "'unclosed"],
)
def test_a_command_that_fails_lets_nothing_in(settings: Any, setting: str) -> None:
    settings.UPLOAD_CHECK = setting
    with pytest.raises(pictures.InvalidUpload, match="cannot be checked at the moment"):
        clean()


def test_a_command_that_does_not_end_lets_nothing_in(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check, "SECONDS", 0.5)
    settings.UPLOAD_CHECK = command("import time; time.sleep(600)")
    with pytest.raises(pictures.InvalidUpload, match="cannot be checked at the moment"):
        clean()


@pytest.mark.parametrize("status", [200, 204])
def test_an_address_accepts(server: Server, status: int) -> None:
    server.answer = status, b""
    cleaned = clean()
    assert server.received == ("image/jpeg", cleaned.data)


@pytest.mark.parametrize("status", check.REFUSALS)
def test_an_address_refuses_with_its_own_words(server: Server, status: int) -> None:
    server.answer = status, "Keine Kätzchen.\n".encode()
    with pytest.raises(pictures.InvalidUpload, match=r"^Keine Kätzchen\.$"):
        clean()


@pytest.mark.parametrize("status", [202, 302, 404, 500, 503])
def test_an_address_that_says_anything_else_lets_nothing_in(server: Server, status: int) -> None:
    server.answer = status, b"fine!"
    with pytest.raises(pictures.InvalidUpload, match="cannot be checked at the moment"):
        clean()


def test_an_address_where_nobody_answers_lets_nothing_in(settings: Any) -> None:
    settings.UPLOAD_CHECK = "http://127.0.0.1:9/"
    with pytest.raises(pictures.InvalidUpload, match="cannot be checked at the moment"):
        clean()
