"""What the site asks the dreamer's side of the house."""

from __future__ import annotations

import json
from urllib.parse import urlencode

from django.conf import settings
from django.core.cache import cache
from django.http import FileResponse, Http404, HttpRequest, JsonResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_safe

from canvas.models import Canvas
from canvas.moderation.permissions import moderator_required
from canvas.moderation.sanctions.middleware import same_for_everybody
from dreamer import voting
from dreamer.library import LibraryError
from dreamer.models import StyleVote
from dreamer.networks import choosing, shelves, trying
from dreamer.registered import default_model, registry
from dreamer.styles import key
from dreamsite.core import counters
from dreamsite.core.errors import json_error
from dreamsite.core.turns import Pace

VOTES_A_MINUTE = 12  # of one person
PICTURES_SECONDS = 3600  # between two looks whether pictures of a network's styles are missing
_asks = Pace("lists of styles", 20, 2.0)
_votes = Pace("votes", 20, 6.0)


@require_GET
@moderator_required(json=True)
def styles(request: HttpRequest) -> JsonResponse:
    """What a moderator may choose to dream of next: the styles that are on at the canvas `?canvas=`."""
    slug = request.GET.get("canvas", settings.CANVAS_SLUG)
    canvas = get_object_or_404(Canvas.objects.existing().select_related("choice"), slug=slug)
    name = default_model(choosing.chosen(canvas))
    try:
        shelf = shelves.of_canvas(canvas, registry().get(name))[0] if name else ()
    except (LibraryError, OSError) as error:
        return JsonResponse({"styles": [], "error": str(error)})
    return JsonResponse(
        {
            "styles": [
                {"model": name, "layer": style.layer, "channel": style.channel, "title": style.title or style.layer}
                for style in shelf
            ]
        }
    )


@require_http_methods(["GET", "HEAD", "POST"])
def vote(request: HttpRequest, slug: str) -> JsonResponse:
    """The styles that people may vote for, as JSON; POST {"style": a key, or null to take one's vote back} votes."""
    canvas = get_object_or_404(Canvas.objects.existing().select_related("choice"), slug=slug)
    address = request.META.get("REMOTE_ADDR", "")
    if request.method == "POST":
        if not request.user.is_authenticated:
            return json_error(401, "signed-out", _("Sign in first."))
        if not voting.may_vote(request.user):
            return json_error(403, "members-only", _("Members vote here. Keep your name to become one."))
        if reason := voting.why_not(canvas, request.user):
            return json_error(403, "may-not-draw", reason)
        if counters.count(f"style-votes:{request.user.pk}", 60) > VOTES_A_MINUTE:
            return json_error(429, "too-many", _("That was a lot of votes. Try again in a minute."))
        _votes.take(address)
        try:
            style = json.loads(request.body)["style"]
        except (ValueError, KeyError, TypeError):
            return json_error(400, "unreadable", _("Received no style, expected one of the list, or null."))
    else:
        _asks.take(address)
    files = voting.network(canvas)
    styles = voting.ballot(canvas, files) if files else ()
    if request.method == "POST":
        known = {key(one.layer, one.channel) for one in styles}
        if files is None or not (style is None or (isinstance(style, str) and style in known)):
            return json_error(400, "unreadable", _("Received no style, expected one of the list, or null."))
        voting.cast(canvas, files, request.user, style)
    if files and styles and cache.add(f"style-pictures:{files.name}", 1, PICTURES_SECONDS):
        trying.order_missing(files)
    votes = voting.tally(canvas, files.name) if files else {}
    mine = StyleVote.objects.filter(canvas=canvas, voter=request.user.pk).values_list("style", flat=True).first()
    answer = JsonResponse(
        {
            "mine": mine,
            "styles": [
                {
                    "key": name,
                    "title": _(one.label),
                    "votes": votes.get(name, 0),
                    "picture": f"{reverse('style_picture', args=[slug])}?{urlencode({'style': name})}"
                    if files and trying.picture(files, name).is_file()
                    else None,
                }
                for one in styles
                for name in [key(one.layer, one.channel)]
            ],
        }
    )
    answer["Cache-Control"] = "private, no-store"
    return answer


@same_for_everybody
@require_safe
def style_picture(request: HttpRequest, slug: str) -> FileResponse:
    """What a style of the canvas dreams of, by its key in `?style=`."""
    canvas = get_object_or_404(Canvas.objects.existing().select_related("choice"), slug=slug)
    files = voting.network(canvas)
    try:
        if files is None:
            raise FileNotFoundError
        answer = FileResponse(trying.picture(files, request.GET.get("style", "")).open("rb"), content_type="image/webp")
    except FileNotFoundError:
        raise Http404 from None
    answer["Cache-Control"] = "public, max-age=3600"
    return answer
