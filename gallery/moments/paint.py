"""Pictures of moments painted by the server: for browsers without JavaScript, for sharing, for downloads.

Bounded in every way: one at a time in each process, a limited number of operations, and cached on disk (the cache
`pictures`) under a key that says exactly what is in them.
"""

from __future__ import annotations

import hashlib
import io
import threading

from django.core.cache import caches
from PIL import Image

from canvas import frames, picture
from canvas.brush import Pixels
from canvas.picture import NumberedStroke
from dreamsite.core.turns import Pace
from gallery.moments import ink
from gallery.moments.ink import Span

MAX_OPERATIONS = 12_000  # a few seconds of painting
WAIT_SECONDS = 3.0  # for the one picture that is being painted
_painting = threading.BoundedSemaphore(1)
_pace = Pace("pictures of moments", 10, 20.0)  # a picture takes most of a second of everybody's processor


class PainterBusy(Exception):
    """Another picture is being painted."""


class TooManyOperations(Exception):
    """More was drawn than the server paints."""


def png(span: Span, operations: list[NumberedStroke], address: str = "") -> bytes:
    """The span's base with these operations as PNG, to the bit what browsers paint.

    `address`: whose request it is. Raises PainterBusy, TooManyOperations, canvas.frames.FrameGone, and Busy where this
    address has had many painted.
    """
    name = key(span, operations)
    cached = caches["pictures"].get(name)
    if cached is not None:
        return bytes(cached)
    if len(operations) > MAX_OPERATIONS:
        raise TooManyOperations
    _pace.take(address)
    if not _painting.acquire(timeout=WAIT_SECONDS):
        raise PainterBusy
    try:
        painted = encode(pixels(span, operations))
    finally:
        _painting.release()
    caches["pictures"].set(name, painted)
    return painted


def key(span: Span, operations: list[NumberedStroke]) -> str:
    """What says exactly what is in the picture."""
    # Names of strokes too: after a restored backup a number may stand for another one.
    names = "".join(f"{number} {op.author} {op.stroke_id} " for number, op in operations)
    if any(op.frame is not None for _, op in operations):
        names += " ".join(ink.earlier(span))  # what can be brought back, as long as nobody hides it
    below = span.base.sha256 if span.base else f"{span.canvas.width} {span.canvas.height} {span.canvas.background}"
    return "moment:" + hashlib.sha256(f"{span.canvas.pk} {below} {names}".encode()).hexdigest()


def pixels(span: Span, operations: list[NumberedStroke]) -> Pixels:
    """[h, w, 3]; the base comes from its file."""
    if span.base is not None:
        base = frames.load(span.base.pk)
    else:
        base = picture.blank(span.canvas.width, span.canvas.height, span.canvas.background_rgb)
    return picture.compose(base, operations, earlier=frames.earlier_pictures(span.canvas, span.base))


def encode(painted: Pixels) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(painted).save(buffer, "PNG", compress_level=3)
    return buffer.getvalue()
