"""Fixtures of the whole suite: people, a canvas, running sites, services."""

from __future__ import annotations

import fcntl
import os
import random
import shutil
import zlib
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import numpy as np
import pytest
from asgiref.sync import sync_to_async
from django.apps import apps
from django.conf import settings
from django.core.cache import cache
from django.db.models.signals import post_migrate
from django.test import Client

from canvas import frames
from dreamsite import health
from dreamsite.accounts import views as accounts
from dreamsite.core import appearance
from dreamsite.core.models import User
from gallery import my_strokes
from gallery.moments import paint
from gallery.sharing import cards
from gallery.studio.views import printing
from tests import running, services
from tests.bucket import KEY, SECRET, Bucket

PASSWORD = "a long walk by the sea"
running.RunningSite.forks = True

# An example may take as long as a busy machine makes it take.
hypothesis.settings.register_profile(
    "patient", hypothesis.settings(), deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("patient")

# The real ones are slow on purpose. Sites that tests start have them.
settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

# A file of theirs takes the longest: begun last, it would be waited for by everybody. Those of `live` often wait, and
# lint, which begins with them, computes meanwhile.
SLOW = ("live", "browser")


@pytest.fixture(autouse=True)
def usual_look(monkeypatch: pytest.MonkeyPatch) -> None:
    """The site is called and looks as it does at first; no page asks the database for it until a test changes it."""
    monkeypatch.setattr(appearance, "_known", (float("inf"), appearance.Look()))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Several workers take the files in this order; one alone begins with the quick ones."""
    alone = "PYTEST_XDIST_WORKER" not in os.environ  # a worker's own options do not tell that there are others

    def place(item: pytest.Item) -> int:
        folder = item.path.parent.name
        found = SLOW.index(folder) if folder in SLOW else len(SLOW)
        return -found if alone else found

    items.sort(key=place)


# What no `make test` can bring: a GPU, a builder of images, what CI is given by these names, and, which it need not,
# 300 MB of photographs.
MAY_BE_MISSING = (
    "docker compose",
    "CUDA",
    "GPU",
    "DREAMSITE_TEST_GOOGLENET",
    "DREAMSITE_TEST_IMAGES",
    "no photographs to train with",
)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A skip says what is missing on a developer's machine. In CI, where all of it is installed, it is a failure."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and os.environ.get("CI", "").lower() in ("true", "1", "yes"):
        why = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        if not any(name in why for name in MAY_BE_MISSING):
            report.outcome, report.longrepr = "failed", f"{why} (CI=true: this may not be skipped)"
    return report


@pytest.fixture(autouse=True)
def no_frames_of_others() -> None:
    """Ids begin anew with each test's database, and frames are remembered by theirs."""
    frames.load.cache_clear()


@pytest.fixture(autouse=True)
def own_random_numbers(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A test draws the same numbers whichever ran before it: from a generator of its own in its module's place."""
    seed = zlib.crc32(request.node.name.encode())
    for name, of_all in vars(request.module).items():
        if isinstance(of_all, np.random.Generator):
            monkeypatch.setattr(request.module, name, np.random.default_rng(seed))
        elif isinstance(of_all, random.Random):
            monkeypatch.setattr(request.module, name, random.Random(seed))


def once_for_all(tmp_path_factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """A folder that `make` fills: where there are several workers, the first that asks does it for all of them."""
    base = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent  # of this run, and of all its workers
    folder, made = base / name, base / f"{name}-is-made"
    with (base / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            shutil.rmtree(folder, ignore_errors=True)
            make(folder)
            made.touch()
    return folder


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """Databases of tests are emptied between them: without the triggers of the log of acts, which have their tests."""
    moderation = apps.get_app_config("moderation")
    post_migrate.disconnect(dispatch_uid="moderation-audit-triggers", sender=moderation)


@pytest.fixture
def plain_site(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The site for tests of pages, without static files' manifest."""
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.STATIC_ROOT = tmp_path / "static"
    settings.STATIC_ROOT.mkdir()
    cache.clear()  # rate limits
    for pace in (paint._pace, cards._pace, my_strokes._pace, my_strokes._pace_over, printing._pace, accounts._pace):
        pace.forget()
    health._kept = None
    # In the thread where the test's transaction lives.
    monkeypatch.setattr(health, "in_thread", sync_to_async)


@pytest.fixture
def ada(db: None) -> User:
    return User.objects.create_user("ada", password=PASSWORD)


@pytest.fixture
def staff(db: None) -> User:
    return User.objects.create_superuser("boss", password=PASSWORD)


@pytest.fixture
def signed_in(client: Client, ada: User) -> Client:
    client.force_login(ada)
    return client


@pytest.fixture
def as_staff(client: Client, staff: User) -> Client:
    client.force_login(staff)
    return client


@pytest.fixture(scope="session")
def site_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A prepared var/: canvases `main` (1536 px) and `small` (128 px), people with sessions, no model."""
    return once_for_all(tmp_path_factory, "site", running.prepare)


@pytest.fixture(scope="module")
def site(site_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[running.RunningSite]:
    """A running web server without a dreamer, shared by the tests of a module."""
    here = running.RunningSite(running.copy(site_template, tmp_path_factory.mktemp("running") / "var"))
    here.start_web()
    yield here
    here.stop()


@pytest.fixture
def make_site(site_template: Path, tmp_path: Path) -> Iterator[Callable[..., running.RunningSite]]:
    """Sites of a test's own, by `RunningSite`'s options; everything they started is ended with the test."""
    made: list[running.RunningSite] = []

    def make(var: Path | None = None, **options: Any) -> running.RunningSite:
        folder = var or running.copy(site_template, tmp_path / f"var{len(made)}")
        made.append(running.RunningSite(folder, **options))
        return made[-1]

    yield make
    for site in made:
        site.stop()


@pytest.fixture(scope="session")
def postgres() -> Iterator[services.Postgres]:
    server = services.Postgres()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def postgres_template(
    postgres: services.Postgres, site_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, str]:
    """A prepared var/ whose database is PostgreSQL's, and that database's address, to be copied."""
    address = postgres.database()
    var = tmp_path_factory.mktemp("site") / "var"
    return running.prepare(var, static=site_template / "static", DATABASE_URL=address), address


@pytest.fixture
def redis() -> Iterator[services.Redis]:
    """A server of the test's own, which it may stop and freeze."""
    server = services.Redis()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def s3() -> Iterator[Bucket]:
    server = Bucket()
    yield server
    server.stop()


@pytest.fixture
def bucket(s3: Bucket, settings: Any) -> Iterator[Bucket]:
    """The test's site keeps its files in a bucket of its own."""
    name = s3.new()
    settings.S3_BUCKET, settings.SERVE_MEDIA = name, False
    options = {
        "bucket_name": name,
        "access_key": KEY,
        "secret_key": SECRET,
        "endpoint_url": s3.url,
        "file_overwrite": False,
        "querystring_expire": 3600,
        "object_parameters": {"CacheControl": "public, max-age=31536000, immutable"},
    }
    backend = {"BACKEND": "dreamsite.core.buckets.BucketStorage", "OPTIONS": options}
    settings.STORAGES = {**settings.STORAGES, "default": backend}
    yield s3
    s3.set("")


@pytest.fixture(scope="session")
def googlenet() -> Path:
    """The folder of the real GoogLeNet; tests that need it are skipped where it is not."""
    folder = os.environ.get("DREAMSITE_TEST_GOOGLENET", "")
    if not folder or not (Path(folder) / "googlenet.onnx").is_file():
        pytest.skip("needs the real GoogLeNet: set DREAMSITE_TEST_GOOGLENET to the folder with googlenet.onnx")
    return Path(folder)


@pytest.fixture(scope="session")
def images() -> Path:
    """The folder with sky.jpg and flowers.jpg."""
    folder = os.environ.get("DREAMSITE_TEST_IMAGES", "")
    if not folder or not (Path(folder) / "sky.jpg").is_file():
        pytest.skip("needs photographs: set DREAMSITE_TEST_IMAGES to the folder with sky.jpg and flowers.jpg")
    return Path(folder)
