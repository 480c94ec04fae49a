"""The pictures that the undream brush brings back (canvas.earlier says which)."""

from __future__ import annotations

import logging

from canvas import picture
from canvas.brush import Pixels
from canvas.earlier import earlier
from canvas.frames.storing import FrameGone, load
from canvas.models import Canvas, Frame

log = logging.getLogger(__name__)


def earlier_pictures(canvas: Canvas, base: Frame | None) -> picture.Earlier:
    """Their pictures by id, each read when it is first asked for. A file that is lost brings nothing back."""
    listed: set[int] | None = None

    def load_one(frame: int) -> Pixels | None:
        nonlocal listed
        if frame == 0:
            return picture.blank(canvas.width, canvas.height, canvas.background_rgb)
        if listed is None:
            listed = {one.pk for one in earlier(canvas, base) if one is not None}
        if frame not in listed:
            return None
        try:
            return load(frame)
        except FrameGone as error:
            log.error("What the undream brush brings back is lost: %s", error)
            return None

    return load_one
