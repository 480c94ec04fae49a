"""A day as one file: its frames as a ZIP, its strokes as JSON lines. Made once by the worker, then only fetched."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from pathlib import Path, PurePosixPath
from typing import IO, Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from canvas import strokes, wire
from canvas.models import Batch, Canvas, Frame
from dreamsite.core.tasks import jobs
from dreamsite.core.tasks.jobs import State
from gallery import licence
from gallery.downloads.models import Download
from gallery.jobs import files, requests

CHUNK = 500  # strokes looked up at once
READ = 200  # rows that are read at once


def make(pk: int) -> None:
    """Makes the download with this id, if it is still to be made and no other worker holds it."""
    if row := jobs.claim(Download, pk):
        with jobs.holding(row):
            _make(row)


def _make(row: Download) -> None:
    progress = jobs.Progress(row)
    folder = requests.work_directory(row)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    path = folder / "day.zip"
    try:
        # Pictures are compressed already; text is not.
        method = zipfile.ZIP_STORED if row.kind == Download.Kind.FRAMES else zipfile.ZIP_DEFLATED
        with zipfile.ZipFile(path, "w", method, allowZip64=True) as archive:
            count = (_frames if row.kind == Download.Kind.FRAMES else _strokes)(row, archive, progress)
        if not count:
            jobs.finish(row, State.EMPTY)
            return
        stored_as = f"downloads/{row.canvas.file_name}/{Path(row.filename).stem}-{{sha}}.zip"
        name, size, sha = files.store(path, stored_as, progress.pause)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    try:
        with transaction.atomic():
            jobs.finish(row, file=name, size=size, sha256=sha, count=count, made_at=timezone.now())
            files.keep([name])
    except BaseException:
        with transaction.atomic():
            files.delete_after_commit([] if Download.objects.filter(pk=row.pk, file=name).exists() else [name])
        raise


def _span(row: Download) -> tuple[datetime, datetime]:
    start = datetime.combine(row.day, time(), UTC)
    return start, start + timedelta(days=1)


def _head(row: Download, **more: Any) -> dict[str, Any]:
    terms = licence.current()
    return {
        "site": settings.SITE_URL,
        "canvas": row.canvas.slug,
        "width": row.canvas.width,
        "height": row.canvas.height,
        "day": f"{row.day:%Y-%m-%d}",
        "time_zone": "UTC",
        "licence": {"name": str(terms.name), "address": terms.address},
        **more,
    }


def _in_order(rows: QuerySet[Any], column: str) -> Iterator[Any]:
    """By a unique column, some at a time. Between these no SELECT is open: while one is, SQLite shows this connection
    the database as it was, without what was cancelled since, and lets it write nothing once another has."""
    later = rows.order_by(column)
    while some := list(later[:READ]):
        yield from some
        later = rows.filter(**{f"{column}__gt": getattr(some[-1], column)}).order_by(column)


# --- frames ----------------------------------------------------------------------------------------------------------


def _frames(row: Download, archive: zipfile.ZipFile, progress: jobs.Progress) -> int:
    """Every visible frame under its number, and `manifest.json`; hidden ones are named there and have no file."""
    start, end = _span(row)
    found = Frame.objects.filter(canvas=row.canvas, made_at__gte=start, made_at__lt=end)
    total, listed, count = found.count(), [], 0
    for index, frame in enumerate(_in_order(found, "number")):
        entry: dict[str, Any] = {"number": frame.number, "made_at": _iso(frame.made_at)}
        if frame.hidden_at is not None:
            listed.append({**entry, "hidden": True})
            continue
        if frame.thinned_at is not None:
            listed.append({**entry, "thinned": True, "title": frame.title, "recipe": frame.recipe})
            continue
        name = f"{frame.number:08}{PurePosixPath(frame.picture.name or '').suffix}"
        stored = _copy(archive, str(frame.picture.name), name, frame.made_at)
        count += stored
        listed.append(
            {
                **entry,
                "file": name if stored else None,
                "sha256": frame.sha256,
                "kind": frame.kind,
                "seq": frame.seq,
                "title": frame.title,
                "recipe": frame.recipe,
            }
        )
        progress((index + 1) / total)
    if count:
        manifest = _head(row, frames=listed)
        archive.writestr("manifest.json", json.dumps(manifest, indent=1), zipfile.ZIP_DEFLATED)
    return count


def _copy(archive: zipfile.ZipFile, stored: str, name: str, at: datetime) -> bool:
    """One stored file into the archive, in pieces; False where it is lost."""
    info = zipfile.ZipInfo(name, at.astimezone(UTC).timetuple()[:6])
    try:
        with default_storage.open(stored, "rb") as source, archive.open(info, "w", force_zip64=True) as target:
            shutil.copyfileobj(source, target, files.CHUNK)
    except FileNotFoundError:
        return False
    return True


# --- strokes ---------------------------------------------------------------------------------------------------------


def _strokes(row: Download, archive: zipfile.ZipFile, progress: jobs.Progress) -> int:
    """`strokes.jsonl`, a piece of a stroke or a change of the canvas in each line, and `manifest.json`.

    What was taken back by its author or hidden by a moderator is not in it.
    """
    count = 0
    with archive.open(
        zipfile.ZipInfo("strokes.jsonl", (*row.day.timetuple()[:3], 0, 0, 0)), "w", force_zip64=True
    ) as out:
        for line in _lines(row, progress):
            _write(out, line)
            count += 1
    if count:
        archive.writestr("manifest.json", json.dumps(_head(row, lines=count, fields=FIELDS), indent=1))
    return count


FIELDS = {
    "n": "its number in the journal: the canvas is what these operations paint, in this order",
    "at": "when it was written, UTC",
    "op": "stroke, or undream",
    "author": "a number for each person, the same all over this site's files; 0: somebody who has left",
    "stroke": "the stroke this piece belongs to, one of its author's",
    "piece": "which piece of it, from 0",
    "colour": "red, green, blue, 0 to 255; null for an undream",
    "frame": "the frame that an undream brings back, as in its page's address; 0: the bare canvas; null for a stroke",
    "opacity": "of one stamp, 0 to 255",
    "carry": "from the piece's first point to its first stamp, in 1/256 px",
    "points": "x, y, diameter, in 1/8 px",
    "last": "whether it ends the stroke",
}


def _lines(row: Download, progress: jobs.Progress) -> Iterator[dict[str, Any]]:
    start, end = _span(row)
    strokes.index(row.canvas)
    batches = Batch.objects.filter(canvas=row.canvas, at__gte=start, at__lt=end)
    total = batches.count()
    gone = set(get_user_model().objects.exclude(closed_at=None).values_list("pk", flat=True))
    pending: list[tuple[int, datetime, wire.Operation]] = []
    for index, batch in enumerate(_in_order(batches, "first")):
        pending += [(number, batch.at, op) for number, op in strokes.operations(batch)]
        if len(pending) >= CHUNK:
            yield from _shown(row.canvas, pending, gone)
            pending = []
        progress((index + 1) / total)
    yield from _shown(row.canvas, pending, gone)


def _shown(
    canvas: Canvas, pending: list[tuple[int, datetime, wire.Operation]], gone: set[int]
) -> Iterator[dict[str, Any]]:
    if not pending:
        return
    rows = list(strokes.rows(canvas, {(op.author, op.stroke_id) for *_, op in pending if isinstance(op, wire.Stroke)}))
    undone = {(row.author, row.stroke_id) for row in rows if row.undone_seq is not None}
    hidden = {number for row in rows for number in row.hidden_numbers}
    for number, at, op in pending:
        if number in hidden:
            continue
        head = {"n": number, "at": _iso(at)}
        match op:
            case wire.Stroke() if (op.author, op.stroke_id) not in undone:
                author = 0 if op.author in gone else op.author
                yield {
                    **head,
                    "op": "stroke" if op.frame is None else "undream",
                    "author": author,
                    "stroke": op.stroke_id,
                    "piece": op.piece,
                    "colour": op.colour if op.frame is None else None,
                    "frame": op.frame,
                    "opacity": op.opacity,
                    "carry": op.carry,
                    "points": op.points,
                    "last": op.last,
                }


def _write(out: IO[bytes], line: dict[str, Any]) -> None:
    out.write(json.dumps(line, separators=(",", ":")).encode() + b"\n")


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
