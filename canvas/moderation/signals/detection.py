"""Looks for signals in what was drawn lately and in who signed in from where, and lists them. It never acts on them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import groupby, islice
from operator import itemgetter
from typing import Any

from django.db import transaction
from django.db.models import Count, Exists, OuterRef
from django.utils import timezone
from django.utils.translation import gettext_lazy

from canvas import strokes
from canvas.models import Canvas, Stroke
from canvas.moderation.models import Act, IpDigest, Signal
from canvas.moderation.signals import ip_digests, stroke_anomalies
from dreamsite.core.models import User

SEEN = Act.add_verb("see-signal", gettext_lazy("Looked at a signal"))

LOOK_BACK = timedelta(hours=36)  # a session of a day and a half is seen whole
STROKES_MOST = 20_000  # of one person
ACCOUNTS = 5  # from one address within a salt's life


def detect(now: datetime | None = None) -> int:
    """Looks at the last day and a half; how many signals are new or stronger than they were."""
    now = now or timezone.now()
    return sum(_store(*found) for found in [*_anomalies(now), *_shared_addresses(now)])


_COLUMNS = ("author", "began_at", "ended_at", "left", "top", "right", "bottom", "width", "points")
Found = tuple[int, str, datetime, float, float, dict[str, Any]]  # person, kind, when, value, limit, details


def _anomalies(now: datetime) -> Iterator[Found]:
    here = set(User.objects.values_list("pk", flat=True))
    strokes.index_all()
    drawn_lately = Stroke.objects.between(now - LOOK_BACK, now + timedelta(seconds=1))
    for canvas in Canvas.objects.filter(Exists(drawn_lately.filter(canvas=OuterRef("pk")))):
        recent = drawn_lately.filter(canvas=canvas)
        rows = recent.order_by("author", "began_at", "first_seq").values_list(*_COLUMNS)
        for person, theirs in groupby(rows.iterator(5000), key=itemgetter(0)):
            if person not in here:
                continue
            drawn = [
                stroke_anomalies.DrawnStroke(
                    began.timestamp(), ended.timestamp(), float((right - left) * (bottom - top)), width, points
                )
                for _, began, ended, left, top, right, bottom, width, points in islice(theirs, STROKES_MOST)
            ]
            for finding in stroke_anomalies.find(drawn, canvas.width * canvas.height):
                since, until = (datetime.fromtimestamp(at, UTC) for at in (finding.since, finding.until))
                span = {"since": since.isoformat(timespec="seconds"), "until": until.isoformat(timespec="seconds")}
                details = {"canvas": canvas.file_name, **span, **finding.details}
                yield person, finding.kind, until, finding.value, finding.limit, details


def _shared_addresses(now: datetime) -> Iterator[Found]:
    recent = IpDigest.objects.filter(at__gt=now - ip_digests.LIFE)
    shared = recent.values("digest").annotate(people=Count("person", distinct=True)).filter(people__gte=ACCOUNTS)
    for row in shared.order_by():
        here = recent.filter(digest=row["digest"])
        latest = dict(here.order_by("at").values_list("person", "at"))
        for person, at in latest.items():
            others = sorted(set(latest) - {person}, key=lambda other: latest[other], reverse=True)
            yield person, Signal.Kind.ADDRESS, at, float(row["people"]), float(ACCOUNTS), {"with": others[:50]}


@transaction.atomic
def _store(person: int, kind: str, at: datetime, value: float, limit: float, details: dict[str, Any]) -> bool:
    """One row for each person, kind and day, with the strongest finding; a stronger one has to be seen again."""
    fields = {"value": value, "limit": limit, "details": details, "found_at": timezone.now()}
    row, new = Signal.objects.get_or_create(person_id=person, kind=kind, day=at.astimezone(UTC).date(), defaults=fields)
    if new:
        return True
    weaker = Signal.objects.filter(pk=row.pk, value__lt=value)
    return bool(weaker.update(**fields, seen_at=None, seen_by=None))
