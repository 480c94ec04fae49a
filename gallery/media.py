"""Stored files over HTTP: for ever cacheable, in ranges, and never run as a page; or the way to a bucket's.

Names carry the hash of their content, so a file never changes under its address. Large sites put a bucket or a web
server here.
"""

from __future__ import annotations

import asyncio
import errno
import re
import stat
from collections.abc import AsyncIterator, Iterator
from pathlib import Path, PurePosixPath
from urllib.parse import quote

from django.conf import settings
from django.core.exceptions import SuspiciousFileOperation
from django.core.files.storage import default_storage
from django.core.handlers.asgi import ASGIRequest
from django.db.models.fields.files import FieldFile
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect
from django.utils.cache import get_conditional_response
from django.utils.http import http_date, quote_etag
from django.views.decorators.http import require_safe

from canvas.moderation.sanctions.middleware import same_for_everybody
from dreamsite.core.errors import NotFound
from dreamsite.core.storage import DISK, StorageUnavailable

# What the site itself stores. Anything else is handed out as bytes to save, not to show.
TYPES = {
    ".avif": "image/avif",
    ".gif": "image/gif",
    ".jpg": "image/jpeg",
    ".json": "application/json",
    ".mp4": "video/mp4",
    ".png": "image/png",
    ".vtt": "text/vtt",
    ".webm": "video/webm",
    ".webp": "image/webp",
    ".zip": "application/zip",
}
CHUNK = 256 * 1024
REFUSED = (-1, -1)  # a range outside the file
# A file opened by itself is a picture or a film, never a page that does something.
POLICY = "default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'; sandbox"
# Eighteen digits name every byte of an exabyte; Python refuses to read thousands of them.
_RANGE = re.compile(r"\s*bytes\s*=\s*([0-9]{0,18})-([0-9]{0,18})\s*\Z", re.IGNORECASE)


def lasting(request: HttpRequest, file: FieldFile) -> str:
    """The whole address of a stored file that this site answers for as long as the file is there.

    For whatever is kept elsewhere: feeds, JSON, previews of links. A bucket's own addresses are signed and expire.
    """
    return request.build_absolute_uri(path(file))


def path(file: FieldFile) -> str:
    return settings.MEDIA_URL + quote(str(file.name))


@same_for_everybody
@require_safe
def media(request: HttpRequest, path: str) -> HttpResponseBase:
    """A stored file: 200, 206 for one range, 304, 416, or 404. One in a bucket: 302 to its address there."""
    if not settings.SERVE_MEDIA:
        return _to_bucket(path)
    file = _find(path)
    info = file.stat()
    etag = quote_etag(f"{info.st_mtime_ns:x}-{info.st_size:x}")
    whole = HttpResponse()
    if (answer := get_conditional_response(request, etag, int(info.st_mtime), whole)) is not whole:
        assert answer is not None
        return _with_headers(answer, file, etag, info.st_mtime)

    span = _span(request, etag, http_date(info.st_mtime), info.st_size)
    if span == REFUSED:
        unsatisfiable = HttpResponse(status=416)
        unsatisfiable["Content-Range"] = f"bytes */{info.st_size}"
        return _with_headers(unsatisfiable, file, etag, info.st_mtime)
    first, last = span or (0, info.st_size - 1)
    response: HttpResponseBase
    if request.method == "HEAD":
        response = HttpResponse()
    else:
        chunks = _chunks_async if isinstance(request, ASGIRequest) else _chunks
        response = StreamingHttpResponse(chunks(file, first, last), status=206 if span else 200)
    response["Content-Length"] = str(last - first + 1)
    response["Content-Type"] = TYPES.get(file.suffix, "application/octet-stream")
    if span:
        response["Content-Range"] = f"bytes {first}-{last}/{info.st_size}"
    if file.suffix not in TYPES:
        response["Content-Disposition"] = "attachment"
    return _with_headers(response, file, etag, info.st_mtime)


def _to_bucket(path: str) -> HttpResponseBase:
    """Does not ask the bucket: it says itself what is not there."""
    if any(part in ("", "..") or part.startswith(".") for part in path.split("/")):
        raise NotFound("No file has this address.")
    response = redirect(default_storage.url(path))
    # The signed address is valid for half of its time at least; half of that leaves room to load what is behind it.
    response["Cache-Control"] = f"public, max-age={getattr(default_storage, 'querystring_expire', 3600) // 4}"
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


def _find(path: str) -> Path:
    nothing = NotFound("No file has this address.")
    if any(part.startswith(".") for part in PurePosixPath(path).parts):
        raise nothing
    try:
        file = Path(default_storage.path(path))
        if not stat.S_ISREG(file.stat().st_mode):
            raise nothing
    except OSError as error:
        if error.errno in DISK | {errno.EMFILE, errno.ENFILE}:  # without a free handle nobody knows if it is there
            raise StorageUnavailable(f"The storage failed: {error}") from error
        raise nothing from None
    except (ValueError, SuspiciousFileOperation):
        raise nothing from None
    return file


def _span(request: HttpRequest, etag: str, modified: str, size: int) -> tuple[int, int] | None:
    """First and last byte of the range asked for; None where none is; REFUSED where it lies outside the file.

    RFC 9110 section 14.2: only GET has ranges. Several ranges, and words that are no range, are answered with the whole
    file. A range that is the whole file is answered as a range: players ask so to learn whether they can jump.
    """
    found = _RANGE.match(request.headers.get("Range", "")) if request.method == "GET" else None
    changed = request.headers.get("If-Range", etag) not in (etag, modified)
    if not found or found.group(1) == found.group(2) == "" or changed:
        return None
    if found.group(1) == "":
        count = int(found.group(2))
        return (max(size - count, 0), size - 1) if count and size else REFUSED
    first = int(found.group(1))
    last = min(int(found.group(2) or size - 1), size - 1)
    if found.group(2) and int(found.group(2)) < first:
        return None
    return (first, last) if first < size else REFUSED


def _with_headers(response: HttpResponseBase, file: Path, etag: str, modified: float) -> HttpResponseBase:
    response["ETag"] = etag
    response["Last-Modified"] = http_date(modified)
    response["Accept-Ranges"] = "bytes"
    response["Cache-Control"] = "public, max-age=31536000, immutable"
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = POLICY
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


def _chunks(file: Path, first: int, last: int) -> Iterator[bytes]:
    with file.open("rb") as source:
        source.seek(first)
        left = last - first + 1
        while left > 0 and (chunk := source.read(min(CHUNK, left))):
            left -= len(chunk)
            yield chunk


async def _chunks_async(file: Path, first: int, last: int) -> AsyncIterator[bytes]:
    # Under ASGI Django would read a synchronous iterator to its end before it sends the first byte.
    chunks = _chunks(file, first, last)
    while chunk := await asyncio.to_thread(next, chunks, b""):
        yield chunk
