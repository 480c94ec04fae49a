"""Runs what `RunningSite.shell` sends: a line of JSON with the code, answered by one with whether it failed and what it
said. A process beside the site's own that serves nobody; one for all calls, as most of each would be its start.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
import traceback

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


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(run(json.loads(line))), flush=True)
