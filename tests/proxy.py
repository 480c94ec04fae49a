"""nginx as deploy/nginx.conf sets it up, on free ports and without a certificate."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.running import PATIENCE, ROOT, end, free_port, until

_AROUND = """
daemon off;
pid {folder}/pid;
error_log {folder}/error.log;
{user}
events {{ worker_connections 512; }}
http {{
    access_log {folder}/access.log;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
{site}
}}
"""


def program() -> str:
    found = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
    if not found:
        pytest.skip("needs nginx: apt-get install nginx-light")
    return found


def site_config(port: int, webs: list[int], certificate: tuple[Path, Path] | None = None) -> str:
    """The file of deploy/ with other ports; without a certificate its server speaks plain http."""
    text = (ROOT / "deploy" / "nginx.conf").read_text()
    text = re.sub(r"(?m)^\s*listen \[::\].*\n", "", text)
    servers = "".join(f"    server 127.0.0.1:{web} max_fails=0;\n" for web in webs)
    text = re.sub(r"(?m)(^    server 127\.0\.0\.1:\d+ max_fails=0;\n)+", servers, text)
    text = text.replace("listen 80;", f"listen 127.0.0.1:{free_port()};").replace("draw.example.org", "127.0.0.1")
    if certificate:
        text = text.replace("listen 443 ssl http2;", f"listen 127.0.0.1:{port} ssl http2;")
        text = re.sub(r"(ssl_certificate +)\S+;", rf"\g<1>{certificate[0]};", text)
        return re.sub(r"(ssl_certificate_key +)\S+;", rf"\g<1>{certificate[1]};", text)
    text = text.replace("listen 443 ssl http2;", f"listen 127.0.0.1:{port};")
    return re.sub(r"(?m)^\s*ssl_certificate.*\n", "", text)


class Nginx:
    def __init__(self, folder: Path) -> None:
        self._program, self._folder, self.port = program(), folder, free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir()

    def start(self, webs: list[int]) -> None:
        import os

        user = "user root;" if os.geteuid() == 0 else ""
        config = self._folder / "nginx.conf"
        config.write_text(_AROUND.format(folder=self._folder, user=user, site=site_config(self.port, webs)))
        self._process = subprocess.Popen([self._program, "-p", self._folder, "-c", config])
        until(lambda: self.status("/healthz") == 200, "nginx")

    def status(self, path: str) -> int:
        try:
            with urllib.request.urlopen(self.url + path, timeout=PATIENCE) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0

    def log(self) -> str:
        return (self._folder / "error.log").read_text()

    def stop(self) -> None:
        end(self._process, signal.SIGTERM)
