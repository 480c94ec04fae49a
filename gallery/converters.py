"""Moments, days and months as addresses write them."""

from __future__ import annotations

from datetime import UTC, date, datetime


def utc_iso(moment: datetime) -> str:
    """A moment as it stands in addresses and JSON: UTC, ending in Z; fractions of a second only where there are any."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat().rstrip("0" if moment.microsecond else "") + "Z"


def _checked(year: int) -> None:
    # Further out a time zone, or a step, leads out of what a datetime can hold.
    if not 2000 <= year <= 9000:
        raise ValueError(f"received the year {year}, expected 2000 to 9000")


class MomentConverter:
    """`2026-11-20T12:34:56Z`."""

    regex = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?Z"

    def to_python(self, value: str) -> datetime:
        moment = datetime.fromisoformat(value)  # ValueError (30 February): no such address
        _checked(moment.year)
        return moment

    def to_url(self, value: datetime) -> str:
        return utc_iso(value)


class DayConverter:
    """`2026-11-20`."""

    regex = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"

    def to_python(self, value: str) -> date:
        day = date.fromisoformat(value)
        _checked(day.year)
        return day

    def to_url(self, value: date) -> str:
        return value.isoformat()


class MonthConverter(DayConverter):
    """`2026-11`, as the first day of that month."""

    regex = r"[0-9]{4}-[0-9]{2}"

    def to_python(self, value: str) -> date:
        return super().to_python(f"{value}-01")

    def to_url(self, value: date) -> str:
        return f"{value:%Y-%m}"
