"""What the ledger adds up to."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from django.db.models import F, QuerySet, Sum

from gallery.donations.models import LedgerEntry, Money

SHOWN = 60  # lines on the page; the sums count all


@dataclass(frozen=True)
class Ledger:
    """`day_cost` and `days` are None until a cost is recorded."""

    entries: list[LedgerEntry]
    gifts: list[Money]  # a sum for each currency
    costs: list[Money]
    day_cost: Money | None
    days: int | None  # whole days that the gifts pay for, at the mean cost of a day

    def __bool__(self) -> bool:
        return bool(self.entries)


def read() -> Ledger:
    """Sums by currency. Days are counted in the currency of the newest cost: gifts in others count by their `worth`."""
    gifts = LedgerEntry.objects.filter(kind=LedgerEntry.Kind.GIFT)
    costs = LedgerEntry.objects.filter(kind=LedgerEntry.Kind.COST)
    day_cost, days = None, None
    if (newest := costs.order_by("-day", "-pk").first()) is not None:
        spent = costs.filter(currency=newest.currency).aggregate(amount=Sum("amount"), days=Sum("days"))
        a_day = spent["amount"] / (spent["days"] or 1)
        own = gifts.filter(currency=newest.currency).aggregate(sum=Sum("amount"))["sum"] or Decimal(0)
        other = gifts.exclude(currency=newest.currency).aggregate(sum=Sum("worth"))["sum"] or Decimal(0)
        day_cost, days = Money(round(a_day, 2), newest.currency), int((own + other) / a_day)
    entries = list(LedgerEntry.objects.order_by("-day", "-pk")[:SHOWN])
    return Ledger(entries, _sums(gifts), _sums(costs), day_cost, days)


def _sums(entries: QuerySet[LedgerEntry]) -> list[Money]:
    found = entries.order_by().values("currency").annotate(sum=Sum("amount")).order_by(F("sum").desc())
    return [Money(row["sum"], row["currency"]) for row in found]
