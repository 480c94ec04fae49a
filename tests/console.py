"""Runs what `RunningSite.shell` sends: code, answered by whether it failed and what it said.

A process beside the site's own that serves nobody; one for all calls, as most of each would be its start.
"""

from __future__ import annotations

import contextlib
import io
import traceback
from multiprocessing.connection import Connection
from typing import Any

import django
from django.db import connections


def run(code: str) -> tuple[bool, str]:
    """Whether it failed, and all that it printed, a traceback included."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        try:
            exec(compile(code, "<shell>", "exec"), {"__name__": "shell"})
        except BaseException:
            traceback.print_exc()
            return True, said.getvalue()
        finally:
            connections.close_all()
    return False, said.getvalue()


def answer(asked: Connection[Any, str]) -> None:
    """Until nobody asks any more."""
    django.setup()
    with contextlib.suppress(EOFError):
        while True:
            asked.send(run(asked.recv()))
