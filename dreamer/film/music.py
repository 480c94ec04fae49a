"""Music under films: a file made anew in a child process, its credit, and how loud it is when."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
from PIL import Image

from dreamer.film import cards, sandbox
from dreamer.film.child import EVERY

CARD, FADE = 4.0, 0.75  # seconds that the end card is shown, and that it takes to appear
WEAKEST = 0.25  # of a dream's strength, where the music is silent
SMOOTH = 0.4  # seconds over which loudness is averaged: a dream that trembles is no dream


@dataclass(frozen=True, kw_only=True)
class Limits(sandbox.Limits):
    """What is taken, and what the process may use."""

    seconds: float = 900.0
    made_bytes: int = 64 * 1024**2
    memory: int = 1024**3
    cpu_seconds: int = 60
    wall_seconds: float = 90.0


@dataclass(frozen=True)
class Music:
    """A clean file. `loudness` is 0 to 1 of each tenth of a second."""

    seconds: float
    loudness: tuple[float, ...]


@dataclass(frozen=True)
class Credit:
    """What is owed to whoever made the music: all of it is required. Raises ValueError for what is missing."""

    title: str
    author: str
    licence: str
    link: str

    def __post_init__(self) -> None:
        for name, text in asdict(self).items():
            if not text.strip():
                raise ValueError(f"credit: received no {name}, expected title, author, licence and link")
        if urlsplit(self.link).scheme not in ("http", "https") or not urlsplit(self.link).netloc:
            raise ValueError(f"credit: received {self.link!r} as the link, expected an address such as https://…")

    @classmethod
    def parse(cls, text: str) -> Credit:
        """'Title; Author; Licence; https://…'."""
        parts = [part.strip() for part in text.split(";")]
        if len(parts) != 4:
            raise ValueError(f"credit: received {text!r}, expected 'Title; Author; Licence; https://…'")
        return cls(*parts)

    @property
    def words(self) -> str:
        return f"“{self.title}” by {self.author}, {self.licence}"

    @property
    def lines(self) -> list[str]:
        """Of an end card."""
        return [f"Music: {self.words}", self.link]


class MusicRefused(ValueError):
    """No music that we take: the message says what was received and what is possible."""


def clean(
    source: Path, target: Path, limits: Limits = Limits(), progress: Callable[[float], None] = lambda part: None
) -> Music:
    """Writes `target`, an M4A. Raises MusicRefused, and leaves nothing then.

    `progress` is called all the time; what it raises ends the process that reads.
    """
    try:
        made = sandbox.run("dreamer.film.child", source, target, limits, progress)
    except sandbox.Refused as refused:
        raise MusicRefused(_words(refused, limits)) from None
    return Music(float(made["seconds"]), tuple(made["loudness"]))


def _words(refused: sandbox.Refused, limits: Limits) -> str:
    kinds = "MP3, M4A, Ogg, FLAC or WAV"
    return {
        "type": f"This is no sound we can read. Expected {kinds}.",
        "broken": "The file says it is sound, but it cannot be read. Is it whole? Send it again, or save it anew.",
        "silent": f"There is no sound in this file. Expected {kinds}.",
        "codec": f"The sound in it is packed as {refused.received.get('name')}. Expected {kinds}.",
        "seconds": f"The music is too long. Expected at most {limits.seconds / 60:.0f} minutes.",
        "short": "The music is shorter than a second. Expected more of it.",
    }.get(refused.code, f"This file could not be read within its limits. Save it anew, as {kinds}.")


def strength(music: Music) -> Callable[[float], float]:
    """How loud it is at each second of a film, 0 to 1, smooth; the music begins anew where it ends."""
    width = max(1, round(SMOOTH / EVERY))
    values = np.asarray(music.loudness or (1.0,))
    values = np.convolve(np.concatenate([values[-width:], values, values[:width]]), np.ones(width) / width, "same")
    smooth = values[width : len(values) - width]

    def at(seconds: float) -> float:
        place = seconds % music.seconds / EVERY
        return float(np.interp(place, np.arange(len(smooth)), smooth))

    return at


def mixed(plain: Image.Image, dreamed: Image.Image, loud: float) -> Image.Image:
    """What is shown where music is `loud`, 0 to 1: between a picture and its dream, RGB of one size."""
    return Image.blend(plain, dreamed, WEAKEST + (1 - WEAKEST) * min(1.0, max(0.0, loud)))


def ending(last: Image.Image, heading: str, lines: Sequence[str], fps: int, font: str = "") -> Iterator[Image.Image]:
    """The end card with its credit, fading in over a film's last picture: RGB of its size, CARD seconds of it."""
    captions = cards.Captions("", "", "", "", "", nobody=heading, credits=tuple(lines))
    card = cards.credits(*last.size, captions, font)
    fade = max(1, round(FADE * fps))
    for index in range(round(CARD * fps)):
        yield Image.blend(last, card, min(1.0, (index + 1) / fade))
