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


def undo(act: Act, by: Any, why: str = "") -> list[Act]:
    """Takes back every act of the same operation, the last first. Raises InvalidRequest where that was done already."""
    rows = Act.objects.with_undone().filter(op=act.op, canvas=act.canvas).order_by("-id")
    left = [row for row in rows if can_undo(row)]
    if not left:
        raise InvalidRequest("This was taken back already, or cannot be.")
    op = uuid.uuid4()
    try:
        return [REVERSE[row.what["kind"]](row, by, why, op) for row in left]
    except IntegrityError as error:  # the log holds one taking back of each act
        raise InvalidRequest("Somebody else has just taken this back.") from error
