"""Which strokes a moderator means: people x time x rectangle, or strokes picked one by one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from canvas import strokes
from canvas.models import Canvas, Stroke
from canvas.strokes import Key
from dreamsite.core.errors import InvalidRequest
from dreamsite.core.rect import Rect

MOST = 20_000  # strokes in one act: more is a whole night's drawing, and a browser would choke on the numbers


@dataclass(frozen=True)
class Selection:
    people: tuple[int, ...] = ()
    everyone: bool = False
    keys: tuple[Key, ...] = ()  # strokes picked one by one
    since: datetime | None = None
    until: datetime | None = None
    rect: Rect | None = None  # strokes with ink in it; they are meant whole

    def __bool__(self) -> bool:
        return bool(self.people or self.everyone or self.keys)

    @classmethod
    def of(cls, data: dict[str, Any]) -> Selection:
        """From a request's JSON. Raises InvalidRequest."""
        try:
            return cls(
                tuple(sorted({int(person) for person in data.get("people", ())})),
                bool(data.get("everyone", False)),
                tuple((int(author), int(stroke)) for author, stroke in data.get("strokes", ())),
                moment(data.get("since")),
                moment(data.get("until")),
                rectangle(data.get("rect")),
            )
        except (TypeError, ValueError, OverflowError) as error:
            raise InvalidRequest(f"The selection cannot be read: {error}") from error

    def to_json(self) -> dict[str, Any]:
        return {
            "people": list(self.people),
            "everyone": self.everyone,
            "strokes": len(self.keys),
            "since": self.since.isoformat() if self.since else None,
            "until": self.until.isoformat() if self.until else None,
            "rect": list(self.rect) if self.rect else None,
        }

    def strokes(self, canvas: Canvas) -> list[Stroke]:
        """Those that are still in the picture or in a dream, oldest first: not the undone, not the hidden ones."""
        if not self:
            return []
        strokes.index(canvas)
        found = Stroke.objects.filter(canvas=canvas, undone_seq=None).between(self.since, self.until)
        if self.keys:
            wanted = set(self.keys)
            rows = found.filter(author__in={a for a, _ in wanted}, stroke_id__in=[s for _, s in self.keys])
            listed = [row for row in rows if (row.author, row.stroke_id) in wanted]
        else:
            if not self.everyone:
                found = found.by(*self.people)
            if self.rect:
                found = found.within(canvas, self.rect)
            listed = list(found[: MOST + 1])
        if len(listed) > MOST:
            raise InvalidRequest(
                f"More than {MOST} strokes: choose a shorter time, fewer people or a smaller rectangle."
            )
        if self.rect:
            listed = strokes.within(canvas, listed, self.rect)
        return sorted((row for row in listed if row.hidden < row.pieces), key=lambda row: row.first_seq)


def moment(value: Any) -> datetime | None:
    """From milliseconds since 1970."""
    return None if value is None else datetime.fromtimestamp(int(value) / 1000, UTC)


def rectangle(value: Any) -> Rect | None:
    """From [x, y, width, height] in px."""
    if value is None:
        return None
    x, y, width, height = (int(number) for number in value)
    if width < 1 or height < 1 or not all(-10_000 < number < 10_000 for number in (x, y, width, height)):
        raise ValueError(f"a rectangle of {width} × {height} px at {x}, {y}")
    return Rect.sized(x, y, width, height)
