"""Taking a frame from everybody's eyes, and showing it again."""

from __future__ import annotations

import hashlib
import logging
import secrets
from pathlib import PurePosixPath

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from canvas import lease, notify
from canvas.frames import bases, storing
from canvas.models import Canvas, Frame
from canvas.signals import visibility_changed

log = logging.getLogger(__name__)


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
    new = (_copy(old[0], frame.canvas.file_name, frame.sha256), _copy(old[1], frame.canvas.file_name))
    # By its old names too: of two who hide it at once one has moved the files already.
    unchanged = Frame.objects.visible().filter(pk=frame.pk, picture=old[0], thumbnail=old[1])
    hidden = {"hidden_at": timezone.now(), "picture": new[0], "thumbnail": new[1]}

    def write() -> bool:
        if not unchanged.update(**hidden):
            return False
        _changed(frame)
        return True

    done = bases.step_back(frame, write)
    storing.delete(*(name for name in (old if done else new) if name not in (new if done else old)))
    if done:
        notify.look(frame.canvas.slug)
    return done


def unhide(frame: Frame, *, as_base: bool = False) -> bool:
    """Shows a frame in the history again; False where it was not hidden.

    The canvas keeps the base it has; with `as_base` it starts from the frame again, unless a newer one was kept since.
    """
    with transaction.atomic():
        locked = Canvas.objects.lock(frame.canvas_id)
        if not Frame.objects.filter(pk=frame.pk).exclude(hidden_at=None).update(hidden_at=None):
            return False
        newer = Frame.objects.visible().filter(canvas=locked, number__gt=frame.number).exists()
        if as_base and not newer:
            Canvas.objects.filter(pk=locked.pk).update(frame=frame)
            locked.frame = frame
            lease.withdraw(locked)
        _changed(frame)
        notify.look(locked.slug)
    return True


def _changed(frame: Frame) -> None:
    """Tells everybody, in the transaction that changed it."""
    Canvas.objects.filter(pk=frame.canvas_id).update(visibility=F("visibility") + 1)
    visibility_changed.send(Frame, frame=frame)


def _copy(name: str, folder: str, sha256: str = "") -> str:
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
        f"frames/{folder}/hidden/{secrets.token_hex(16)}{PurePosixPath(name).suffix}", ContentFile(data)
    )
