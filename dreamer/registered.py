"""The networks of this site: those under MODELS_DIR, and the house model that comes with the program."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from dreamer import house
from dreamer.library import Registry

# What suits a network on the live canvas better than DreamCanvas' recipe.
LIVE: dict[str, dict[str, Any]] = {"house": house.LIVE}


def registry() -> Registry:
    return Registry(settings.MODELS_DIR, *([house.BUILTIN] if settings.HOUSE_MODEL else []))


def default_model() -> str:
    """The name of the network to dream with: DREAM_MODEL, else the first that somebody brought, else the house model's.

    Empty where there is none.
    """
    brought = Registry(settings.MODELS_DIR).names()
    return settings.DREAM_MODEL or next(iter([*brought, *registry().names()]), "")
