"""Pictures that mean no good, and honest ones with something in them that must not get through."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
from PIL import Image


def photo(width: int = 64, height: int = 48) -> Image.Image:
    """Dark to the left, bright to the right; red at the top, blue at the bottom."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[..., 1] = np.linspace(0, 255, width)[None, :]
    pixels[: height // 2, :, 0] = 255
    pixels[height // 2 :, :, 2] = 255
    return Image.fromarray(pixels)


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png_bomb(side: int) -> bytes:
    """A valid PNG of `side` × `side` grey pixels in a few kilobytes."""
    rows = zlib.compressobj(9)
    packed = b"".join(rows.compress(bytes(side + 1)) for _ in range(side)) + rows.flush()
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


def png_claiming(width: int, height: int) -> bytes:
    """A header that claims so much, and no pixels."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")


def png_with_text_bomb() -> bytes:
    """64 MB of words in a compressed comment of 64 KB."""
    plain = encoded(photo(), "PNG")
    bomb = chunk(b"zTXt", b"Comment\0\0" + zlib.compress(b"a" * (64 * 1024**2), 9))
    return plain[:33] + bomb + plain[33:]
