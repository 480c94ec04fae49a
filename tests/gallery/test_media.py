"""Stored files over HTTP."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.test import AsyncClient, Client
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from dreamsite.core.models import User

CONTENT = bytes(range(256)) * 4 + b"end"


@pytest.fixture
def folder(settings: Any) -> Path:
    root = Path(settings.MEDIA_ROOT)
    (root / "frames").mkdir(parents=True)
    (root / "frames" / "a.jpg").write_bytes(CONTENT)
    (root / "film.mp4").write_bytes(CONTENT * 1000)
    (root / "page.html").write_text("<script>alert(1)</script>")
    (root / "empty.png").write_bytes(b"")
    (root / ".hidden").write_text("no")
    (root.parent / "secret-key").write_text("no")
    return root


def body(answer: Any) -> bytes:
    return b"".join(answer.streaming_content)


def test_a_picture(client: Client, folder: Path) -> None:
    answer = client.get("/media/frames/a.jpg")
    assert answer.status_code == 200
    assert body(answer) == CONTENT
    headers = answer.headers
    assert headers["Content-Type"] == "image/jpeg"
    assert headers["Content-Length"] == str(len(CONTENT))
    assert headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Accept-Ranges"] == "bytes"
    assert "sandbox" in headers["Content-Security-Policy"]
    assert "Cookie" not in headers.get("Vary", "")


def test_a_picture_opened_by_itself_is_the_same_for_everybody(client: Client, folder: Path, staff: User) -> None:
    client.force_login(staff)
    answer = client.get("/media/frames/a.jpg", headers={"Accept": "text/html,*/*"})
    assert answer.status_code == 200 and "Cookie" not in answer.headers.get("Vary", "")


def test_head(client: Client, folder: Path) -> None:
    answer = client.head("/media/frames/a.jpg")
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer["Content-Length"] == str(len(CONTENT))


async def test_under_asgi(folder: Path) -> None:
    answer = await AsyncClient().get("/media/film.mp4", headers={"Range": "bytes=5-600000"})
    assert answer.status_code == 206
    assert answer.is_async, "a film is not read to its end before its first byte leaves"
    sent = b"".join([chunk async for chunk in answer.streaming_content])
    assert sent == (CONTENT * 1000)[5:600001]


def test_nothing_is_sent_twice(client: Client, folder: Path) -> None:
    first = client.get("/media/frames/a.jpg")
    for condition in ({"If-None-Match": first["ETag"]}, {"If-Modified-Since": first["Last-Modified"]}):
        answer = client.get("/media/frames/a.jpg", headers=condition)
        assert answer.status_code == 304
        assert answer["ETag"] == first["ETag"]
        assert not answer.streaming and answer.content == b""
    assert client.get("/media/frames/a.jpg", headers={"If-None-Match": '"other"'}).status_code == 200


@hypothesis_settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(first=st.none() | st.integers(0, 1200), last=st.none() | st.integers(0, 1200))
def test_every_range_is_the_slice_it_names(client: Client, folder: Path, first: int | None, last: int | None) -> None:
    spec = f"bytes={'' if first is None else first}-{'' if last is None else last}"
    answer = client.get("/media/frames/a.jpg", headers={"Range": spec})
    size = len(CONTENT)
    if (first is None and last is None) or (first is not None and last is not None and last < first):
        assert (answer.status_code, body(answer)) == (200, CONTENT)
        return
    if first is None:
        expected = CONTENT[max(size - (last or 0), 0) :]
        start = size - len(expected)
    else:
        start, expected = first, CONTENT[first : size if last is None else last + 1]
    if not expected:
        assert answer.status_code == 416
        assert answer["Content-Range"] == f"bytes */{size}"
        return
    assert body(answer) == expected
    assert answer["Content-Length"] == str(len(expected))
    assert answer.status_code == 206, "also where the range is the whole file: players ask so whether they can jump"
    assert answer["Content-Range"] == f"bytes {start}-{start + len(expected) - 1}/{size}"


def test_ranges_are_for_get_alone(client: Client, folder: Path) -> None:
    """RFC 9110 section 14.2: with any other method the field is ignored."""
    answer = client.head("/media/frames/a.jpg", headers={"Range": "bytes=0-9"})
    assert answer.status_code == 200 and answer["Content-Length"] == str(len(CONTENT))
    assert "Content-Range" not in answer and answer["Accept-Ranges"] == "bytes"


@pytest.mark.parametrize(
    "spec",
    [
        "bytes=0-1,5-9",
        "items=0-5",
        "bytes=a-b",
        "bytes",
        "bytes=--5",
        "bytes=1-2-3",
        f"bytes={'9' * 5000}-",
        f"bytes=-{'9' * 5000}",
    ],
)
def test_a_range_that_is_none_gets_the_whole(client: Client, folder: Path, spec: str) -> None:
    answer = client.get("/media/frames/a.jpg", headers={"Range": spec})
    assert (answer.status_code, body(answer)) == (200, CONTENT)


def test_a_range_of_what_has_changed_gets_the_whole(client: Client, folder: Path) -> None:
    etag = client.get("/media/frames/a.jpg")["ETag"]
    same = client.get("/media/frames/a.jpg", headers={"Range": "bytes=0-9", "If-Range": etag})
    other = client.get("/media/frames/a.jpg", headers={"Range": "bytes=0-9", "If-Range": '"other"'})
    assert (same.status_code, other.status_code) == (206, 200)


def test_an_empty_file(client: Client, folder: Path) -> None:
    assert body(client.get("/media/empty.png")) == b""
    assert client.get("/media/empty.png", headers={"Range": "bytes=0-"}).status_code == 416


@pytest.mark.parametrize(
    "path",
    [
        "../secret-key",
        "frames/../../secret-key",
        "%2e%2e/secret-key",
        "..%2fsecret-key",
        "/etc/passwd",
        ".hidden",
        "frames",
        "frames/",
        "frames/.a.jpg",
        "nothing.png",
        "a%00b.png",
        "x" * 4000,
        "frames\\..\\..\\secret-key",
    ],
)
def test_nothing_else_can_be_reached(client: Client, folder: Path, path: str, db: None) -> None:
    answer = client.get(f"/media/{path}")
    assert answer.status_code == 404


def test_what_is_no_picture_is_handed_out_as_a_file(client: Client, folder: Path) -> None:
    answer = client.get("/media/page.html")
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["Content-Disposition"] == "attachment"


def test_a_bucket_serves_its_own(client: Client, folder: Path, settings: Any, db: None) -> None:
    settings.SERVE_MEDIA = False
    answer = client.get("/media/frames/a.jpg")
    assert (answer.status_code, answer["Location"]) == (302, default_storage.url("frames/a.jpg"))


def test_files_are_for_reading(client: Client, folder: Path) -> None:
    assert client.post("/media/frames/a.jpg").status_code == 405
