"""The small copy of a picture: in lists, and on screens that show the whole canvas smaller than it is."""

from __future__ import annotations

import io

from PIL import Image

from canvas.brush import Pixels

SIDE = 768  # px, the longer one; a phone shows the whole canvas by it (static/canvas/bases.js)
QUALITY = 80  # about 100 kB for a dream, where the dream itself is 0.8 MB


def encode(pixels: Pixels) -> bytes:
    """A WebP of at most SIDE px a side; `pixels` are uint8 [H, W, 3]."""
    image = Image.fromarray(pixels)
    image.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", quality=QUALITY)
    return buffer.getvalue()


def size(width: int, height: int) -> tuple[int, int]:
    """Width and height, px, of the small copy of a picture of this size."""
    share = min(1.0, SIDE / max(width, height))
    return max(1, round(width * share)), max(1, round(height * share))
