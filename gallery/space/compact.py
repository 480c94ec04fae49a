"""Old dreams in fewer bytes: their large pictures are stored anew as AVIF, which looks the same.

A picture that something is computed from must be exact: the base of a canvas, which every browser paints on, and the
frames that the undream brush can bring back; and what a canvas gets back where an act on its picture is taken back. A
base is a JPEG because that is quick to make and the same on all hosts.
What is older than KEEP_EXACT_DAYS is only looked at. Sizes and looks: docs/operating.md.
"""

from __future__ import annotations

import io
from datetime import datetime, timedelta
from pathlib import PurePosixPath

from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone
from PIL import Image

from canvas import earlier, frames
from canvas.models import Canvas, Frame
from canvas.moderation.models import Act
from dreamsite.core.storage import StorageError
from gallery.jobs import files

QUALITY, SPEED = 80, 8  # of AVIF, without chroma subsampling
SHARE = 0.55  # of the bytes, about, is what it takes (docs/operating.md)


def waiting(canvas: Canvas, since: datetime | None = None) -> QuerySet[Frame]:
    """Frames to store anew, oldest first; those made after `since`, where it is given."""
    before = timezone.now() - timedelta(days=settings.KEEP_EXACT_DAYS)
    found = Frame.objects.visible().whole().dreams().filter(canvas=canvas, picture__endswith=".jpg")
    if since is not None:
        found = found.filter(made_at__gt=since)
    return found.filter(made_at__lt=before).exclude(pk__in=_exact(canvas)).order_by("made_at", "number")


def store_smaller(frame: Frame) -> int:
    """Stores one frame's picture anew; the bytes saved, 0 where it is not smaller or may not be touched any more."""
    try:
        pixels = frames.decode(frames.read(frame))
    except StorageError:
        return 0  # whoever looks at the frame is told; nothing is made of what is not there, or damaged
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "AVIF", quality=QUALITY, speed=SPEED, subsampling="4:4:4", max_threads=1)
    data, before = buffer.getvalue(), str(frame.picture.name)
    if len(data) >= frame.size:
        return 0
    name = files.store_bytes(data, f"{PurePosixPath(before).with_suffix('')}.avif")
    changed = 0
    try:
        with transaction.atomic():
            locked = Canvas.objects.lock(frame.canvas_id)  # no base is set meanwhile
            still = Frame.objects.visible().whole().filter(pk=frame.pk, picture=before).exclude(pk__in=_exact(locked))
            changed = still.update(picture=name, size=len(data), sha256=frames.sha256(data))
            if changed:
                files.keep([name])
                files.delete_after_commit([before])
                Canvas.objects.filter(pk=locked.pk).update(visibility=F("visibility") + 1)
    finally:
        files.discard(name)  # nothing where it was kept
    return frame.size - len(data) if changed else 0


def _exact(canvas: Canvas) -> list[int]:
    """The frames that something is computed from, or will be where an act is taken back, by id."""
    brush = {one.pk for one in earlier.earlier(canvas, canvas.frame) if one is not None}
    return [*brush | Act.objects.filter(canvas=canvas).frames_to_go_back_to()]
