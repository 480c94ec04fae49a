"""The files of a frame: the original and what was made of it, each with its size and SHA-256."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from django.core.cache import caches
from django.utils.translation import gettext as _

from canvas import thumbnails
from canvas.models import Frame
from canvas.picture import NumberedStroke
from gallery import media
from gallery.links import frame_url
from gallery.moments import ink, paint


@dataclass(frozen=True)
class File:
    """`size` in bytes and `sha256` are None for a picture that is painted when somebody asks for it."""

    name: str  # for programs
    title: str  # for people
    address: str
    lasting: str  # a path of this site
    filename: str
    type: str
    width: int
    height: int
    size: int | None
    sha256: str | None


def of(frame: Frame) -> list[File]:
    return [_original(frame), _thumbnail(frame), _drawing(frame)]


def filename(frame: Frame, what: str = "", suffix: str = "") -> str:
    suffix = suffix or PurePosixPath(frame.picture.name or "").suffix
    return f"dreamsite-{frame.canvas.file_name}-{frame.number:06}{what}{suffix}"


def _original(frame: Frame) -> File:
    return File(
        "original",
        _("The picture"),
        frame.picture.url,
        media.path(frame.picture),
        filename(frame),
        _type(frame.picture.name),
        frame.width,
        frame.height,
        frame.size,
        frame.sha256,
    )


def _thumbnail(frame: Frame) -> File:
    width, height = thumbnails.size(frame.width, frame.height)
    return File(
        "thumbnail",
        _("A small copy"),
        frame.thumbnail.url,
        media.path(frame.thumbnail),
        filename(frame, "-small", PurePosixPath(frame.thumbnail.name or "").suffix),
        _type(frame.thumbnail.name),
        width,
        height,
        frame.thumbnail_size or None,
        frame.thumbnail_sha256 or None,
    )


def _drawing(frame: Frame) -> File:
    """What was drawn before this frame: measured once somebody has asked for it."""
    known: tuple[int, str] | None = caches["pages"].get(_drawing_key(frame))
    size, sha256 = known or (None, None)
    address = frame_url("frame_drawing", frame)
    return File(
        "drawing",
        _("What was drawn, before the dream"),
        address,
        address,
        filename(frame, "-drawing", ".png"),
        "image/png",
        frame.width,
        frame.height,
        size,
        sha256,
    )


def _drawing_key(frame: Frame) -> str:
    return f"drawing:{frame.pk}"


def painted(frame: Frame, address: str = "") -> bytes:
    """The drawing before the frame as PNG; its size and checksum are known from then on.

    Raises what paint.png raises.
    """
    data = paint.png(*_drawn(frame), address)
    caches["pages"].set(_drawing_key(frame), (len(data), hashlib.sha256(data).hexdigest()), 600)
    return data


def painting_name(frame: Frame) -> str:
    """Another one whenever the drawing before the frame would look otherwise. Raises paint.TooManyOperations."""
    return paint.key(*_drawn(frame))


def _drawn(frame: Frame) -> tuple[ink.Span, list[NumberedStroke]]:
    span = ink.before(frame)
    found = ink.read(span)
    if not found.complete:
        raise paint.TooManyOperations
    return span, found.up_to(frame.seq)


def _type(name: Any) -> str:
    return media.TYPES.get(PurePosixPath(str(name)).suffix, "application/octet-stream")
