"""What a film is made of: the frames of its time, their pictures, and the strokes between them, from the database."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator

from django.conf import settings
from django.core.files.storage import default_storage
from django.db.models import Q, QuerySet
from PIL import Image

from canvas import frames, journal, strokes
from canvas.brush import Pixels
from canvas.models import Canvas, Frame, Stroke
from dreamsite.core.storage import StorageUnavailable
from gallery.films import drawing, plan
from gallery.films.models import Film
from gallery.films.plan import Plan, Still

log = logging.getLogger(__name__)


def stills(film: Film) -> list[Still]:
    """The film's frames, in their order. Hidden and thinned ones are left out."""
    columns = _frames(film).values_list("pk", "number", "seq", "made_at", "title")
    return [Still(*row) for row in columns.iterator(chunk_size=2000)]


def size(film: Film) -> tuple[int, int]:
    """Width and height: both even, as 4:2:0 asks, and no larger than FILM_SIDE unless the film is to be lossless."""
    width, height = film.canvas.width, film.canvas.height
    if not film.lossless and max(width, height) > settings.FILM_SIDE:
        shrink = settings.FILM_SIDE / max(width, height)
        width, height = round(width * shrink), round(height * shrink)
    return max(16, width // 2 * 2), max(16, height // 2 * 2)


def load(still: Still) -> Pixels | None:
    """A frame's picture; None where its file is lost."""
    try:
        return frames.load(still.id)
    except frames.FrameGone as error:
        log.warning("%s", error)
        return None


def thumbnail(still: Still) -> Image.Image | None:
    """A frame's small picture; None where its file is lost."""
    name = Frame.objects.values_list("thumbnail", flat=True).get(pk=still.id)
    try:
        with default_storage.open(name, "rb") as file:
            return Image.open(io.BytesIO(file.read()))
    except StorageUnavailable:
        raise
    except (OSError, ValueError):
        return None


def strokes_between(canvas: Canvas, before: Still, after: Still, base: Pixels, count: int) -> Iterator[Pixels]:
    """`count` pictures of how the drawing between two frames came about; `base` is the picture of the first."""
    visible = strokes.shown(canvas, journal.operations(canvas, before.seq, after.seq))
    earlier = frames.earlier_pictures(canvas, Frame.objects.get(pk=before.id))
    return drawing.steps(base, visible, count, earlier)


def hidden_numbers(film: Film, film_plan: Plan) -> list[int]:
    """The numbers of hidden ink among what the film would show being drawn."""
    if not film.drawing:
        return []
    strokes.index(film.canvas)
    first, last = film_plan.stills[0].seq, film_plan.stills[-1].seq
    rows = Stroke.objects.filter(canvas=film.canvas, last_seq__gt=first, first_seq__lte=last, hidden__gt=0)
    return sorted(number for numbers in rows.values_list("hidden_numbers", flat=True) for number in numbers)


def plan_of(film: Film) -> Plan:
    """The plan of a finished film, made again from its frames."""
    return plan.plan(stills(film), plan.PACES[film.kind], drawing=film.drawing)


def frame_at(film: Film, seconds: float) -> int | None:
    """The id of the frame that a finished film shows at this second.

    Found by arithmetic where shots are all alike: the film of everything has hundreds of thousands of them.
    """
    if film.drawing:
        return plan_of(film).at(seconds).id
    index = plan.shot_at(film.frames, plan.PACES[film.kind], seconds)
    return _frames(film).values_list("pk", flat=True)[index : index + 1].first()


def _frames(film: Film) -> QuerySet[Frame]:
    rows = Frame.objects.visible().filter(canvas=film.canvas, made_at__gte=film.starts_at, made_at__lt=film.ends_at)
    # A film that is made shows those that were whole when it was.
    whole = Q(thinned_at=None) | Q(thinned_at__gt=film.made_at) if film.made_at else Q(thinned_at=None)
    return rows.filter(whole).order_by("number")
