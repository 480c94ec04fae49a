"""A dreamed video from file to file: what `manage.py dream --video` does around the dream itself."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from dreamer.engine import Network, Progress, Recipe
from dreamer.engine.dream import Interrupted
from dreamer.engine.film import fit, mp4
from dreamer.engine.octaves import octave_sizes, steps_of
from dreamer.engine.pictures import PictureError, check_writable, read_picture

from .carry import dreamed, short
from .clean import GENEROUS, Made, clean
from .films import join, pictures

SIDE = 640  # px of the longer side of what is dreamed, where nothing else is asked for
SMALLEST, LARGEST = 64, 3840


@dataclass(frozen=True)
class Job:
    """Files in and out: `dreamed` an .mp4, its longer side at most `side` pixels."""

    video: Path
    dreamed: Path
    guide: Path | None = None
    side: int = SIDE

    def check(self) -> None:
        """ValueError for all that can be known to be wrong before the work."""
        if self.dreamed.suffix.lower() != ".mp4":
            ending = self.dreamed.suffix or "nothing"
            raise PictureError(f"{self.dreamed}: received the ending {ending!r}, expected .mp4 for a dreamed video")
        if not self.video.is_file():
            raise PictureError(f"{self.video}: there is no such file")
        if self.dreamed.resolve() in {path.resolve() for path in (self.video, self.guide) if path}:
            raise PictureError(f"{self.dreamed}: received a file that is in use here already, expected another name")
        if not SMALLEST <= self.side <= LARGEST:
            raise ValueError(f"frame_side: received {self.side}, expected {SMALLEST} to {LARGEST}")
        check_writable(self.dreamed)


def run(
    job: Job,
    network: Network,
    recipe: Recipe,
    *,
    progress: Callable[[Progress], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> tuple[Made, bool]:
    """Read, dream, write, with the video's own sound: what was read, and whether all of it was dreamed.

    Cancelled, it writes the film as far as it came. VideoRefused, PictureError and ValueError say what is wrong.
    """
    job.check()
    guide = None if job.guide is None else read_picture(job.guide)
    with tempfile.TemporaryDirectory() as folder:
        source, silent = Path(folder) / "clean.mp4", Path(folder) / "silent.mp4"
        made = clean(job.video, source, replace(GENEROUS, side=job.side))
        size = fit(made.height, made.width, job.side)
        shares = Shares(recipe, made, size)
        count, finished = 0, True

        def report(p: Progress) -> None:
            if progress is not None:
                progress(shares.progress(count, p))

        with mp4(silent, made.fps, 0.0) as add:
            dreams = dreamed(
                pictures(source, size),
                network,
                recipe,
                cuts=made.cuts,
                guide=guide,
                progress=report,
                cancelled=cancelled,
            )
            try:
                for found in dreams:
                    add(found.dreamed)
                    count += 1
            except Interrupted as stopped:
                finished = False
                if count == 0:
                    add(stopped.picture)
        join(job.dreamed, silent, source if made.sound else None, json.dumps(recipe.to_json()))
    return made, finished


def units(recipe: Recipe, height: int, width: int) -> float:
    """What a dream of one picture costs, in millions of pixels times steps."""
    sizes = octave_sizes(height, width, recipe.octaves, recipe.octave_scale, recipe.min_size, recipe.finest)
    steps = steps_of(len(sizes), recipe.iterations, recipe.taper)
    return sum(h * w * n for (h, w), n in zip(sizes, steps, strict=True)) / 1e6


class Shares:
    """How much of a film's work each picture is: where a shot begins, a whole dream; elsewhere a short one."""

    def __init__(self, recipe: Recipe, made: Made, size: tuple[int, int]) -> None:
        self._whole, self._short = units(recipe, *size), units(short(recipe), *size)
        self._shots = sorted({0, *(cut for cut in made.cuts if 0 < cut < made.frames)})
        self.units = self.before(made.frames)
        self._began = time.monotonic()
        self._first: float | None = None

    def before(self, count: int) -> float:
        """Units of the first `count` pictures."""
        whole = sum(1 for shot in self._shots if shot < count)
        return whole * self._whole + (count - whole) * self._short

    def fraction(self, count: int, part: float = 0.0) -> float:
        """Of the film's work that is done after `count` pictures and a part of the next."""
        done = self.before(count)
        return min(1.0, (done + part * (self.before(count + 1) - done)) / max(self.units, 1e-9))

    def progress(self, count: int, p: Progress) -> Progress:
        """The film's progress, from its next picture's own."""
        fraction = self.fraction(count, p.fraction)
        if self._first is None:
            self._first, self._began = fraction, time.monotonic()
        new = fraction - self._first
        left = (time.monotonic() - self._began) / new * (1 - fraction) if new > 0 else None
        return replace(p, fraction=fraction, seconds_left=left)
