"""What a room needs to ask the gate in memory: the rules, how those who are here stand, and how much ink they have."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from canvas import brush, gate, ledger, limits, wire
from canvas.gate import Rules, Standing
from canvas.pen import Pen
from canvas.shield import Shield

HOUR_MS = 3_600_000
NOBODY = Standing()  # until the database has told: a newcomer against whom nothing stands


class Gatekeeper:
    def __init__(self) -> None:
        self.rules = Rules()
        self.shield = Shield()
        self._standings: dict[int, Standing] = {}
        self._pens: dict[int, Pen] = {}  # by person, not by socket: twenty tabs are still one hand
        self._drew: set[int] = set()  # since the database was told

    # --- people ------------------------------------------------------------------------------------------------

    def known(self) -> set[int]:
        return set(self._standings)

    def unknown(self, people: Iterable[int]) -> set[int]:
        return set(people) - self._standings.keys()

    def know(self, found: Mapping[int, Standing]) -> set[int]:
        """Takes in how people stand; those for whom that is news."""
        news = {who for who, standing in found.items() if self._standings.get(who) != standing}
        self._standings.update(found)
        return news

    def standing(self, who: int) -> Standing:
        return self._standings.get(who, NOBODY)

    def suspended(self, who: int, now_ms: int) -> bool:
        against = self.standing(who).in_force(now_ms)
        return against is not None and against.degree == gate.SUSPEND

    def forget(self, here: set[int], now: float) -> None:
        """Those who are gone and have all their ink again need not be remembered."""
        self._pens = {who: pen for who, pen in self._pens.items() if not pen.rested(now)}
        kept = here | self._pens.keys()
        self._standings = {who: standing for who, standing in self._standings.items() if who in kept}

    # --- ink ---------------------------------------------------------------------------------------------------

    def refuses(self, op: wire.Stroke | wire.Undo, now: float, now_ms: int, *, known: bool) -> int | None:
        """The REJECT code for an operation that has just come in, or None; takes its ink from the author's.

        `known`: the journal has it already, and it is answered so whatever the rules are by now. Raises
        ProtocolError where it is more than one hand can make.
        """
        who = op.author
        pen = self._pens.get(who) or self._pens.setdefault(who, Pen())
        stamps, pixels = brush.measure(op.points, op.carry) if isinstance(op, wire.Stroke) else (0.0, 0.0)
        if not pen.take(op, pixels + limits.STAMP_AREA * stamps, now):
            raise wire.ProtocolError("more strokes, points or painted area a second than one hand can make", 4429)
        if known:
            return None
        standing = self._standings.get(who, NOBODY)
        code = gate.judge(op, self.rules, standing, now_ms)
        if code is None and isinstance(op, wire.Stroke):
            pen.ink.resize(*gate.allowance(self.rules, standing, now_ms), now)
            if not pen.ink.take(self._cost(op, pixels, standing, now_ms), now):
                return ledger.BUDGET
        return code

    def _cost(self, op: wire.Stroke, pixels: float, standing: Standing, now_ms: int) -> float:
        return pixels * (1 + (gate.shield(standing) - 1) * self.shield.share(op, now_ms))

    def learn(self, batch: wire.Ops, now: float, *, ours: bool) -> None:
        """Takes in a batch of the journal. `ours`: it came in here, and its ink is paid for.

        Who draws through several processes at once pays for it in each of them, as soon as each hears of it: tabs
        that a balancer spread out are one hand too.
        """
        if not ours and self._pens:
            for _, op in batch.operations():
                if isinstance(op, wire.Stroke) and (pen := self._pens.get(op.author)) is not None:
                    pixels = brush.measure(op.points, op.carry)[1]
                    pen.ink.spend(self._cost(op, pixels, self.standing(op.author), batch.at), now)
        self.shield.learn(batch)

    def judge(self, op: wire.Operation, rules: Rules, now_ms: int) -> int | None:
        """As the gate, for what is about to be written, by the rules as the database has them at that moment."""
        assert isinstance(op, wire.Stroke | wire.Undo)
        return gate.judge(op, rules, self._standings.get(op.author, NOBODY), now_ms)

    def ink(self, who: int, now: float, now_ms: int) -> dict[str, Any]:
        """NEWS `ink`: the share that is left, and in how many seconds it is enough again to say nothing of it."""
        pen = self._pens.get(who)
        if pen is None:
            return {"left": 1.0, "seconds": 0}
        pen.ink.resize(*gate.allowance(self.rules, self.standing(who), now_ms), now)
        return {"left": round(pen.ink.share(now), 2), "seconds": round(pen.ink.seconds_to(limits.INK_LOW, now))}

    # --- clean hours -------------------------------------------------------------------------------------------

    def drew(self, who: int, now_ms: int) -> None:
        """Their ink has entered the journal."""
        if self.standing(who).last_hour < now_ms // HOUR_MS:
            self._drew.add(who)

    def uncounted(self) -> set[int]:
        """Who drew in an hour that the database has not counted for them; asked once, and told then."""
        drew, self._drew = self._drew, set()
        return drew
