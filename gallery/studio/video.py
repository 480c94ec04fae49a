"""A dreamed video: what one costs, and how a work makes it, segment by segment, so that a killed worker loses seconds.

The pictures come from the clean file that the upload became (gallery.studio.reading). A segment ends where a shot does,
or after SEGMENT pictures; beside it lies its last dreamed picture, from which the next one goes on. Both are stored, so
that any worker does (gallery.studio.pieces).
"""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice, pairwise
from pathlib import Path
from typing import Any, Protocol

import av
import numpy as np
from django.core.files.storage import default_storage
from django.utils.translation import gettext as _
from PIL import Image

from canvas import thumbnails
from dreamer.engine import Network, Progress, Recipe
from dreamer.engine.dream import Snapshot
from dreamer.engine.film import fit
from dreamer.engine.octaves import shrink
from dreamer.engine.pictures import write_picture
from dreamer.film import audio, mux
from dreamer.video.carry import Carried, dreamed
from dreamer.video.clean import Made
from dreamer.video.films import RECIPE, pictures, sound_of
from dreamer.video.job import Shares, look_of
from dreamsite.core.files import whole_file
from gallery.films import encode
from gallery.films.plan import Plan, Segment
from gallery.jobs import files
from gallery.studio import cost, sound
from gallery.studio.models import Music, Original, Work
from gallery.studio.pieces import Pieces

SIDES = (320, 480, 640, 960)  # px of the longer side that a video may be dreamed at
SIDE = 480
SEGMENT = 48  # pictures; what a killed worker loses at most
CARRYING = 1.2  # units a million pixels: looking for motion, moving the dream, encoding
MUSIC = "music.m4a"
ENCODED = 0.98  # of all the work: the rest is joining and storing


class Watch(Protocol):
    """What a work reports to."""

    def progress(self, progress: Progress) -> None: ...
    def grow(self, snapshot: Snapshot) -> None: ...
    def cancelled(self) -> bool: ...


def size_of(original: Original, side: int) -> tuple[int, int]:
    """(height, width) at which an original's video is dreamed."""
    made = Made.from_json(original.film)
    return fit(made.height, made.width, side)


def units(original: Original, recipe: Recipe, side: int, *, musical: bool = False) -> float:
    """What dreaming on all of it costs, in millions of pixels times steps; `musical`: with a card at its end."""
    made, (height, width) = Made.from_json(original.film), size_of(original, side)
    drawn = CARRYING * made.frames + cost.PICTURE * sound.card_frames(made.fps) * musical
    return Shares(recipe, made, (height, width)).units + drawn * height * width / 1e6


def make(work: Work, network: Network, watch: Watch) -> dict[str, Any]:
    """The files of a work, and the columns that name them. Goes on after the last segment that is whole."""
    original = work.original
    if original is None or not original.video:
        raise ValueError(_("The video that this was to be dreamed on is no longer here. Upload it once more."))
    original.refresh_from_db(fields=["video"])  # it was moved, perhaps, since the work was taken up
    made, recipe = Made.from_json(original.film), Recipe.from_json(work.recipe)
    size, heard = (work.height, work.width), Music.of(original) if work.sound == Work.Sound.MUSIC else None
    if heard is None and work.sound == Work.Sound.MUSIC:
        raise ValueError(_("The music that this was to be heard with is no longer here. Add it once more."))
    guide = _guide(work) if any(term.guide for term in recipe.target.terms) else None
    with tempfile.TemporaryDirectory() as name:
        source = Path(name) / "clean.mp4"
        with default_storage.open(str(original.video.name)) as stored, source.open("wb") as copy:
            shutil.copyfileobj(stored, copy)
        if heard:
            sound.fetched(heard, source.with_name(MUSIC))
        film = _Film(work, made, recipe, size, source, heard)
        film.make(network, watch, guide)
        return film.store(Path(name))


class _Film:
    """One video, as far as it is dreamed."""

    def __init__(
        self, work: Work, made: Made, recipe: Recipe, size: tuple[int, int], source: Path, heard: Music | None
    ) -> None:
        self.work, self.made, self.recipe, self.size, self.source = work, made, recipe, size, source
        self.heard = heard
        self.look = look_of(made.fps, heard.sound if heard and work.follow else None)
        of_music = [work.follow, str(heard.file.name), heard.credit.words, heard.link] if heard else None
        parts = [av.__version__, recipe.to_json(), made.to_json(), size, str(work.original and work.key), of_music]
        self.pieces = Pieces(work, hashlib.sha256(json.dumps(parts).encode()).hexdigest())
        self.segments = self.pieces.local
        self.output = encode.outputs(av1=False, lossless=False, threads=1)[0]
        self.shots = _segments(made)
        number, length = len(self.shots), sound.card_frames(made.fps)
        self.card = Segment(number, number, number + 1, made.frames, length) if heard else None
        self.plan = Plan([], [*self.shots, self.card] if self.card else self.shots, made.fps)

    def make(self, network: Network, watch: Watch, guide: Any) -> None:
        """What is not there yet."""
        shares = Shares(self.recipe, self.made, self.size)
        for number, segment in enumerate(self.shots):
            if self.pieces.have(segment):
                continue
            before = self._before(self.shots[number - 1]) if number else None
            self._encode(segment, before, network, watch, guide, shares)
            self.pieces.share(segment)
        if self.heard and self.card and not self.pieces.have(self.card):
            last = self.look(self._before(self.shots[-1]), self.made.frames - 1)
            pictures_of_it = sound.card(self.heard, self.work, last, self.made.fps)
            encode.segment(self.segments, self.card, pictures_of_it, [self.output], self.made.fps)
            self.pieces.share(self.card)

    def _encode(
        self, segment: Segment, before: Carried | None, network: Network, watch: Watch, guide: Any, shares: Shares
    ) -> None:
        count = segment.start

        def report(progress: Progress) -> None:
            shared = shares.progress(count, progress)
            watch.progress(Progress(**{**vars(shared), "fraction": ENCODED * shared.fraction}))

        def shown() -> Iterator[Image.Image]:
            nonlocal count
            film = islice(pictures(self.source, self.size, segment.start), segment.length)
            for found in dreamed(
                film,
                network,
                self.recipe,
                cuts=self.made.cuts,
                start=segment.start,
                before=before,
                guide=guide,
                progress=report,
                cancelled=watch.cancelled,
            ):
                now, seen = found.dreamed, self.look(found, count)
                count += 1
                if count == segment.start + segment.length:
                    with whole_file(self._last(segment)) as draft:
                        Image.fromarray(now).save(draft, "PNG", compress_level=1)
                watch.grow(lambda size=None, now=now: shrink(now, size or now.shape[:2]))
                yield seen
            if count < segment.start + segment.length:
                raise ValueError(_("The video ends before it should. Upload it once more."))

        beside = [self._last(segment)]
        encode.segment(self.segments, segment, shown(), [self.output], self.made.fps, beside=beside)

    def _last(self, segment: Segment) -> Path:
        return self.segments.folder / f"{segment.index:05}-last.png"

    def _before(self, segment: Segment) -> Carried:
        """The last picture of a segment that is whole, and its dream."""
        with Image.open(self._last(segment)) as image:
            dream = np.asarray(image.convert("RGB"))
        return Carried(next(pictures(self.source, self.size, segment.start + segment.length - 1)), dream)

    def store(self, folder: Path) -> dict[str, Any]:
        """Joins the segments with the sound, and stores film, poster and thumbnail under names nobody can guess."""
        film, poster = folder / "dream.mp4", folder / "dream.jpg"
        words = {RECIPE: json.dumps(self.recipe.to_json())}
        encode.join(film, self.segments, self.plan, self.output, metadata=words, sound=self._sound())
        first = next(pictures(film, self.size))
        write_picture(poster, first, self.recipe.to_json())
        contents = {
            "picture": ("jpg", poster.read_bytes()),
            "thumbnail": ("small.webp", thumbnails.encode(first)),
            "mp4": ("mp4", film.read_bytes()),
        }
        stored = {
            column: files.store_bytes(data, f"studio/{self.work.key}.{suffix}")
            for column, (suffix, data) in contents.items()
        }
        return {**stored, **(sound.credited(self.heard) if self.heard else {})}

    def _sound(self) -> Callable[[Any], mux.Sound] | None:
        """What adds the sound to the film."""
        if self.heard:
            seconds = sum(segment.length for segment in self.plan.segments) / self.made.fps
            return partial(audio.stream, self.source.with_name(MUSIC), self.heard.seconds, seconds)
        return sound_of(self.source) if self.made.sound and self.work.sound == Work.Sound.OWN else None


def _segments(made: Made) -> list[Segment]:
    starts = {0, made.frames, *(cut for cut in made.cuts if 0 < cut < made.frames)}
    for first, last in pairwise(sorted(starts)):
        starts.update(range(first, last, SEGMENT))
    found = pairwise(sorted(starts))
    return [Segment(index, index, index + 1, first, last - first) for index, (first, last) in enumerate(found)]


def _guide(work: Work) -> Any:
    if work.guide is None:
        raise ValueError(_("The picture that was to guide this is no longer here. Choose another one."))
    with default_storage.open(str(work.guide.picture.name)) as file:
        data = file.read()
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image.convert("RGB"))
