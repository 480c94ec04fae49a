"""Loaded before the settings: tests keep their state in a folder of their own and never in the developer's var/."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile

if "DREAMSITE_VAR" not in os.environ or not os.environ.get("DREAMSITE_TESTING"):
    folder = tempfile.mkdtemp(prefix="dreamsite-test-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    os.environ["DREAMSITE_VAR"] = folder
    os.environ["DREAMSITE_TESTING"] = "1"
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
