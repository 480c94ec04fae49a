"""JPEG files of pictures of any kind."""

from __future__ import annotations

import io

from PIL import Image


def jpeg(image: Image.Image, quality: int, *, progressive: bool = False) -> bytes:
    """JPEG 4:4:4 of an RGB picture, also of one that is mostly noise."""
    buffer = io.BytesIO()
    try:
        image.save(buffer, "JPEG", quality=quality, subsampling=0, optimize=True, progressive=progressive)
    except OSError:
        # Pillow gives what it optimises a byte for each pixel, and noise takes more. Without, it is written in pieces.
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=quality, subsampling=0)
    return buffer.getvalue()
