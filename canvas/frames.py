"""Frames: reading them as bases, composing what comes after, and keeping new ones."""

from __future__ import annotations

import hashlib
import io
import logging
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import PurePosixPath
from typing import Any

import numpy as np
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from django.utils import timezone
from PIL import Image

from canvas import journal, notify, picture
from canvas.brush import Pixels
from canvas.models import Canvas, Dream, Frame
from canvas.signals import visibility_changed

log = logging.getLogger(__name__)

THUMBNAIL = 480  # px; two columns on a phone with a dense screen
DREAM_QUALITY = 93  # JPEG 4:4:4. A dream as PNG is 5 MB, at every viewer's every half minute


class Refused(Exception):
    """What was made is not recorded."""


class LeaseLost(Refused):
    """Another dreamer holds the canvas now."""


class BaseGone(Refused):
    """The frame it was made from is not the base any more: somebody hid it, or its file was lost."""


class ClaimGone(Refused):
    """Ink that it holds was taken out of the picture, or put back, while it was made: its position was withdrawn."""


class FrameGone(Exception):
    """The storage says that a frame's file is not there. Never said of a network error, which may pass."""


class FrameDamaged(FrameGone):
    """The storage gives other bytes than were kept: a file that is damaged, or an answer that was cut."""


class StorageTrouble(Exception):
    """What a canvas starts from cannot be read, and that may pass: nothing is changed, and it is tried again."""


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


@lru_cache(maxsize=4)  # a base is read by the next dream, a patch's source several times
def load(frame_id: int) -> Pixels:
    """The pixels [h, w, 3] of a frame; do not write to them. Raises FrameGone."""
    pixels = decode(read(Frame.objects.get(pk=frame_id)))
    pixels.flags.writeable = False
    return pixels


def base(place: Canvas) -> tuple[Pixels, int]:
    """The pixels everybody starts from, and the journal's number that is in them. Raises FrameGone."""
    if place.frame is None:
        return picture.blank(place.width, place.height, place.background_rgb), 0
    return load(place.frame.pk), place.frame.seq


@dataclass(frozen=True)
class Composed:
    """The canvas at operation `seq`: pixels [h, w, 3], who drew between the base and here, and the base's id."""

    pixels: Pixels
    seq: int
    authors: frozenset[int]
    operations: int
    base: int | None


def compose(
    place: Canvas,
    up_to: int | None = None,
    *,
    holder: str | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Composed:
    """The canvas as it is now, or without what was drawn after operation `up_to`.

    Base and head come from one SELECT, and the journal up to a head never changes: so nothing is locked while the
    picture is decoded and painted, and ink goes on. With `holder`, the dreamer, the position is told first (`claim`).

    What was undone or hidden later stays out even with `up_to`: a frame of it would otherwise bring back what its
    author took away. A base whose file is lost is replaced by the one before it. Raises LeaseLost, StorageTrouble,
    and picture.Cancelled when `cancelled` says so.
    """
    while True:
        if holder is not None:
            now = claim(place, holder, up_to)
        else:
            now = Canvas.objects.select_related("frame").get(pk=place.pk)
        try:
            pixels, since = base(now)
        except FrameGone as error:
            assert now.frame is not None
            _lose(now.frame, error)
            continue
        seq = now.head if up_to is None else up_to
        numbered = journal.operations(now, since, now.head)
        drawn = [(number, op) for number, op in picture.visible(numbered) if number <= seq]
        painted = picture.compose(pixels, drawn, patch_source, cancelled)
        return Composed(painted, seq, frozenset(picture.authors(drawn)), len(drawn), now.frame_id)


def claim(place: Canvas, holder: str, up_to: int | None = None) -> Canvas:
    """Tells, before anything is painted, that ink up to the head (or `up_to`) is being taken into a frame.

    Under the lock under which the journal is written: an undo committed before it is in the head that comes back
    here, one that comes after it finds the position and is refused. Nobody's undo is confirmed and dreamed anyway.
    """
    with transaction.atomic():
        now = lock(place.pk)
        position = now.head if up_to is None else up_to
        if not Dream.objects.filter(canvas=now, holder=holder).update(position=position):
            raise LeaseLost(f"The lease on {now} went to another process.")
    return now


def lock(canvas_id: int) -> Canvas:
    """The canvas and its base, locked until the transaction's end. Always before the canvas' Dream."""
    return Canvas.objects.select_for_update(of=("self",)).select_related("frame").get(pk=canvas_id)


def patch_source(frame_id: int) -> Pixels:
    """A frame for a PATCH; nothing where its file is lost, as in browsers, which then wait for it without end."""
    try:
        return load(frame_id)
    except FrameGone as error:
        log.error("A patch stays out: %s", error)
        return np.empty((0, 0, 3), np.uint8)


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
    base: int | None = None,
    also: Callable[[Canvas, Frame], None] = lambda locked, frame: None,
) -> Frame:
    """Stores the files, then in one transaction the frame, its people and the canvas' new base.

    A crash between the two leaves files that nothing names, never a frame without its file. With `holder` the
    frame is recorded only while that process still holds the lease (LeaseLost otherwise), the frame `base` is
    the one it was composed from (BaseGone otherwise: it would bring back what somebody hid), and nobody has withdrawn
    the position (ClaimGone). `also` runs in the same transaction, with the canvas as it was before; it may raise
    Refused.
    """
    height, width = made.pixels.shape[:2]
    folder = f"frames/{place.slug}/{timezone.now():%Y/%m/%d}"
    # Never a name that another frame has: a bucket overwrites, and what is deleted must be one's own.
    stem = f"{folder}/{made.sha256[:12]}{secrets.token_hex(4)}"
    name = default_storage.save(f"{stem}.{made.suffix}", ContentFile(made.data))
    thumbnail = default_storage.save(f"{stem}-thumb.jpg", ContentFile(thumbnail_of(made.pixels)))
    try:
        with transaction.atomic():
            locked = lock(place.pk)
            if holder is not None:
                _check(locked, holder, base, seq)
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
            also(locked, frame)
    except Refused:
        # Only here is it certain that no row names them: after an error of the database the commit may have been made.
        _delete(name, thumbnail)
        raise
    return frame


def _check(locked: Canvas, holder: str, base: int | None, seq: int) -> None:
    dream = Dream.objects.select_for_update().filter(canvas=locked, holder=holder).first()
    if dream is None:
        raise LeaseLost(f"The lease on {locked} went to another process while it dreamed.")
    if locked.frame_id != base:
        raise BaseGone(f"{locked} starts from frame {locked.frame_id} now; this was made from {base}.")
    if dream.position < seq:
        raise ClaimGone(f"The ink of {locked} up to operation {seq} was changed by a moderator.")


def withdraw(locked: Canvas) -> None:
    """Drops what is being made of the canvas now. Call it under the canvas row's lock, with the change that is why.

    Whoever dreams finds at its next word of progress, or at the latest when it would keep the frame, that the claim on
    the ink is gone, and begins again with the canvas as it is then.
    """
    Dream.objects.filter(canvas=locked).update(position=locked.frame.seq if locked.frame else 0)


def hide(frame: Frame) -> bool:
    """Takes a frame from everybody's eyes; False where it was hidden already.

    Its files move to names that nobody can guess, since the old addresses are known; one that the storage does not
    give as it was kept stays where it is. If the canvas starts from the frame, it goes back to the newest earlier one
    that is visible and can be read, with all the ink since then.
    """
    frame = Frame.objects.select_related("canvas").get(pk=frame.pk)
    if frame.hidden_at is not None:
        return False
    old = (str(frame.picture.name), str(frame.thumbnail.name))
    new = (_copy(old[0], frame.canvas.slug, frame.sha256), _copy(old[1], frame.canvas.slug))
    # By its old names too: of two who hide it at once one has moved the files already.
    unchanged = Frame.objects.visible().filter(pk=frame.pk, picture=old[0], thumbnail=old[1])
    hidden = {"hidden_at": timezone.now(), "picture": new[0], "thumbnail": new[1]}

    def write() -> bool:
        if not unchanged.update(**hidden):
            return False
        visibility_changed.send(Frame, frame=frame)
        return True

    done = _step_back(frame, write)
    _delete(*(name for name in (old if done else new) if name not in (new if done else old)))
    if done:
        notify.look(frame.canvas.slug)
    return done


def unhide(frame: Frame, *, as_base: bool = False) -> bool:
    """Shows a frame in the history again; False where it was not hidden.

    The canvas keeps the base it has; with `as_base` it starts from the frame again, unless a newer one was kept since.
    """
    with transaction.atomic():
        place = lock(frame.canvas_id)
        if not Frame.objects.filter(pk=frame.pk).exclude(hidden_at=None).update(hidden_at=None):
            return False
        newer = Frame.objects.visible().filter(canvas=place, number__gt=frame.number).exists()
        if as_base and not newer:
            Canvas.objects.filter(pk=place.pk).update(frame=frame)
            place.frame = frame
            withdraw(place)
        visibility_changed.send(Frame, frame=frame)
    if as_base:
        notify.look(place.slug)
    return True


def set_base(place: Canvas, frame: Frame | None) -> None:
    """The canvas starts from this frame from now on, or from its background: a person's decision.

    Raises ValueError where the frame is hidden or another canvas', FrameGone where the storage does not hold it.
    """
    if frame is not None:
        read(Frame.objects.get(pk=frame.pk))
    with transaction.atomic():
        locked = lock(place.pk)
        if frame is not None and not Frame.objects.visible().filter(pk=frame.pk, canvas=locked).exists():
            raise ValueError(f"Frame {frame.number} is hidden, or not one of {place.slug}.")
        Canvas.objects.filter(pk=locked.pk).update(frame=frame)
        locked.frame = frame
        withdraw(locked)
    notify.look(place.slug)


def storage_trouble() -> str:
    """Why no process may run with the storage of these settings; empty where nothing speaks against it.

    That is so where it holds neither what a canvas starts from nor the frame before: it is not the one that the
    database was filled with, or not filled yet. A storage or database that does not answer is no reason.
    """
    try:
        lacking = [
            f"{place.slug} starts from frame {place.frame.number}, and {place.frame.picture.name} is not there"
            for place in Canvas.objects.exclude(frame=None).select_related("frame")
            if place.frame and not _holds(place.frame) and not _one_back(place.frame, _holds)
        ]
    except Exception as error:
        log.warning("Whether the storage holds what the canvases start from could not be seen: %s", error)
        return ""
    if not lacking:
        return ""
    return (
        f"The storage is not the one that the database speaks of: {'; '.join(lacking)}. Looked in {_whereabouts()}. "
        "Set S3_BUCKET or DREAMSITE_VAR as for the other processes, or bring the pictures there first. "
        "If they are lost for good, `manage.py canvas` sets what a canvas starts from; docs/operating.md says how."
    )


def _whereabouts() -> str:
    if bucket := getattr(default_storage, "bucket_name", None):
        return f"the bucket {bucket}"
    return f"the folder {getattr(default_storage, 'location', default_storage)}"


def _holds(frame: Frame) -> bool:
    """Whether the storage has the frame's file in its full length, without reading it."""
    try:
        return bool(default_storage.size(str(frame.picture.name)) == frame.size)
    except FileNotFoundError:
        return False


def _readable(frame: Frame) -> bool:
    try:
        read(frame)
    except FrameGone as error:
        log.error("Frame %d of %s cannot be the base: %s", frame.number, frame.canvas.slug, error)
        return False
    return True


def _one_back(frame: Frame, usable: Callable[[Frame], bool]) -> Frame | None:
    """The frame before the newest one, if `frame` is that and the one before is usable.

    Further back a canvas goes only by a person's decision: a storage may lack frames because it is the wrong one, or
    not filled yet.
    """
    visible = Frame.objects.visible().filter(canvas=frame.canvas_id).select_related("canvas")
    newest = list(visible.order_by("-number")[:2])
    return newest[1] if len(newest) == 2 and newest[0] == frame and usable(newest[1]) else None


def _lose(frame: Frame, error: FrameGone) -> None:
    """The base cannot be read. Where it alone is missing, the canvas goes back one frame; all else may pass.

    Not behind a restoration, which would bring back what a moderator took away.
    """
    restored = frame.kind == Frame.Kind.RESTORED
    if isinstance(error, FrameDamaged) or restored or _one_back(frame, _readable) is None:
        raise StorageTrouble(
            f"{error} The canvas {frame.canvas.slug} starts from it and waits for it. If it is lost for good, "
            f"`manage.py canvas {frame.canvas.slug}` shows what else it can start from."
        ) from error
    log.critical(
        "%s: the canvas starts from frame %d, and %s It goes back to the frame before; the journal has all the ink "
        "since then.", frame.canvas.slug, frame.number, error,
    )  # fmt: skip
    _step_back(frame)
    notify.look(frame.canvas.slug)


def _step_back(frame: Frame, also: Callable[[], bool] = lambda: True) -> bool:
    """If `frame` is its canvas' base, makes the newest earlier visible and readable frame the base.

    Where none can be read it is the newest, which is waited for; the bare background only where there is none.
    `also` runs in the same transaction; nothing happens where it returns False. Files are read outside of it.
    """
    heir, looked = None, False
    while True:
        with transaction.atomic():
            place = lock(frame.canvas_id)
            is_base = place.frame_id == frame.pk
            still_there = heir is None or Frame.objects.visible().filter(pk=heir.pk).exists()
            if not is_base or (looked and still_there):
                if not also():
                    return False
                if is_base:
                    Canvas.objects.filter(pk=place.pk).update(frame=heir)
                    # What is dreamed now will be refused: its ink can be undone again.
                    Dream.objects.filter(canvas=place).update(position=heir.seq if heir else 0)
                return True
        heir, looked = _heir(frame), True


def _heir(frame: Frame) -> Frame | None:
    visible = Frame.objects.visible().filter(canvas=frame.canvas_id, number__lt=frame.number)
    earlier = visible.select_related("canvas").order_by("-number")
    return next((one for one in earlier.iterator() if _readable(one)), earlier.first())


def _copy(name: str, slug: str, sha256: str = "") -> str:
    """The file under a new name that nobody can guess; the old name where the storage does not give it whole."""
    try:
        with default_storage.open(name, "rb") as file:
            data = file.read()
    except FileNotFoundError:
        return name
    if sha256 and hashlib.sha256(data).hexdigest() != sha256:
        log.error("%s was not moved: the storage gives other bytes than were kept. Its old address still works.", name)
        return name
    return default_storage.save(
        f"frames/{slug}/hidden/{secrets.token_hex(16)}{PurePosixPath(name).suffix}", ContentFile(data)
    )


def _delete(*names: str) -> None:
    for name in names:
        try:
            default_storage.delete(name)
        except Exception:
            log.exception("%s could not be deleted; delete it by hand.", name)


def _known(authors: Iterable[int]) -> list[int]:
    from django.contrib.auth import get_user_model

    return list(get_user_model().objects.filter(pk__in=list(authors), closed_at=None).values_list("pk", flat=True))


def thumbnail_of(pixels: Pixels) -> bytes:
    """A JPEG of at most THUMBNAIL px a side."""
    image = Image.fromarray(pixels)
    image.thumbnail((THUMBNAIL, THUMBNAIL), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=82, optimize=True, progressive=True)
    return buffer.getvalue()
