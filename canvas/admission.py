"""What a room asks the gate in memory: the rules, the status of those who are here, and how much ink they have."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from canvas import brush, gate, limits, wire
from canvas.gate import Rules, UserStatus
from canvas.ink_ownership import InkOwnership
from canvas.rate_limits import RateLimits
from canvas.wire import CloseCode, RejectReason

HOUR_MS = 3_600_000
NOBODY = UserStatus()  # until the database has been read: a newcomer without sanctions


class Admission:
    def __init__(self) -> None:
        self.rules = Rules()
        self.ownership = InkOwnership()
        self._statuses: dict[int, UserStatus] = {}
        self._limits: dict[int, RateLimits] = {}  # by person, not by socket: twenty tabs are still one hand
        self._drew: set[int] = set()  # since the hours were last counted

    # --- people ------------------------------------------------------------------------------------------------

    def known(self) -> set[int]:
        return set(self._statuses)

    def unknown(self, people: Iterable[int]) -> set[int]:
        return set(people) - self._statuses.keys()

    def know(self, found: Mapping[int, UserStatus]) -> set[int]:
        """Takes in people's status; those for whom that is news."""
        news = {who for who, status in found.items() if self._statuses.get(who) != status}
        self._statuses.update(found)
        return news

    def status(self, who: int) -> UserStatus:
        return self._statuses.get(who, NOBODY)

    def suspended(self, who: int, now_ms: int) -> bool:
        return not all(degree.may_enter for degree in self.status(who).against(now_ms))

    def forget(self, here: set[int], now: float) -> None:
        """Those who are gone and have all their ink again need not be remembered."""
        self._limits = {who: one for who, one in self._limits.items() if not one.is_full(now)}
        kept = here | self._limits.keys()
        self._statuses = {who: status for who, status in self._statuses.items() if who in kept}

    # --- ink ---------------------------------------------------------------------------------------------------

    def refuses(self, op: wire.Stroke | wire.Undo, now: float, now_ms: int, *, known: bool) -> RejectReason | None:
        """The reason against an operation that has just come in, or None; takes its ink from the author's.

        `known`: the journal has it already, and it is answered so whatever the rules are by now. Raises
        ProtocolError where it is more than one hand can make.
        """
        who = op.author
        limited = self._limits.get(who) or self._limits.setdefault(who, RateLimits())
        stamps, pixels = brush.measure(op.points, op.carry) if isinstance(op, wire.Stroke) else (0.0, 0.0)
        if not limited.take(op, pixels + limits.STAMP_AREA * stamps, now):
            raise wire.ProtocolError(
                "more strokes, points or painted area a second than one hand can make", CloseCode.TOO_FAST
            )
        if known:
            return None
        status = self._statuses.get(who, NOBODY)
        reason = gate.judge(op, self.rules, status, now_ms)
        if reason is None and isinstance(op, wire.Stroke):
            limited.ink.resize(*gate.allowance(self.rules, status, now_ms), now)
            if not limited.ink.take(self._cost(op, pixels, status, now_ms), now):
                return RejectReason.BUDGET
        return reason

    def _cost(self, op: wire.Stroke, pixels: float, status: UserStatus, now_ms: int) -> float:
        return pixels * (1 + (gate.overpainting(status) - 1) * self.ownership.share(op, now_ms))

    def learn(self, batch: wire.Batch, now: float, *, ours: bool) -> None:
        """Takes in a batch of the journal. `ours`: it came in here, and its ink is paid for.

        Who draws through several processes at once pays for it in each of them, as soon as each hears of it: tabs
        that a balancer spread out are one hand too.
        """
        if not ours and self._limits:
            for _, op in batch.operations():
                if isinstance(op, wire.Stroke) and (limited := self._limits.get(op.author)) is not None:
                    pixels = brush.measure(op.points, op.carry)[1]
                    limited.ink.spend(self._cost(op, pixels, self.status(op.author), batch.at), now)
        self.ownership.learn(batch)

    def judge(self, op: wire.Operation, rules: Rules, now_ms: int) -> RejectReason | None:
        """As the gate, for what is about to be written, by the rules as the database has them at that moment."""
        assert isinstance(op, wire.Stroke | wire.Undo)
        return gate.judge(op, rules, self._statuses.get(op.author, NOBODY), now_ms)

    def ink(self, who: int, now: float, now_ms: int) -> dict[str, Any]:
        """NEWS `ink`: the share that is left, and in how many seconds it is enough again to say nothing of it."""
        limited = self._limits.get(who)
        if limited is None:
            return {"left": 1.0, "seconds": 0}
        limited.ink.resize(*gate.allowance(self.rules, self.status(who), now_ms), now)
        return {"left": round(limited.ink.share(now), 2), "seconds": round(limited.ink.seconds_to(limits.INK_LOW, now))}

    # --- clean hours -------------------------------------------------------------------------------------------

    def drew(self, who: int, now_ms: int) -> None:
        """Their ink has entered the journal."""
        if self.status(who).last_hour < now_ms // HOUR_MS:
            self._drew.add(who)

    def uncounted(self) -> set[int]:
        """Who drew in an hour that the database has not counted for them; each is returned once."""
        drew, self._drew = self._drew, set()
        return drew
