"""What workers dream to show networks to their owner: the styles' pictures, a preview, and the time a dream takes.

MODELS_DIR/.pictures/NAME/SHA256/      one small picture for each style, in the folder of the network's very file
MODELS_DIR/.pictures/NAME/preview.webp the newest preview
"""

from __future__ import annotations

import hashlib
import re
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.conf import settings
from PIL import Image

from canvas import frames
from canvas.models import Canvas
from dreamer import registered
from dreamer.engine import Cancelled, Network, Recipe, Target, dream
from dreamer.engine import Progress as DreamProgress
from dreamer.engine.atlas import recipe_for
from dreamer.engine.pictures import write_picture
from dreamer.library import LibraryError, ModelFiles
from dreamer.library.files import ShelfStyle
from dreamer.models import Job
from dreamer.models import Network as Measured
from dreamer.networks import jobs, shelves
from dreamer.styles import key
from dreamsite.core.tasks import Interrupted
from dreamsite.core.tasks.jobs import ClaimLost, JobFailed, Progress, State

PREVIEW_SIDE = 1024  # px, the longer side of a preview as it is shown


# --- where the pictures lie ------------------------------------------------------------------------------------------


def folder(files: ModelFiles) -> Path:
    """The pictures of this very file: a network that is replaced begins anew."""
    return Path(settings.MODELS_DIR) / ".pictures" / files.name / (files.info.sha256 or "unknown")[:16]


def picture(files: ModelFiles, style: str) -> Path:
    """The picture of the style with this key."""
    words = re.sub(r"[^A-Za-z0-9.]+", "-", style).strip("-")[:60]
    return folder(files) / f"{words}-{hashlib.sha256(style.encode()).hexdigest()[:8]}.webp"


def preview(name: str) -> Path:
    """The newest preview of a network."""
    return Path(settings.MODELS_DIR) / ".pictures" / name / "preview.webp"


def missing(files: ModelFiles) -> list[ShelfStyle]:
    """The styles that have no picture yet, in the order of the shelf."""
    return [s for s in shelves.of_network(files) if not picture(files, key(s.layer, s.channel)).is_file()]


def order_missing(files: ModelFiles) -> None:
    """Orders the pictures that are missing, except those that were tried and do not fit the network."""
    lacking = len(missing(files))
    job = Job.objects.filter(kind=Job.Kind.PICTURES, network=files.name).first()
    tried = job and job.state == State.DONE and job.options.get("sha256") == files.info.sha256
    if lacking and not (job and tried and job.total - job.done == lacking):
        jobs.request(Job.Kind.PICTURES, files.name, sha256=files.info.sha256)


def forget(name: str) -> None:
    """Removes all pictures of a network."""
    shutil.rmtree(Path(settings.MODELS_DIR) / ".pictures" / name, ignore_errors=True)


# --- the work --------------------------------------------------------------------------------------------------------


def order_all(name: str, by: Any = None) -> None:
    """What there is to find out about a network that has just come."""
    jobs.request(Job.Kind.MEASURE, name, by=by)
    order_missing(registered.registry().get(name))


@jobs.handler(Job.Kind.PICTURES)
def _pictures(job: Job, progress: Progress) -> str:
    files, network = _open(job.network)
    total, made, failed = len(shelves.of_network(files)), 0, 0
    for old in folder(files).parent.glob("*/"):
        if old != folder(files):
            shutil.rmtree(old, ignore_errors=True)
    folder(files).mkdir(parents=True, exist_ok=True)
    left = missing(files)

    def report(done: int) -> None:
        progress.update(fraction=done / total, done=done, total=total)

    report(total - len(left))
    for style in left:
        jobs.give_way(job)
        try:
            picture_of = _dream(None, network, recipe_for(network, style.layer, style.channel), progress.pause)
        except (ValueError, JobFailed):  # it does not fit the network
            failed += 1
            continue
        write_picture(picture(files, key(style.layer, style.channel)), picture_of)
        made += 1
        report(total - len(left) + made)
    return f"{failed} of {total} styles do not fit the network." if failed else ""


@jobs.handler(Job.Kind.MEASURE)
def _measure(job: Job, progress: Progress) -> str:
    jobs.give_way(job)
    files, network = _open(job.network)
    canvas = Canvas.objects.default()
    pixels = frames.compose(canvas).pixels
    recipe = _live(files, network, None)
    seconds = 0.0
    for turn in (0, 1):  # the first one opens sessions, which a live dream finds open

        def report(dreamed: DreamProgress, turn: int = turn) -> None:
            progress((turn + dreamed.fraction) / 2)

        began = time.perf_counter()
        _dream(pixels, network, recipe, progress.pause, report)
        seconds = time.perf_counter() - began
    side = max(canvas.width, canvas.height)
    Measured.objects.update_or_create(
        name=files.name,
        defaults={"sha256": files.info.sha256, "seconds": round(seconds, 2), "side": side, "device": network.device},
    )
    return ""


@jobs.handler(Job.Kind.PREVIEW)
def _preview(job: Job, progress: Progress) -> str:
    files, network = _open(job.network)
    canvas = Canvas.objects.existing().filter(slug=job.options.get("canvas")).first()
    if canvas is None:
        raise JobFailed("The canvas is gone.")
    layer, channel = job.options["layer"], job.options["channel"]
    recipe = _live(files, network, Target.layer(layer, channel))

    def report(dreamed: DreamProgress) -> None:
        progress(dreamed.fraction)

    made = _dream(
        frames.compose(canvas).pixels,
        network,
        recipe,
        progress.pause,
        report,
    )
    image = Image.fromarray(made)
    image.thumbnail((PREVIEW_SIDE, PREVIEW_SIDE), Image.Resampling.LANCZOS)
    path = preview(files.name)
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{job.pk}-{job.edition}.webp")
    image.save(fresh, "WEBP", quality=90)
    fresh.replace(path)
    return ""


def _open(name: str) -> tuple[ModelFiles, Network]:
    try:
        files = registered.registry().verify(name)
        network = Network.open(
            files.path,
            device=settings.DREAM_DEVICE,
            threads=settings.DREAM_THREADS,
            gpu_memory=settings.DREAM_GPU_MEMORY,
            tf32=settings.DREAM_TF32,
        )
    except (LibraryError, ValueError, RuntimeError, OSError) as error:
        raise JobFailed(str(error)) from error
    return files, network


def _live(files: ModelFiles, network: Network, target: Target | None) -> Recipe:
    """The live dream's recipe; of the first style of the shelf, or of the deepest layer, where none is given."""
    if target is None:
        shelf = [s for s in files.shelf if s.layer in network.layers]
        deep = [layer.name for layer in network.layers.values() if layer.spatial]
        if not shelf and not deep:
            raise JobFailed(f"{files.name} has no layer with height and width to dream of.")
        target = Target.layer(shelf[0].layer, shelf[0].channel) if shelf else Target.layer(deep[-1])
    return Recipe(target=target, model=files.name, seed=1, **registered.preset("live", files.name))


def _dream(
    pixels: Any,
    network: Network,
    recipe: Recipe,
    pause: Callable[[], None],
    report: Callable[[DreamProgress], None] = lambda _: None,
) -> Any:
    """A dream that ends when the job does."""
    ended: list[BaseException] = []

    def cancelled() -> bool:
        try:
            pause()
        except (ClaimLost, Interrupted) as error:
            ended.append(error)
            return True
        return False

    try:
        return dream(pixels, network, recipe, progress=report, cancelled=cancelled)
    except Cancelled:
        raise ended[0] from None
    except ValueError as error:
        raise JobFailed(str(error)) from error
