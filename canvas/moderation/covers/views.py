"""Asking for an area to be covered, from the canvas."""

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
def cover(request: HttpRequest, slug: str) -> JsonResponse:
    """POST {"x", "y", "width", "height"} in px. Answers {"votes", "quorum", "covered"}, or says why not."""
    canvas = get_object_or_404(Canvas.objects.existing(), slug=slug)
    if not request.user.is_authenticated:
        return json_error(401, "signed-out", _("Sign in first."))
    try:
        data = json.loads(request.body)
        x, y, width, height = (data[name] for name in ("x", "y", "width", "height"))
    except (ValueError, KeyError, TypeError):
        return json_error(400, "unreadable", _("Expected JSON with x, y, width and height."))
    if any(type(one) is not int or abs(one) > 0xFFFF for one in (x, y, width, height)):
        return json_error(400, "unreadable", _("x, y, width and height are whole numbers of pixels."))
    try:
        outcome = covers.vote(canvas, request.user, Rect.sized(x, y, width, height))
    except covers.CoverError as error:
        return json_error(error.status, "refused", str(error))
    answer = {"votes": outcome.votes, "quorum": limits.COVER_QUORUM, "covered": outcome.region is not None}
    return JsonResponse(answer)
