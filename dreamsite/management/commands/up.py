"""`manage.py up`: the whole site on one machine, from an empty folder to a printed address."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any
from urllib.error import URLError

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from canvas import frames
from canvas.models import Canvas
from dreamer import opening
from dreamer.networks import fetching
from dreamer.registered import default_model
from dreamsite import static
from dreamsite.claim import claim_link
from dreamsite.serve import SERVERS

MANAGE = Path(settings.BASE_DIR) / "manage.py"
CHECKED = ("--skip-checks",)  # one has said what there is to say
STARTING_SECONDS = 60
STOPPING_SECONDS = 30  # viewers are sent away first (dreamsite/stopping.py)
PR_SET_PDEATHSIG = 1  # linux/prctl.h


class Process:
    """A child that is started again when it ends by itself, a little later each time."""

    def __init__(self, name: str, command: list[str]) -> None:
        self.name, self._command = name, command
        self._running: subprocess.Popen[bytes] | None = None
        self._again_at = 0.0
        self._falls = 0

    def watch(self) -> str | None:
        """Starts it where it should run and does not; what there is to say about that."""
        now = time.monotonic()
        if self._running is not None:
            code = self._running.poll()
            if code is None:
                return None
            self._running, self._falls = None, self._falls + 1
            wait = min(30.0, 0.5 * 2**self._falls)
            self._again_at = now + wait
            return f"The {self.name} ended with {code}; it starts again in {wait:.0f} s."
        if now >= self._again_at:
            # A group of its own: Ctrl-C in the terminal goes to `up` alone, which stops the others in order.
            self._running = subprocess.Popen(
                self._command, start_new_session=True, cwd=settings.BASE_DIR, preexec_fn=_end_with_parent
            )
        return None

    def stop(self) -> None:
        if self._running is not None and self._running.poll() is None:
            self._running.terminate()

    def wait(self, until: float) -> None:
        if self._running is not None:
            try:
                self._running.wait(max(0.1, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                self._running.kill()
                self._running.wait()


def _end_with_parent() -> None:
    """In a child before it begins (Linux only): when `up` is killed outright, nobody stays behind on its port."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


class Command(BaseCommand):
    help = "Prepares the database, the static files and a canvas, then runs the web server, the dreamer and the worker."
    requires_migrations_checks = False

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default=os.environ.get("HOST", "127.0.0.1"), help="address to listen on")
        parser.add_argument("--server", choices=SERVERS, default="daphne", help="the web server (default: daphne)")
        parser.add_argument("--no-dreamer", action="store_true", help="run without the dreamer")
        parser.add_argument("--no-worker", action="store_true", help="run without the worker, which makes the films")

    def handle(self, *, host: str, server: str, no_dreamer: bool, no_worker: bool, **options: Any) -> None:
        _check_free(host, settings.PORT)
        self._prepare()
        web = SERVERS[server](host, settings.PORT)
        processes = [Process("web server", web)]
        if not no_dreamer:
            processes.append(Process("dreamer", [sys.executable, str(MANAGE), "dreamer", *CHECKED]))
        if not no_worker:
            processes.append(Process("worker", [sys.executable, str(MANAGE), "worker", *CHECKED]))
        stopping = False

        def stop(signum: int, frame: object) -> None:
            nonlocal stopping
            stopping = True

        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)
        # The terminal was closed. Under nohup this signal comes ignored, and stays so.
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
            signal.signal(signal.SIGHUP, stop)
        welcomed, began = False, time.monotonic()
        try:
            while not stopping:
                for process in processes:
                    if trouble := process.watch():
                        self.stderr.write(self.style.WARNING(trouble))
                if not welcomed and _answers(host):
                    welcomed = True
                    self._welcome(works=not no_worker)
                elif not welcomed and time.monotonic() - began > STARTING_SECONDS:
                    raise CommandError(
                        f"Nothing answers at port {settings.PORT} after {STARTING_SECONDS} s; what is above says why."
                    )
                time.sleep(0.2)
        finally:
            for process in processes:
                process.stop()
            until = time.monotonic() + STOPPING_SECONDS
            for process in processes:
                process.wait(until)
        with contextlib.suppress(OSError):  # nobody reads it where the terminal is gone
            self.stdout.write("\nStopped. Everything that was acknowledged is kept.")

    def _prepare(self) -> None:
        call_command("migrate", verbosity=0, interactive=False)
        static.collect()
        opening.draw(Canvas.objects.default())
        if trouble := frames.storage_trouble():
            raise CommandError(trouble)

    def _welcome(self, *, works: bool) -> None:
        say = self.stdout.write
        say("")
        say(self.style.SUCCESS(f"  Dreamsite is at {settings.SITE_URL}/"))
        if link := claim_link():
            say(f"  It has no owner yet. Claim it here, once: {link}")
        model = ".venv/bin/python manage.py model"
        coming, has = fetching.expected() if works else None, default_model()
        if coming:
            dreams = "It dreams with the small network that comes with it, and fetches" if has else "It fetches"
            say(f"  {dreams} {coming.title} ({coming.weights.size / 1e6:.0f} MB) in the background, from its official")
            say("  sources, to dream with it as soon as it is here. `DREAM_FETCH=` keeps it from that.")
        elif not has:
            say(f"  It has no network to dream with yet: `{model} import FILE` brings one.")
        elif has == "house" and not settings.DREAM_FETCH:
            say(f"  It dreams with the small network that comes with it; `{model} fetch googlenet --use` brings more.")
        say("  Ctrl-C stops it.")
        say("")


def _check_free(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        # As the servers do: a port that only waits for its last connections to fade is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise CommandError(
                f"Port {port} at {host} is taken or not ours ({error.strerror}): does another Dreamsite run? "
                f"PORT={port + 1} make run uses another one."
            ) from error


def _answers(host: str) -> bool:
    host = "127.0.0.1" if host in ("0.0.0.0", "") else host
    request = urllib.request.Request(
        f"http://{host}:{settings.PORT}/healthz", headers={"Host": str(settings.ALLOWED_HOSTS[0])}
    )
    try:
        with urllib.request.urlopen(request, timeout=2) as answer:
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False
