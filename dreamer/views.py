"""What the site asks the dreamer's side of the house."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_GET

from canvas.models import Canvas
from canvas.moderation.permissions import moderator_required
from dreamer.library import LibraryError
from dreamer.networks import choosing, shelves
from dreamer.registered import default_model, registry


@require_GET
@moderator_required(json=True)
def styles(request: HttpRequest) -> JsonResponse:
    """What a moderator may choose to dream of next: the styles that are on at the canvas `?canvas=`."""
    slug = request.GET.get("canvas", settings.CANVAS_SLUG)
    canvas = get_object_or_404(Canvas.objects.select_related("choice"), slug=slug)
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
