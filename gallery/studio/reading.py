"""A file that somebody uploaded is read: by the worker, in a process that may do nothing else (dreamer.film.sandbox).

The request that brought it only stored its bytes, where no address leads to them. What comes out of a video is an
original, whose first picture styles are tried on, and of music what is heard under a journey's film or under dreams
of a video; or the reason why not, in words. The bytes go in either case.
"""

from __future__ import annotations

import io
import secrets
import shutil
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _
from PIL import Image

from dreamer.film import music
from dreamer.film.music import Credit
from dreamer.video.clean import Limits, Made, clean
from dreamer.video.films import pictures
from gallery.jobs import files
from gallery.studio import cost
from gallery.studio.models import Journey, Music, Original, Work
from gallery.studio.watch import Watch
from gallery.uploads import check

LIMITS = Limits()
MAX_BYTES = 128 * 1024**2
UNREAD = ".unread"  # no address leads into a folder that begins with a dot
UNITS_PER_MEGABYTE = 0.05
CHECKED_EVERY = 5.0  # seconds of film between two pictures that the site's check sees
CLEANED = 0.9  # of the work: the rest is looking at what came out, and storing it


def new(owner: Any, network: str, size: int) -> Work:
    """A video of so many bytes that is to be read, not saved yet. Its styles will be this network's.

    Nobody reads it before `upload` names what is stored of it.
    """
    units = cost.LEAST + UNITS_PER_MEGABYTE * size / 1024**2
    return Work(owner=owner, kind=Work.Kind.READ, network=network, units=units, passing=True)


def new_music(under: Journey | Original, credit: Credit, size: int) -> Work:
    """The same of music for a journey or for dreams of a video, with what is owed to whoever made it."""
    work = new(under.owner, "", size)
    work.kind, work.recipe = Work.Kind.MUSIC, asdict(credit)
    if isinstance(under, Journey):
        work.journey, work.network = under, under.network
    else:
        work.original = under
    return work


def new_name() -> str:
    """For the bytes of an upload in the storage."""
    return f"{UNREAD}/{secrets.token_urlsafe(12)}"


def read(work: Work, watch: Watch) -> Original:
    """What it became, not saved yet; its files are stored. Raises VideoRefused, CheckRefused or ClaimLost."""

    def progress(part: float) -> None:
        watch.show(CLEANED * part)
        watch.pause()

    with tempfile.TemporaryDirectory() as name:
        source, target = Path(name) / "upload", Path(name) / "clean.mp4"
        _fetch(work, source)
        made = clean(source, target, LIMITS, progress)
        return _original(work, target, made)


def read_music(work: Work, watch: Watch) -> Music:
    """What it became, not saved yet; its file is stored. Raises MusicRefused or ClaimLost."""
    with tempfile.TemporaryDirectory() as name:
        source, target = Path(name) / "upload", Path(name) / "clean.m4a"
        _fetch(work, source)
        made = music.clean(source, target, progress=lambda _part: watch.pause())
        stored, *_rest = files.store(target, f"studio/{work.key}.m4a")
    return Music(
        owner=work.owner,
        journey=work.journey,
        original=work.original,
        file=stored,
        seconds=made.seconds,
        loudness=list(made.loudness),
        **work.recipe,
    )


def _fetch(work: Work, source: Path) -> None:
    try:
        with work.upload.open("rb") as stored, source.open("wb") as copy:
            shutil.copyfileobj(stored, copy, files.CHUNK)
    except FileNotFoundError as error:
        raise ValueError(_("The file is no longer here. Upload it once more.")) from error


def _original(work: Work, path: Path, made: Made) -> Original:
    size, every = (made.height, made.width), max(1, round(CHECKED_EVERY * made.fps))
    first = b""
    for number, picture in enumerate(pictures(path, size)):
        if number % every == 0:
            buffer = io.BytesIO()
            Image.fromarray(picture).save(buffer, "JPEG", quality=92, subsampling=0)
            check.check(buffer.getvalue(), "image/jpeg")
            first = first or buffer.getvalue()
    stored, *_rest = files.store(path, f"uploads/{work.key}.mp4")
    return Original(
        owner=work.owner,
        picture=files.store_bytes(first, f"uploads/{work.key}.jpg"),
        video=stored,
        film=made.to_json(),
        width=made.width,
        height=made.height,
    )
