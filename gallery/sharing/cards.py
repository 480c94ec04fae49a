"""What a chat or a network shows of a link: before and after side by side, in the shape that they all take."""

from __future__ import annotations

import hashlib
import io

from django.core.cache import caches
from PIL import Image, ImageOps

from canvas import frames
from canvas.models import Frame
from dreamsite.core.turns import Pace
from gallery.frame import files
from gallery.moments import paint

WIDTH, HEIGHT = 1200, 630  # px
PAIR = 326, 160  # px; as small as the strip that greets strangers shows it
GAP = 6  # px between the two halves
NIGHT = (13, 12, 17)  # the site's own ground
_pace = Pace("cards of frames", 30, 5.0)  # two pictures are read, made smaller, and one of them often painted first
RESAMPLING = Image.Resampling.LANCZOS


def card(frame: Frame, size: tuple[int, int] = (WIDTH, HEIGHT), address: str = "") -> bytes:
    """A JPEG of `size`, px: what was drawn | what was dreamed of it; without a dream the picture alone.

    `address`: whose request it is. Raises what paint.png raises; where only the drawing cannot be painted, the dream
    stands alone.
    """
    dreamed = frame.kind == Frame.Kind.DREAM
    name = _name(frame) if dreamed else ""
    key = f"card:{size[0]}x{size[1]}:" + hashlib.sha256(f"{frame.sha256} {name}".encode()).hexdigest()
    known = caches["pictures"].get(key)
    if known is not None:
        return bytes(known)
    _pace.take(address)
    after = Image.fromarray(frames.load(frame.pk))
    drawing = _drawing(frame) if dreamed else None
    width, height = size
    sheet = Image.new("RGB", size, NIGHT)
    if drawing is None:
        whole = ImageOps.contain(after, size, RESAMPLING)
        sheet.paste(whole, ((width - whole.width) // 2, (height - whole.height) // 2))
    else:
        half = (width - GAP) // 2, height
        with Image.open(io.BytesIO(drawing), formats=("PNG",)) as before:
            sheet.paste(ImageOps.fit(before.convert("RGB"), half, RESAMPLING), (0, 0))
        sheet.paste(ImageOps.fit(after, half, RESAMPLING), (width - half[0], 0))
    buffer = io.BytesIO()
    sheet.save(buffer, "JPEG", quality=86, optimize=True, progressive=True)
    if drawing is not None or not name:  # a base that is lost may come back
        caches["pictures"].set(key, buffer.getvalue())
    return buffer.getvalue()


def _name(frame: Frame) -> str:
    try:
        return files.painting_name(frame)
    except (paint.TooManyOperations, frames.FrameGone):
        return ""


def _drawing(frame: Frame) -> bytes | None:
    try:
        return files.painted(frame)
    except (paint.TooManyOperations, frames.FrameGone):
        return None  # lost, or too much to paint: it will be so the next time too
