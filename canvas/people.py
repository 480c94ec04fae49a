"""The people at a canvas, as the database has them: names, status, hours of drawing, sessions and accounts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY, get_user_model
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from canvas import user_status
from canvas.connections import kept_open
from canvas.gate import UserStatus
from canvas.member import Person
from canvas.wire import CloseCode

COUNT_SECONDS = 5.0  # how often a process says how many people are at its canvases


def tell_counts(counts: Mapping[str, int]) -> None:
    """How many are at each canvas, by slug, for whoever lists canvases; known to every process, and soon forgotten."""
    cache.set_many({f"here:{slug}": count for slug, count in counts.items()}, timeout=3 * COUNT_SECONDS)


def counts(slugs: Iterable[str]) -> dict[str, int]:
    """How many were at each of these canvases some seconds ago."""
    keys = {f"here:{slug}": slug for slug in slugs}
    found = dict.fromkeys(keys.values(), 0)
    return found | {keys[key]: int(count) for key, count in cache.get_many(keys).items()}


class DatabasePeople:
    """canvas.ports.People over the ORM. Blocking; a room's calls run one after another in its thread."""

    @kept_open()
    def names(self, users: Iterable[int]) -> dict[int, str]:
        people = get_user_model().objects.filter(pk__in=list(users), closed_at=None)
        return {person.pk: person.get_username() for person in people}

    @kept_open()
    def statuses(self, users: Iterable[int]) -> dict[int, UserStatus]:
        return user_status.read(users)

    @kept_open()
    def ended(self, people: Iterable[Person]) -> dict[Person, CloseCode]:
        people = list(people)
        users = get_user_model().objects.in_bulk([person.id for person in people])
        keys = [person.session for person in people]
        stored = Session.objects.filter(session_key__in=keys, expire_date__gt=timezone.now())
        sessions = {row.session_key: row.get_decoded() for row in stored}
        ended = {}
        for person in people:
            user, session = users.get(person.id), sessions.get(person.session, {})
            if user is None or not user.is_active:
                ended[person] = CloseCode.FORBIDDEN
            elif str(session.get(SESSION_KEY)) != str(user.pk) or not any(
                constant_time_compare(session.get(HASH_SESSION_KEY, ""), known)
                for known in (user.get_session_auth_hash(), *user.get_session_auth_fallback_hash())
            ):
                ended[person] = CloseCode.SIGNED_OUT
        return ended
