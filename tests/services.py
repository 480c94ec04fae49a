"""PostgreSQL and Redis of one's own: started privately on a free port, in a folder of their own.

`DREAMSITE_TEST_POSTGRES` (postgres://user@host:port) names a server to use instead; it must let us make databases.
Where there is none, tests that need one are skipped and say so; with CI=true that is a failure (tests/conftest.py).
"""

from __future__ import annotations

import contextlib
import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.running import PATIENCE, end, free_port

_numbers = itertools.count(1)


def postgres_bin() -> Path | None:
    """The newest PostgreSQL's programs: Debian keeps them off the PATH."""
    found = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    if found:
        return max(found, key=lambda path: int(path.parent.name))
    initdb = shutil.which("initdb")
    return Path(initdb).resolve().parent if initdb else None


class Postgres:
    """A server without passwords and without fsync (processes are killed here, never the machine)."""

    def __init__(self) -> None:
        self._external = os.environ.get("DREAMSITE_TEST_POSTGRES", "")
        self._process: subprocess.Popen[bytes] | None = None
        self._folder: Path | None = None
        self._made: list[str] = []
        if self._external:
            self.url = self._external.rstrip("/")
            return
        programs = postgres_bin()
        if programs is None:
            pytest.skip("needs PostgreSQL: apt-get install postgresql, or set DREAMSITE_TEST_POSTGRES")
        # Not under pytest's folders: those are closed to other users, and PostgreSQL refuses to run as root.
        self._folder = Path(tempfile.mkdtemp(prefix="dreamsite-postgres-"))
        who: dict[str, Any] = {}
        if os.geteuid() == 0:
            account = _unprivileged()
            os.chown(self._folder, account.pw_uid, account.pw_gid)
            who = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
        data, port = self._folder / "data", free_port()
        environment = {"PATH": os.environ["PATH"], "HOME": str(self._folder), "LC_ALL": "C.UTF-8", "TZ": "UTC"}
        made = subprocess.run(
            [programs / "initdb", "-D", data, "-U", "dreamsite", "-A", "trust", "-E", "UTF8", "--no-sync"],
            cwd=self._folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            **who,
        )
        assert made.returncode == 0, made.stdout + made.stderr
        with (self._folder / "log").open("wb") as log:
            settings = ["-c", "listen_addresses=127.0.0.1", "-c", "fsync=off", "-c", "max_connections=60"]
            self._process = subprocess.Popen(
                [programs / "postgres", "-D", data, "-p", str(port), "-k", self._folder, *settings],
                cwd=self._folder,
                env=environment,
                stdout=log,
                stderr=log,
                **who,
            )
        self.url = f"postgres://dreamsite@127.0.0.1:{port}"
        self._wait()

    def _wait(self) -> None:
        import psycopg

        until = time.monotonic() + PATIENCE
        while True:
            try:
                psycopg.connect(self.url + "/postgres").close()
                return
            except psycopg.OperationalError:
                if time.monotonic() > until or (self._process and self._process.poll() is not None):
                    log = (self._folder / "log").read_text() if self._folder else ""
                    raise AssertionError(f"PostgreSQL does not answer at {self.url}:\n{log[-3000:]}") from None
                time.sleep(0.05)

    def database(self, template: str = "") -> str:
        """The address of a new database, empty or a copy of another one of ours."""
        name = f"dreamsite_test_{os.getpid()}_{next(_numbers)}"
        copied = f' TEMPLATE "{urlsplit(template).path[1:]}"' if template else ""
        self._do(f'CREATE DATABASE "{name}"{copied}')
        self._made.append(name)
        return f"{self.url}/{name}"

    def shut(self, address: str) -> None:
        """Cuts every connection to one of our databases and lets nobody in."""
        name = urlsplit(address).path[1:]
        self._do(f'ALTER DATABASE "{name}" WITH ALLOW_CONNECTIONS false')
        self._do(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")

    def reopen(self, address: str) -> None:
        self._do(f'ALTER DATABASE "{urlsplit(address).path[1:]}" WITH ALLOW_CONNECTIONS true')

    def _do(self, statement: str) -> None:
        import psycopg

        with psycopg.connect(self.url + "/postgres", autocommit=True) as connection:
            connection.execute(statement)

    def stop(self) -> None:
        if self._process is None:
            for name in self._made:
                with contextlib.suppress(Exception):
                    self._do(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
            return
        end(self._process, signal.SIGINT)  # its "fast" shutdown
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)


def _unprivileged() -> pwd.struct_passwd:
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    pytest.skip("PostgreSQL refuses to run as root, and there is neither a user postgres nor nobody to run it as")


class Redis:
    """A server that can be stopped and started again at the same address."""

    def __init__(self) -> None:
        program = shutil.which("redis-server") or shutil.which("valkey-server")
        if program is None:
            pytest.skip("needs Redis: apt-get install redis-server")
        self._program, self.port = program, free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._folder = tempfile.mkdtemp(prefix="dreamsite-redis-")
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        import redis

        options = ["--port", str(self.port), "--bind", "127.0.0.1", "--dir", self._folder]
        forgetful = ["--save", "", "--appendonly", "no", "--loglevel", "warning", "--daemonize", "no"]
        quiet = subprocess.DEVNULL
        self._process = subprocess.Popen([self._program, *options, *forgetful], stdout=quiet, stderr=quiet)
        until = time.monotonic() + PATIENCE
        client = redis.Redis(port=self.port)
        while True:
            try:
                client.ping()
                break
            except redis.ConnectionError:
                assert time.monotonic() < until and self._process.poll() is None, "redis-server does not answer"
                time.sleep(0.03)
        client.close()

    def kill(self) -> None:
        end(self._process, signal.SIGKILL)

    def freeze(self) -> None:
        """Connections stay open and nothing answers, as behind a broken network."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGCONT)
            end(self._process, signal.SIGTERM)
        shutil.rmtree(self._folder, ignore_errors=True)
