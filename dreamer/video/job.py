"""A dreamed video from file to file: what `manage.py dream --video` does around the dream itself."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np
from PIL import Image

from dreamer.engine import Network, Progress, Recipe
from dreamer.engine.dream import Interrupted
from dreamer.engine.film import fit, mp4
from dreamer.engine.octaves import octave_sizes, steps_of
from dreamer.engine.pictures import PictureError, check_writable, read_picture
from dreamer.film import audio, music
from dreamer.film.music import Credit
from dreamer.film.unfinished import digest, unfinished
from dreamsite.core.files import whole_file

from .carry import Carried, dreamed, short
from .clean import GENEROUS, Made, clean
from .films import join, pictures, sound_of

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
    sound: bool = True  # the video's own
    music: Path | None = None  # instead of it, cut to the film's length or repeated
    credit: Credit | None = None  # of the music, which asks for it: shown at the end
    follow: bool = False  # the dream is the stronger the louder the music is

    def check(self) -> None:
        """ValueError for all that can be known to be wrong before the work."""
        if self.dreamed.suffix.lower() != ".mp4":
            ending = self.dreamed.suffix or "nothing"
            raise PictureError(f"{self.dreamed}: received the ending {ending!r}, expected .mp4 for a dreamed video")
        if not self.video.is_file():
            raise PictureError(f"{self.video}: there is no such file")
        if self.dreamed.resolve() in {path.resolve() for path in self.files}:
            raise PictureError(f"{self.dreamed}: received a file that is in use here already, expected another name")
        if not SMALLEST <= self.side <= LARGEST:
            raise ValueError(f"frame_side: received {self.side}, expected {SMALLEST} to {LARGEST}")
        if self.music and not self.music.is_file():
            raise PictureError(f"{self.music}: there is no such file")
        if (self.music is None) != (self.credit is None) or (self.follow and self.music is None):
            raise ValueError("received music, its credit or `follow` without the others, expected music and its credit")
        check_writable(self.dreamed)

    @property
    def files(self) -> list[Path]:
        """All that it reads."""
        return [path for path in (self.video, self.guide, self.music) if path]


def run(
    job: Job,
    network: Network,
    recipe: Recipe,
    *,
    font: str = "",
    progress: Callable[[Progress], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> tuple[Made, bool]:
    """Read, dream, write, with the video's own sound, music or none: what was read, and whether all was dreamed.

    `font` is for the end card with the music's credit, as `music.ending` takes it.
    Cancelled, it writes the film as far as it came; killed, the next call with the same arguments goes on after the
    last SEGMENT that was whole. VideoRefused, MusicRefused, PictureError and ValueError say what is wrong.
    """
    job.check()
    guide = None if job.guide is None else read_picture(job.guide)
    files = [digest(path) for path in job.files]
    with unfinished(job.dreamed, files, job.side, job.follow, recipe.to_json(), network.name, SEGMENT) as folder:
        source, track = folder / "clean.mp4", folder / "music.m4a"
        heard = music.clean(job.music, track) if job.music else None
        made = _read(job, source)
        look = look_of(made.fps, heard if job.follow else None)
        size = fit(made.height, made.width, job.side)
        shares = Shares(recipe, made, size)
        films: list[Path] = []
        count, finished = 0, True

        def report(p: Progress) -> None:
            if progress is not None:
                progress(shares.progress(count, p))

        before: Carried | None = None
        seen: Image.Image | None = None  # the last picture that was written
        while finished and count < made.frames:
            start, end = count, min(count + SEGMENT, made.frames)
            films.append(folder / f"{start:07}.mp4")
            last = films[-1].with_suffix(".png")
            if films[-1].exists():  # by a process that was killed
                count = end
                before = Carried(next(pictures(source, size, end - 1)), read_picture(last))
                seen = look(before, end - 1)
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
                        seen = look(before, count)
                        add(np.asarray(seen))
                        count += 1
                    if before is not None:
                        with whole_file(last) as draft:
                            Image.fromarray(before.dreamed).save(draft, "PNG", compress_level=1)
                except Interrupted as stopped:
                    finished = False
                    if count == start:
                        seen = Image.fromarray(stopped.picture)
                        add(stopped.picture)
                        count += 1
            if finished and count < end:
                raise PictureError(f"{job.video}: it ends after {count} pictures, expected {made.frames}")
        sound = sound_of(source) if made.sound and job.sound and heard is None else None
        if heard and job.credit and seen is not None:
            films.append(folder / "card.mp4")
            with mp4(films[-1], made.fps, 0.0) as add:
                for picture in music.ending(seen, f"Dreamed by {network.name}", job.credit.lines, made.fps, font):
                    add(np.asarray(picture))
            sound = partial(audio.stream, track, heard.seconds, count / made.fps + music.CARD)
        join(job.dreamed, films, sound, json.dumps(recipe.to_json()))
    return made, finished


def look_of(fps: int, heard: music.Music | None) -> Callable[[Carried, int], Image.Image]:
    """What is seen of the dream of a picture, by its number: all of it, or as much as the music is loud."""
    strength = music.strength(heard) if heard else None

    def look(found: Carried, number: int) -> Image.Image:
        dream = Image.fromarray(found.dreamed)
        return music.mixed(Image.fromarray(found.picture), dream, strength(number / fps)) if strength else dream

    return look


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
