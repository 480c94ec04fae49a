"""A dreamed video from file to file: what `manage.py dream --video` does around the dream itself."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from PIL import Image

from dreamer.engine import Network, Progress, Recipe
from dreamer.engine.dream import Interrupted
from dreamer.engine.film import fit, mp4
from dreamer.engine.octaves import octave_sizes, steps_of
from dreamer.engine.pictures import PictureError, check_writable, read_picture
from dreamer.film.unfinished import digest, unfinished
from dreamsite.core.files import whole_file

from .carry import Carried, dreamed, short
from .clean import GENEROUS, Made, clean
from .films import join, pictures

SIDE = 640  # px of the longer side of what is dreamed, where nothing else is asked for
SMALLEST, LARGEST = 64, 3840
SEGMENT = 120  # pictures; what a killed command loses at most


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

    Cancelled, it writes the film as far as it came; killed, the next call with the same arguments goes on after the
    last SEGMENT that was whole. VideoRefused, PictureError and ValueError say what is wrong.
    """
    job.check()
    guide = None if job.guide is None else read_picture(job.guide)
    files = [digest(path) for path in (job.video, job.guide) if path]
    with unfinished(job.dreamed, files, job.side, recipe.to_json(), network.name, SEGMENT) as folder:
        source = folder / "clean.mp4"
        made = _read(job, source)
        size = fit(made.height, made.width, job.side)
        shares = Shares(recipe, made, size)
        films: list[Path] = []
        count, finished = 0, True

        def report(p: Progress) -> None:
            if progress is not None:
                progress(shares.progress(count, p))

        before: Carried | None = None
        while finished and count < made.frames:
            start, end = count, min(count + SEGMENT, made.frames)
            films.append(folder / f"{start:07}.mp4")
            last = films[-1].with_suffix(".png")
            if films[-1].exists():  # by a process that was killed
                count = end
                before = Carried(next(pictures(source, size, end - 1)), read_picture(last))
                continue
            with mp4(films[-1], made.fps, 0.0) as add:
                dreams = dreamed(
                    islice(pictures(source, size, start), end - start),
                    network,
                    recipe,
                    cuts=made.cuts,
                    start=start,
                    before=before,
                    guide=guide,
                    progress=report,
                    cancelled=cancelled,
                )
                try:
                    for before in dreams:
                        add(before.dreamed)
                        count += 1
                    if before is not None:
                        with whole_file(last) as draft:
                            Image.fromarray(before.dreamed).save(draft, "PNG", compress_level=1)
                except Interrupted as stopped:
                    finished = False
                    if count == start:
                        add(stopped.picture)
            if finished and count < end:
                raise PictureError(f"{job.video}: it ends after {count} pictures, expected {made.frames}")
        join(job.dreamed, films, source if made.sound else None, json.dumps(recipe.to_json()))
    return made, finished


def _read(job: Job, source: Path) -> Made:
    """The video as a clean file, unless it is there already."""
    note = source.with_suffix(".json")
    if note.exists():
        return Made.from_json(json.loads(note.read_text()))
    with whole_file(source) as draft:
        made = clean(job.video, draft, replace(GENEROUS, side=job.side))
    with whole_file(note) as draft:
        draft.write_text(json.dumps(made.to_json()))
    return made


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
