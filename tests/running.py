"""A real site for tests: web server and dreamer as processes of their own, on a free port, in a folder of their own."""

from __future__ import annotations

import http.client
import http.cookiejar
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PASSWORD = "a long walk by the sea"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class RunningSite:
    """`start_web` and `start_dreamer` bring it up; `kill_*` end a process without warning; `stop` ends everything."""

    def __init__(self, var: Path, *, server: str = "daphne", **env: str) -> None:
        self.var, self.server = var, server
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.env = {
            **{name: value for name, value in os.environ.items() if not name.startswith("DREAM")},
            "DREAMSITE_VAR": str(var),
            "PORT": str(self.port),
            "SITE_URL": self.url,
            "PYTHONUNBUFFERED": "1",
            "PYTHONPATH": str(ROOT),
            **env,
        }
        self.env.pop("DJANGO_SETTINGS_MODULE", None)
        self.web: subprocess.Popen[bytes] | None = None
        self.dreamer: subprocess.Popen[bytes] | None = None

    def manage(self, *arguments: str, check: bool = True) -> str:
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments], cwd=ROOT, env=self.env, capture_output=True, text=True, check=False
        )
        if check and done.returncode:
            raise AssertionError(f"manage.py {' '.join(arguments)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return done.stdout + done.stderr

    def start_web(self, seconds: float = 40) -> None:
        log = (self.var / "web.log").open("ab")
        commands = {
            "daphne": [
                "daphne", "-b", "127.0.0.1", "-p", str(self.port), "-v", "0", "--no-server-name",
                "--websocket-max-message-size", "65536", "--websocket-max-frame-size", "65536",
            ],
            "uvicorn": [
                "uvicorn", "--host", "127.0.0.1", "--port", str(self.port), "--log-level", "warning",
                "--ws-per-message-deflate", "false", "--ws-max-size", "65536", "--lifespan", "off",
            ],
        }  # fmt: skip
        self.web = subprocess.Popen(
            [sys.executable, "-m", *commands[self.server], "dreamsite.asgi:application"],
            cwd=ROOT, env=self.env, stdout=log, stderr=log,
        )  # fmt: skip
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if self.web.poll() is not None:
                raise AssertionError(f"the web server ended with {self.web.returncode}:\n{self.log('web')}")
            try:
                with urllib.request.urlopen(self.url + "/healthz", timeout=2):
                    return
            except (urllib.error.URLError, OSError, http.client.HTTPException):
                time.sleep(0.03)
        raise AssertionError(f"the web server does not answer after {seconds} s:\n{self.log('web')}")

    def start_dreamer(self) -> None:
        log = (self.var / "dreamer.log").open("ab")
        self.dreamer = subprocess.Popen(
            [sys.executable, "manage.py", "dreamer"], cwd=ROOT, env=self.env, stdout=log, stderr=log
        )

    def kill_web(self) -> None:
        _end(self.web, signal.SIGKILL)

    def kill_dreamer(self) -> None:
        _end(self.dreamer, signal.SIGKILL)

    def stop(self) -> None:
        _end(self.dreamer, signal.SIGTERM)
        _end(self.web, signal.SIGTERM)

    def log(self, name: str) -> str:
        path = self.var / f"{name}.log"
        return path.read_text(errors="replace")[-6000:] if path.exists() else ""

    def browser(self) -> Visitor:
        return Visitor(self.url)


class Visitor:
    """Somebody with a cookie jar, as far as a test needs a browser without pictures."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.jar = http.cookiejar.CookieJar()
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.jar))

    def get(self, path: str) -> tuple[int, str]:
        return self._open(urllib.request.Request(self.url + path))

    def post(self, path: str, **fields: str) -> tuple[int, str]:
        """Fetches the page for its CSRF token, then sends the form."""
        status, page = self.get(path)
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
        if token is None:
            raise AssertionError(f"no form at {path} ({status}):\n{page[:2000]}")
        data = urllib.parse.urlencode({"csrfmiddlewaretoken": token[1], **fields}).encode()
        return self._open(urllib.request.Request(self.url + path, data, {"Referer": self.url + path, "Origin": self.url}))

    def sign_up(self, name: str) -> Visitor:
        status, page = self.post("/accounts/signup/", username=name, password1=PASSWORD)
        if status != 200 or "sessionid" not in self.cookies and "session" not in self.cookies:
            raise AssertionError(f"sign-up of {name} failed ({status}):\n{page[:3000]}")
        return self

    @property
    def cookies(self) -> dict[str, str]:
        return {cookie.name: cookie.value or "" for cookie in self.jar}

    @property
    def headers(self) -> dict[str, str]:
        """For a websocket handshake."""
        return {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()), "Origin": self.url}

    def _open(self, request: urllib.request.Request) -> tuple[int, str]:
        try:
            with self._opener.open(request, timeout=30) as answer:
                return answer.status, answer.read().decode(errors="replace")
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode(errors="replace")


def _end(process: subprocess.Popen[bytes] | None, how: signal.Signals) -> None:
    if process is None or process.poll() is not None:
        return
    process.send_signal(how)
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def prepare(folder: Path) -> Path:
    """A var/ with a migrated database, a canvas and static files, to copy for each site: making one takes seconds."""
    site = RunningSite(folder)
    folder.mkdir(parents=True, exist_ok=True)
    site.manage("migrate", "--verbosity", "0")
    site.manage("collectstatic", "--verbosity", "0", "--no-input")
    site.manage("shell", "-c", "from canvas.models import Canvas; Canvas.objects.default()")
    return folder


def copy(template: Path, target: Path) -> Path:
    shutil.copytree(template, target)
    return target
