"""The canvas protocol's bytes (docs/protocol.md), little-endian. Decoding raises ProtocolError and nothing else."""

from __future__ import annotations

import itertools
import json
import struct
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from typing import Any, overload

from canvas import limits

MAGIC, VERSION = 0xD5, 1
HEADER = struct.Struct("<BBBB")

BATCH, NEWS, MARK, REJECT, ACK = 0x01, 0x02, 0x03, 0x04, 0x05
JOIN, INK, SEEN = 0x11, 0x12, 0x13
REACT, WHO, FOLLOW, VIEW, DISMISS = 0x14, 0x15, 0x16, 0x17, 0x18

STROKE, UNDO, HIDE, UNDREAM = 1, 2, 3, 4

_BATCH = struct.Struct("<QQH")
_TOKEN = struct.Struct("<Q")
_REJECT = struct.Struct("<QHB")
_ACK = struct.Struct("<QH")
_JOIN = struct.Struct("<IQ")
_REACT = struct.Struct("<HHB")
_FOLLOW = struct.Struct("<I")
_VIEW = struct.Struct("<hhHH")
_COUNT = struct.Struct("<H")
_OP = struct.Struct("<BIQ")
_STROKE = struct.Struct("<HBBBBBHH")
_UNDREAM = struct.Struct("<HBIBHH")
_HIDE = struct.Struct("<BH")


class CloseCode(IntEnum):
    """Why the server ends a socket. docs/protocol.md says what each means, static/canvas/codes.js has the same."""

    RESTARTING = 4012
    MALFORMED = 4400
    SIGNED_OUT = 4401
    FORBIDDEN = 4403
    NO_CANVAS = 4404
    VERSION = 4406
    BEHIND = 4408
    ENDED = 4410
    TOO_LARGE = 4413
    TOO_FAST = 4429
    UNAVAILABLE = 4503


class RejectReason(IntEnum):
    """REJECT's code: why a piece of ink did not enter the journal."""

    SIGN_IN = 1
    GAP = 2
    DREAMED = 3
    STALE = 4
    BUDGET = 5
    LOCKED = 6
    SUSPENDED = 7
    UNAVAILABLE = 8
    ENDED = 9


ALL_OF_IT = 0xFFFF  # ACK's `next` for an UNDO that the journal has already


class ProtocolError(ValueError):
    """The bytes are not a message of this protocol; `code` is the close code that says how."""

    def __init__(self, reason: str, code: CloseCode = CloseCode.MALFORMED) -> None:
        super().__init__(reason)
        self.code = code


@dataclass(frozen=True, slots=True)
class Stroke:
    stroke_id: int
    piece: int
    colour: tuple[int, int, int]
    opacity: int
    carry: int
    points: tuple[tuple[int, int, int], ...]  # x, y, diameter in 1/8 px
    last: bool = False
    author: int = 0
    # An UNDREAM: it paints this frame's picture back (0: the bare paper) instead of `colour`, which is black then.
    frame: int | None = None


@dataclass(frozen=True, slots=True)
class Undo:
    stroke_id: int
    author: int = 0


@dataclass(frozen=True, slots=True)
class Hide:
    numbers: tuple[int, ...]
    show: bool = False
    author: int = 0
    stroke_id: int = 0


Operation = Stroke | Undo | Hide


@dataclass(frozen=True, slots=True)
class Batch:
    """Consecutive operations `first … last` of a journal, and the bytes they were written as."""

    first: int
    at: int  # ms since 1970
    count: int
    payload: bytes = field(repr=False)

    @property
    def last(self) -> int:
        return self.first + self.count - 1

    def message(self) -> bytes:
        """The BATCH message, the same bytes for every socket."""
        return header(BATCH) + _BATCH.pack(self.first, self.at, self.count) + self.payload

    def operations(self) -> list[tuple[int, Operation]]:
        """Each operation with its number."""
        found, rest = operations_from(self.payload, self.count)
        if rest:
            raise ProtocolError(f"{rest} bytes after the last operation")
        return list(enumerate(found, self.first))


def without(batch: Batch, seq: int) -> Batch:
    """The part of a batch after number `seq`, cut out of its bytes."""
    skipped = seq - batch.first + 1
    end = next(itertools.islice(_walk(batch.payload, batch.count), skipped - 1, None))[-1]
    return Batch(seq + 1, batch.at, batch.count - skipped, batch.payload[end:])


def blanked(batch: Batch, numbers: Collection[int]) -> Batch:
    """The batch with the strokes of these numbers replaced: a HIDE of nothing keeps a number and tells nothing."""
    parts, at = [], 0
    for number, (kind, _, _, _, end) in enumerate(_walk(batch.payload, batch.count), batch.first):
        parts.append(_NOTHING if kind == STROKE and number in numbers else batch.payload[at:end])
        at = end
    return Batch(batch.first, batch.at, batch.count, b"".join(parts))


@overload
def milliseconds(at: datetime) -> int: ...
@overload
def milliseconds(at: datetime | None) -> int | None: ...
def milliseconds(at: datetime | None) -> int | None:
    """A moment as the protocol and the news write it: ms since 1970; None stays None."""
    return None if at is None else int(at.timestamp() * 1000)


def header(kind: int) -> bytes:
    return HEADER.pack(MAGIC, VERSION, kind, 0)


def news(message: dict[str, Any]) -> bytes:
    return header(NEWS) + json.dumps(message, separators=(",", ":"), ensure_ascii=False).encode()


def mark(token: int) -> bytes:
    return header(MARK) + _TOKEN.pack(token)


def websocket_message(message: bytes) -> bytes:
    """The message as a server sends it in one piece, not masked (RFC 6455 5.2): the same bytes for every socket."""
    size = len(message)
    if size < 126:
        return bytes((0x82, size)) + message
    if size < 0x10000:
        return struct.pack(">BBH", 0x82, 126, size) + message
    return struct.pack(">BBQ", 0x82, 127, size) + message


def reject(stroke_id: int, piece: int, reason: RejectReason) -> bytes:
    return header(REJECT) + _REJECT.pack(stroke_id, piece, reason)


def ack(stroke_id: int, next_piece: int) -> bytes:
    return header(ACK) + _ACK.pack(stroke_id, next_piece)


def encode(op: Operation) -> bytes:
    match op:
        case Stroke(frame=int()):
            head = _OP.pack(UNDREAM, op.author, op.stroke_id) + _UNDREAM.pack(
                op.piece, int(op.last), op.frame, op.opacity, op.carry, len(op.points)
            )
            return head + b"".join(struct.pack("<hhH", *point) for point in op.points)
        case Stroke():
            head = _OP.pack(STROKE, op.author, op.stroke_id) + _STROKE.pack(
                op.piece, int(op.last), *op.colour, op.opacity, op.carry, len(op.points)
            )
            return head + b"".join(struct.pack("<hhH", *point) for point in op.points)
        case Undo():
            return _OP.pack(UNDO, op.author, op.stroke_id)
        case Hide():
            head = _OP.pack(HIDE, op.author, op.stroke_id) + _HIDE.pack(int(op.show), len(op.numbers))
            return head + struct.pack(f"<{len(op.numbers)}Q", *op.numbers)


_NOTHING = encode(Hide(()))


def size(op: Stroke | Undo) -> int:
    """How many bytes `encode` makes of it."""
    if isinstance(op, Undo):
        return _OP.size
    return _OP.size + (_STROKE if op.frame is None else _UNDREAM).size + 6 * len(op.points)


def operations_from(data: bytes, count: int, at: int = 0) -> tuple[list[Operation], int]:
    """`count` operations read from `data` at offset `at`; also how many bytes are left."""
    found: list[Operation] = []
    try:
        for _ in range(count):
            op, at = _operation(data, at)
            found.append(op)
    except struct.error:
        raise ProtocolError(f"operation {len(found)} of {count} is cut short at byte {len(data)}") from None
    return found, len(data) - at


def scan(data: bytes, count: int) -> Iterator[tuple[int, int, int, int]]:
    """(kind, author, stroke id, piece) of each operation, but no points: quick enough for hours of ink.

    An UNDREAM counts as a STROKE.
    """
    return (head[:4] for head in _walk(data, count))


def _walk(data: bytes, count: int) -> Iterator[tuple[int, int, int, int, int]]:
    """What `scan` gives, and where each operation ends."""
    at = 0
    for _ in range(count):
        kind, author, stroke_id = _OP.unpack_from(data, at)
        at += _OP.size
        piece = 0
        match kind:
            case 1:
                piece, *_, n = _STROKE.unpack_from(data, at)
                at += _STROKE.size + 6 * n
            case 4:
                kind = STROKE
                piece, *_, n = _UNDREAM.unpack_from(data, at)
                at += _UNDREAM.size + 6 * n
            case 3:
                at += _HIDE.size + 8 * _HIDE.unpack_from(data, at)[1]
        yield kind, author, stroke_id, piece, at


def _operation(data: bytes, at: int) -> tuple[Operation, int]:
    kind, author, stroke_id = _OP.unpack_from(data, at)
    at += _OP.size
    match kind:
        case 1 | 4:
            frame: int | None = None
            if kind == STROKE:
                piece, flags, r, g, b, opacity, carry, n = _STROKE.unpack_from(data, at)
                at += _STROKE.size
            else:
                piece, flags, frame, opacity, carry, n = _UNDREAM.unpack_from(data, at)
                at += _UNDREAM.size
                r = g = b = 0
            if piece >= limits.MAX_PIECES:
                raise ProtocolError(f"piece {piece}, expected less than {limits.MAX_PIECES}: begin a new stroke")
            if flags > 1:
                raise ProtocolError(f"stroke flags {flags}, expected 0 or 1")
            if not 1 <= n <= limits.MAX_POINTS:
                raise ProtocolError(f"{n} points, expected 1 to {limits.MAX_POINTS}")
            if opacity == 0:
                raise ProtocolError("opacity 0, expected 1 to 255")
            flat = struct.unpack_from("<" + "hhH" * n, data, at)
            points = tuple(zip(flat[0::3], flat[1::3], flat[2::3], strict=True))
            return Stroke(stroke_id, piece, (r, g, b), opacity, carry, points, bool(flags), author, frame), at + 6 * n
        case 2:
            return Undo(stroke_id, author), at
        case 3:
            show, n = _HIDE.unpack_from(data, at)
            at += _HIDE.size
            if show > 1 or n > limits.MAX_NUMBERS:
                raise ProtocolError(
                    f"hide flags {show} with {n} numbers, expected 0 or 1 and at most {limits.MAX_NUMBERS}"
                )
            return Hide(struct.unpack_from(f"<{n}Q", data, at), bool(show), author, stroke_id), at + 8 * n
    raise ProtocolError(f"operation kind {kind}, expected 1 to 4")


@dataclass(frozen=True, slots=True)
class Join:
    frame: int
    seq: int


@dataclass(frozen=True, slots=True)
class Ink:
    operations: tuple[Stroke | Undo, ...]


@dataclass(frozen=True, slots=True)
class Seen:
    token: int


@dataclass(frozen=True, slots=True)
class React:
    """A mark at a place of the canvas (px)."""

    x: int
    y: int
    mark: int


@dataclass(frozen=True, slots=True)
class Who:
    """Asks who is here."""


@dataclass(frozen=True, slots=True)
class Follow:
    """Follows somebody's view; 0: nobody any more."""

    who: int


@dataclass(frozen=True, slots=True)
class View:
    """What the window of somebody who is followed shows of the canvas: its middle and its sides (px)."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Dismiss:
    """Wants nobody to follow."""


Together = React | Who | Follow | View | Dismiss  # what people do beside drawing (canvas.together)


def kind_of(data: bytes) -> int:
    """JOIN, INK, SEEN or one of the others: what a browser's message is, by its head alone."""
    if len(data) > limits.MAX_MESSAGE:
        raise ProtocolError(f"{len(data)} bytes, expected at most {limits.MAX_MESSAGE}", CloseCode.TOO_LARGE)
    try:
        magic, version, kind, reserved = HEADER.unpack_from(data)
        if magic != MAGIC:
            raise ProtocolError(f"first byte {magic:#x}, expected {MAGIC:#x}")
        if version != VERSION:
            raise ProtocolError(f"protocol version {version}, expected {VERSION}", CloseCode.VERSION)
        if reserved:
            raise ProtocolError(f"reserved byte {reserved}, expected 0")
    except struct.error:
        raise ProtocolError(f"message cut short at byte {len(data)}") from None
    if not JOIN <= kind <= DISMISS:
        raise ProtocolError(f"message kind {kind:#x}, expected {JOIN:#x} to {DISMISS:#x}")
    return int(kind)


def first_of_ink(data: bytes) -> tuple[int, int, int]:
    """(operations, stroke id, piece) that an INK message says it begins with; nothing else of it is read."""
    try:
        (count,) = _COUNT.unpack_from(data, HEADER.size)
        kind, _, stroke_id = _OP.unpack_from(data, HEADER.size + _COUNT.size)
        layout = _UNDREAM if kind == UNDREAM else _STROKE
        piece = layout.unpack_from(data, HEADER.size + _COUNT.size + _OP.size)[0] if kind in (STROKE, UNDREAM) else 0
    except struct.error:
        raise ProtocolError(f"message cut short at byte {len(data)}") from None
    return count, stroke_id, piece


def from_client(data: bytes) -> Join | Ink | Seen | Together:
    """One message of a browser, checked for shape (bounds that depend on the canvas are the room's to check)."""
    kind = kind_of(data)
    try:
        if kind == JOIN:
            _exactly(data, _JOIN.size)
            return Join(*_JOIN.unpack_from(data, HEADER.size))
        if kind == INK:
            return _ink(data)
        if kind in (WHO, DISMISS):
            _exactly(data, 0)
            return Who() if kind == WHO else Dismiss()
        if kind == REACT:
            return _react(data)
        if kind == FOLLOW:
            _exactly(data, _FOLLOW.size)
            return Follow(*_FOLLOW.unpack_from(data, HEADER.size))
        if kind == VIEW:
            _exactly(data, _VIEW.size)
            return View(*_VIEW.unpack_from(data, HEADER.size))
        _exactly(data, _TOKEN.size)
        return Seen(*_TOKEN.unpack_from(data, HEADER.size))
    except struct.error:
        raise ProtocolError(f"message cut short at byte {len(data)}") from None


def _react(data: bytes) -> React:
    _exactly(data, _REACT.size)
    found = React(*_REACT.unpack_from(data, HEADER.size))
    if found.mark >= limits.MARKS:
        raise ProtocolError(f"mark {found.mark}, expected less than {limits.MARKS}")
    return found


def _exactly(data: bytes, size: int) -> None:
    if len(data) != HEADER.size + size:
        raise ProtocolError(f"{len(data)} bytes, expected {HEADER.size + size}")


def _ink(data: bytes) -> Ink:
    (count,) = _COUNT.unpack_from(data, HEADER.size)
    if not 1 <= count <= limits.MAX_OPS:
        raise ProtocolError(f"{count} operations, expected 1 to {limits.MAX_OPS}")
    found, rest = operations_from(data, count, HEADER.size + _COUNT.size)
    if rest:
        raise ProtocolError(f"{rest} bytes after the last operation")
    mine: list[Stroke | Undo] = []
    for op in found:
        if not isinstance(op, Stroke | Undo):
            raise ProtocolError(f"{type(op).__name__} from a browser, expected STROKE, UNDREAM or UNDO")
        mine.append(op)
    return Ink(tuple(mine))
