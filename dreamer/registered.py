"""The networks of this site: those under MODELS_DIR, and the house model that comes with the program."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from dreamer import house
from dreamer.engine import PRESETS
from dreamer.library import Registry

# What suits a network better than the presets that go for all.
OWN: dict[str, dict[str, dict[str, Any]]] = {"house": {"live": house.LIVE, "photo": house.PHOTO}}


def preset(name: str, model: str) -> dict[str, Any]:
    """The fields of a preset as they suit a network; those left out keep a Recipe's defaults."""
    return {**PRESETS[name], **OWN.get(model, {}).get(name, {})}


def registry() -> Registry:
    return Registry(settings.MODELS_DIR, *([house.BUILTIN] if settings.HOUSE_MODEL else []))


def default_model() -> str:
    """The name of the network to dream with: DREAM_MODEL, else the first that somebody brought, else the house model's.

    Empty where there is none.
    """
    brought = Registry(settings.MODELS_DIR).names()
    return settings.DREAM_MODEL or next(iter([*brought, *registry().names()]), "")
