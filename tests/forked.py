"""The site's processes for tests, forked from one that has imported what all of them import.

To start Django with all that the site stands on takes seconds of a processor, and the tests start hundreds of
processes. Everything that reads settings is imported after the fork, by the process itself, as ever. What a bench
measures, and what `manage.py up` and subprocesses of tests start, begins from nothing (tests.running).
"""

from __future__ import annotations

import atexit
import importlib
import multiprocessing
import os
import runpy
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
_server = multiprocessing.get_context("forkserver")
_server.set_forkserver_preload(["tests.preloaded"])


class Forked:
    """A process that runs `python -m ARGUMENTS`, as far as tests need subprocess.Popen."""

    def __init__(
        self, arguments: list[str], env: dict[str, str], out: Path, console: Any = None, errors: Path | None = None
    ) -> None:
        files = str(out), str(errors or out)
        # As a daemon it ends with pytest, whoever forgot it.
        self._process = _server.Process(target=_run, args=(arguments, env, files, console), daemon=True)
        self._lock = threading.Lock()
        self._process.start()
        assert self._process.pid is not None
        self.args, self.pid = arguments, self._process.pid

    def poll(self) -> int | None:
        with self._lock:
            return self._process.exitcode

    @property
    def returncode(self) -> int | None:
        return self.poll()

    def wait(self, timeout: float | None = None) -> int:
        end = None if timeout is None else time.monotonic() + timeout
        while (code := self.poll()) is None:
            if end is not None and time.monotonic() > end:
                raise subprocess.TimeoutExpired(self.args, timeout or 0)
            time.sleep(0.01)
        return code

    def send_signal(self, number: signal.Signals) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def run(arguments: list[str], env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """As subprocess.run of `python -m ARGUMENTS`, with what it says on both streams."""
    with tempfile.TemporaryDirectory() as folder:
        out, errors = Path(folder) / "out", Path(folder) / "errors"
        out.touch()
        errors.touch()
        code = Forked(arguments, env, out, errors=errors).wait()
        return subprocess.CompletedProcess(arguments, code, out.read_text(), errors.read_text())


def _run(arguments: list[str], env: dict[str, str], files: tuple[str, str], console: Any) -> None:
    os.environ.clear()
    os.environ.update(env)
    time.tzset()
    os.chdir(ROOT)
    for number, file in enumerate(files, 1):
        log = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        os.dup2(log, number)
        os.close(log)
    sys.stdout, sys.stderr = (open(number, "w", buffering=1, closefd=False) for number in (1, 2))  # noqa: SIM115
    try:
        sys.argv = arguments
        tuned = importlib.import_module("tests.tuned")
        tuned.begin()
        if console is not None:
            importlib.import_module("tests.console").answer(console)
        else:
            runpy.run_module(arguments[0], run_name="__main__", alter_sys=True)
    finally:
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
