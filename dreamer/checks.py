"""System checks: settings that name a network."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import Error, register

from dreamer.library import LibraryError
from dreamer.library.fetch import source


@register()
def fetched_network(app_configs: Any, **kwargs: Any) -> list[Error]:
    """DREAM_FETCH names a published network, or none."""
    try:
        if settings.DREAM_FETCH:
            source(settings.DREAM_FETCH)
    except LibraryError as error:
        return [Error(f"DREAM_FETCH: {error}.", hint="Leave it empty to fetch none.", id="dreamer.E001")]
    return []
