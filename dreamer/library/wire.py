"""Reading protocol buffer messages by a table of fields, without generated code.

The encoding (public documentation, "Protocol Buffers: Encoding"): a message is a run of fields, each a varint key
(field number << 3 | wire type) and a value: 0 varint, 1 eight bytes, 2 length and bytes, 5 four bytes.

A message becomes a dict from field name to the list of its values, in file order; the text format of the same
message (`prototxt.py`) reads into the same dicts.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from .names import LibraryError

Message = dict[str, list[Any]]
Schema = Mapping[int, "Field"]


@dataclass(frozen=True)
class Field:
    """One field: its name and its kind.

    Kinds: int (signed 64 bit varint), bool, float, double, string, bytes, floats and doubles and ints (repeated,
    packed or not; floats and doubles arrive as whole arrays), message (with `schema`), enum (with `names`).
    """

    name: str
    kind: str = "int"
    schema: Schema | None = None
    names: Mapping[int, str] | None = None


def fields(data: memoryview) -> Iterator[tuple[int, int, int | memoryview]]:
    """(field number, wire type, value) of a message; varints as unsigned ints, the rest as bytes."""
    at, end = 0, len(data)
    while at < end:
        key, at = _varint(data, at)
        number, kind = key >> 3, key & 7
        value: int | memoryview
        if kind == 0:
            value, at = _varint(data, at)
        else:
            if kind == 2:
                size, at = _varint(data, at)
            elif kind in (1, 5):
                size = 8 if kind == 1 else 4
            else:
                raise LibraryError(f"field {number} has wire type {kind}, which no such file uses")
            if number == 0 or at + size > end:
                raise LibraryError(f"field {number} says {size} bytes, but {end - at} are left")
            value, at = data[at : at + size], at + size
        yield number, kind, value


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if at >= len(data) or shift > 63:
            raise LibraryError("a number runs past the end of the message")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def _signed(value: int) -> int:
    return value - (1 << 64) if value >= 1 << 63 else value


def decode(data: bytes | memoryview, schema: Schema) -> Message:
    """Read a message; fields that the schema does not name are passed over."""
    message: Message = {}
    for number, kind, value in fields(memoryview(data)):
        field = schema.get(number)
        if field is not None:
            message.setdefault(field.name, []).extend(_values(field, kind, value))
    return message


def _values(field: Field, kind: int, value: int | memoryview) -> list[Any]:
    if isinstance(value, int):
        number = _signed(value)
        if field.kind == "enum":
            return [(field.names or {}).get(number, str(number))]
        if field.kind == "bool":
            return [bool(number)]
        if field.kind not in ("int", "ints"):
            raise LibraryError(f"field {field.name} holds a number, expected {field.kind}")
        return [number]
    if field.kind == "message":
        return [decode(value, field.schema or {})]
    if field.kind == "string":
        return [bytes(value).decode("utf-8", "replace")]
    if field.kind == "bytes":
        return [bytes(value)]
    if field.kind in ("floats", "doubles"):
        width = 4 if field.kind == "floats" else 8
        if len(value) % width:
            raise LibraryError(f"field {field.name} holds {len(value)} bytes, not a multiple of {width}")
        return [np.frombuffer(value, "<f4" if width == 4 else "<f8")]
    if field.kind in ("float", "double") and kind in (1, 5):
        return [struct.unpack("<f" if kind == 5 else "<d", value)[0]]
    if field.kind == "float" and len(value) % 4 == 0:  # packed
        return [float(v) for v in np.frombuffer(value, "<f4")]
    if field.kind in ("int", "ints") and kind == 2:  # packed
        numbers, at = [], 0
        while at < len(value):
            number, at = _varint(value, at)
            numbers.append(_signed(number))
        return numbers
    raise LibraryError(f"field {field.name} has wire type {kind}, expected {field.kind}")


def first(message: Message, name: str, default: Any = None) -> Any:
    """The last value given for a field that counts once (protocol buffers: the last one wins), or `default`."""
    values = message.get(name)
    return values[-1] if values else default


def arrays(message: Message, name: str) -> np.ndarray[Any, Any]:
    """All values of a floats or doubles field in one array."""
    values = message.get(name, [])
    return np.concatenate([np.atleast_1d(v) for v in values]) if values else np.zeros(0, np.float32)
