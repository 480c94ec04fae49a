"""A day as one file, as somebody who downloads it finds it."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from django.core.files.storage import default_storage
from django.test import Client
from PIL import Image

from canvas import frames as kept_frames
from canvas import journal, wire
from canvas.models import Batch, Canvas, Frame
from dreamsite.core.models import User
from dreamsite.core.tasks.jobs import State
from gallery.downloads.archive import make
from gallery.downloads.models import Download
from gallery.downloads.requests import request_download
from tests.films.conftest import BEGUN, grey

pytestmark = pytest.mark.django_db
Kept = Callable[..., list[Frame]]


def made(row: Download) -> Download:
    make(row.pk)
    row.refresh_from_db()
    return row


def opened(row: Download) -> zipfile.ZipFile:
    with default_storage.open(row.file.name, "rb") as file:
        data = file.read()
    assert (len(data), hashlib.sha256(data).hexdigest()) == (row.size, row.sha256)
    return zipfile.ZipFile(io.BytesIO(data))


def test_the_frames_of_a_day(
    canvas: Canvas, kept: Kept, client: Client, django_capture_on_commit_callbacks: Any
) -> None:

    kept(2, begun=BEGUN - timedelta(days=1))
    shown = kept(6)
    kept_frames.hide(shown[3])
    row = made(request_download(canvas, BEGUN.date(), "frames"))
    assert (row.state, row.count) == (State.DONE, 5)
    archive = opened(row)
    assert archive.testzip() is None
    manifest = json.loads(archive.read("manifest.json"))
    assert [entry["number"] for entry in manifest["frames"]] == [3, 4, 5, 6, 7, 8], "that day's, and no others"
    assert manifest["licence"]["name"] == "CC BY-SA 4.0" and manifest["day"] == "2026-11-20"
    for entry in manifest["frames"]:
        if entry["number"] == 6:
            assert entry == {"number": 6, "made_at": "2026-11-20T12:01:30Z", "hidden": True}
            continue
        info = archive.getinfo(entry["file"])
        data = archive.read(info)
        assert info.compress_type == zipfile.ZIP_STORED, "pictures are not compressed twice"
        assert hashlib.sha256(data).hexdigest() == entry["sha256"]
        assert abs(float(np.asarray(Image.open(io.BytesIO(data))).mean()) - grey(entry["number"])) < 2

    # The page lists what is there; what must not be seen any longer is gone at once.
    page = client.get("/downloads/2026-11-20/?canvas=film").content.decode()
    assert row.sha256 in page and row.file.url in page and "5 frames" in page
    listed = client.get("/downloads.json?canvas=film").json()["downloads"]
    assert [(one["day"], one["kind"], one["size"]) for one in listed] == [("2026-11-20", "frames", row.size)]
    old = row.file.name
    with django_capture_on_commit_callbacks(execute=True):
        kept_frames.hide(shown[0])
    row.refresh_from_db()
    assert row.state == State.WAITING and not default_storage.exists(old)
    assert "waiting to be packed" in client.get("/downloads/?canvas=film").content.decode()
    assert made(row).count == 4


def test_the_strokes_of_a_day(canvas: Canvas, django_capture_on_commit_callbacks: Any) -> None:
    """Each line is an operation; what was taken back, hidden, or is of another day is not there."""
    ann, left = User.objects.create_user("ann"), User.objects.create_user("left", closed_at=BEGUN)

    def stroke(number: int, author: int, pieces: int = 1) -> list[wire.Operation]:
        return [
            wire.Stroke(
                number, piece, (number, 2, 3), 200, 0, ((8, 8, 80), (80 + piece, 160, 96)), piece == pieces - 1, author
            )
            for piece in range(pieces)
        ]

    batches = [
        stroke(1, ann.pk),
        stroke(2, ann.pk, 3),
        stroke(3, left.pk),
        [wire.Undo(1, author=ann.pk)],
        stroke(4, ann.pk),
        [wire.Hide((7,))],
    ]
    for batch in batches:
        journal.append(canvas, batch)
    Batch.objects.filter(canvas=canvas).update(at=BEGUN)
    journal.append(canvas, stroke(5, ann.pk))  # today
    row = made(request_download(canvas, BEGUN.date(), "strokes"))
    assert row.state == State.DONE
    archive = opened(row)
    lines = [json.loads(line) for line in archive.read("strokes.jsonl").splitlines()]
    seen = [(line["n"], line["op"], line.get("stroke"), line.get("author")) for line in lines]
    assert seen == [
        (2, "stroke", 2, ann.pk),
        (3, "stroke", 2, ann.pk),
        (4, "stroke", 2, ann.pk),
        (5, "stroke", 3, 0),
    ]
    manifest = json.loads(archive.read("manifest.json"))
    assert manifest["lines"] == row.count == len(lines)
    assert {key for line in lines for key in line} == set(manifest["fields"])
    # Hidden later: the file goes at once, and the next one lacks that stroke.
    old = row.file.name
    with django_capture_on_commit_callbacks(execute=True):
        journal.append(canvas, [wire.Hide((2, 3, 4))])
    row.refresh_from_db()
    assert row.state == State.WAITING and not default_storage.exists(old)
    assert made(row).count == 1
    assert lines[0]["points"] == [[8, 8, 80], [80, 160, 96]] and lines[0]["colour"] == [2, 2, 3]


def test_a_day_without_anything_is_no_file(canvas: Canvas, client: Client) -> None:
    for kind in Download.Kind:
        assert made(request_download(canvas, BEGUN.date(), kind)).state == State.EMPTY
    assert client.get("/downloads/2026-11-20/?canvas=film").status_code == 404
    assert "Nothing to download yet" in client.get("/downloads/?canvas=film").content.decode()
