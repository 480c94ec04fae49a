"""Asking for a place to be covered, from the canvas."""

from __future__ import annotations

import json

from django.http import HttpRequest, JsonResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from canvas import limits
from canvas.models import Canvas
from canvas.moderation.covers import services as covers
from dreamsite.core.errors import json_error
from dreamsite.core.rect import Rect


@require_POST
def veil(request: HttpRequest, slug: str) -> JsonResponse:
    """POST {"x", "y", "width", "height"} in px. Answers {"votes", "quorum", "veiled"}, or says why not."""
    place = get_object_or_404(Canvas, slug=slug)
    if not request.user.is_authenticated:
        return json_error(401, "signed-out", _("Sign in first."))
    try:
        asked = json.loads(request.body)
        x, y, width, height = (asked[name] for name in ("x", "y", "width", "height"))
    except (ValueError, KeyError, TypeError):
        return json_error(400, "unreadable", _("Expected JSON with x, y, width and height."))
    if any(type(one) is not int or abs(one) > 0xFFFF for one in (x, y, width, height)):
        return json_error(400, "unreadable", _("x, y, width and height are whole numbers of pixels."))
    try:
        outcome = covers.vote(place, request.user, Rect.sized(x, y, width, height))
    except covers.VeilError as refused:
        return json_error(refused.status, "refused", str(refused))
    answer = {"votes": outcome.votes, "quorum": limits.COVER_QUORUM, "veiled": outcome.region is not None}
    return JsonResponse(answer)
