"""From pixels to the file that holds them, and back."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass, field

import numpy as np
from PIL import Image

from canvas.brush import Pixels
from canvas.models import Frame
from dreamsite.core.jpeg import jpeg

DREAM_QUALITY = 93  # JPEG 4:4:4. A dream as PNG is 5 MB, at every viewer's every half minute


@dataclass(frozen=True)
class Picture:
    """Pixels as they will be read back, with the file that holds them."""

    pixels: Pixels
    data: bytes = field(repr=False)
    suffix: str

    @property
    def sha256(self) -> str:
        return sha256(self.data)


def sha256(data: bytes) -> str:
    """As the frame's row has it."""
    return hashlib.sha256(data).hexdigest()


def encode(pixels: Pixels, kind: str) -> Picture:
    """A dream as JPEG, a drawing without loss as PNG.

    The pixels given back are the file's, not the ones that came in: they are the base that every browser decodes.
    """
    image = Image.fromarray(pixels)
    if kind == Frame.Kind.DREAM:
        data = jpeg(image, DREAM_QUALITY)
        return Picture(decode(data), data, "jpg")
    buffer = io.BytesIO()
    image.save(buffer, "PNG", optimize=False, compress_level=6)
    return Picture(pixels, buffer.getvalue(), "png")


def decode(data: bytes) -> Pixels:
    with Image.open(io.BytesIO(data), formats=("JPEG", "PNG", "WEBP", "AVIF")) as image:
        return np.array(image.convert("RGB"))
