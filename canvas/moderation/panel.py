"""What the JSON views of the moderators' panel on a canvas share: who may ask, what cannot be done, an act in short."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, JsonResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _

from canvas.models import Canvas
from canvas.moderation import undo
from canvas.moderation.models import Act, PendingAct
from canvas.moderation.permissions import moderator_required
from canvas.wire import milliseconds
from dreamsite.core.errors import InvalidRequest, json_error

Answer = dict[str, Any]


def endpoint(view: Callable[[HttpRequest, Canvas], Answer]) -> Callable[..., Any]:
    """A view for moderators that answers in JSON; what cannot be done says why."""

    @moderator_required(json=True)
    @wraps(view)
    def answer(request: HttpRequest, slug: str) -> JsonResponse:
        try:
            return JsonResponse(view(request, get_object_or_404(Canvas, slug=slug)))
        except InvalidRequest as error:
            return json_error(409, "invalid-request", str(error))
        except (TypeError, ValueError, KeyError, OverflowError) as error:
            return json_error(400, "unreadable", f"The request cannot be read: {error}")

    return answer


def body(request: HttpRequest) -> dict[str, Any]:
    data = json.loads(request.body or b"{}")
    if not isinstance(data, dict):
        raise ValueError("expected a JSON object")
    return data


def act_json(act: Act) -> Answer:
    undone = getattr(act, "undone_by", None)
    return {
        "id": act.pk,
        "at": milliseconds(act.at),
        "by": act.by_name,
        "title": act.title,
        "what": _short(act),
        "why": act.why,
        "op": str(act.op),
        "undone": bool(undone),
        "undoable": undo.can_undo(act),
        "again": act.verb == "undo",
    }


def pending_json(row: PendingAct) -> Answer:
    """An act that did not happen yet: how many steps it has, and where it is agreed to or watched."""
    return {"url": reverse("pending_act", args=[row.pk]), "steps": row.total, "reason": row.reason}


def _short(act: Act) -> str:
    """The act's facts in a few words."""
    what = act.what
    if what.get("kind") == "picture" and what["strokes"]:
        count = {"strokes": what["strokes"], "people": len(what["people"])}
        return str(_("%(strokes)d strokes of %(people)d people") % count)
    if what.get("kind") == "picture":
        return _("an earlier picture")
    if what.get("switch") == "frame":
        return str(_("frame %d") % what["after"]["number"])
    if what.get("switch") == "style" and isinstance(what["after"], dict):
        return str(what["after"]["title"])
    if what.get("switch") == "slow":
        return f"× {what['after']}"
    return str(act.person_name)
