"""The networks of this site: those under MODELS_DIR, and the house model that comes with the program."""

from __future__ import annotations

import math
from pathlib import Path
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


def candidates(chosen: str = "", *, and_also: str = "") -> list[str]:
    """The networks a canvas may dream with, best first; only one where somebody decided.

    `chosen` is the canvas' own (dreamer.models.Choice), then comes DREAM_MODEL. Where nobody decided it is that of
    DREAM_FETCH once it is here, else the house model. Others that are brought wait until somebody chooses them: a
    canvas that lives takes one only where there is nothing else, and then the one that came first, so that the next
    import changes nothing. `and_also` counts as brought.
    """
    if decided := chosen or settings.DREAM_MODEL:
        return [decided]
    brought = {*Registry(settings.MODELS_DIR).names(), *filter(None, [and_also])}
    ours = [name for name in registry().names() if name not in brought]
    best = [settings.DREAM_FETCH] if settings.DREAM_FETCH in brought else []
    return [*best, *ours] or sorted(brought, key=_came)


def default_model(chosen: str = "", *, and_also: str = "") -> str:
    """The first of `candidates`; empty where there is none."""
    return next(iter(candidates(chosen, and_also=and_also)), "")


def _came(name: str) -> tuple[float, str]:
    """When a brought network came, and its name."""
    try:
        return (Path(settings.MODELS_DIR) / name).stat().st_mtime, name
    except OSError:  # not here yet
        return math.inf, name
