"""A site that is backed up while people draw, and restored elsewhere: on another database, storage and machine."""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.bucket import Bucket
from tests.forked import run
from tests.live.test_storage import _DREAMED
from tests.running import PATIENCE, SMALL, SMALL_SIDE, RunningSite
from tests.services import Postgres
from tests.sockets import PLENTY, Drawer, opened, stroke_id

chance = random.Random(71)


def manage(site: RunningSite, *arguments: str) -> tuple[int, str]:
    done = run(["manage", *arguments], site.env)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.postgres
async def test_from_a_laptop_to_a_fleet(
    make_site: Callable[..., RunningSite], postgres: Postgres, s3: Bucket, tmp_path: Path
) -> None:
    laptop = make_site(tune=PLENTY)
    laptop.shell(_DREAMED)
    laptop.start_web()
    stop, drawers = asyncio.Event(), {}
    for number in range(2):
        person = laptop.person(number)
        chances = random.Random(chance.random())
        drawers[person.id] = Drawer(person.headers, chances, side=SMALL_SIDE, slug=SMALL)
    drawing = [asyncio.create_task(drawer.run([laptop.url], stop)) for drawer in drawers.values()]
    folder, secret = tmp_path / "backup", tmp_path / "kept-apart"
    async with opened(laptop.url, slug=SMALL) as viewer:
        await viewer.until(lambda: viewer.head > 50)
        code, said = await asyncio.to_thread(manage, laptop, "backup", str(folder))
        assert code == 0 and "not whole" not in said, said
        known = viewer.head
    kept = json.loads((folder / "manifest.json").read_text())
    assert kept["tables"]["canvas.frame"]["count"] == 3 and len(kept["files"]) == 6
    assert not {path.stat().st_mode & 0o077 for path in folder.rglob("*.jsonl")} - {0}, "password hashes are in there"

    # Somebody goes on drawing, and a second run brings what is new, and no file again.
    stamps = {path: path.stat().st_mtime_ns for path in (folder / "files").rglob("*.*")}
    stop.set()
    await asyncio.wait_for(asyncio.gather(*drawing), PATIENCE)
    assert (await asyncio.to_thread(manage, laptop, "backup", str(folder), "--secret-key", str(secret)))[0] == 0
    assert {path: path.stat().st_mtime_ns for path in (folder / "files").rglob("*.*")} == stamps
    journal = laptop.journal(SMALL)
    assert len(journal) >= known

    # The fleet: first its bucket is away, then the run is repeated.
    var, bucket = tmp_path / "fleet", s3.new()
    var.mkdir()
    (var / "static").symlink_to((laptop.var / "static").resolve())
    fleet = make_site(var, tune=PLENTY, DATABASE_URL=postgres.database(), **s3.environment(bucket))
    assert manage(fleet, "restore", str(folder))[0] != 0, "the tables are not there yet"
    fleet.manage("migrate", "--verbosity", "0")
    s3.set("denied")
    code, said = await asyncio.to_thread(manage, fleet, "restore", str(folder))
    assert code != 0 and "it goes on where it was" in said and "Traceback" not in said, said
    assert fleet.rows("SELECT count(*) FROM canvas_canvas") == [(0,)], "nothing, or all of it"
    s3.set("")
    secret.with_suffix(".wrong").write_text("another")
    wrong = await asyncio.to_thread(manage, fleet, "restore", str(folder), "--secret-key", f"{secret}.wrong")
    assert wrong[0] != 0 and "another secret key" in wrong[1], wrong
    code, said = await asyncio.to_thread(manage, fleet, "restore", str(folder), "--secret-key", str(secret))
    assert code == 0 and "6 files are as they were" in said, said
    code, said = await asyncio.to_thread(manage, fleet, "restore", str(folder))
    assert code != 0 and "holds a site already" in said, "nothing is written over"
    assert (var / "secret-key").read_text() == (laptop.var / "secret-key").read_text()

    # The same site: its ink, its frames with types and caching, its people signed in, and it goes on.
    assert fleet.journal(SMALL) == journal
    here, there = ([frame | {"recipe": ""} for frame in site.frames()] for site in (laptop, fleet))
    assert here == there  # recipes as JSON, which each database writes in its own way
    for frame in fleet.frames():
        stored = s3.client().get_object(Bucket=bucket, Key=frame["picture"])
        assert hashlib.sha256(stored["Body"].read()).hexdigest() == frame["sha256"]
        assert (stored["ContentType"], "immutable" in stored["CacheControl"]) == ("image/jpeg", True)
    fleet.start_web()
    person = laptop.person(0)
    headers = {**person.headers, "Origin": fleet.url}
    async with opened(fleet.url, headers, slug=SMALL) as pen:
        assert pen.welcome["you"]["name"] == person.name
        await pen.until(lambda: pen.head == len(journal))
        await pen.draw(stroke_id(chance), [(40 * step, 500, 160) for step in range(12)])
        await pen.until(lambda: not pen.sent_and_unknown())

    # What is lost or damaged is told.
    s3.client().delete_object(Bucket=bucket, Key=fleet.frames()[0]["picture"])
    code, said = await asyncio.to_thread(manage, fleet, "restore", str(folder), "--check")
    assert code != 0 and f"{fleet.frames()[0]['picture']} is missing" in said and "canvas.Batch" in said, said


def test_a_backup_that_is_not_whole_is_refused(make_site: Callable[..., RunningSite], tmp_path: Path) -> None:
    site, empty = make_site(), make_site(tmp_path / "empty")
    empty.var.mkdir()
    site.shell(_DREAMED)
    folder = tmp_path / "backup"
    gone = site.var / "media" / site.frames()[0]["thumbnail"]
    gone.rename(tmp_path / "gone.jpg")
    code, said = manage(site, "backup", str(folder))
    assert code == 0 and "1 files are not whole" in said and site.frames()[0]["thumbnail"] in said
    (tmp_path / "gone.jpg").rename(gone)
    site.manage("backup", str(folder))
    empty.manage("migrate", "--verbosity", "0")

    manifest = (folder / "manifest.json").read_text()
    (folder / "manifest.json").unlink()
    assert "did not come to its end" in manage(empty, "restore", str(folder))[1]
    (folder / "manifest.json").write_text(manifest.replace("canvas.0001_initial", "canvas.0002_later"))
    assert "another version" in manage(empty, "restore", str(folder))[1]
    (folder / "manifest.json").write_text(manifest)
    rows = folder / "rows" / "core.user.jsonl"
    whole = rows.read_bytes()
    rows.write_bytes(whole.replace(b"person01", b"person99"))
    assert "core.user are damaged" in manage(empty, "restore", str(folder))[1]
    assert empty.rows("SELECT count(*) FROM core_user") == [(0,)]
    rows.write_bytes(whole)
    picture = folder / "files" / site.frames()[1]["picture"]
    picture.write_bytes(picture.read_bytes()[:-1])
    assert "is damaged" in manage(empty, "restore", str(folder))[1]
