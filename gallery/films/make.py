"""Making a film, from its row to its files. Runs in a worker; takes up what another worker left."""

from __future__ import annotations

import hashlib
import io
import json
import logging
import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import av
from django.conf import settings
from django.core.files.storage import default_storage
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from PIL import Image

from canvas import frames, journal, strokes
from canvas.brush import Pixels
from canvas.models import Frame, Stroke
from gallery import licence
from gallery.films import audio, captions, cards, claim, drawing, encode, files, plan, render, sprites
from gallery.films.models import Film, FilmFile, State
from gallery.films.plan import Plan, Still

log = logging.getLogger(__name__)

ENCODED = 0.97  # of all the work: the rest is joining and storing
POSTER = 1280  # px, the longer side


def make(pk: int) -> None:
    """Makes the film with this id, if it is still to be made and nobody else is at it."""
    with claim.in_hand(Film, pk) as film:
        if film is not None:
            _make(film)


def _make(film: Film) -> None:
    stills = stills_of(film)
    if not stills:
        claim.tell(film, state=State.EMPTY, holder="", fraction=0.0)
        return
    doing = claim.Progress(film)
    paces = plan.PACES[film.kind]
    todo = plan.plan(stills, paces, drawing=film.drawing)
    width, height = _size(film)
    said = captions.card_words(film, todo)
    making = encode.outputs(av1=settings.FILM_AV1, lossless=film.lossless, threads=settings.FILM_THREADS)
    fingerprint = _fingerprint(todo, width, height, said, making, _hidden(film, todo))
    canvas = encode.Workshop(files.workshop(f"films/{film.pk}/{film.edition}"), fingerprint)
    renderer = render.Renderer(todo, _sources(film, said, width, height), width, height)
    for part in todo.segments:
        if not canvas.has(part):
            pictures = renderer.frames(part)
            encode.segment(canvas, part, pictures, making, todo.fps, partial(_tell, doing, todo, part.start))
        doing(ENCODED * (part.start + part.length) / todo.length)
    _publish(film, todo, canvas, making, width, height, doing)
    # With what was begun of earlier editions.
    shutil.rmtree(canvas.folder.parent, ignore_errors=True)


def stills_of(film: Film) -> list[Still]:
    """The film's frames, in their order. Hidden ones are left out."""
    columns = _frames(film).values_list("pk", "number", "seq", "made_at", "title")
    return [Still(*row) for row in columns.iterator(chunk_size=2000)]


def _frames(film: Film) -> Any:
    rows = Frame.objects.visible().filter(canvas=film.canvas, made_at__gte=film.starts_at, made_at__lt=film.ends_at)
    return rows.order_by("number")


def frame_at(film: Film, seconds: float) -> int | None:
    """The id of the frame that a finished film shows at this second.

    Found by arithmetic where shots are all alike: the film of everything has hundreds of thousands of them.
    """
    if film.drawing:
        return plan_of(film).at(seconds).id
    index = plan.shot_at(film.frames, plan.PACES[film.kind], seconds)
    found: int | None = _frames(film).values_list("pk", flat=True)[index : index + 1].first()
    return found


def plan_of(film: Film) -> Plan:
    """The plan of a finished film, made anew from its frames."""
    return plan.plan(stills_of(film), plan.PACES[film.kind], drawing=film.drawing)


def _tell(doing: claim.Progress, todo: Plan, start: int, done: int) -> None:
    doing(ENCODED * (start + done) / todo.length)


def _size(film: Film) -> tuple[int, int]:
    """Both even, as 4:2:0 asks; no larger than FILM_SIDE unless the film is to be lossless."""
    width, height = film.canvas.width, film.canvas.height
    if not film.lossless and max(width, height) > settings.FILM_SIDE:
        shrink = settings.FILM_SIDE / max(width, height)
        width, height = round(width * shrink), round(height * shrink)
    return max(16, width // 2 * 2), max(16, height // 2 * 2)


def _fingerprint(*parts: Any) -> str:
    """Of all that a segment's pictures and packets depend on."""
    return hashlib.sha256(json.dumps([av.__version__, *parts], default=repr).encode()).hexdigest()


def _hidden(film: Film, todo: Plan) -> list[int]:
    """The numbers of hidden ink among what the film would show being drawn."""
    if not film.drawing:
        return []
    strokes.index(film.canvas)
    first, last = todo.stills[0].seq, todo.stills[-1].seq
    rows = Stroke.objects.filter(canvas=film.canvas, last_seq__gt=first, first_seq__lte=last, hidden__gt=0)
    return sorted(number for numbers in rows.values_list("hidden_numbers", flat=True) for number in numbers)


def _sources(film: Film, said: cards.Words, width: int, height: int) -> render.Sources:
    def load(still: Still) -> Pixels | None:
        try:
            return frames.load(still.id)
        except frames.FrameGone as error:
            log.warning("%s", error)
            return None

    def load_frame(frame_id: int) -> Pixels:
        return frames.load(frame_id)

    def drawn(before: Still, after: Still, base: Pixels, count: int) -> Iterator[Pixels]:
        seen = strokes.shown(film.canvas, journal.operations(film.canvas, before.seq, after.seq))
        return drawing.steps(base, seen, count, load_frame)

    return render.Sources(
        cards.title(width, height, said, settings.FILM_FONT),
        cards.credits(width, height, said, settings.FILM_FONT),
        load,
        drawn,
    )


def _publish(
    film: Film,
    todo: Plan,
    canvas: encode.Workshop,
    making: list[encode.Output],
    width: int,
    height: int,
    doing: claim.Progress,
) -> None:
    """Joins the segments, stores the files, and in one transaction the row says so."""
    name = f"films/{film.canvas.slug}/{film.starts_at:%Y/%m}/{film.pk}"
    chapters = plan.chapters(todo, plan.Chapters(_("The drawing")))
    stored: list[str] = []
    done: list[FilmFile] = []
    try:
        for output in making:
            joined = canvas.folder / f"{output.name}.mp4"
            codecs = _join(film, todo, canvas, output, joined, chapters, doing)
            file, size, sha = files.store(joined, f"{name}-{output.name}-{{sha}}.mp4", doing.pause)
            stored.append(file)
            done.append(FilmFile(film=film, codec=output.name, file=file, codecs=codecs, size=size, sha256=sha))
        sheet, tiles = sprites.sheet(todo, width, height, _thumbnail, doing.pause)
        stored.append(sprite := files.store_bytes(sheet, f"{name}-previews-{{sha}}.jpg"))
        stored.append(poster := files.store_bytes(_poster(todo, width, height), f"{name}-poster-{{sha}}.jpg"))
        with transaction.atomic():
            claim.tell(
                film,
                state=State.READY,
                holder="",
                fraction=1.0,
                expected_at=None,
                made_at=timezone.now(),
                frames=len(todo.stills),
                first_number=todo.stills[0].number,
                last_number=todo.stills[-1].number,
                width=width,
                height=height,
                fps=todo.fps,
                seconds=todo.seconds,
                licence=settings.LICENCE,
                credit=film.track.credit if film.track else "",
                credit_link=film.track.link if film.track else "",
                chapters=[vars(chapter) for chapter in chapters],
                poster=poster,
                sprite=sprite,
                tiles=tiles.to_json(),
            )
            FilmFile.objects.bulk_create(done)
    except BaseException:
        with transaction.atomic():
            # A commit whose answer was lost may have been made after all: then they are named, and stay.
            files.doom(file for file in stored if not FilmFile.objects.filter(film=film, file=file).exists())
        raise
    log.info("%s: %d frames, %.0f s of film.", film, len(todo.stills), todo.seconds)


def _join(
    film: Film,
    todo: Plan,
    canvas: encode.Workshop,
    output: encode.Output,
    joined: Path,
    chapters: list[plan.Chapter],
    doing: claim.Progress,
) -> str:
    terms = licence.current()
    metadata = {
        "title": captions.title(film),
        "artist": film.canvas.title,
        "date": f"{film.starts_at:%Y-%m-%d}",
        "copyright": f"{terms.name} {terms.address}",
        "comment": " ".join(filter(None, [f"{settings.SITE_URL}{film.get_absolute_url()}", _music(film)])),
    }
    sound, track = None, None
    if film.track:
        # PyAV wants a file of this machine; the storage may be a bucket.
        track = canvas.folder / f"track{Path(film.track.file.name or '').suffix}"
        with film.track.file.open("rb") as source, track.open("wb") as target:
            while chunk := source.read(files.CHUNK):
                target.write(chunk)
        sound = partial(audio.stream, track, film.track.seconds, todo.seconds)
    try:
        return encode.join(
            joined, canvas, todo, output, chapters=chapters, metadata=metadata, sound=sound, pause=doing.pause
        )
    finally:
        if track:
            track.unlink(missing_ok=True)


def _music(film: Film) -> str:
    return _("Music: %(credit)s") % {"credit": f"{film.track.credit} {film.track.link}".strip()} if film.track else ""


def _thumbnail(still: Still) -> Image.Image | None:
    name = Frame.objects.values_list("thumbnail", flat=True).get(pk=still.id)
    try:
        with default_storage.open(name, "rb") as file:
            return Image.open(io.BytesIO(file.read()))
    except (OSError, ValueError):
        return None


def _poster(todo: Plan, width: int, height: int) -> bytes:
    """The last picture that can be read."""
    image = Image.new("RGB", (width, height), cards.NIGHT)
    for still in reversed(todo.stills):
        try:
            image = Image.fromarray(frames.load(still.id))
            break
        except frames.FrameGone:
            continue
    image.thumbnail((POSTER, POSTER), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=86, optimize=True, progressive=True)
    return buffer.getvalue()
