"""A dream's recipe for people: one sentence, and a table.

Recipes are kept for ever, and older ones lack what newer ones have: whatever is missing is left out.
"""

from __future__ import annotations

from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from canvas.models import Frame
from dreamer.engine.octaves import steps_of
from dreamsite.core import languages

SHOWN_TERMS = 4
SHOWN_CHANNELS = 6


def targets(recipe: dict[str, Any]) -> list[str]:
    """What was dreamed of, a phrase for each term: "channel 63 of inception_4c"."""
    target = recipe.get("target")
    terms = target.get("terms") if isinstance(target, dict) else None
    if not isinstance(terms, list):
        return []
    return [_term(term) for term in terms[:SHOWN_TERMS] if isinstance(term, dict) and term.get("layer")]


def sentence(frame: Frame) -> str:
    """How this picture came about."""
    if frame.kind == Frame.Kind.CHECKPOINT:
        return _("The drawing as it was, with no dream on it.")
    subjects = targets(frame.recipe)
    if not subjects:
        return _("A dream without a recorded recipe.")
    if frame.title:
        return _("The network looked for “%(title)s” in the drawing.") % {"title": _(frame.title)}
    return _("The network looked for %(wanted)s in the drawing.") % {"wanted": _joined(subjects)}


def chosen(recipe: dict[str, Any]) -> str:
    """How the style came to be: by people's votes, a moderator, or chance; empty where nobody wrote it down."""
    how = recipe.get("chosen")
    if not isinstance(how, dict):
        return ""
    if how.get("by") == "vote":
        votes = _count(how.get("votes"))
        return ngettext("by vote, %(count)s vote", "by vote, %(count)s votes", votes) % {"count": votes}
    return {"moderator": _("by a moderator"), "chance": _("by chance")}.get(str(how.get("by")), "")


def agreed(frame: Frame) -> list[str]:
    """The words that people agreed with, and that led this dream."""
    listed = frame.recipe.get("guesses")
    words = [guess.get("word") for guess in listed if isinstance(guess, dict)] if isinstance(listed, list) else []
    return [languages.word(str(word))[0] for word in words if word]


def facts(frame: Frame) -> list[tuple[str, str]]:
    """The table: names and values."""
    recipe = frame.recipe
    rows: list[tuple[str, Any]] = [
        (_("Dreamed of"), "; ".join(targets(recipe))),
        (_("Chosen"), chosen(recipe)),
        (_("People saw"), ", ".join(agreed(frame))),
        (_("Network"), recipe.get("model")),
        (_("Octaves"), _octaves(recipe)),
        (_("Steps per octave"), _steps(recipe)),
        (_("Step"), _number(recipe.get("step"))),
        (_("Seed"), recipe.get("seed")),
        (_("Took"), _("%(seconds)s s") % {"seconds": _number(round(frame.seconds, 1))} if frame.seconds else None),
        (_("Ran on"), _device(str(recipe.get("device", "")).lower())),
    ]
    return [(name, str(value)) for name, value in rows if value not in (None, "")]


def _device(name: str) -> str | None:
    return {"cpu": _("processor"), "cuda": _("graphics card"), "openvino": _("processor, by OpenVINO")}.get(name)


def style(frame: Frame) -> dict[str, Any] | None:
    """The style (Dream.style) that a frame's recipe tells; None where it dreamed of something else."""
    target = frame.recipe.get("target")
    terms = target.get("terms") if isinstance(target, dict) else None
    if not (isinstance(terms, list) and len(terms) == 1 and isinstance(terms[0], dict) and terms[0].get("layer")):
        return None
    channels = terms[0].get("channels")
    if channels and not (isinstance(channels, list) and len(channels) == 1 and isinstance(channels[0], list)):
        return None
    return {
        "model": str(frame.recipe.get("model") or ""),
        "layer": str(terms[0]["layer"]),
        "channel": int(channels[0][0]) if channels else None,
        "title": frame.title,
    }


def _term(term: dict[str, Any]) -> str:
    layer = str(term["layer"])
    channels = term.get("channels")
    pairs = [pair for pair in channels if isinstance(pair, list) and pair] if isinstance(channels, list) else []
    numbers = [str(pair[0]) for pair in pairs]
    if len(numbers) > SHOWN_CHANNELS:
        numbers = [*numbers[:SHOWN_CHANNELS], "…"]
    if not numbers:
        return _("the whole of %(layer)s") % {"layer": layer}
    return ngettext("channel %(list)s of %(layer)s", "channels %(list)s of %(layer)s", len(pairs)) % {
        "list": ", ".join(numbers),
        "layer": layer,
    }


def _octaves(recipe: dict[str, Any]) -> str:
    octaves, scale = recipe.get("octaves"), recipe.get("octave_scale")
    if octaves and scale:
        return _("%(count)s, each %(scale)s times larger") % {"count": octaves, "scale": _number(scale)}
    return str(octaves or "")


def _steps(recipe: dict[str, Any]) -> str:
    """One number, or one for each octave, coarse to fine."""
    if _tapered(recipe):
        steps = steps_of(_count(recipe.get("octaves")), _count(recipe.get("iterations")), recipe["taper"])
        return ", ".join(map(str, steps))
    return str(recipe.get("iterations") or "")


def _tapered(recipe: dict[str, Any]) -> bool:
    """Whether small octaves took more steps than large ones."""
    taper = recipe.get("taper")
    return isinstance(taper, int | float) and 1 < taper < 100 and 0 < _count(recipe.get("octaves")) < 100


def _count(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0


def _number(value: Any) -> str:
    return number_format(value) if isinstance(value, int | float) else ""


def _joined(parts: list[str]) -> str:
    *most, last = parts
    return _("%(most)s and %(last)s") % {"most": ", ".join(most), "last": last} if most else last
