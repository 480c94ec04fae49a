"""Pictures of moments painted by the server: for browsers without JavaScript, for sharing, for downloads.

Bounded on every side: one at a time in each process, so many operations and no more, and kept on disk (the cache
`pictures`) under a name that says exactly what is in them.
"""

from __future__ import annotations

import hashlib
import io
import threading

import numpy as np
from django.core.cache import caches
from PIL import Image

from canvas import frames, picture
from canvas.brush import Pixels
from canvas.models import Frame
from canvas.picture import Numbered
from gallery.moments.ink import Span

MAX_OPERATIONS = 12_000  # a few seconds of painting
PATIENCE = 3.0  # seconds to wait for one's turn
_turn = threading.BoundedSemaphore(1)


class Busy(Exception):
    """Another picture is being painted."""


class TooMuch(Exception):
    """More was drawn than the server paints."""


def png(span: Span, operations: list[Numbered]) -> bytes:
    """The span's base with these operations as PNG, to the bit what browsers paint. Raises Busy, TooMuch, FrameGone."""
    key = _key(span, operations)
    kept = caches["pictures"].get(key)
    if kept is not None:
        return bytes(kept)
    if len(operations) > MAX_OPERATIONS:
        raise TooMuch
    if not _turn.acquire(timeout=PATIENCE):
        raise Busy
    try:
        made = encode(pixels(span, operations))
    finally:
        _turn.release()
    caches["pictures"].set(key, made)
    return made


def kept(span: Span, operations: list[Numbered]) -> bytes | None:
    """The same where it has been painted already."""
    found = caches["pictures"].get(_key(span, operations))
    return None if found is None else bytes(found)


def _key(span: Span, operations: list[Numbered]) -> str:
    # Names of strokes too: after a restored backup a number may stand for another one.
    names = "".join(f"{number} {op.author} {op.stroke} " for number, op in operations)
    below = span.base.sha256 if span.base else f"{span.place.width} {span.place.height} {span.place.background}"
    return "moment:" + hashlib.sha256(f"{span.place.pk} {below} {names}".encode()).hexdigest()


def pixels(span: Span, operations: list[Numbered]) -> Pixels:
    """[h, w, 3]; the base comes from its file."""
    if span.base is not None:
        base = frames.load(span.base.pk)
    else:
        base = picture.blank(span.place.width, span.place.height, span.place.background_rgb)
    return picture.compose(base, operations, _visible_frame)


def _visible_frame(frame_id: int) -> Pixels:
    """A patch's source; nothing where it is hidden or lost, as for browsers."""
    if Frame.objects.visible().filter(pk=frame_id).exists():
        try:
            return frames.load(frame_id)
        except frames.FrameGone:
            pass
    return np.empty((0, 0, 3), np.uint8)


def encode(made: Pixels) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(made).save(buffer, "PNG", compress_level=3)
    return buffer.getvalue()
