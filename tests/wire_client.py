"""The browser's side of the protocol, in Python: what it sends, and how it reads what the server sends."""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from dataclasses import replace
from math import ceil
from typing import Any

from canvas import brush, wire

_JOIN = struct.Struct("<IQ")
_COUNT = struct.Struct("<H")
_TOKEN = struct.Struct("<Q")
_BATCH = struct.Struct("<QQH")
_REJECT = struct.Struct("<QHB")
_ACK = struct.Struct("<QH")


def join(frame: int, seq: int) -> bytes:
    return wire.header(wire.JOIN) + _JOIN.pack(frame, seq)


def ink(operations: Sequence[wire.Operation]) -> bytes:
    return wire.header(wire.INK) + _COUNT.pack(len(operations)) + b"".join(map(wire.encode, operations))


def seen(token: int) -> bytes:
    return wire.header(wire.SEEN) + _TOKEN.pack(token)


def react(x: int, y: int, mark: int) -> bytes:
    return wire.header(wire.REACT) + struct.pack("<HHB", x, y, mark)


def who() -> bytes:
    return wire.header(wire.WHO)


def follow(person: int) -> bytes:
    return wire.header(wire.FOLLOW) + struct.pack("<I", person)


def view(x: int, y: int, width: int, height: int) -> bytes:
    return wire.header(wire.VIEW) + struct.pack("<hhHH", x, y, width, height)


def dismiss() -> bytes:
    return wire.header(wire.DISMISS)


def from_server(data: bytes) -> tuple[int, Any]:
    """(kind, content) of a server's message: Batch, a dict, or a tuple of numbers."""
    magic, version, kind, _ = wire.HEADER.unpack_from(data)
    assert (magic, version) == (wire.MAGIC, wire.VERSION), data[:4]
    body = data[wire.HEADER.size :]
    match kind:
        case wire.BATCH:
            first, at, count = _BATCH.unpack_from(body)
            return kind, wire.Batch(first, at, count, body[_BATCH.size :])
        case wire.NEWS:
            return kind, json.loads(body)
        case wire.MARK:
            return kind, _TOKEN.unpack(body)
        case wire.REJECT:
            return kind, _REJECT.unpack(body)
        case wire.ACK:
            return kind, _ACK.unpack(body)
    raise AssertionError(f"message kind {kind:#x} from the server")


def by(op: wire.Operation, author: int) -> wire.Operation:
    """The operation as the journal has it: with its author."""
    return replace(op, author=author)


def carry_after(points: Sequence[brush.Point], carry: int) -> int:
    """What the next piece's `carry` must be, in 1/256 px; as `carry` in static/canvas/brush.js."""
    stamps = brush.stamps(points, carry)
    while True:
        try:
            next(stamps)
        except StopIteration as end:
            return min(65535, max(1, ceil(end.value * 32)))
