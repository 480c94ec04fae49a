"""Does a work: in the worker, one at a time, and never at the live canvas' cost."""

from __future__ import annotations

import io
import logging
import math
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from django.db import transaction
from django.utils.translation import gettext as _
from PIL import Image

from canvas import frames, thumbnails
from dreamer.engine import Network, Recipe, dream, ranking
from dreamer.engine import Progress as DreamProgress
from dreamer.engine.atlas import chief_layers
from dreamer.engine.classes import seen_in
from dreamer.engine.dream import Snapshot, noise_start
from dreamer.engine.film import Add, film, fit
from dreamer.engine.octaves import Size, octave_sizes, steps_of
from dreamer.engine.pictures import at_most, write_picture
from dreamer.library import LibraryError, labels
from dreamer.registered import preset, registry
from dreamsite.core.tasks.jobs import ClaimLost, JobFailed, finish, give_back, holding, let_go
from gallery.jobs import files
from gallery.studio import cost, failures, journeys, pieces, reading, video
from gallery.studio.models import Music, Original, Work, WorkQuerySet
from gallery.studio.sources import Pixels, network_of, pixels_of
from gallery.studio.watch import Watch
from gallery.uploads import check

log = logging.getLogger(__name__)

# px, the longer side of what is tried; a dream's was chosen (gallery.studio.sizes).
SKETCH, PREVIEW = 256, 512
PREVIEW_UNITS = 12.0
SEEN = 3  # classes that a lesson names
SHEET = 12  # styles tried at once
FILM_SIDES = {".gif": 480, ".mp4": 1080}
FPS = 10.0
STRIP_SIDE, STRIP_MOST = 144, 24  # px of each, and how many steps a strip shows
GIF_MOST = 60  # pictures in a GIF, so that it is small enough to post; of more steps it shows every second or third


def run(work: Work, submit: Callable[[Work], None]) -> bool:
    """Does a claimed work, and writes how it ended; `submit` queues what follows from it.

    True where it gave way to others before its end: it needs another turn. Raises what will pass, and the queue tries
    it again.
    """
    files.discard(work.key)  # of an attempt that this worker could not tidy up after
    try:
        return _run(work, submit)
    finally:
        files.discard(work.key)
        forget_passing(Work.objects.ended().filter(pk=work.pk))


def _run(work: Work, submit: Callable[[Work], None]) -> bool:
    began = time.monotonic()
    passing: Exception | None = None
    with holding(work):
        try:
            done = _done(work, submit)
            if done is None:
                Work.objects.filter(pk=work.pk).update(seconds=work.seconds + time.monotonic() - began)
                return give_back(work)
            with transaction.atomic():
                _finish(work, submit, done, work.seconds + time.monotonic() - began)
        except (ClaimLost, JobFailed):
            raise
        except Exception as error:
            if failures.passes(error) and let_go(work):
                log.warning("The studio's work %s waits for what will pass: %s", work.key, error)
                passing = error
            elif isinstance(error, LibraryError | ValueError | FileNotFoundError | check.CheckRefused):
                raise JobFailed(str(error)) from error
            else:
                log.exception("The studio's work %s failed.", work.key)
                raise JobFailed(_("This dream failed on our side. Try it once more, or another style.")) from error
    if passing:
        raise passing
    return False


def _done(work: Work, submit: Callable[[Work], None]) -> dict[str, Any] | Original | Music | None:
    """What came of it: the columns that say so, an original or music; None where it gave way to others."""
    if work.kind in BEGINNINGS:
        return BEGINNINGS[work.kind](work, submit)
    if work.kind in journeys.PARTS:
        return journeys.PARTS[work.kind](work, Watch(work))
    if work.kind == Work.Kind.VIDEO:
        return video.make(work, network_of(work.network), Watch(work))
    if work.kind == Work.Kind.READ:
        return reading.read(work, Watch(work))
    if work.kind == Work.Kind.MUSIC:
        return reading.read_music(work, Watch(work))
    return _picture(work)


def _finish(
    work: Work, submit: Callable[[Work], None], done: dict[str, Any] | Original | Music, seconds: float
) -> None:
    """In one transaction: the row says that it is done and names its files, and what follows from it is queued."""
    if isinstance(done, Original):
        done.save()
        files.keep([str(done.picture.name), str(done.video.name)])
        submit(sheet(done, work.network))
        done = {"original": done}
    if isinstance(done, Music):
        Music.objects.filter(journey=done.journey, original=done.original).delete()
        done.save()
        files.keep([str(done.file.name)])
        done = {}
    finish(work, seconds=seconds, growing=None, **done)
    files.keep(str(done[column]) for column in Work.FILES if column in done)
    if work.kind == Work.Kind.KEY_FRAME:
        journeys.follow(work, submit)


def forget_passing(ended: WorkQuerySet) -> None:
    """Deletes what is stored of works only until they end."""
    for work in ended.filter(passing=True):
        with transaction.atomic():
            files.delete_after_commit(work.passing_files)
            Work.objects.filter(pk=work.pk).update(upload="", pieces={}, passing=False)
        pieces.forget(work)


def source_of(work: Work, side: int | None = None) -> Pixels | None:
    """The picture a work begins with, uint8 [h, w, 3], its longer side at most `side`; None: noise."""
    pixels: Pixels
    if work.original is not None:
        work.original.refresh_from_db(fields=["picture", "large"])  # moved, perhaps, since it was taken up
        pixels = pixels_of(work.original, large=work.kind == Work.Kind.PRINT)
        if work.kind == Work.Kind.PRINT and pixels.shape[:2] != (work.height, work.width):
            raise ValueError(_("There is no larger version of this picture here any more. Upload it once more."))
    elif work.frame is not None:
        pixels = frames.load(work.frame.pk)
    else:
        return None
    return np.ascontiguousarray(at_most(pixels, side))


def mask_of(work: Work) -> Pixels | None:
    """The painted mask, uint8 [h, w]; None where there is none."""
    if work.mask is None:
        return None
    with Image.open(io.BytesIO(bytes(work.mask)), formats=["PNG"]) as image:
        return np.asarray(image.convert("L"))


# --- the sheet -------------------------------------------------------------------------------------------------------


def _sheet(work: Work, submit: Callable[[Work], None]) -> dict[str, Any]:
    """Orders the styles of the network's shelf by how well they suit the picture, and tries the first ones."""
    network, picture = network_of(work.network), source_of(work, ranking.SIDE)
    shelf = registry().get(work.network).shelf
    if picture is None or work.original is None:
        raise ValueError("There is no picture to try styles on any more.")
    styles = ranking.ranked(network, shelf, picture)
    # At once: a page that saw styles and no sketch would ask no more. Locked: another network's sheet may end, too.
    with transaction.atomic():
        original = Original.objects.select_for_update().get(pk=work.original.pk)
        original.styles = {**original.styles, work.network: styles}
        original.save(update_fields=["styles"])
        for style in styles[:SHEET]:
            submit(sketch(original, work.network, style))
    return {}


def _lesson(work: Work, submit: Callable[[Work], None]) -> dict[str, Any]:
    """Says what the network takes the picture for, and has three of its layers dream on it: early, middle and late."""
    network, picture = network_of(work.network), source_of(work, SKETCH)
    if picture is None:
        raise ValueError(_("There is no picture to explain it with any more."))
    layers = [layer for layer in chief_layers(network) if layer in network.layers and network.layers[layer].spatial]
    for layer in dict.fromkeys((layers[0], layers[len(layers) // 2], layers[-1])):
        recipe = recipe_for(work.network, {"layer": layer}, seed=work.pk)
        submit(
            Work(
                owner=work.owner,
                kind=Work.Kind.STEP,
                original=work.original,
                frame=work.frame,
                network=work.network,
                title=layer[:120],
                recipe=recipe.to_json(),
                units=cost.units(recipe, *picture.shape[:2]),
            )
        )
    return {"seen": _seen(network, picture)}


def _seen(network: Network, picture: Pixels) -> list[tuple[str, float]]:
    """The likeliest classes that may be said to everybody, children too."""
    found = [(labels.spoken(label), round(chance, 4)) for label, chance in seen_in(network, picture, 3 * SEEN)]
    return [(word, chance) for word, chance in found if word][:SEEN]


BEGINNINGS: dict[str, Callable[[Work, Callable[[Work], None]], dict[str, Any]]] = {
    Work.Kind.SHEET: _sheet,
    Work.Kind.LESSON: _lesson,
}


def sheet(original: Original, network: str) -> Work:
    """The styles of a network to be tried on a picture; not saved yet."""
    units = SHEET * cost.LEAST
    return Work(owner=original.owner, kind=Work.Kind.SHEET, original=original, network=network, units=units)


def sketch(original: Original, network: str, style: dict[str, Any]) -> Work:
    """A style to be tried on a picture, small; not saved yet."""
    start = "noise" if style.get("label") and original.is_static else "photo"
    recipe = recipe_for(network, style, seed=original.pk, start=start)
    height, width = fit(original.height, original.width, SKETCH)
    return Work(
        owner=original.owner,
        kind=Work.Kind.SKETCH,
        original=original,
        network=network,
        title=style["title"],
        recipe=recipe.to_json(),
        units=cost.units(recipe, height, width),
    )


def recipe_for(
    network: str,
    style: dict[str, Any],
    *,
    seed: int,
    start: str = "photo",
    guide: str | None = None,
    term: dict[str, Any] | None = None,
    **fields: Any,
) -> Recipe:
    """The recipe of one of the network's styles, or of a class.

    style   {"layer", "channel"}, or {"label"}: the name of a class
    start   the preset: photo or noise
    guide   match or mean: the layer dreams of what is in a guide picture, instead of a channel
    term    more of what is wanted of the layer: its `squared` and `position`

    Raises ValueError or TypeError for other fields, LibraryError where the network is not here.
    """
    wanted: dict[str, Any] = {"layer": style.get("layer")}
    if style.get("label"):
        files = registry().get(network)
        if files.info.logits is None:
            raise ValueError(_("This network has no classes. Choose a style instead."))
        index = labels.index_of(files.labels, style["label"], network)
        wanted = {"layer": files.info.logits, "channels": [[index, 1.0]]}
    elif guide:
        wanted["guide"] = guide
    elif style.get("channel") is not None:
        wanted["channels"] = [[style["channel"], 1.0]]
    wanted |= {name: value for name, value in (term or {}).items() if value is not None}
    target = {"terms": [wanted]}
    return Recipe.from_json({**preset(start, network), "model": network, "target": target, "seed": seed, **fields})


def preview_side(recipe: Recipe) -> int:
    """How large a preview is, px: smaller where a recipe takes many steps, so that it comes within seconds."""
    return PREVIEW if cost.units(recipe, PREVIEW, PREVIEW) <= PREVIEW_UNITS else PREVIEW // 2


# --- a picture -------------------------------------------------------------------------------------------------------


def _picture(work: Work) -> dict[str, Any]:
    recipe, network = Recipe.from_json(work.recipe), network_of(work.network)
    sides = {Work.Kind.SKETCH: SKETCH, Work.Kind.STEP: SKETCH, Work.Kind.PREVIEW: preview_side(recipe)}
    side = sides.get(Work.Kind(work.kind)) or max(work.width, work.height) or None
    start, mask, guide = source_of(work, side), mask_of(work), None
    if any(term.guide for term in recipe.target.terms):
        if work.guide is None:
            raise ValueError(_("The picture that was to guide this is no longer here. Choose another one."))
        guide = pixels_of(work.guide)
    if start is None:
        if recipe.noise is None:
            raise ValueError("The picture that this was to be dreamed on is no longer here. Upload it once more.")
        start = noise_start(recipe)
    suffixes = FILM_SIDES if work.kind == Work.Kind.DREAM else {}
    watch = Watch(work)
    with tempfile.TemporaryDirectory() as name:
        films = {suffix: Path(name) / f"steps{suffix}" for suffix in suffixes}
        with ExitStack() as stack:
            reels: list[tuple[Add, Size]] = [
                (stack.enter_context(film(path, fps=FPS)), fit(start.shape[0], start.shape[1], FILM_SIDES[suffix]))
                for suffix, path in films.items()
            ]

            left = total = _steps(recipe, *start.shape[:2])
            every = {".gif": max(1, math.ceil(left / GIF_MOST))}
            strip: list[Pixels] = []

            def show(progress: DreamProgress, snapshot: Snapshot) -> None:
                nonlocal left
                left -= 1
                for suffix, (add, size) in zip(films, reels, strict=True):
                    if left % every.get(suffix, 1) == 0:
                        add(snapshot(size))
                if films and left % max(1, math.ceil(total / STRIP_MOST)) == 0:
                    strip.append(snapshot(fit(start.shape[0], start.shape[1], STRIP_SIDE)))
                watch.grow(snapshot)

            for add, (height, width) in reels:
                add(np.asarray(Image.fromarray(start).resize((width, height), Image.Resampling.LANCZOS)))
            pixels = dream(
                start,
                network,
                recipe,
                mask=mask,
                guide=guide,
                progress=watch.progress,
                cancelled=watch.cancelled,
                preview=show,
            )
        done = _stored(work, pixels, recipe, Path(name), films)
        if strip:
            done["strip"] = files.store_bytes(_webp(np.concatenate(strip, axis=1)), f"studio/{work.key}.steps.webp")
        return {**done, "seen": _seen(network, pixels)} if work.kind == Work.Kind.STEP else done


def _webp(pixels: Pixels) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "WEBP", quality=80)
    return buffer.getvalue()


def _steps(recipe: Recipe, height: int, width: int) -> int:
    """How many there are, in all octaves."""
    sizes = octave_sizes(height, width, recipe.octaves, recipe.octave_scale, recipe.min_size, recipe.finest)
    return sum(steps_of(len(sizes), recipe.iterations, recipe.taper))


def _stored(work: Work, pixels: Pixels, recipe: Recipe, folder: Path, films: dict[str, Path]) -> dict[str, Any]:
    """The files, under names that nobody can guess, and the columns that name them."""
    ending = "png" if work.as_png else "jpg"
    picture = folder / f"dream.{ending}"
    write_picture(picture, pixels, recipe.to_json())  # the recipe travels in the file
    contents = {"picture": (ending, picture.read_bytes()), "thumbnail": ("small.webp", thumbnails.encode(pixels))}
    contents |= {suffix[1:]: (suffix[1:], path.read_bytes()) for suffix, path in films.items()}
    done: dict[str, Any] = {
        column: files.store_bytes(data, f"studio/{work.key}.{suffix}") for column, (suffix, data) in contents.items()
    }
    return {**done, "width": pixels.shape[1], "height": pixels.shape[0]}
