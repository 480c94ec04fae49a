"""Frames in the storage and in the database: reading them as they were kept, and keeping new ones."""

from __future__ import annotations

import hashlib
import logging
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from django.contrib.auth import get_user_model
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from django.utils import timezone

from canvas import growth, lease, thumbnails
from canvas.brush import Pixels
from canvas.frames.codec import Picture, decode
from canvas.models import Canvas, CleanHours, Frame, Growth
from dreamsite.core.storage import StorageError

log = logging.getLogger(__name__)


class FrameGone(StorageError):
    """The storage says that a frame's file is not there. Never said of a network error, which may pass."""


class FrameDamaged(FrameGone):
    """The storage gives other bytes than were kept: a file that is damaged, or an answer that was cut."""


def read(frame: Frame) -> bytes:
    """The bytes of a frame's file, as they were kept. Raises FrameGone, or FrameDamaged where they are others."""
    name = frame.picture.name
    try:
        with frame.picture.open("rb") as file:
            data: bytes = file.read()
    except FileNotFoundError as error:
        raise FrameGone(f"{name} is missing.") from error
    if len(data) != frame.size:
        raise FrameDamaged(f"{name} has {len(data)} bytes, {frame.size} were kept.")
    if hashlib.sha256(data).hexdigest() != frame.sha256:
        raise FrameDamaged(f"{name} has other bytes than were kept: its SHA-256 is not {frame.sha256}.")
    return data


@lru_cache(maxsize=4)  # a base is read by the next dream, by a moderator's preview, by a report
def load(frame_id: int) -> Pixels:
    """The pixels [h, w, 3] of a frame; do not write to them. Raises FrameGone."""
    pixels = decode(read(Frame.objects.get(pk=frame_id)))
    pixels.flags.writeable = False
    return pixels


@dataclass(frozen=True)
class NewFrame:
    """A picture of a canvas that is about to become a frame of it: the journal up to `seq`, and whose ink that is."""

    canvas: Canvas
    picture: Picture
    kind: str
    seq: int
    authors: Iterable[int] = ()
    title: str = ""
    recipe: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0.0
    device: str = ""
    ages: growth.Ages | None = None  # of its ink (canvas.growth); None: the next who asks makes them from the journal


def keep(
    new: NewFrame,
    claim: lease.Claim | None = None,
    also: Callable[[Canvas, Frame], None] = lambda locked, frame: None,
) -> Frame:
    """Stores the files, then in one transaction the frame, its people and the canvas' new base.

    A crash between the two leaves files that nothing names, never a frame without its file. With `claim` it is kept
    only where that still holds. `also` runs in the same transaction, with the canvas as it was before. Raises
    lease.ClaimLost, and so may `also`.
    """
    picture = new.picture
    height, width = picture.pixels.shape[:2]
    # Never a name that another frame has: a bucket overwrites, and what is deleted must be one's own.
    stem = f"frames/{new.canvas.file_name}/{timezone.now():%Y/%m/%d}/{picture.sha256[:12]}{secrets.token_hex(4)}"
    name = default_storage.save(f"{stem}.{picture.suffix}", ContentFile(picture.data))
    small = thumbnails.encode(picture.pixels)
    thumbnail = default_storage.save(f"{stem}-thumb.webp", ContentFile(small))
    try:
        with transaction.atomic():
            locked = Canvas.objects.lock(new.canvas.pk)
            if claim is not None:
                claim.check(locked)
            newest = Frame.objects.filter(canvas=locked).order_by("-number").values_list("number", flat=True).first()
            frame = Frame.objects.create(
                canvas=locked,
                number=(newest or 0) + 1,
                seq=new.seq,
                base_id=locked.frame_id,
                kind=new.kind,
                picture=name,
                thumbnail=thumbnail,
                thumbnail_size=len(small),
                thumbnail_sha256=hashlib.sha256(small).hexdigest(),
                width=width,
                height=height,
                size=len(picture.data),
                sha256=picture.sha256,
                title=new.title,
                recipe=new.recipe,
                seconds=new.seconds,
                device=new.device,
            )
            if new.ages is not None:
                Growth.objects.create(frame=frame, packed=growth.pack(new.ages))
            authors = _known(new.authors)
            frame.contributors.set(authors)
            # Trust is earned where everybody looks, not on a canvas of one's own by link.
            if new.kind == Frame.Kind.DREAM and authors and locked.listed:
                CleanHours.objects.dreamed(authors, frame.made_at)
            Canvas.objects.filter(pk=locked.pk).update(frame=frame)
            also(locked, frame)
    except lease.ClaimLost:
        # Only here is it certain that no row names them: after an error of the database the commit may have been made.
        delete(name, thumbnail)
        raise
    return frame


def delete(*names: str) -> None:
    """Deletes files that no row names any more; one that cannot be deleted is reported in the log."""
    for name in names:
        try:
            default_storage.delete(name)
        except Exception:
            log.exception("%s could not be deleted; delete it by hand.", name)


def _known(authors: Iterable[int]) -> list[int]:
    return list(get_user_model().objects.filter(pk__in=list(authors), closed_at=None).values_list("pk", flat=True))
