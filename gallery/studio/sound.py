"""Music in the studio: under a journey's film or a dream of a video, with its credit beside it and at its end."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from PIL import Image

from dreamer.film import music
from gallery.jobs import files
from gallery.studio.models import Music, Work


def card(heard: Music, work: Work, last: Image.Image, fps: int) -> Iterator[Image.Image]:
    """Whose music it is, at the film's end, fading in over its last picture."""
    lines = [_("Music: %(credit)s") % {"credit": heard.credit.words}, heard.link]
    heading = _("%(title)s, dreamed by %(name)s") % {"title": work, "name": work.owner.username}
    return music.ending(last, heading, lines, fps, settings.FILM_FONT)


def card_frames(fps: int) -> int:
    """How many pictures the card has."""
    return round(music.CARD * fps)


def fetched(heard: Music, path: Path) -> Path:
    """The music as a file of this machine, which PyAV wants; the storage may be a bucket."""
    with heard.file.open("rb") as stored, path.open("wb") as copy:
        shutil.copyfileobj(stored, copy, files.CHUNK)
    return path


def credited(heard: Music) -> dict[str, Any]:
    """The columns of a work that name whose music is in it."""
    return {"credit": heard.credit.words[:320], "credit_link": heard.link}
