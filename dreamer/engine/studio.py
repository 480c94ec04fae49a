"""A dream from file to file: what `manage.py dream` and the site's studio do around the dream itself."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from .bands import Bytes
from .dream import Interrupted, Progress, Snapshot, dream, noise_start
from .film import Add, film, fit
from .network import Network
from .pictures import PictureError, file_kind, read_mask, read_picture, write_picture
from .recipe import Recipe

FRAME_SIDES = {".gif": 640, ".mp4": 1280}  # longest side of an animation's pictures, in pixels


@dataclass(frozen=True)
class Job:
    """Files in and out. `films` are .gif or .mp4 files that show every step, at `fps`, `frame_side` pixels long."""

    dreamed: Path
    photo: Path | None = None
    mask: Path | None = None
    guide: Path | None = None
    films: tuple[Path, ...] = ()
    fps: float = 12.0
    frame_side: int | None = None

    def check(self, recipe: Recipe) -> None:
        """PictureError where the files cannot fit the recipe: everything that can be known before the work."""
        file_kind(self.dreamed)
        for path in self.films:
            if path.suffix.lower() not in FRAME_SIDES:
                raise PictureError(
                    f"{path}: received the ending {path.suffix or 'nothing'!r}, expected {' or '.join(FRAME_SIDES)}"
                )
        for path in (self.dreamed, *self.films):
            if not path.parent.is_dir():
                raise PictureError(f"{path}: there is no folder {path.parent}")
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
    photo = noise_start(recipe) if job.photo is None else read_picture(job.photo)
    mask = None if job.mask is None else read_mask(job.mask)
    guide = None if job.guide is None else read_picture(job.guide)
    sizes = {
        path: fit(photo.shape[0], photo.shape[1], job.frame_side or FRAME_SIDES[path.suffix.lower()])
        for path in job.films
    }
    finished = True
    with ExitStack() as stack:
        reels: list[tuple[Path, Add]] = [(p, stack.enter_context(film(p, fps=job.fps))) for p in job.films]

        def show(progress: Progress, snapshot: Snapshot) -> None:
            for path, add in reels:
                add(snapshot(sizes[path]))

        try:
            picture = dream(
                photo,
                network,
                recipe,
                mask=mask,
                guide=guide,
                progress=progress,
                cancelled=cancelled,
                preview=show if reels else None,
            )
        except Interrupted as stopped:
            picture, finished = stopped.picture, False
        _write(job, picture, recipe)
    return finished


def _write(job: Job, picture: Bytes, recipe: Recipe) -> None:
    write_picture(job.dreamed, picture, recipe.to_json())
