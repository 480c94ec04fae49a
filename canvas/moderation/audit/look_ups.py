"""What moderators look up about people: in the log too, one row for each hour, moderator and kind.

A moderator at work looks hundreds of times an hour: the panel asks again with every spot. So look-ups of the hour that
is running are gathered in rows of their own, which the log's page shows as well; when it is over, each becomes an act
with how often it was and whom and what it was about. Workers do that, and whoever looks next, or opens the log.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from canvas.moderation.models import Act, LookUp
from dreamsite.core.models import User

WHO_DREW = "look-up"
RECENT = Act.add_verb("look-up-people", _("Looked up who drew lately"))
INK = Act.add_verb("look-up-ink", _("Looked at people’s ink"))
PREVIEW = Act.add_verb("look-up-preview", _("Previewed an act, with names"))
EVIDENCE = Act.add_verb("look-up-evidence", _("Looked at evidence"))
PERSON = Act.add_verb("view-person", _("Looked at a person’s page"))
VERBS = (WHO_DREW, RECENT, INK, PREVIEW, EVIDENCE, PERSON)

MOST = 500  # numbers of a kind in one row


def record(by: Any, verb: str, *, canvas: Any = None, person: Any = None, **seen: Iterable[Any]) -> None:
    """One look-up; `seen` names what it was about: people, reports, places."""
    if verb not in VERBS:
        raise ValueError(f"verb {verb!r} is no look-up, expected one of {', '.join(VERBS)}")
    hour = _hour(timezone.now())
    fold()
    places = [by.pk, verb, canvas and canvas.pk, person and person.pk, f"{hour:%Y%m%d%H}"]
    key = ":".join(str(place or "") for place in places)
    with transaction.atomic():
        LookUp.objects.get_or_create(
            key=key, defaults={"by": by, "verb": verb, "canvas": canvas, "person": person, "hour": hour}
        )
        row = LookUp.objects.select_for_update(of=("self",)).get(key=key)
        row.count += 1
        for name, values in seen.items():
            row.seen[name] = sorted({*row.seen.get(name, []), *values})[:MOST]
        row.last_at = timezone.now()
        row.save(update_fields=["count", "seen", "last_at"])


def fold() -> int:
    """Puts the hours that are over into the log; how many rows."""
    over = list(LookUp.objects.filter(hour__lt=_hour(timezone.now())).values_list("pk", flat=True))
    return sum(_fold(pk) for pk in over)


@transaction.atomic
def _fold(pk: int) -> bool:
    row = LookUp.objects.select_for_update(of=("self",)).filter(pk=pk).first()
    if row is None:  # somebody else was faster
        return False
    people = User.objects.in_bulk([pk for pk in (row.by_id, row.person_id) if pk])
    Act.objects.record(
        people.get(row.by_id),
        row.verb,
        canvas=row.canvas,
        person=people.get(row.person_id),
        hour=row.hour.isoformat(timespec="minutes"),
        count=row.count,
        **row.seen,
    )
    row.delete()
    return True


def _hour(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)
