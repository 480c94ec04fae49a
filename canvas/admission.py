"""What a room asks the gate in memory: the rules, the status of those who are here, and how much ink they have."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from canvas import brush, gate, limits, wire
from canvas.gate import Rules, UserStatus
from canvas.ink_ownership import InkOwnership, cells
from canvas.newest import Newest
from canvas.rate_limits import Inbound, RateLimits
from canvas.wire import CloseCode, RejectReason
from dreamsite.core.token_bucket import TokenBucket

NOBODY = UserStatus()  # until the database has been read: a newcomer without sanctions


class Admission:
    def __init__(self) -> None:
        self.rules = Rules()
        self.ownership = InkOwnership()
        self._statuses: dict[int, UserStatus] = {}
        self._limits: dict[int, RateLimits] = {}  # by person, not by socket: twenty tabs are still one hand
        self._inbound: dict[int, Inbound] = {}
        self._addresses: dict[str, TokenBucket] = {}
        self.newest = Newest()
        self.earlier = frozenset({0})  # the frames that an UNDREAM may bring back
        self.picture = False  # whether the canvas starts from a frame, which many hands made
        self.pixels = 0.0  # of the canvas

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
        self._inbound = {who: one for who, one in self._inbound.items() if who in here or not one.is_full(now)}
        self.newest.forget(now)
        self._addresses = {address: one for address, one in self._addresses.items() if not one.full(now)}
        kept = here | self._limits.keys()
        self._statuses = {who: status for who, status in self._statuses.items() if who in kept}

    def inbound(self, who: int) -> Inbound:
        """What may come in from this person, whatever the number of their sockets."""
        return self._inbound.setdefault(who, Inbound(visitor=False))

    # --- ink ---------------------------------------------------------------------------------------------------

    def refuses(
        self, op: wire.Stroke | wire.Undo, now: float, now_ms: int, *, known: bool, address: str = ""
    ) -> RejectReason | None:
        """The reason against an operation that has just come in, or None; takes its ink from the author's.

        `known`: the journal has it already, and it is answered so whatever the rules are by now. `address`: where its
        socket comes from. Raises ProtocolError where it is more than one hand can make.
        """
        who, begins, stamps, pixels = op.author, False, 0.0, 0.0
        limited = self._limits.get(who) or self._limits.setdefault(who, RateLimits())
        if isinstance(op, wire.Stroke):
            begins = limited.begins(op)
            stamps, pixels = brush.measure(op.points, op.carry, begins=begins)
        if not limited.take(op, pixels + limits.STAMP_AREA * stamps, now):
            raise wire.ProtocolError(
                "more strokes, points or painted area a second than one hand can make", CloseCode.TOO_FAST
            )
        if known:
            return None
        if isinstance(op, wire.Stroke) and op.frame is not None and op.frame not in self.earlier:
            return RejectReason.STALE
        status = self._statuses.get(who, NOBODY)
        reason = gate.judge(op, self.rules, status, now_ms)
        if (
            reason is None
            and isinstance(op, wire.Stroke)
            and not self._pays(op, limited, status, begins, address, now, now_ms)
        ):
            return RejectReason.BUDGET
        return reason

    def _pays(
        self,
        op: wire.Stroke,
        limited: RateLimits,
        status: UserStatus,
        begins: bool,
        address: str,
        now: float,
        now_ms: int,
    ) -> bool:
        """Takes the piece's ink from its author's allowance, and from that of a newcomer's address."""
        covered = brush.covered(op.points, begins=begins)
        price = self._price(op, covered, status, now_ms)
        newest = self._newest(op.author, now_ms)
        slowed = newest and self.newest.slow(address, now)
        limited.ink.resize(*gate.allowance(self.rules, status, now_ms, slowed=slowed), now)
        if newest and address:
            shared = self._shared(address, now, slowed=slowed)
            if not shared.has(price, now) or not limited.ink.take(price, now):
                return False
            shared.take(price, now)
        elif not limited.ink.take(price, now):
            return False
        if newest:
            self.newest.painted(address, cells(op.points), covered, self.pixels, now)
        return True

    def _newest(self, who: int, now_ms: int) -> bool:
        """Whether somebody counts among the newest accounts; until the database has told, everybody does."""
        status = self._statuses.get(who)
        return status is None or gate.newest(status, now_ms)

    def _shared(self, address: str, now: float, *, slowed: bool) -> TokenBucket:
        """The allowance of an address' newest accounts."""
        divisor = limits.NEWEST_ADDRESS_SLOW if slowed else 1
        rate, burst = limits.ADDRESS_RATE / divisor, limits.ADDRESS_BURST / divisor
        shared = self._addresses.setdefault(address, TokenBucket(rate, burst))
        shared.resize(rate, burst, now)
        return shared

    def _price(self, op: wire.Stroke, covered: float, status: UserStatus, now_ms: int) -> float:
        """The price of a piece that covers so much: others' fresh ink costs most, then the picture."""
        foreign, own = self.ownership.shares(op, now_ms)
        rest = gate.over_picture(status) if self.picture else 1.0
        return covered * (foreign * gate.overpainting(status) + own + (1 - foreign - own) * rest)

    def learn(self, batch: wire.Batch, now: float, *, ours: bool) -> None:
        """Takes in a batch of the journal. `ours`: it came in here, and its ink is paid for.

        Who draws through several processes at once pays for it in each of them, as soon as each hears of it: tabs
        that a balancer spread out are one hand too.
        """
        if not ours and self._limits:
            for _, op in batch.operations():
                if isinstance(op, wire.Stroke) and (limited := self._limits.get(op.author)) is not None:
                    covered = brush.covered(op.points, begins=op.piece == 0)
                    limited.ink.spend(self._price(op, covered, self.status(op.author), batch.at), now)
        self.ownership.learn(batch)

    def judge(self, op: wire.Operation, rules: Rules, now_ms: int) -> RejectReason | None:
        """As the gate, for what is about to be written, by the rules as the database has them at that moment."""
        assert isinstance(op, wire.Stroke | wire.Undo)
        return gate.judge(op, rules, self._statuses.get(op.author, NOBODY), now_ms)

    def ink(self, who: int, now: float, now_ms: int, address: str = "") -> dict[str, Any]:
        """NEWS `ink`: the share that is left, and in how many seconds it is enough again to say nothing of it."""
        limited = self._limits.get(who)
        if limited is None:
            return {"left": 1.0, "seconds": 0}
        newest = self._newest(who, now_ms)
        slowed = newest and self.newest.slow(address, now)
        limited.ink.resize(*gate.allowance(self.rules, self.status(who), now_ms, slowed=slowed), now)
        buckets = [limited.ink]
        if newest and address in self._addresses:
            buckets.append(self._shared(address, now, slowed=slowed))
        left = min(bucket.share(now) for bucket in buckets)
        seconds = max(bucket.seconds_to(limits.INK_LOW, now) for bucket in buckets)
        return {"left": round(left, 2), "seconds": round(seconds)}
