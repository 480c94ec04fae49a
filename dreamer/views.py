"""What the site asks the dreamer's side of the house."""

from __future__ import annotations

from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_GET

from canvas.moderation.permissions import moderator_required
from dreamer.library import LibraryError
from dreamer.registered import default_model, registry


@require_GET
@moderator_required(json=True)
def styles(request: HttpRequest) -> JsonResponse:
    """The shelf of the network that dreams now: what a moderator may choose to dream of next."""
    name = default_model()
    try:
        shelf = registry().get(name).shelf if name else ()
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
