"""A real site for tests: web server and dreamer as processes of their own, on a free port, in a folder of their own."""

from __future__ import annotations

import contextlib
import dataclasses
import http.client
import http.cookiejar
import itertools
import json
import multiprocessing
import os
import random
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from canvas import wire
from dreamsite.serve import APPLICATION, SERVERS
from tests.forked import ROOT, Forked, run

Process = subprocess.Popen[Any] | Forked
PASSWORD = "a long walk by the sea"
# Seconds that a test waits for what must come, in all of the suite. Minutes, so that a slow and busy machine passes as
# a quick one does, only later; nobody waits so long but for what never comes.
PATIENCE = 180
SMALL = "small"  # a second canvas of each prepared site, which dreams in a blink
SMALL_SIDE = 128
PEOPLE = 16  # who have an account and are signed in

_PREPARE = """
import json
from datetime import timedelta
from pathlib import Path
from django.utils import timezone
from django.core.management import call_command
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_user_model
from dreamsite import static
from dreamsite.core.sessions import SessionStore
from canvas.models import Canvas
call_command("migrate", verbosity=0)
static.collect()  # with its mark: the folder is shared, and nobody may collect into it while others start
Canvas.objects.default()
Canvas.objects.create(slug="%s", title="Small", width=%d, height=%d)
people = {}
for name in %r:
    user = get_user_model().objects.create(username=name, date_joined=timezone.now() - timedelta(days=2))
    user.set_unusable_password()
    user.save()
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    people[name] = {"id": user.pk, "cookie": f"{settings.SESSION_COOKIE_NAME}={session.session_key}"}
(Path(settings.VAR_DIR) / "people.json").write_text(json.dumps(people))
"""


# Below the ports that systems give to clients, so that nobody is given one by chance while its server is started or
# down; each of several workers looks among a thousand of its own, beginning anywhere.
_worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw19").removeprefix("gw")) % 20
_begin = random.SystemRandom().randrange(1000)
_ports = itertools.cycle(11_000 + 1000 * _worker + (_begin + number) % 1000 for number in range(1000))


def free_port() -> int:
    for port in _ports:
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("no port is free")


def until(ready: Callable[[], Any], what: str = "") -> Any:
    """The first true answer of `ready`, asked twenty times a second; AssertionError after PATIENCE."""
    end = time.monotonic() + PATIENCE
    while not (answer := ready()):
        assert time.monotonic() < end, f"not within {PATIENCE} s: {what or ready}"
        time.sleep(0.05)
    return answer


@dataclasses.dataclass(frozen=True)
class Person:
    """Somebody with an account and a session, made when the site was prepared."""

    id: int
    name: str
    headers: dict[str, str]


class RunningSite:
    """`start_web` and `start_dreamer` bring it up; `kill_*` end a process without warning; `stop` ends everything.

    `tune` changes limits of the modules in the started processes (tests.tuned); `env` are settings.
    """

    forks = False  # what the tests start, but not what a bench measures, is forked (tests.forked)

    def __init__(
        self, var: Path, *, server: str = "daphne", name: str = "web", tune: dict[str, Any] | None = None, **env: str
    ) -> None:
        self.var, self.server, self.name = var, server, name
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        ours = {key: value for key, value in os.environ.items() if not key.startswith("DREAM")}
        self.env = {
            **ours,
            "DREAMSITE_VAR": str(var),
            "PORT": str(self.port),
            "SITE_URL": self.url,
            "PYTHONUNBUFFERED": "1",
            "PYTHONPATH": str(ROOT),
            "TUNE": json.dumps(tune or {}),
            "DREAM_FETCH": "",
            "DREAM_SEEDS_AFTER": "0",
            "SIGN_UPS_PER_ADDRESS": "10000",  # everybody in a test comes from one
            "SOCKETS_PER_ADDRESS": "10000",
            **env,
        }
        self.env.pop("DJANGO_SETTINGS_MODULE", None)
        self.web: Process | None = None
        self.dreamer: Process | None = None
        self.dreamers: list[Process] = []
        self.workers: list[Process] = []
        self._console: tuple[Forked, Connection[str, tuple[bool, str]]] | None = None

    # --- processes -------------------------------------------------------------------------------------------------

    def manage(self, *arguments: str, check: bool = True) -> str:
        done = run(["manage", *arguments], self.env)
        if check and done.returncode:
            raise AssertionError(
                f"manage.py {' '.join(arguments)} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
            )
        return done.stdout + done.stderr

    def shell(self, code: str) -> str:
        """What this code says that runs beside the site, in a process that serves nobody (tests.console)."""
        if self._console is None:
            ours, theirs = multiprocessing.Pipe()
            self._console = Forked(["tests.console"], self.env, self.var / "shell.log", theirs), ours
            theirs.close()
        _process, asking = self._console
        try:
            asking.send(code)
            failed, said = asking.recv()
        except (EOFError, OSError):
            failed, said = True, self.log("shell")
        if failed:
            raise AssertionError(f"{code}\nfailed:\n{said}")
        return said

    def start_web(self, *, wait: bool = True, application: str = APPLICATION) -> None:
        _python, _dash_m, *command = SERVERS[self.server]("127.0.0.1", self.port)
        command[-1] = application
        for option in {"--ping-timeout", "--ws-ping-timeout"} & set(command):
            # Tests wait for commands and queries while their own sockets' loop stands still, and nothing answers pings.
            command[command.index(option) + 1] = str(10 * PATIENCE)
        self.web = self._start(self.name, *command)
        if wait:
            try:
                self.until_web()
            except BaseException:
                self.stop()  # a fixture that fails here never comes to its end
                raise

    def until_web(self) -> None:
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if self.web is not None and self.web.poll() is not None:
                raise AssertionError(f"the web server ended with {self.web.returncode}:\n{self.log()}")
            if self.answers():
                return
            time.sleep(0.03)
        raise AssertionError(f"the web server does not answer after {PATIENCE} s:\n{self.log()}")

    def answers(self) -> bool:
        try:
            with urllib.request.urlopen(self.url + "/healthz", timeout=PATIENCE):
                return True
        except (urllib.error.URLError, OSError, http.client.HTTPException):
            return False

    def start_dreamer(self, *arguments: str) -> Process:
        """Another dreamer process; `dreamer` is the newest, `dreamers` are all."""
        self.dreamer = self._start("dreamer", "manage", "dreamer", *arguments)
        self.dreamers.append(self.dreamer)
        return self.dreamer

    def start_worker(self, *arguments: str) -> Process:
        """Another process for background work."""
        self.workers.append(self._start("worker", "manage", "worker", "--nice", "0", *arguments))
        return self.workers[-1]

    def _start(self, log: str, *command: str) -> Process:
        path = self.var / f"{log}.log"
        if self.forks:
            return Forked(list(command), self.env, path)
        with path.open("ab") as out:
            whole = [sys.executable, "-m", "tests.tuned", *command]
            return subprocess.Popen(whole, cwd=ROOT, env=self.env, stdout=out, stderr=out)

    def kill_web(self) -> None:
        end(self.web, signal.SIGKILL)

    def kill_dreamer(self) -> None:
        end(self.dreamer, signal.SIGKILL)

    def stop(self) -> None:
        processes = [process for process in (*self.workers, *self.dreamers, self.web) if process is not None]
        if self._console is not None:
            console, asking = self._console
            asking.close()  # which ends it
            processes.append(console)
            self._console = None
        for process in processes:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in processes:
            until_ended(process)

    def log(self, name: str = "") -> str:
        """All that the process has said: `web` (or the site's name), `dreamer`."""
        path = self.var / f"{name or self.name}.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def memory(self) -> int:
        """Bytes of real memory that the web process holds."""
        assert self.web is not None
        pages = int(Path(f"/proc/{self.web.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    # --- what the database holds, read beside Django -----------------------------------------------------------------

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """The rows of a query; `?` stands for each value. Statements are committed."""
        address = self.env.get("DATABASE_URL", "")
        if address.startswith("postgres"):
            import psycopg

            with psycopg.connect(address, autocommit=True) as connection:
                cursor = connection.execute(sql.replace("?", "%s"), values)
                return cursor.fetchall() if cursor.description else []
        connection = sqlite3.connect(self.var / "dreamsite.sqlite3", timeout=PATIENCE)
        try:
            with connection:
                return connection.execute(sql, values).fetchall()
        finally:
            connection.close()

    def journal(self, slug: str = "main") -> list[tuple[int, wire.Operation]]:
        """Every operation of a canvas with its number; AssertionError where numbers are missing or twice."""
        rows = self.rows(
            "SELECT b.first, b.last, b.payload FROM canvas_batch b JOIN canvas_canvas c ON c.id = b.canvas_id"
            " WHERE c.slug = ? ORDER BY b.first",
            slug,
        )
        found: list[tuple[int, wire.Operation]] = []
        for first, last, payload in rows:
            assert first == len(found) + 1, f"operation {len(found) + 1} is followed by {first}"
            found += wire.Batch(first, 0, last - first + 1, bytes(payload)).operations()
            assert len(found) == last
        ((head,),) = self.rows("SELECT head FROM canvas_canvas WHERE slug = ?", slug)
        assert head == len(found), f"the canvas says {head}, its journal ends with {len(found)}"
        return found

    def frames(self, slug: str = SMALL) -> list[dict[str, Any]]:
        names = "id", "number", "seq", "kind", "picture", "thumbnail", "sha256", "title", "recipe", "seconds", "device"
        rows = self.rows(
            f"SELECT {', '.join('f.' + name for name in names)} FROM canvas_frame f"
            " JOIN canvas_canvas c ON c.id = f.canvas_id WHERE c.slug = ? ORDER BY f.number",
            slug,
        )
        return [dict(zip(names, row, strict=True)) for row in rows]

    def dream(self, slug: str = SMALL) -> dict[str, Any]:
        """The dreamer's row of a canvas, as the database has it; empty before the first dreamer."""
        names = "holder", "state", "message", "position", "style", "missed", "paused", "style_wanted", "next_at"
        rows = self.rows(
            f"SELECT {', '.join('d.' + name for name in names)} FROM canvas_dream d"
            " JOIN canvas_canvas c ON c.id = d.canvas_id WHERE c.slug = ?",
            slug,
        )
        if not rows:
            return {}
        found = dict(zip(names, rows[0], strict=True))
        found["style"] = json.loads(found["style"]) if isinstance(found["style"], str) else found["style"]
        return found

    # --- people ----------------------------------------------------------------------------------------------------

    def person(self, number: int) -> Person:
        """One of PEOPLE, with the headers of their browser's websocket."""
        name = _name(number)
        known = json.loads((self.var / "people.json").read_text())[name]
        return Person(known["id"], name, {"Cookie": known["cookie"], "Origin": self.url})

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
        return self._open(
            urllib.request.Request(self.url + path, data, {"Referer": self.url + path, "Origin": self.url})
        )

    def sign_up(self, name: str) -> Visitor:
        status, page = self.post("/accounts/signup/", username=name, password1=PASSWORD)
        if status != 200 or "session" not in self.cookies:
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
            with self._opener.open(request, timeout=PATIENCE) as answer:
                return answer.status, answer.read().decode(errors="replace")
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode(errors="replace")


def end(process: Process | None, how: signal.Signals) -> None:
    """Sends the signal and waits for the end."""
    if process is None or process.poll() is not None:
        return
    process.send_signal(how)
    until_ended(process)


def until_ended(process: Process) -> None:
    """Waits for the end; a process that does not end is killed."""
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _name(number: int) -> str:
    return f"person{number:02}"


def prepare(folder: Path, *, static: Path | None = None, people: int = PEOPLE, **env: str) -> Path:
    """A var/ with a migrated database, two canvases, people and static files (`static`: those of another one)."""
    site = RunningSite(folder, **env)
    folder.mkdir(parents=True, exist_ok=True)
    if static:
        (folder / "static").symlink_to(static)
    try:
        names = [_name(number) for number in range(people)]
        site.shell(_PREPARE % (SMALL, SMALL_SIDE, SMALL_SIDE, names))
    finally:
        site.stop()
    return folder


def copy(template: Path, target: Path) -> Path:
    """A folder of one's own; the static files, which nobody changes, are shared."""
    shutil.copytree(template, target, ignore=shutil.ignore_patterns("static"))
    (target / "static").symlink_to((template / "static").resolve())
    return target
