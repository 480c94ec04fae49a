"""Uploaded pictures, made anew from their pixels, so that nothing else of the uploaded file reaches anybody.

The first bytes decide the type, before any decoder sees the rest; the header's size is checked before pixels are
decoded; what is stored is a JPEG or PNG of our own: without metadata (who, where, with what), without colour profiles,
without whatever else was hidden in the file, turned as EXIF says, under a name of our own. A file's name and the type
that the browser claims are not looked at. One picture at a time is decoded in a process: memory stays bounded.
"""

from __future__ import annotations

import hashlib
import io
import secrets
import threading
import warnings
from dataclasses import dataclass, field
from typing import BinaryIO

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils.translation import gettext as _
from PIL import Image

from dreamer.engine import colours
from dreamer.engine.pictures import upright
from dreamsite.core.jpeg import jpeg
from gallery.uploads import check

MAX_BYTES = 24 * 1024 * 1024  # a good camera's JPEG, and a canvas of the largest size as PNG
MAX_PIXELS = 48_000_000  # 144 MB decoded; cameras of today stay below
MAX_SIDE = 12_000
STORED_SIDE = 3840  # what the largest canvas has; larger ones are scaled down
QUALITY = 92

# What a file of each kind begins with; WebP has its name in bytes 8 to 11 as well.
_SIGNATURES = {"JPEG": b"\xff\xd8\xff", "PNG": b"\x89PNG\r\n\x1a\n", "WEBP": b"RIFF"}
_MOVING = {**_SIGNATURES, "GIF": b"GIF8"}  # where the first picture of what moves is taken
_decoding = threading.Lock()


class InvalidUpload(ValueError):
    """The file is not a picture that this site accepts; the message is for whoever sent it."""


@dataclass(frozen=True)
class CleanedPicture:
    """A picture as it will be stored."""

    data: bytes = field(repr=False)
    suffix: str  # jpg or png
    width: int
    height: int
    large: CleanedPicture | None = None  # the same, not scaled down, where that was wanted and it is larger

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.data).hexdigest()


def clean(file: BinaryIO, *, first: bool = False, large: bool = False) -> CleanedPicture:
    """The picture in `file` (JPEG, PNG or WebP), encoded anew, if the site's check accepts it. Raises InvalidUpload.

    `first`: of what moves (GIF too) the first picture is taken, instead of refusing it. `large`: what is larger than
    it is stored is encoded once more, as large as it is.
    """
    data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        limit = MAX_BYTES // 1024**2
        raise InvalidUpload(_("The file is larger than %(limit)s MB: send a smaller one.") % {"limit": limit})
    kind = _kind(data, _MOVING if first else _SIGNATURES)
    with _decoding:
        cleaned = _encode(_decode(data, kind, first, large), large)
    try:
        check.check(cleaned.data, "image/png" if cleaned.suffix == "png" else "image/jpeg")
    except check.CheckRefused as error:
        raise InvalidUpload(str(error)) from error
    return cleaned


def store(cleaned: CleanedPicture) -> str:
    """Stores it under a name that nobody can guess; returns the name."""
    return default_storage.save(f"uploads/{secrets.token_hex(16)}.{cleaned.suffix}", ContentFile(cleaned.data))


def _kind(data: bytes, signatures: dict[str, bytes]) -> str:
    for kind, signature in signatures.items():
        if data.startswith(signature) and (kind != "WEBP" or data[8:12] == b"WEBP"):
            return kind
    if "GIF" in signatures:
        raise InvalidUpload(_("This is not a JPEG, PNG, WebP or GIF file. Other types, such as SVG, are not accepted."))
    raise InvalidUpload(_("This is not a JPEG, PNG or WebP file. Other types, such as SVG and GIF, are not accepted."))


def _decode(data: bytes, kind: str, first: bool, large: bool) -> Image.Image:
    broken = InvalidUpload(_("The file says it is a %(kind)s, but no picture can be read from it.") % {"kind": kind})
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(data), formats=[kind])
            width, height = image.size
            if width * height > MAX_PIXELS or max(width, height) > MAX_SIDE:
                words = _(
                    "The picture is %(width)s × %(height)s; expected at most %(most)s million pixels, %(side)s a side."
                )
                raise InvalidUpload(
                    words % {"width": width, "height": height, "most": MAX_PIXELS // 10**6, "side": MAX_SIDE}
                )
            if not first and getattr(image, "n_frames", 1) > 1:
                raise InvalidUpload(_("The picture is animated; expected a still one."))
            if not large:  # a large JPEG is not decoded larger than it is kept
                image.draft("RGB", (STORED_SIDE, STORED_SIDE))
            image.load()
            return upright(colours.srgb(image), image)
    except InvalidUpload:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        words = _("The picture has far too many pixels; expected at most %(most)s million pixels.")
        raise InvalidUpload(words % {"most": MAX_PIXELS // 10**6}) from error
    except Exception as error:  # decoders raise all kinds of errors for damaged bytes
        raise broken from error


def _encode(image: Image.Image, large: bool) -> CleanedPicture:
    whole = _whole(image) if large and max(image.size) > STORED_SIDE else None
    image.thumbnail((STORED_SIDE, STORED_SIDE), Image.Resampling.LANCZOS)
    # A new image of the pixels alone: what hangs on the old one (EXIF, comments, chunks) stays behind.
    bare = Image.frombytes(image.mode, image.size, image.tobytes())
    if bare.mode == "RGBA" and bare.getchannel("A").getextrema() != (255, 255):
        buffer = io.BytesIO()
        bare.save(buffer, "PNG", optimize=False, compress_level=6)
        return CleanedPicture(buffer.getvalue(), "png", *bare.size, whole)
    return CleanedPicture(jpeg(bare.convert("RGB"), QUALITY, progressive=True), "jpg", *bare.size, whole)


def _whole(image: Image.Image) -> CleanedPicture:
    """As large as it is, on white where it is clear. Written row by row: a progressive file would be held twice."""
    bare = Image.new("RGB", image.size, "white")
    bare.paste(image, mask=image.getchannel("A") if image.mode == "RGBA" else None)
    buffer = io.BytesIO()
    bare.save(buffer, "JPEG", quality=QUALITY, subsampling=0)
    return CleanedPicture(buffer.getvalue(), "jpg", *bare.size)
