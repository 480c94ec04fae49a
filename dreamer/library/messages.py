"""Messages of protocol buffers out of a table, for files whose `.proto` we do not carry.

A table has a message a paragraph: its name, then a field a line, as `number type name`, with `*` behind the type of
one that repeats and `= value` behind a name that has a default. `enum` paragraphs have `number NAME`. What a table does
not list is passed over when a file is read. Numbers from UNNUMBERED on are for fields that stand in text files only,
because forks of a format disagree about their number.

Large arrays are declared as bytes: packed numbers lie in a file as they do in memory.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, text_format
from google.protobuf.message import DecodeError, Message
from google.protobuf.unknown_fields import UnknownFieldSet

from .names import LibraryError

UNNUMBERED = 10_000
MAX_DEPTH = 64  # of messages within messages, in a text file

_Field = descriptor_pb2.FieldDescriptorProto
_TYPES = {
    name: getattr(_Field, f"TYPE_{name.upper()}")
    for name in ("bool", "bytes", "double", "float", "int32", "int64", "string", "uint32")
}


def messages(package: str, table: str) -> dict[str, type[Message]]:
    """The classes of a table's messages, by name."""
    file = descriptor_pb2.FileDescriptorProto(name=f"{package}.proto", package=package, syntax="proto2")
    paragraphs = [p.strip().splitlines() for p in table.strip().split("\n\n")]
    enums = {lines[0].split()[1] for lines in paragraphs if lines[0].startswith("enum ")}
    for head, *lines in paragraphs:
        if head.startswith("enum "):
            # In a scope of its own: two enums of one scope may have no name in common.
            enum = file.message_type.add(name=f"{head.split()[1]}Scope").enum_type.add(name=head.split()[1])
            for line in lines:
                number, name = line.split()
                enum.value.add(name=name, number=int(number))
            continue
        message = file.message_type.add(name=head)
        for line in lines:
            spelled, _, default = line.partition(" = ")
            number, kind, name = spelled.split()
            field = message.field.add(name=name, number=int(number), label=_Field.LABEL_OPTIONAL)
            if kind.endswith("*"):
                kind, field.label = kind[:-1], _Field.LABEL_REPEATED
            if kind in _TYPES:
                field.type = _TYPES[kind]
            else:
                field.type = _Field.TYPE_ENUM if kind in enums else _Field.TYPE_MESSAGE
                field.type_name = f".{package}.{kind}Scope.{kind}" if kind in enums else f".{package}.{kind}"
            if default:
                field.default_value = default
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {
        m.name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{package}.{m.name}"))
        for m in file.message_type
    }


def decode(data: bytes, kind: type[Message]) -> Any:
    """The message that a file's bytes hold; LibraryError where they hold none."""
    try:
        return kind.FromString(data)
    except DecodeError as error:
        raise LibraryError(str(error)) from None


def parse(text: str, kind: type[Message]) -> Any:
    """The message that a text spells; LibraryError names the line. A field that counts once may be given again: the
    last one counts."""
    if _depth(text) > MAX_DEPTH:
        raise LibraryError(f"messages are nested more than {MAX_DEPTH} deep")
    message = kind()
    try:
        text_format.Merge(text.removeprefix("\ufeff"), message, allow_unknown_field=True)
    except text_format.ParseError as error:
        reason = str(error).rsplit("': ", 1)[-1]  # before it stands where it is, with the whole line
        raise LibraryError(f"line {error.GetLine()}: {reason}") from None
    except (ValueError, OverflowError, RecursionError) as error:  # numbers and escapes that mean nothing
        raise LibraryError(f"not the text of a message: {error}") from None
    return message


def _depth(text: str) -> int:
    """How deep braces are nested at most; those within strings and comments count, too."""
    depth = deepest = 0
    for character in text:
        depth += (character in "{<") - (character in "}>")
        deepest = max(deepest, depth)
    return deepest


def array(message: Any, name: str, dtype: str) -> np.ndarray[Any, Any]:
    """The numbers of a field that is declared as bytes, packed or one by one, little-endian of this dtype."""
    packed = b"".join(getattr(message, name))
    if not packed:
        number = message.DESCRIPTOR.fields_by_name[name].number
        width = np.dtype(dtype).itemsize
        packed = b"".join(
            int(f.data).to_bytes(width, "little")
            for f in UnknownFieldSet(message)
            if f.field_number == number and f.wire_type == (5 if width == 4 else 1)
        )
    if len(packed) % np.dtype(dtype).itemsize:
        raise LibraryError(f"the field {name} holds {len(packed)} bytes, which are no {np.dtype(dtype).name} numbers")
    return np.frombuffer(packed, dtype)
