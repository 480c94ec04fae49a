"""Loaded before the settings: tests keep their state in a folder of their own and never in the developer's var/."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile

from tests import clock

clock.move()

# Each of several workers has its own; what a worker starts inherits it.
worker = os.environ.get("PYTEST_XDIST_WORKER", "alone")
if "DREAMSITE_VAR" not in os.environ or os.environ.get("DREAMSITE_TESTING") != worker:
    folder = tempfile.mkdtemp(prefix="dreamsite-test-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    os.environ["DREAMSITE_VAR"] = folder
    os.environ["DREAMSITE_TESTING"] = worker
    for name in (
        "SITE_URL",
        "SECRET_KEY",
        "DATABASE_URL",
        "REDIS_URL",
        "S3_BUCKET",
        "DEBUG",
        "DREAM_MODEL",
        "MODELS_DIR",
    ):
        os.environ.pop(name, None)
    os.environ["ADMIN_TWO_FACTOR"] = "false"  # staff of the tests signs in with a name; tests of the door switch it on
    os.environ["HOUSE_MODEL"] = "false"  # tests bring tiny networks of their own; those of the house model switch it on
    os.environ["DREAM_FETCH"] = ""  # nothing is fetched from the internet; tests of fetching have a server of their own
