"""What one person may paint: bounds of each piece, and an allowance shared by all sockets of that person."""

from __future__ import annotations

from canvas import limits, wire
from canvas.brush import Point
from canvas.wire import CloseCode
from dreamsite.core.token_bucket import TokenBucket

HANDS = 16  # strokes of one person at the same time


class Inbound:
    """What may come in unread: messages, bytes, operations. One for each person, or for a visitor's socket."""

    def __init__(self, *, visitor: bool) -> None:
        self._messages = TokenBucket(limits.MESSAGES_RATE, limits.MESSAGES_BURST)
        self._bytes = (
            TokenBucket(limits.VISITOR_BYTES_RATE, limits.VISITOR_BYTES_BURST)
            if visitor
            else TokenBucket(limits.BYTES_RATE, limits.BYTES_BURST)
        )
        self._operations = TokenBucket(limits.OPS_RATE, limits.OPS_BURST)
        self._ink = TokenBucket(limits.VISITOR_INK_RATE, limits.VISITOR_INK_BURST)  # of a visitor

    def message(self, size: int, now: float) -> None:
        """Raises ProtocolError for more messages or bytes than a browser sends."""
        if not self._messages.take(1, now):
            raise wire.ProtocolError(f"more than {limits.MESSAGES_RATE} messages a second", CloseCode.TOO_FAST)
        if not self._bytes.take(size, now):
            raise wire.ProtocolError("more bytes a second than any browser sends", CloseCode.TOO_FAST)

    def join(self, now: float) -> None:
        if not self._messages.take(limits.JOIN_MESSAGES - 1, now):
            raise wire.ProtocolError("more JOINs than anybody needs", CloseCode.TOO_FAST)

    def operations(self, count: int, now: float) -> None:
        if not self._operations.take(count, now):
            raise wire.ProtocolError(f"more than {limits.OPS_RATE} operations a second", CloseCode.TOO_FAST)

    def unread_ink(self, now: float) -> None:
        """A visitor's INK, which nobody parses."""
        if not self._ink.take(1, now):
            raise wire.ProtocolError("ink of a visitor, again and again: drawing needs an account", CloseCode.TOO_FAST)

    def is_full(self, now: float) -> bool:
        return all(one.full(now) for one in (self._messages, self._bytes, self._operations))


class RateLimits:
    """A person's allowances: what a hand can make at all, and `ink`, what this person may paint over a longer time."""

    def __init__(self) -> None:
        self._strokes = TokenBucket(limits.STROKES_RATE, limits.STROKES_BURST)
        self._points = TokenBucket(limits.POINTS_RATE, limits.POINTS_BURST)
        self._area = TokenBucket(limits.AREA_RATE, limits.AREA_BURST)
        _, rate, burst = limits.INK_LEVELS[0]
        self.ink = TokenBucket(rate, burst)
        self._ends: dict[int, tuple[int, Point]] = {}  # stroke -> its newest piece, and where that ended

    def begins(self, op: wire.Stroke) -> bool:
        """Whether the piece's first stamp lies on new ground; no client is believed that it goes on where it was."""
        piece, end = self._ends.pop(op.stroke_id, (-1, None))
        if len(self._ends) >= HANDS:
            del self._ends[next(iter(self._ends))]
        if not op.last:
            self._ends[op.stroke_id] = op.piece, op.points[-1]
        return piece != op.piece - 1 or end != op.points[0]

    def take(self, op: wire.Stroke | wire.Undo, area: float, now: float) -> bool:
        """Whether a hand can have made this too; `area`: pixels, and STAMP_AREA for each stamp."""
        if isinstance(op, wire.Undo):
            return self._strokes.take(1, now)  # it takes a place in the journal too
        return (
            (op.piece > 0 or self._strokes.take(1, now))
            and self._points.take(len(op.points), now)
            and self._area.take(area, now)
        )

    def is_full(self, now: float) -> bool:
        """Whether it is as good as new, and need not be remembered."""
        return all(bucket.full(now) for bucket in (self._strokes, self._points, self._area, self.ink))


def check(op: wire.Stroke, width: int, height: int) -> None:
    """Raises ProtocolError for points too far off a canvas of this size (pixels), or widths that no brush has."""
    margin = limits.MARGIN * 8
    right, bottom = width * 8 + margin, height * 8 + margin
    for x, y, w in op.points:
        if not (-margin <= x <= right and -margin <= y <= bottom):
            raise wire.ProtocolError(f"point {x / 8}, {y / 8} is off the canvas by more than {limits.MARGIN} px")
        if not limits.MIN_WIDTH <= w <= limits.MAX_WIDTH:
            raise wire.ProtocolError(f"width {w / 8} px, expected {limits.MIN_WIDTH / 8} to {limits.MAX_WIDTH / 8}")
