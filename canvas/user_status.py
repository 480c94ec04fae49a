"""From rows to the gate's values: a canvas' rules, and people's status."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from django.apps import apps
from django.contrib.auth import get_user_model
from django.db.models import DateTimeField, F, Prefetch, Q
from django.db.models.expressions import RawSQL
from django.utils import timezone

from canvas import gate, limits
from canvas.models import Region, Rules, Sanction
from canvas.wire import milliseconds


@cache
def rules_columns() -> dict[str, Any]:
    """Annotations for a query of canvases that say whether anything changed; they cost no query of their own.

    In SQL, since this runs at every tick: a Subquery would take twice the time of the whole query to put together.
    """
    site = apps.get_model("core", "SiteState")._meta.db_table
    ended_at = RawSQL(f"(SELECT ended_at FROM {site} WHERE id = 1)", (), output_field=DateTimeField())
    return {"rules_version": F("rules__version"), "site_ended_at": ended_at}


def rules(
    canvas_id: int, version: int | None, ended_at: datetime | None, closed_at: datetime | None, known: gate.Rules
) -> gate.Rules:
    """The canvas' rules, by the columns above; asks the database only where the version is not the known one."""
    now = timezone.now()
    ended, closed = (at is not None and at <= now for at in (ended_at, closed_at))
    if (version or 0) == known.version:
        same = (ended, closed) == (known.ended, known.closed)
        return known if same else replace(known, ended=ended, closed=closed)
    row = Rules.objects.get(canvas=canvas_id)
    return gate.Rules(
        version=row.version,
        frozen=row.frozen,
        why=row.frozen_why,
        slow=row.slow,
        newcomers_after=milliseconds(row.newcomers_after),
        members_only=row.members_only,
        reactions=row.reactions,
        regions=tuple(
            gate.Region(one.pk, one.kind, one.x, one.y, one.width, one.height, milliseconds(one.until), one.why)
            for one in Region.objects.in_force(now).filter(canvas=canvas_id).order_by("pk")
        ),
        ended=ended,
        closed=closed,
    )


def read(ids: Iterable[int]) -> dict[int, gate.UserStatus]:
    """The status of these people; somebody whom no account is left of has a newcomer's."""
    ids, now = list(ids), timezone.now()
    lately = now - timedelta(days=limits.TRUSTED_AFTER_DAYS)
    against = Sanction.objects.filter(Q(until=None) | Q(until__gt=now) | Q(starts_at__gt=lately), lifted_at=None)
    people = (
        get_user_model()
        ._default_manager.filter(pk__in=ids)
        .select_related("clean_hours")
        .prefetch_related(Prefetch("sanctions", against, to_attr="recent_sanctions"))
    )
    return {one: gate.UserStatus() for one in ids} | {one.pk: _status(one, now) for one in people}


def _status(user: Any, now: datetime) -> gate.UserStatus:
    earned = getattr(user, "clean_hours", None)
    # A guest stays a newcomer: what they have earned counts from the day they become a member.
    hours = earned.hours if earned and not user.guest else 0
    return gate.UserStatus(
        joined=milliseconds(user.date_joined),
        hours=hours,
        trusted=hours >= limits.TRUSTED_HOURS
        and user.date_joined <= now - timedelta(days=limits.TRUSTED_DAYS)
        and not user.recent_sanctions,
        sanctions=tuple(
            gate.Sanction(one.pk, one.degree, one.reason, milliseconds(one.until))
            for one in user.recent_sanctions
            if one.stands(now)
        ),
        guest=user.guest,
    )
