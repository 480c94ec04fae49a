"""What a canvas starts from: its base, when that goes back by itself, and setting it by hand.

The base goes back one frame at most without a person, and only where its file alone is missing. A storage that lacks
more, or gives other bytes than were kept, is most often the wrong one, not filled yet, or faulty.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import F

from canvas import lease, notify
from canvas.frames.codec import decode, encode
from canvas.frames.storing import FrameDamaged, FrameGone, delete, load, read
from canvas.models import Canvas, Frame
from dreamsite.core.storage import StorageError

log = logging.getLogger(__name__)


class StorageTrouble(StorageError):
    """What a canvas starts from cannot be read, and that may pass: nothing is changed, and it is tried again."""


def set_base(canvas: Canvas, frame: Frame | None) -> None:
    """The canvas starts from this frame from now on, or from its background: a person's decision.

    Raises ValueError where the frame is hidden, thinned or another canvas', FrameGone where the storage does not hold
    it.
    """
    if frame is not None:
        read(Frame.objects.get(pk=frame.pk))
        _store_exactly(Frame.objects.get(pk=frame.pk))
    with transaction.atomic():
        locked = Canvas.objects.lock(canvas.pk)
        if frame is not None and not Frame.objects.visible().whole().filter(pk=frame.pk, canvas=locked).exists():
            raise ValueError(f"Frame {frame.number} is hidden, thinned, or not one of {canvas.slug}.")
        Canvas.objects.filter(pk=locked.pk).update(frame=frame)
        locked.frame = frame
        lease.withdraw(locked)
    notify.look(canvas.slug)


def storage_trouble() -> str:
    """Why no process may run with the storage of these settings; empty where nothing speaks against it.

    That is so where it holds neither what a canvas starts from nor the frame before: it is not the one that the
    database was filled with, or not filled yet. A storage or database that does not answer is no reason.
    """
    try:
        lacking = [
            f"{canvas.slug} starts from frame {canvas.frame.number}, and {canvas.frame.picture.name} is not there"
            for canvas in Canvas.objects.exclude(frame=None).select_related("frame")
            if canvas.frame and not _holds(canvas.frame) and not _one_back(canvas.frame, _holds)
        ]
    except Exception as error:
        log.warning("Whether the storage holds what the canvases start from could not be seen: %s", error)
        return ""
    if not lacking:
        return ""
    return (
        f"The storage is not the one that the database speaks of: {'; '.join(lacking)}. Looked in {_storage_name()}. "
        "Set S3_BUCKET or DREAMSITE_VAR as for the other processes, or bring the pictures there first. "
        "If they are lost for good, `manage.py canvas` sets what a canvas starts from; docs/operating.md says how."
    )


def base_unreadable(frame: Frame, error: FrameGone) -> None:
    """The base cannot be read. Where it alone is missing, the canvas goes back one frame; all else may pass.

    Not behind a restoration, which would bring back what a moderator took away. Raises StorageTrouble.
    """
    restored = frame.kind == Frame.Kind.RESTORED
    if isinstance(error, FrameDamaged) or restored or _one_back(frame, _readable) is None:
        raise StorageTrouble(
            f"{error} The canvas {frame.canvas.slug} starts from it and waits for it. If it is lost for good, "
            f"`manage.py canvas {frame.canvas.slug}` shows what else it can start from."
        ) from error
    log.critical(
        "%s: the canvas starts from frame %d, and %s It goes back to the frame before; the journal has all the ink "
        "since then.",
        frame.canvas.slug,
        frame.number,
        error,
    )
    step_back(frame)
    notify.look(frame.canvas.slug)


def step_back(frame: Frame, also: Callable[[], bool] = lambda: True) -> bool:
    """If `frame` is its canvas' base, makes the newest earlier visible and readable frame the base.

    Where none can be read it is the newest, which is waited for; the bare background only where there is none.
    `also` runs in the same transaction; nothing happens where it returns False. Files are read outside of it.
    """
    successor, looked = None, False
    while True:
        with transaction.atomic():
            locked = Canvas.objects.lock(frame.canvas_id)
            is_base = locked.frame_id == frame.pk
            still_there = successor is None or Frame.objects.visible().filter(pk=successor.pk).exists()
            if not is_base or (looked and still_there):
                if not also():
                    return False
                if is_base:
                    Canvas.objects.filter(pk=locked.pk).update(frame=successor)
                    locked.frame = successor
                    lease.withdraw(locked)  # what is dreamed now will be refused: its ink can be undone again
                return True
        successor, looked = _newest_readable(frame), True
        if successor is not None:
            _store_exactly(successor)


def _store_exactly(frame: Frame) -> None:
    """A base is painted on by every browser, and these decode AVIF, which old dreams are stored as, each in its way."""
    old = str(frame.picture.name)
    if not old.endswith(".avif") or not _readable(frame):
        return
    picture = encode(decode(read(frame)), frame.kind)
    name = default_storage.save(f"{old.removesuffix('.avif')}.{picture.suffix}", ContentFile(picture.data))
    columns = {"picture": name, "size": len(picture.data), "sha256": picture.sha256}
    with transaction.atomic():
        Canvas.objects.lock(frame.canvas_id)
        stored = Frame.objects.filter(pk=frame.pk, picture=old).update(**columns)
        if stored:  # who was told of the old address is told of the new one, also where the canvas does not go back
            Canvas.objects.filter(pk=frame.canvas_id).update(visibility=F("visibility") + 1)
    load.cache_clear()
    delete(old if stored else name)
    frame.refresh_from_db(fields=list(columns))


def _newest_readable(frame: Frame) -> Frame | None:
    visible = Frame.objects.visible().whole().filter(canvas=frame.canvas_id, number__lt=frame.number)
    earlier = visible.select_related("canvas").order_by("-number")
    return next((one for one in earlier.iterator() if _readable(one)), earlier.first())


def _one_back(frame: Frame, usable: Callable[[Frame], bool]) -> Frame | None:
    """The frame before the newest one, if `frame` is that and the one before is usable."""
    visible = Frame.objects.visible().whole().filter(canvas=frame.canvas_id).select_related("canvas")
    newest = list(visible.order_by("-number")[:2])
    return newest[1] if len(newest) == 2 and newest[0] == frame and usable(newest[1]) else None


def _readable(frame: Frame) -> bool:
    try:
        read(frame)
    except FrameGone as error:
        log.error("Frame %d of %s cannot be the base: %s", frame.number, frame.canvas.slug, error)
        return False
    return True


def _holds(frame: Frame) -> bool:
    """Whether the storage has the frame's file in its full length, without reading it."""
    try:
        return bool(default_storage.size(str(frame.picture.name)) == frame.size)
    except FileNotFoundError:
        return False


def _storage_name() -> str:
    if bucket := getattr(default_storage, "bucket_name", None):
        return f"the bucket {bucket}"
    return f"the folder {getattr(default_storage, 'location', default_storage)}"
