"""The extremes of tests/site/test_extremes.py on PostgreSQL: its numbers have columns, and its texts hold no NUL."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests import services
from tests.running import ROOT


def test_every_extreme_on_postgres(postgres: services.Postgres, tmp_path: Path) -> None:
    worker = os.environ.get("PYTEST_XDIST_WORKER", "alone")
    environment = {
        **os.environ,
        "DATABASE_URL": postgres.database(),
        "DREAMSITE_VAR": str(tmp_path),
        "DREAMSITE_TESTING": worker,
    }
    run = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "no:xdist",
        "-p",
        "no:cacheprovider",
        "-q",
        "tests/site/test_extremes.py",
    ]
    done = subprocess.run(run, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, (done.stdout + done.stderr)[-6000:]
