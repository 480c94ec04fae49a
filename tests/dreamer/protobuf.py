"""Writing protocol buffers by hand, for tests: field numbers here are written out, not taken from the readers."""

from __future__ import annotations

import struct
from collections.abc import Iterable

import numpy as np


def varint(value: int) -> bytes:
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def field(number: int, value: int | float | str | bytes) -> bytes:
    """An int (varint), float (four bytes), text or bytes (also a whole message)."""
    if isinstance(value, bool | int):
        return varint(number << 3) + varint(int(value))
    if isinstance(value, float):
        return varint(number << 3 | 5) + struct.pack("<f", value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def packed(number: int, values: Iterable[int]) -> bytes:
    return field(number, b"".join(varint(v) for v in values))


def floats(number: int, values: np.ndarray) -> bytes:
    return field(number, np.ascontiguousarray(values, "<f4").tobytes())


def message(*parts: bytes) -> bytes:
    return b"".join(parts)
