"""The gate: whether ink may enter a canvas, by its rules and by the status of who draws.

Plain Python, no Django: rows become these values in canvas.user_status, and the room asks in memory. Nobody bypasses
it: staff who draw are people like any others here. Times are milliseconds since 1970, positions and sizes pixels.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from canvas import brush, degrees, limits, wire
from canvas.degrees import Degree
from canvas.wire import RejectReason
from dreamsite.core.rect import Rect


@dataclass(frozen=True, slots=True)
class Region:
    """A rectangle where nobody may draw. `kind` is `lock`, or `cover`: hidden in browsers too."""

    id: int
    kind: str
    x: int
    y: int
    width: int
    height: int
    until: int | None = None
    why: str = ""

    def holds(self, now: int) -> bool:
        return self.until is None or self.until > now

    def touched_by(self, op: wire.Stroke, bounds: Rect) -> bool:
        """Whether any stamp of the piece, which lies within `bounds`, reaches into the rectangle."""
        rect = Rect.sized(self.x, self.y, self.width, self.height)
        if not rect.overlaps(bounds):
            return False
        for x, y, width in brush.stamps(op.points, op.carry):
            left, top, reach, *_ = brush.stamp_square(x, y, width)
            side = 2 * reach + 1
            if rect.overlaps(Rect.sized(left, top, side, side)):
                return True
        return False


@dataclass(frozen=True)
class Rules:
    """What holds for everybody on one canvas."""

    version: int = 0
    frozen: bool = False
    why: str = ""  # it is frozen
    slow: int = 1
    newcomers_after: int | None = None  # accounts made later may not draw
    members_only: bool = False  # guests may not draw
    reactions: bool = True  # people may leave marks at places
    regions: tuple[Region, ...] = ()
    ended: bool = False  # the whole project has
    closed: bool = False  # this canvas is, by its maker

    def news(self) -> dict[str, Any]:
        """NEWS `rules` of docs/protocol.md."""
        return {key: value for key, value in asdict(self).items() if key != "version"}


@dataclass(frozen=True, slots=True)
class Sanction:
    id: int
    degree: str  # a name of canvas.degrees
    reason: str
    until: int | None = None

    @property
    def effects(self) -> Degree:
        return degrees.BY_NAME[self.degree]


@dataclass(frozen=True, slots=True)
class UserStatus:
    """What is known of one person: since when, how many clean hours, their sanctions."""

    joined: int = 0
    hours: int = 0
    trusted: bool = False
    sanctions: tuple[Sanction, ...] = ()
    guest: bool = False  # without an account

    def against(self, now: int) -> list[Degree]:
        """The degrees of the sanctions in force now."""
        return [one.effects for one in self.sanctions if one.until is None or one.until > now]

    def news(self) -> dict[str, Any]:
        """NEWS `you` of docs/protocol.md."""
        return {
            "joined": self.joined,
            "hours": self.hours,
            "trusted": self.trusted,
            "guest": self.guest,
            "sanctions": [asdict(one) for one in self.sanctions],
        }


def judge(op: wire.Stroke | wire.Undo, rules: Rules, status: UserStatus, now: int) -> RejectReason | None:
    """Why the operation is refused, or None where the operation may enter.

    Taking back one's own ink stays possible wherever it harms nobody: only on a canvas that stands still (frozen,
    closed, ended) and for the suspended it is refused.
    """
    if isinstance(op, wire.Undo):
        reason = _may_not_act(rules, status, now)
        if reason is None and not all(degree.may_undo for degree in status.against(now)):
            return RejectReason.SUSPENDED
        return reason
    if (reason := may_not_draw(rules, status, now)) is not None:
        return reason
    if rules.regions:
        bounds = brush.bounds(op.points)
        if any(region.holds(now) and region.touched_by(op, bounds) for region in rules.regions):
            return RejectReason.LOCKED
    return None


def may_not_draw(rules: Rules, status: UserStatus, now: int) -> RejectReason | None:
    """Why this person's ink is refused anywhere on the canvas, or None."""
    if (reason := _may_not_act(rules, status, now)) is not None:
        return reason
    if not all(degree.may_draw for degree in status.against(now)):
        return RejectReason.SUSPENDED
    if rules.members_only and status.guest:
        return RejectReason.SIGN_IN
    if rules.newcomers_after is not None and status.joined > rules.newcomers_after:
        return RejectReason.SUSPENDED
    return None


def _may_not_act(rules: Rules, status: UserStatus, now: int) -> RejectReason | None:
    """Why this person may change nothing, not even take back what is theirs, or None."""
    if rules.ended:
        return RejectReason.ENDED
    if not all(degree.may_enter for degree in status.against(now)):
        return RejectReason.SUSPENDED
    return RejectReason.LOCKED if rules.frozen or rules.closed else None


def newest(status: UserStatus, now: int) -> bool:
    """Whether this is one of the newest accounts."""
    return status.hours < limits.NEWEST_HOURS and now - status.joined < limits.NEWEST_MS


def allowance(rules: Rules, status: UserStatus, now: int, *, slowed: bool = False) -> tuple[float, float]:
    """(pixels a second, pixels at once) that this person may cover, by clean hours, slow mode and sanctions.

    `slowed`: as one of the newest, who together paint over everything just now.
    """
    divisor = rules.slow * max((degree.ink_divisor for degree in status.against(now)), default=1)
    if slowed:
        divisor = max(divisor, limits.SLOWEST)
    if divisor > 1:
        _, rate, burst = limits.INK_LEVELS[0]
        return rate / divisor, burst / divisor
    _, rate, burst = next(level for level in reversed(limits.INK_LEVELS) if status.hours >= level[0])
    return rate, burst


def overpainting(status: UserStatus) -> float:
    """How many times more it costs this person to paint over other people's fresh ink."""
    if status.trusted:
        return limits.OVERPAINTING_TRUSTED
    return limits.OVERPAINTING_KNOWN if status.hours >= limits.NEW_HOURS else limits.OVERPAINTING_NEW


def over_picture(status: UserStatus) -> float:
    """How many times more it costs this person to paint over the picture that everybody's ink became."""
    return limits.OVER_PICTURE_KNOWN if status.hours >= limits.NEW_HOURS else limits.OVER_PICTURE_NEW
