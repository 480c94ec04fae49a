"""Taking acts back: each kind by the module that did it. What was taken back can be taken back in turn."""

from __future__ import annotations

import uuid
from typing import Any

from django.db import IntegrityError

from canvas.moderation.models import Act
from canvas.moderation.rollback import services as rollback
from canvas.moderation.switches import services as switches
from dreamsite.core.errors import InvalidRequest

REVERSE = {"picture": rollback.reverse, "switch": switches.reverse}


def can_undo(act: Act) -> bool:
    return act.what.get("kind") in REVERSE and getattr(act, "undone_by", None) is None


def changed_since(acts: list[Act]) -> set[int]:
    """Of acts of one operation, those on a frame that somebody has hidden or shown since: that is left as it is."""
    mine = {act.what["after"]["id"]: act for act in acts if act.what.get("switch") == "frame"}
    if not mine:
        return set()
    first = min(act.pk for act in mine.values())
    since = Act.objects.filter(canvas=acts[0].canvas, pk__gt=first, what__switch="frame").exclude(op=acts[0].op)
    later: dict[int, int] = {}
    for pk, frame in since.order_by("pk").values_list("pk", "what__after__id"):
        later[frame] = pk
    return {act.pk for frame, act in mine.items() if later.get(frame, 0) > act.pk}


def undo(act: Act, by: Any, why: str = "") -> list[Act]:
    """Takes back every act of the same operation, the last first, but for frames that somebody has changed since.

    Raises InvalidRequest where nothing is left to take back. Many are for `pending.undo_all`.
    """
    rows = Act.objects.with_undone().filter(op=act.op, canvas=act.canvas).order_by("-id")
    left = [row for row in rows if can_undo(row)]
    if not left:
        raise InvalidRequest("This was taken back already, or cannot be.")
    changed = changed_since(left)
    left = [row for row in left if row.pk not in changed]
    if not left:
        raise InvalidRequest("Somebody has changed this since: it stays as it is now.")
    op = uuid.uuid4()
    try:
        return [REVERSE[row.what["kind"]](row, by, why, op) for row in left]
    except IntegrityError as error:  # the log holds one taking back of each act
        raise InvalidRequest("Somebody else has just taken this back.") from error
