"""Loaded before the settings: tests keep their state in a folder of their own and never in the developer's var/."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile

from tests import clock

# What a developer may have set for a site of their own.
REMOVED = "SITE_URL", "SECRET_KEY", "DATABASE_URL", "REDIS_URL", "S3_BUCKET", "DEBUG", "DREAM_MODEL", "MODELS_DIR"
GIVEN = {
    "ADMIN_TWO_FACTOR": "false",  # staff signs in with a name; tests of the second factor switch it on
    "HOUSE_MODEL": "false",  # tests bring tiny networks of their own; those of the house model switch it on
    "DREAM_FETCH": "",  # nothing is fetched from the internet; tests of fetching have a server of their own
}


def isolate() -> None:
    """Sets the variables that the settings read. Each of several workers has its own; what it starts inherits them."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "alone")
    if "DREAMSITE_VAR" in os.environ and os.environ.get("DREAMSITE_TESTING") == worker:
        return
    folder = tempfile.mkdtemp(prefix="dreamsite-test-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    for name in REMOVED:
        os.environ.pop(name, None)
    os.environ.update(GIVEN, DREAMSITE_VAR=folder, DREAMSITE_TESTING=worker)
    if worker != "alone":
        # PyTorch's and numpy's threads spin while they wait for each other; with all cores busy they wait for long.
        os.environ.setdefault("OMP_NUM_THREADS", "1")


clock.move()
isolate()
