"""Deleted while a worker ends it, on PostgreSQL, where both really happen at the same moment: no file stays behind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests import running
from tests.running import RunningSite
from tests.services import Postgres

# Beside a site. The worker names its files in the transaction in which the row says that it is done, as real ones do;
# whoever is second waits for the row's lock, and the first goes on when the database says so.
AT_ONCE = """
import threading, time
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection, connections, transaction
from django.utils import timezone
from canvas.models import Canvas
from dreamsite.core.models import User
from dreamsite.core.tasks import heartbeats, jobs
from dreamsite.core.tasks.jobs import State
from gallery.downloads.models import Download
from gallery.films import own
from gallery.films.models import Film, FilmFile
from gallery.jobs import files, requests
from gallery.studio.models import Work

somebody = User.objects.create_user("somebody", password="hunter2 hunter2")
canvas = Canvas.objects.default()
WAITS = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
moments = iter(range(1, 1000))


def until_somebody_waits():
    while True:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_stat_clear_snapshot()")  # else a transaction sees what it saw first
            cursor.execute(WAITS)
            if cursor.fetchone():
                return
        time.sleep(0.01)


def film():
    at = timezone.now() - timedelta(days=next(moments))
    until = at + timedelta(hours=1)
    return Film.objects.create(canvas=canvas, kind="place", starts_at=at, ends_at=until, owner=somebody)


def download():
    return Download.objects.create(canvas=canvas, day=date(2026, 1, next(moments) % 27 + 1), kind="frames")


def dream():
    return Work.objects.create(owner=somebody, kind="dream", network="house")


def name_film(row, file):
    jobs.finish(row, poster=file)
    FilmFile.objects.create(film=row, codec="h264", file=file, size=1, sha256="0" * 64)


def name_download(row, file):
    jobs.finish(row, file=file, size=1)


def name_work(row, file):
    jobs.finish(row, picture=file)


CASES = {
    "own.drop": (film, name_film, own.drop),
    "requests.delete of a film": (film, name_film, requests.delete),
    "requests.delete of a download": (download, name_download, requests.delete),
    "the maker's delete of a dream": (dream, name_work, lambda row: row.delete()),
}


def both(make, name, remove, worker_first):
    row = make()
    claimed, read = jobs.claim(type(row), row.pk), type(row).objects.get(pk=row.pk)
    file = files.store_bytes(b"x", f"studio/{next(moments)}.bin")
    holds, said = threading.Event(), []

    def works():
        try:
            if not worker_first:
                holds.wait()
            with transaction.atomic():
                name(claimed, file)
                files.keep([file])
                if worker_first:
                    holds.set()
                    until_somebody_waits()
        except jobs.ClaimLost:
            said.append("lost")
            files.discard(file)
        finally:
            connections.close_all()

    def removes():
        try:
            if worker_first:
                holds.wait()
                remove(read)
            else:
                with transaction.atomic():
                    remove(read)
                    holds.set()
                    until_somebody_waits()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        for future in [pool.submit(works), pool.submit(removes)]:
            future.result()
    files.delete_pending()
    left = FilmFile.objects.filter(film=row.pk) if isinstance(row, Film) else type(row).objects.filter(pk=row.pk)
    return ["file" if default_storage.exists(file) else "", "named" if left.exists() else "", *said]


with heartbeats.sending():
    for title, case in CASES.items():
        for worker_first in (True, False):
            print(title, "after" if worker_first else "before", *filter(None, both(*case, worker_first)))
"""


@pytest.mark.postgres
def test_what_is_deleted_while_its_worker_ends_it_leaves_nothing(
    make_site: Callable[..., RunningSite], postgres: Postgres, postgres_template: tuple[Path, str], tmp_path: Path
) -> None:
    template, address = postgres_template
    site = make_site(running.copy(template, tmp_path / "var"), DATABASE_URL=postgres.database(address))
    said = site.shell(AT_ONCE).splitlines()
    cases = ["own.drop", "requests.delete of a film", "requests.delete of a download", "the maker's delete of a dream"]
    assert said == [line for case in cases for line in (f"{case} after", f"{case} before lost")]
