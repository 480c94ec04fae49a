"""What people say to a guess."""

from __future__ import annotations

import json

from django.http import HttpRequest, JsonResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from canvas.models import Canvas
from dreamer.models import Guess
from dreamsite.core import counters
from dreamsite.core.errors import json_error

from .listening import publish

A_MINUTE = 20  # answers of one person


@require_POST
def answer(request: HttpRequest, slug: str, pk: int) -> JsonResponse:
    """Agrees with one of the words: JSON {"word": its place, from 0}. Who drew it has the last word."""
    canvas = get_object_or_404(Canvas.objects.existing(), slug=slug)
    if not request.user.is_authenticated:
        return json_error(401, "signed-out", _("Sign in first."))
    guess = get_object_or_404(Guess, canvas=canvas, pk=pk)
    if counters.count(f"guess-answers:{request.user.pk}", 60) > A_MINUTE:
        return json_error(429, "too-many", _("That was a lot of answers. Try again in a minute."))
    try:
        word = json.loads(request.body)["word"]
    except (ValueError, KeyError, TypeError):
        word = None
    if type(word) is not int or not 0 <= word < len(guess.words):
        expected = _("Received no word of this guess, expected its place: 0 to %(last)d.") % {
            "last": len(guess.words) - 1
        }
        return json_error(400, "unreadable", expected)
    if guess.choose(word, request.user.pk):
        publish(guess)
    return JsonResponse({"chosen": guess.chosen})
