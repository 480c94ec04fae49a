"""One month of moderation in numbers, without a name in it: what the site owes those who are moderated."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from statistics import median
from typing import Any

from django.core.cache import cache
from django.db.models import Count
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from canvas import degrees
from canvas.models import Sanction
from canvas.moderation.audit import chain
from canvas.moderation.models import Act, Appeal, Case, Link, Report
from canvas.moderation.sanctions import services as sanctions

CHECKED_SECONDS = 3600
EARLIEST = date(2020, 1, 1)  # no site is older


@dataclass(frozen=True)
class Row:
    title: str
    count: int
    part: float  # of the largest count beside it, 0 to 1: the length of its bar


@dataclass(frozen=True)
class Month:
    first: date
    acts: list[Row]  # operations, by verb
    reports: list[Row]  # by category
    decided: list[Row]  # cases of reports and covers, by outcome
    sanctions: list[Row]  # by degree
    appeals: list[Row]  # by outcome
    chain: chain.Check | None  # of the log, this month's links; None where there are none
    half: timedelta | None  # within which half of the decisions came: the median from opening to decision
    before: date | None  # the month before, if anything is known of it or of earlier ones
    after: date | None

    @property
    def waited(self) -> str:
        """`half` in words."""
        assert self.half is not None
        minutes = max(1, round(self.half.total_seconds() / 60))
        if minutes < 90:
            return ngettext("%d minute", "%d minutes", minutes) % minutes
        hours = round(minutes / 60)
        return ngettext("%d hour", "%d hours", hours) % hours if hours < 48 else _("%d days") % round(hours / 24)

    @property
    def quiet(self) -> bool:
        return not (self.acts or self.reports or self.decided or self.sanctions or self.appeals)


def of(first: date) -> Month:
    """The month that begins on `first`, UTC."""
    after = (first + timedelta(days=32)).replace(day=1)
    since, until = (datetime(day.year, day.month, 1, tzinfo=UTC) for day in (first, after))
    within = {"since": since, "until": until}
    # An operation of many rows is one act.
    acts = Act.objects.filter(at__gte=since, at__lt=until).exclude(verb=sanctions.APPEAL).order_by()
    by_verb = acts.values_list("verb").annotate(n=Count("op", distinct=True))
    cases = Case.objects.filter(closed_at__gte=since, closed_at__lt=until)
    times = [closed - opened for opened, closed in cases.values_list("opened_at", "closed_at") if closed]
    return Month(
        first=first,
        acts=_rows([(Act.VERBS.get(verb, verb), n) for verb, n in by_verb]),
        reports=_by(Report, "category", "at", Report.Category, **within),
        decided=_counted(cases.exclude(kind=Case.Kind.APPEAL), "outcome", Case.Outcome),
        sanctions=_by(Sanction, "degree", "created_at", degrees.BY_NAME.__getitem__, **within),
        appeals=_by(Appeal, "outcome", "decided_at", Appeal.Outcome, **within),
        chain=_chain(since, until),
        half=timedelta(seconds=median(time.total_seconds() for time in times)) if times else None,
        before=(first - timedelta(days=1)).replace(day=1) if _known_before(since) else None,
        after=after if after <= datetime.now(UTC).date() else None,
    )


def _chain(since: datetime, until: datetime) -> chain.Check | None:
    """This month's part of the chain, checked once an hour and whenever it has grown."""
    last = Link.objects.filter(at__gte=since, at__lt=until).order_by("-number").values_list("number", flat=True).first()
    if last is None:
        return None
    key = f"moderation:chain:{since:%Y-%m}:{last}"
    found: chain.Check | None = cache.get(key)
    if found is None:
        found = chain.check(since, until)
        cache.set(key, found, CHECKED_SECONDS)
    return found


def _by(model: Any, field: str, when: str, labels: Any, *, since: datetime, until: datetime) -> list[Row]:
    return _counted(model.objects.filter(**{f"{when}__gte": since, f"{when}__lt": until}), field, labels)


def _counted(found: Any, field: str, labels: Any) -> list[Row]:
    counts = found.order_by().values_list(field).annotate(n=Count("pk"))
    return _rows([(labels(value).label, n) for value, n in counts])


def _rows(counts: list[tuple[Any, int]]) -> list[Row]:
    most = max((n for _, n in counts), default=1)
    return [Row(str(title), n, n / most) for title, n in sorted(counts, key=lambda row: (-row[1], str(row[0])))]


def _known_before(since: datetime) -> bool:
    return Act.objects.filter(at__lt=since).exists() or Report.objects.filter(at__lt=since).exists()
