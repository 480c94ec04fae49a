"""Runs a module with other limits than production's: `TUNE='{"canvas.limits.POLL": 9}' python -m tests.tuned daphne …`.

So that no test waits half a minute and production needs no knob that only tests turn. `settings.NAME` is a setting,
which need not be one that the environment could give. `PUBLISHED` puts a file of the tests' server in GoogLeNet's
place: `{"address": ..., "sha256": ..., "size": ...}`. `KILLED` is functions, each with a number, such as
`gallery.jobs.files.save:2`: when one has been called so often, the process says so and ends as if somebody had killed
it.
"""

from __future__ import annotations

import dataclasses
import importlib
import itertools
import json
import os
import runpy
import signal
import sys
from typing import Any

import django
import django.conf

from tests import clock


def tune(values: dict[str, object]) -> None:
    for path, value in values.items():
        module, name = path.rsplit(".", 1)
        owner: Any = django.conf.settings if module == "settings" else importlib.import_module(module)
        if not hasattr(owner, name):
            raise SystemExit(f"TUNE: {module} has no {name}")
        if isinstance(value, dict):
            _merge(getattr(owner, name), value)
        else:
            setattr(owner, name, value)


def _merge(into: dict[str, Any], values: dict[str, Any]) -> None:
    """A dictionary is changed where it is: the settings hold it already."""
    for name, value in values.items():
        if isinstance(value, dict):
            _merge(into[name], value)
        else:
            into[name] = value


def publish(address: str, sha256: str, size: int) -> None:
    from dreamer.library.sources import SOURCES

    real = SOURCES["googlenet"]
    part = dataclasses.replace(real.weights, urls=(address,), sha256=sha256, sha1="", size=size)
    SOURCES["googlenet"] = dataclasses.replace(real, weights=part, labels=None)


def kill_after(path: str, count: int) -> None:
    module, name = path.rsplit(".", 1)
    owner = importlib.import_module(module)
    real, left = getattr(owner, name), itertools.count(count - 1, -1)

    def killed(*args: Any, **options: Any) -> Any:
        answer = real(*args, **options)
        if next(left) == 0:
            print(f"killed at {path}:{count}", file=sys.stderr, flush=True)
            os.kill(os.getpid(), signal.SIGKILL)
        return answer

    setattr(owner, name, killed)


def begin() -> None:
    """Moves the clock, the limits and the end to where the environment wants them; Django is set up where it does."""
    clock.move()
    clock.set_at_signals()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dreamsite.settings")
    limits = json.loads(os.environ.get("TUNE") or "{}")
    if limits or "PUBLISHED" in os.environ or "KILLED" in os.environ:
        django.setup()
    tune(limits)
    if published := os.environ.get("PUBLISHED"):
        publish(**json.loads(published))
    for killed in os.environ.get("KILLED", "").split():
        function, _colon, calls = killed.partition(":")
        kill_after(function, int(calls))


if __name__ == "__main__":
    begin()
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
