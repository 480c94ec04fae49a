"""Does a work: in the worker, one at a time, and never at the live canvas' cost."""

from __future__ import annotations

import io
import logging
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone
from numpy.typing import NDArray
from PIL import Image

from canvas import frames
from canvas.models import Dream
from dreamer.engine import Cancelled, Network, Progress, Recipe, dream
from dreamer.engine.dream import Snapshot, noise_start
from dreamer.engine.film import Add, film, fit
from dreamer.engine.octaves import Size
from dreamer.engine.pictures import write_picture
from dreamer.library import LibraryError
from dreamer.registered import preset, registry
from dreamsite.core.tasks import WORKER, Interrupted, pause_point
from gallery.studio import cost
from gallery.studio import fit as fitting
from gallery.studio.models import Original, Work

log = logging.getLogger(__name__)

Pixels = NDArray[np.uint8]

SIDES = {Work.Kind.SKETCH: 256, Work.Kind.PREVIEW: 512}  # px, the longer side; a dream has the picture's own size
SHEET = 12  # styles tried at once
TELL_SECONDS = 0.5
GROWING_SIDE = 640  # px of what is shown while it is dreamed
FILM_SIDES = {".gif": 480, ".mp4": 1080}
FPS = 10.0
LIVE_WAIT_SECONDS = 20.0  # how long a live dream may hold a work at one place


class Dropped(Cancelled):
    """It was cancelled: nobody waits for this any more."""


def make(work: Work, order: Callable[[Work], None]) -> None:
    """Does a claimed work, and says how it ended; `order` queues what follows from it."""
    began = time.monotonic()
    try:
        done = _sheet(work, order) if work.kind == Work.Kind.SHEET else _picture(work)
    except Interrupted:
        _mine(work).update(state=Work.State.WAITING, holder="", attempts=work.attempts - 1)
        raise
    except Cancelled:
        log.info("The studio dropped %s.", work.key)
    except (LibraryError, ValueError, OSError) as error:
        _end(work, Work.State.FAILED, message=str(error)[:300])
    except Exception:
        log.exception("The studio's work %s failed.", work.key)
        _end(work, Work.State.FAILED, message="This dream failed on our side. Try it once more, or another style.")
    else:
        if not _end(work, Work.State.DONE, seconds=time.monotonic() - began, fraction=1.0, growing=None, **done):
            for name in done.values():  # it was cancelled at the last moment
                if isinstance(name, str):
                    default_storage.delete(name)


def _mine(work: Work) -> Any:
    return Work.objects.filter(pk=work.pk, holder=WORKER, state=Work.State.RUNNING)


def _end(work: Work, state: Work.State, **what: Any) -> bool:
    return bool(_mine(work).update(state=state, holder="", finished_at=timezone.now(), **what))


@lru_cache(maxsize=2)
def _opened(path: Path, changed: float) -> Network:
    threads = settings.DREAM_THREADS or 0
    return Network.open(path, device=settings.DREAM_DEVICE, threads=threads, gpu_memory=settings.DREAM_GPU_MEMORY)


def network_of(name: str) -> Network:
    """Opened once a process, and again when its file has changed. Raises LibraryError."""
    files = registry().get(name)
    return _opened(files.path, files.model.stat().st_mtime)


def source_of(work: Work, side: int | None = None) -> Pixels | None:
    """The picture a work begins with, uint8 [h, w, 3], its longer side at most `side`; None: noise."""
    if work.original is not None:
        with work.original.picture.open("rb") as file, Image.open(file) as image:
            pixels = np.asarray(_on_white(image))
    elif work.frame is not None:
        pixels = frames.load(work.frame.pk)
    else:
        return None
    if side is not None and max(pixels.shape[:2]) > side:
        small = Image.fromarray(pixels)
        small.thumbnail((side, side), Image.Resampling.LANCZOS)
        pixels = np.asarray(small)
    return np.ascontiguousarray(pixels)


def _on_white(image: Image.Image) -> Image.Image:
    if image.mode != "RGBA":
        return image.convert("RGB")
    paper = Image.new("RGB", image.size, "white")
    paper.paste(image, mask=image.getchannel("A"))
    return paper


# --- the sheet -------------------------------------------------------------------------------------------------------


def _sheet(work: Work, order: Callable[[Work], None]) -> dict[str, Any]:
    """Orders the styles of the network's shelf by how well they suit the picture, and tries the first ones."""
    network, picture = network_of(work.network), source_of(work, fitting.SIDE)
    shelf = registry().get(work.network).shelf
    if picture is None or work.original is None:
        raise ValueError("There is no picture to try styles on any more.")
    styles = fitting.ranked(network, shelf, picture)
    original = Original.objects.get(pk=work.original.pk)
    original.styles = {**original.styles, work.network: styles}
    original.save(update_fields=["styles"])
    for style in styles[:SHEET]:
        order(sketch(original, work.network, style))
    return {}


def sketch(original: Original, network: str, style: dict[str, Any]) -> Work:
    """A style to be tried on a picture, small; not saved yet."""
    recipe = recipe_for(network, style, seed=original.pk)
    height, width = fit(original.height, original.width, SIDES[Work.Kind.SKETCH])
    return Work(
        owner=original.owner,
        kind=Work.Kind.SKETCH,
        original=original,
        network=network,
        title=style["title"],
        recipe=recipe.to_json(),
        units=cost.units(recipe, height, width),
    )


def recipe_for(network: str, style: dict[str, Any], *, seed: int, **fields: Any) -> Recipe:
    """The recipe of a photograph for one of the network's styles. Raises ValueError or TypeError for other fields."""
    target = {"terms": [{"layer": style["layer"]}]}
    if style.get("channel") is not None:
        target["terms"][0]["channels"] = [[style["channel"], 1.0]]
    return Recipe.from_json({**preset("photo", network), "model": network, "target": target, "seed": seed, **fields})


# --- a picture -------------------------------------------------------------------------------------------------------


def _picture(work: Work) -> dict[str, Any]:
    recipe, network = Recipe.from_json(work.recipe), network_of(work.network)
    start = source_of(work, SIDES.get(Work.Kind(work.kind)))
    if start is None:
        if recipe.noise is None:
            raise ValueError("The picture that this was to be dreamed on is no longer here. Bring it once more.")
        start = noise_start(recipe)
    suffixes = FILM_SIDES if work.kind == Work.Kind.DREAM else {}
    told = _Teller(work)
    with tempfile.TemporaryDirectory() as name:
        films = {suffix: Path(name) / f"steps{suffix}" for suffix in suffixes}
        with ExitStack() as stack:
            reels: list[tuple[Add, Size]] = [
                (stack.enter_context(film(path, fps=FPS)), fit(start.shape[0], start.shape[1], FILM_SIDES[suffix]))
                for suffix, path in films.items()
            ]

            def show(progress: Progress, snapshot: Snapshot) -> None:
                for add, size in reels:
                    add(snapshot(size))
                told.grow(snapshot)

            for add, (height, width) in reels:
                add(np.asarray(Image.fromarray(start).resize((width, height), Image.Resampling.LANCZOS)))
            pixels = dream(start, network, recipe, progress=told.progress, cancelled=told.cancelled, preview=show)
        return _stored(work, pixels, recipe, Path(name), films)


def _stored(work: Work, pixels: Pixels, recipe: Recipe, folder: Path, films: dict[str, Path]) -> dict[str, Any]:
    """The files, under names that nobody can guess, and the columns that name them."""
    picture = folder / "dream.jpg"
    write_picture(picture, pixels, recipe.to_json())  # the recipe travels in the file
    contents = {"picture": ("jpg", picture.read_bytes()), "thumbnail": ("small.jpg", frames.thumbnail_of(pixels))}
    contents |= {suffix[1:]: (suffix[1:], path.read_bytes()) for suffix, path in films.items()}
    done: dict[str, Any] = {
        column: default_storage.save(f"studio/{work.key}.{suffix}", ContentFile(data))
        for column, (suffix, data) in contents.items()
    }
    return {**done, "width": pixels.shape[1], "height": pixels.shape[0]}


class _Teller:
    """Writes how far a work is, twice a second, and notices that it is not wanted any more."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._told = self._grown = self._asked = 0.0
        self._is_live = False

    def progress(self, progress: Progress) -> None:
        if time.monotonic() - self._told >= TELL_SECONDS:
            self._tell(fraction=progress.fraction)

    def grow(self, snapshot: Snapshot) -> None:
        """The picture as it is, for whoever watches."""
        if self._work.kind != Work.Kind.DREAM or time.monotonic() - self._grown < 2 * TELL_SECONDS:
            return
        self._grown = time.monotonic()
        pixels = snapshot()
        image = Image.fromarray(pixels)
        image.thumbnail((GROWING_SIDE, GROWING_SIDE))
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=80)
        self._tell(growing=buffer.getvalue())

    def cancelled(self) -> bool:
        """Asked between tiles. The live canvas goes first: while it dreams on this site, the studio waits a while."""
        pause_point()
        until = time.monotonic() + LIVE_WAIT_SECONDS
        while time.monotonic() < until and self._live():
            time.sleep(0.25)
            pause_point()
        if time.monotonic() - self._told >= 2 * TELL_SECONDS:
            self._tell()
        return False

    def _live(self) -> bool:
        """Whether a dreamer is at a canvas now; asked once a second."""
        now = time.monotonic()
        if now - self._asked >= 1.0:
            self._asked = now
            alive = Dream.objects.filter(state=Dream.State.DREAMING, expires_at__gt=timezone.now())
            self._is_live = alive.exists()
        return self._is_live

    def _tell(self, **what: Any) -> None:
        self._told = time.monotonic()
        if what and not _mine(self._work).update(**what):
            raise Dropped("cancelled")
        if not what and not _mine(self._work).exists():
            raise Dropped("cancelled")
