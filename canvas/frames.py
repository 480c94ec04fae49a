"""Frames: reading them as bases, composing what comes after, and keeping new ones."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from django.utils import timezone
from PIL import Image

from canvas import journal, picture
from canvas.brush import Pixels
from canvas.models import Canvas, Dream, Frame

THUMBNAIL = 480  # px; two columns on a phone with a dense screen
DREAM_QUALITY = 93  # JPEG 4:4:4. A dream as PNG is 5 MB, at every viewer's every half minute


class LeaseLost(Exception):
    """Another dreamer holds the canvas now; what this one made is not recorded."""


@dataclass(frozen=True)
class Picture:
    """Pixels as they will be read back, with the file that holds them."""

    pixels: Pixels
    data: bytes = field(repr=False)
    suffix: str

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.data).hexdigest()


def encode(pixels: Pixels, kind: str) -> Picture:
    """A dream as JPEG, a drawing without loss as PNG.

    The pixels given back are the file's, not the ones that came in: they are the base that every browser decodes.
    """
    buffer = io.BytesIO()
    image = Image.fromarray(pixels)
    if kind == Frame.Kind.DREAM:
        image.save(buffer, "JPEG", quality=DREAM_QUALITY, subsampling=0, optimize=True)
        return Picture(decode(buffer.getvalue()), buffer.getvalue(), "jpg")
    image.save(buffer, "PNG", optimize=False, compress_level=6)
    return Picture(pixels, buffer.getvalue(), "png")


def decode(data: bytes) -> Pixels:
    with Image.open(io.BytesIO(data), formats=("JPEG", "PNG")) as image:
        return np.array(image.convert("RGB"))


@lru_cache(maxsize=4)  # a base is read by the next dream, a patch's source several times
def load(frame_id: int) -> Pixels:
    """The pixels [h, w, 3] of a frame; do not write to them."""
    frame = Frame.objects.get(pk=frame_id)
    with frame.picture.open("rb") as file:
        pixels = decode(file.read())
    pixels.flags.writeable = False
    return pixels


def base(place: Canvas) -> tuple[Pixels, int]:
    """The pixels everybody starts from, and the journal's number that is in them."""
    if place.frame is None:
        return picture.blank(place.width, place.height, place.background_rgb), 0
    return load(place.frame.pk), place.frame.seq


@dataclass(frozen=True)
class Composed:
    """The canvas at operation `seq`: pixels [h, w, 3], and who drew between the base and here."""

    pixels: Pixels
    seq: int
    authors: frozenset[int]
    operations: int


def compose(place: Canvas, up_to: int | None = None) -> Composed:
    """The canvas as it is now, or without what was drawn after operation `up_to`.

    Read in one transaction, since base and head belong together. What was undone or hidden later stays out even
    with `up_to`: a frame of it would otherwise bring back what its author took away.
    """
    with transaction.atomic():
        place = Canvas.objects.select_related("frame").get(pk=place.pk)
        pixels, since = base(place)
        numbered = journal.operations(place, since, place.head)
    seq = place.head if up_to is None else up_to
    drawn = [(number, op) for number, op in picture.visible(numbered) if number <= seq]
    return Composed(picture.compose(pixels, drawn, load), seq, frozenset(picture.authors(drawn)), len(drawn))


def keep(
    place: Canvas,
    made: Picture,
    *,
    kind: str,
    seq: int,
    authors: Iterable[int],
    title: str = "",
    recipe: dict[str, Any] | None = None,
    seconds: float = 0.0,
    device: str = "",
    holder: str | None = None,
) -> Frame:
    """Stores the files, then in one transaction the frame, its people and the canvas' new base.

    A crash between the two leaves files that nothing names, never a frame without its file. With `holder` the
    frame is recorded only while that process still holds the lease (LeaseLost otherwise).
    """
    height, width = made.pixels.shape[:2]
    folder = f"frames/{place.slug}/{timezone.now():%Y/%m/%d}"
    name = default_storage.save(f"{folder}/{made.sha256[:20]}.{made.suffix}", ContentFile(made.data))
    thumbnail = default_storage.save(f"{folder}/{made.sha256[:20]}-thumb.jpg", ContentFile(thumbnail_of(made.pixels)))
    with transaction.atomic():
        locked = Canvas.objects.select_for_update().get(pk=place.pk)
        if holder is not None and not Dream.objects.filter(canvas=locked, holder=holder).exists():
            raise LeaseLost(f"The lease on {locked} went to another process while it dreamed.")
        newest = Frame.objects.filter(canvas=locked).order_by("-number").values_list("number", flat=True).first()
        frame = Frame.objects.create(
            canvas=locked,
            number=(newest or 0) + 1,
            seq=seq,
            kind=kind,
            picture=name,
            thumbnail=thumbnail,
            width=width,
            height=height,
            size=len(made.data),
            sha256=made.sha256,
            title=title,
            recipe=recipe or {},
            seconds=seconds,
            device=device,
        )
        frame.contributors.set(_known(authors))
        Canvas.objects.filter(pk=locked.pk).update(frame=frame)
    return frame


def _known(authors: Iterable[int]) -> list[int]:
    from django.contrib.auth import get_user_model

    return list(get_user_model().objects.filter(pk__in=list(authors)).values_list("pk", flat=True))


def thumbnail_of(pixels: Pixels) -> bytes:
    """A JPEG of at most THUMBNAIL px a side."""
    image = Image.fromarray(pixels)
    image.thumbnail((THUMBNAIL, THUMBNAIL), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=82, optimize=True, progressive=True)
    return buffer.getvalue()
