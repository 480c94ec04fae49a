"""Where a film's chapters begin, and what they are called. A rule for chapters is written here and nowhere else."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _

from gallery.films.plan import Plan

SHORTEST_SECONDS = 2.0  # shorter ones nobody could choose


@dataclass(frozen=True)
class Chapter:
    at: float  # seconds
    title: str
    number: int  # of its first frame


def chapters(film: Plan) -> list[Chapter]:
    """A chapter for each style, those shorter than SHORTEST_SECONDS joined to the one before.

    A drawing without a dream changes no style: it has a chapter only where none has begun yet.
    """
    found: list[Chapter] = []
    style = ""
    for part in film.parts:
        if part.still is None or (found and part.still.title in ("", style)):
            continue
        style, at = part.still.title, part.start / film.fps
        if not found:
            at = 0.0  # the title card belongs to the first
        elif at - found[-1].at < SHORTEST_SECONDS:
            continue
        found.append(Chapter(round(at, 3), part.still.title or _("The drawing"), part.still.number))
    return found
