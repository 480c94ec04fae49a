"""The last step of a film: its segments are joined, its files stored, and in one transaction its row says so."""

from __future__ import annotations

import contextlib
import io
import logging
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from PIL import Image

from dreamer.film import audio, cards
from dreamsite.core.tasks import jobs
from gallery import licence
from gallery.films import captions, encode, previews, render, source
from gallery.films.chapters import Chapter, chapters
from gallery.films.crop import View
from gallery.films.models import Film, FilmFile
from gallery.films.plan import Plan, Still
from gallery.jobs import files

log = logging.getLogger(__name__)

POSTER = 1280  # px, the longer side
Pause = Callable[[], None]


def publish(
    film: Film,
    film_plan: Plan,
    work: encode.WorkDirectory,
    outputs: list[encode.Output],
    view: View,
    pause: Pause,
) -> None:
    """Stores everything that belongs to a film whose segments are all encoded. Raises jobs.ClaimLost."""
    name = f"films/{film.canvas.file_name}/{film.starts_at:%Y/%m}/{film.pk}"
    width, height = view.size
    found = [] if film.shape else chapters(film_plan)
    stored: list[str] = []
    rows: list[FilmFile] = []
    try:
        for output in outputs:
            joined = work.folder / f"{output.name}.mp4"
            codecs = _join(film, film_plan, work, output, joined, found, pause)
            file, length, sha = files.store(joined, f"{name}-{output.name}-{{sha}}.mp4", pause)
            stored.append(file)
            rows.append(FilmFile(film=film, codec=output.name, file=file, codecs=codecs, size=length, sha256=sha))
        sheet, tiles = previews.sheet(film_plan, width, height, partial(_small, view), pause)
        stored.append(sprite := files.store_bytes(sheet, f"{name}-previews-{{sha}}.jpg"))
        stored.append(poster := files.store_bytes(_poster(film_plan, view), f"{name}-poster-{{sha}}.jpg"))
        with transaction.atomic():
            jobs.finish(
                film,
                made_at=timezone.now(),
                frames=len(film_plan.stills),
                first_number=film_plan.stills[0].number,
                last_number=film_plan.stills[-1].number,
                width=width,
                height=height,
                fps=film_plan.fps,
                seconds=film_plan.seconds,
                licence=settings.LICENCE,
                credit=film.track.credit if film.track else "",
                credit_link=film.track.link if film.track else "",
                chapters=[vars(chapter) for chapter in found],
                poster=poster,
                sprite=sprite,
                tiles=tiles.to_json(),
            )
            FilmFile.objects.bulk_create(rows)
            if film.drawing or film.by_member:
                source.write_shots(film, film_plan, view)
            files.keep(stored)
    except BaseException:
        with transaction.atomic():
            # A commit whose answer was lost may have been made after all: then they are named, and stay.
            lost = [file for file in stored if not FilmFile.objects.filter(film=film, file=file).exists()]
            files.delete_after_commit(lost)
        raise
    log.info("%s: %d frames, %.0f s of film.", film, len(film_plan.stills), film_plan.seconds)


def _join(
    film: Film,
    film_plan: Plan,
    work: encode.WorkDirectory,
    output: encode.Output,
    path: Path,
    found: list[Chapter],
    pause: Pause,
) -> str:
    terms = licence.current()
    music = _("Music: %(credit)s") % {"credit": f"{film.track.credit} {film.track.link}".strip()} if film.track else ""
    # What people post says where the canvas is, not where their own page of it is; and no file has a canvas' key.
    page = film.get_absolute_url() if film.owner_id is None else film.canvas.get_absolute_url()
    metadata = {
        "title": captions.title(film),
        "artist": captions.site(film),
        "date": f"{film.starts_at:%Y-%m-%d}",
        "copyright": f"{terms.name} {terms.address}",
        "comment": " ".join(filter(None, [f"{settings.SITE_URL}{page if film.canvas.listed else ''}", music])),
    }
    with _local_track(film, work.folder) as track:
        sound = partial(audio.stream, track, film.track.seconds, film_plan.seconds) if film.track and track else None
        return encode.join(path, work, film_plan, output, chapters=found, metadata=metadata, sound=sound, pause=pause)


@contextlib.contextmanager
def _local_track(film: Film, folder: Path) -> Iterator[Path | None]:
    """The film's music as a file of this machine, which PyAV wants; the storage may be a bucket."""
    if not film.track:
        yield None
        return
    track = folder / f"track{Path(film.track.file.name or '').suffix}"
    try:
        with film.track.file.open("rb") as stored, track.open("wb") as target:
            while chunk := stored.read(files.CHUNK):
                target.write(chunk)
        yield track
    finally:
        track.unlink(missing_ok=True)


def _small(view: View, still: Still) -> Image.Image | None:
    """What the film shows of a frame's small picture."""
    small = source.thumbnail(still)
    return small if small is None or view.area is None else render.cut(small, view, (previews.WIDTH, previews.WIDTH))


def _poster(film_plan: Plan, view: View) -> bytes:
    """The last picture that can be read."""
    readable = filter(lambda pixels: pixels is not None, map(source.load, reversed(film_plan.stills)))
    pixels = next(readable, None)
    if pixels is None:
        image = Image.new("RGB", view.size, cards.NIGHT)
    else:
        image = Image.fromarray(pixels) if view.area is None else render.fitted(pixels, view)
    image.thumbnail((POSTER, POSTER), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=86, optimize=True, progressive=True)
    return buffer.getvalue()
