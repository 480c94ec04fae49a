"""A dream from file to file: what `manage.py dream` and the site's studio do around the dream itself."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .dream import Interrupted, Progress, Snapshot, dream, noise_start
from .film import Add, film, fit
from .network import Network
from .octaves import shrink
from .pictures import PictureError, at_most, check_writable, file_kind, read_mask, read_picture, write_picture
from .recipe import Recipe
from .zoom import Journey, travel

FRAME_SIDES = {".gif": 640, ".mp4": 1280}  # longest side of an animation's pictures, in pixels
SMALLEST, LARGEST = 16, 8192  # what may be asked for in their place
FPS = 120


@dataclass(frozen=True)
class Job:
    """Files in and out. The photograph is dreamed on with its longer side at most `side` pixels.

    `films` are .gif or .mp4 files of every step, or of the journey's pictures where there is one, at `fps`,
    `frame_side` pixels long. The picture of a journey is its last."""

    dreamed: Path
    photo: Path | None = None
    mask: Path | None = None
    guide: Path | None = None
    side: int | None = None
    films: tuple[Path, ...] = ()
    fps: float = 12.0
    frame_side: int | None = None
    journey: Journey | None = None

    def check(self, recipe: Recipe) -> None:
        """ValueError where files or films cannot be as asked, or do not fit the recipe: everything that can be known
        before the work."""
        file_kind(self.dreamed)
        for path in self.films:
            if path.suffix.lower() not in FRAME_SIDES:
                raise PictureError(
                    f"{path}: received the ending {path.suffix or 'nothing'!r}, expected {' or '.join(FRAME_SIDES)}"
                )
        taken = {path.resolve() for path in (self.photo, self.mask, self.guide) if path}
        for path in (self.dreamed, *self.films):
            if path.resolve() in taken:
                raise PictureError(f"{path}: received a file that is in use here already, expected a name of its own")
            taken.add(path.resolve())
            check_writable(path)
        if not 0 < self.fps <= FPS:
            raise ValueError(f"fps: received {self.fps}, expected more than 0 and at most {FPS}")
        if self.frame_side is not None and not SMALLEST <= self.frame_side <= LARGEST:
            raise ValueError(f"frame_side: received {self.frame_side}, expected {SMALLEST} to {LARGEST}")
        if self.side is not None and not SMALLEST <= self.side <= LARGEST:
            raise ValueError(f"side: received {self.side}, expected {SMALLEST} to {LARGEST}")
        if self.side is not None and self.photo is None:
            raise ValueError("side: received one without a photograph, expected --noise WIDTHxHEIGHT to say the size")
        if self.photo is None and recipe.noise is None:
            raise PictureError("received no photograph, expected one, or noise of some size to start from")
        if self.guide is None and any(term.guide for term in recipe.target.terms):
            raise PictureError("this recipe is guided by a picture, and none was given")


def run(
    job: Job,
    network: Network,
    recipe: Recipe,
    *,
    progress: Callable[[Progress], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> bool:
    """Read, dream, write. Answers whether the dream was finished.

    Cancelled, it writes the picture as far as it came, and the films of it, and answers False. All files appear
    whole or not at all. PictureError and ValueError say what is wrong with the files or the target.
    """
    job.check(recipe)
    photo = noise_start(recipe) if job.photo is None else at_most(read_picture(job.photo), job.side)
    mask = None if job.mask is None else read_mask(job.mask)
    guide = None if job.guide is None else read_picture(job.guide)
    sides = {path: job.frame_side or FRAME_SIDES[path.suffix.lower()] for path in job.films}
    sizes = {path: fit(photo.shape[0], photo.shape[1], side) for path, side in sides.items()}
    finished = True
    with ExitStack() as stack:
        reels: list[tuple[Path, Add]] = [(p, stack.enter_context(film(p, fps=job.fps))) for p in job.films]

        def show(picture: Snapshot) -> None:
            for path, add in reels:
                add(picture(sizes[path]))

        options: dict[str, Any] = {"mask": mask, "guide": guide, "progress": progress, "cancelled": cancelled}
        picture = photo
        show(lambda size=None: shrink(photo, size or photo.shape[:2]))
        try:
            if job.journey is None:
                step = (lambda _, snapshot: show(snapshot)) if reels else None
                picture = dream(photo, network, recipe, preview=step, **options)
            else:
                for picture in travel(photo, network, recipe, job.journey, **options):
                    show(lambda size=None, now=picture: shrink(now, size or now.shape[:2]))
        except Interrupted as stopped:
            picture, finished = stopped.picture, False
        write_picture(job.dreamed, picture, recipe.to_json())
    return finished
