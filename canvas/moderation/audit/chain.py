"""The chain over the log of acts: each link's digest is made from its act and from the digest before it.

Acts are written by many at once, inside of long transactions. So they are chained just after their commit, in a
transaction of its own in which one process at a time adds links, in the order in which they are seen: nobody waits for
a lock while they hold others. Whoever is killed in between leaves acts without a link; the next call, a worker's look
every ten seconds or the check chains them.

Names are in the digest as digests of a salt and the name. When somebody leaves, name and salt go, and the link holds.
Who can write to the database could compute all digests anew, from the changed act on: against that helps only a digest
that somebody outside has written down. The last one of each month is therefore public, in the monthly summary.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models.signals import post_save
from django.dispatch import receiver
from django.utils import timezone

from canvas.moderation.audit.models import Act, Link, nameless
from dreamsite.core.models import SiteState, User

AT_ONCE = 500  # acts chained in one transaction
SHOWN = 20  # places of breaks that are named
GRACE = timedelta(minutes=5)  # after which an act without a link is one that somebody put there


def extend() -> int:
    """Chains what is not chained yet; how many acts those were."""
    done = 0
    while count := _extend():
        done += count
    return done


def _extend() -> int:
    unchained = Act.objects.filter(link=None).order_by("pk")
    if not unchained.exists():
        return 0
    try:
        with transaction.atomic():
            SiteState.objects.get_or_create(id=1)
            SiteState.objects.select_for_update().get(id=1)
            last = Link.objects.order_by("-number").first()
            number, digest = (last.number, last.digest) if last else (0, "")
            links = []
            for act in unchained[:AT_ONCE]:  # read back: what the database keeps is what is checked later
                number += 1
                names = {who: _name_digest(act, who) for who in ("by", "person")}
                digest = _digest(digest, number, act, names)
                link = Link(number=number, act=act, digest=digest, by_digest=names["by"], person_digest=names["person"])
                links.append(link)
            Link.objects.bulk_create(links)
    except IntegrityError:  # another process chained them meanwhile
        return 0
    return len(links)


def _name_digest(act: Act, who: str) -> str:
    salt, name = getattr(act, f"{who}_salt"), getattr(act, f"{who}_name")
    return hashlib.sha256(f"{salt} {name}".encode()).hexdigest() if salt or name else ""


def _digest(before: str, number: int, act: Act, names: dict[str, str]) -> str:
    """SHA-256 of everything in an act that stays, as JSON with sorted keys and without spaces, UTF-8."""
    content = {
        "before": before,
        "number": number,
        "id": act.pk,
        "at": act.at.astimezone(UTC).isoformat(timespec="microseconds"),
        "by": act.by_id,
        "by_name": names["by"],
        "verb": act.verb,
        "canvas": act.canvas_id,
        "person": act.person_id,
        "person_name": names["person"],
        "what": _plain(act.what),
        "why": act.why,
        "op": str(act.op),
        "undoes": act.undoes_id,
    }
    words = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(words.encode()).hexdigest()


def _plain(value: Any) -> Any:
    """JSON in one form for every database: PostgreSQL gives 1e16 back as a whole number, SQLite as it was."""
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


@receiver(post_save, sender=Act)
def after_an_act(**_signal: Any) -> None:
    transaction.on_commit(extend, robust=True)  # what it misses, the next call finds


@dataclass
class Check:
    """What was found: `count` links, the last one's digest, and in words what does not hold, the first SHOWN."""

    count: int = 0
    number: int = 0  # of the last link
    digest: str = ""
    broken: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        return not self.broken

    def note(self, words: str) -> None:
        if len(self.broken) < SHOWN:
            self.broken.append(words)


def check(since: datetime | None = None, until: datetime | None = None) -> Check:
    """Computes every digest of the links made within this time anew, and compares."""
    found = Check()
    links = Link.objects.order_by("number")
    if since:
        links = links.filter(at__gte=since)
    if until:
        links = links.filter(at__lt=until)
    first = links.first()
    before = Link.objects.filter(number__lt=first.number).order_by("-number").first() if first else None
    expected, digest = (before.number + 1, before.digest) if before else (1, "")
    here = set(User.objects.filter(closed_at=None).values_list("pk", flat=True))
    acts: dict[int, Act] = {}
    for link in _in_portions(links, acts):
        if link.number != expected:
            found.note(f"links {expected} to {link.number - 1} are missing")
        act = acts.get(link.act_id)
        if act is None:
            found.note(f"link {link.number}: its act {link.act_id} is gone")
        else:
            if _digest(digest, link.number, act, {"by": link.by_digest, "person": link.person_digest}) != link.digest:
                found.note(f"link {link.number}: act {act.pk} is not what was written, or a link before it is not")
            for who in ("by", "person"):
                _check_name(found, link, act, who, here)
        expected, digest = link.number + 1, link.digest
        found.count, found.number, found.digest = found.count + 1, link.number, link.digest
    if until is None or until > timezone.now():
        for pk in Act.objects.filter(link=None, at__lt=timezone.now() - GRACE).values_list("pk", flat=True)[:SHOWN]:
            found.note(f"act {pk} was never chained")
    return found


def _check_name(found: Check, link: Link, act: Act, who: str, here: set[int]) -> None:
    kept = getattr(link, f"{who}_digest")
    if not kept or _name_digest(act, who) == kept:
        return
    pk = getattr(act, f"{who}_id")
    if getattr(act, f"{who}_salt") or pk is None or getattr(act, f"{who}_name") != nameless(pk):
        found.note(f"link {link.number}: a name in act {act.pk} is not the one that was written")
    elif pk in here:
        found.note(f"link {link.number}: a name was taken out of act {act.pk}, and its account is still here")


def _in_portions(links: Any, acts: dict[int, Act]) -> Any:
    """Every link, with a portion of acts at a time in `acts`: the whole log may be larger than the memory."""
    last = 0
    while portion := list(links.filter(number__gt=last)[:AT_ONCE]):
        acts.clear()
        acts.update(Act.objects.in_bulk([link.act_id for link in portion]))
        yield from portion
        last = portion[-1].number


def holds(digest: str) -> bool:
    """Whether a digest that somebody wrote down is one of the chain's."""
    return Link.objects.filter(digest=digest).exists()
