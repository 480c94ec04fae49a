"""What a film is made of: the frames of its time, their pictures, and the strokes between them, from the database."""

from __future__ import annotations

import io
import logging
from bisect import bisect_left
from collections.abc import Iterator
from itertools import accumulate

import numpy as np
import numpy.typing as npt
from django.conf import settings
from django.core.files.storage import default_storage
from django.db.models import Avg, F, Max, Min, Q, QuerySet
from PIL import Image

from canvas import frames, journal, strokes
from canvas.brush import Pixels
from canvas.models import Batch, Frame, Stroke
from canvas.models.strokes import StrokeQuerySet
from dreamsite.core.rect import Rect
from dreamsite.core.storage import StorageUnavailable
from gallery.films import crop, drawing, plan
from gallery.films.models import Film, Shots
from gallery.films.plan import Plan, Still

log = logging.getLogger(__name__)

SHOT = np.dtype([("start", "<u4"), ("frame", "<u8")])  # its first video frame, and its frame's id


def stills(film: Film) -> list[Still]:
    """The film's frames, in their order. Hidden and thinned ones are left out.

    What people make for themselves, and clips, are some of them: those in which something was drawn that the film is
    about, each after the one it was drawn on. None of these shows what was taken out of the picture later.
    """
    columns = _frames(film).values_list("pk", "number", "seq", "made_at", "title")
    found = [Still(*row) for row in columns.iterator(chunk_size=2000)]
    if not film.by_member:
        return found
    strokes.index(film.canvas)
    left_out = _tainted(film)
    found = [still for still in found if still.id not in left_out]
    most = plan.CLIP_STILLS if film.shape else plan.OWN_STILLS
    if film.kind == Film.Kind.MINE:
        drawn = _drawn(film, found)
        kept = sorted({place for each in drawn for place in (each - 1, each) if place >= 0})
        drawn_on = set(drawn)
        chosen = [index for index, place in enumerate(kept) if place in drawn_on]
        return plan.spread([found[place] for place in kept], most, chosen)
    drawn = _drawn(film, found) if film.drawing else []
    return plan.spread(found, most, drawn if len(drawn) > 2 else None)


def _drawn(film: Film, found: list[Still]) -> list[int]:
    """The places in `found` of the frames that were the first with a stroke of the film in them."""
    seqs = list(accumulate((still.seq for still in found), max))  # what was brought back has an older one
    places = {bisect_left(seqs, last) for last in _strokes(film).values_list("last_seq", flat=True).iterator()}
    return sorted(place for place in places if place < len(found))


def _strokes(film: Film) -> StrokeQuerySet:
    """The strokes that the film is about, as they may be shown."""
    rows = Stroke.objects.filter(canvas=film.canvas).shown().between(film.starts_at, film.ends_at)
    if film.kind == Film.Kind.MINE:
        return rows.by(film.owner_id)
    return rows.within(film.canvas, Rect(*film.area)) if film.area else rows


def _tainted(film: Film) -> set[int]:
    """The frames that show, or grew from, ink that moderators took out of the picture later.

    They are those from the ink on to the rollback that hid it, whose own frame is clean: it is the last of its kind
    before the HIDE is written.
    """
    rows = Stroke.objects.filter(canvas=film.canvas, hidden__gt=0).exclude(hidden_seq=None)
    if film.kind != Film.Kind.MINE and (shown := view(film).area):
        # By what its pictures show: those of a clip show more than the place itself.
        rows = rows.within(film.canvas, shown)
    spans: dict[int, int] = {}
    for numbers, hidden_seq in rows.values_list("hidden_numbers", "hidden_seq").iterator():
        assert hidden_seq is not None
        spans[hidden_seq] = min(spans.get(hidden_seq, numbers[0]), *numbers)
    found: set[int] = set()
    frames_of = Frame.objects.filter(canvas=film.canvas)
    for hidden_seq, first in spans.items():
        batch = Batch.objects.filter(canvas=film.canvas, last__gte=hidden_seq).order_by("last").first()
        if batch is None:
            continue
        until = frames_of.filter(seq__gte=first, made_at__lt=batch.at)
        restored = until.filter(kind=Frame.Kind.RESTORED).order_by("-number").values_list("pk", flat=True).first()
        found |= set(until.exclude(pk=restored or 0).values_list("pk", flat=True))
    return found


def view(film: Film) -> crop.View:
    """Which part of the canvas the film shows, and the size of its pictures."""
    canvas = Rect(0, 0, film.canvas.width, film.canvas.height)
    area = Rect(*film.area).intersection(canvas) if film.area else None
    if film.kind == Film.Kind.MINE:
        box = _strokes(film).aggregate(l=Min("left"), t=Min("top"), r=Max("right"), b=Max("bottom"))
        if box["l"] is not None:
            ink = Rect(box["l"], box["t"], box["r"], box["b"]).intersection(canvas)
            area = crop.around(ink, canvas) if ink.area else None
    if film.shape:
        width, height = crop.CLIPS[film.shape]
        shown = crop.shaped(area or canvas, width / height, _focus(film, area), canvas)
        return crop.View(shown, canvas, width, height)
    if film.owner_id:
        return crop.View(area, canvas, *crop.own_size(area or canvas))
    return crop.View(None, canvas, *_size(film))


def _focus(film: Film, area: Rect | None) -> tuple[float, float] | None:
    """The middle of what was drawn in the film's time; None where nothing was."""
    rows = _strokes(film).within(film.canvas, area) if area else _strokes(film)
    middle = rows.aggregate(x=Avg((F("left") + F("right")) / 2.0), y=Avg((F("top") + F("bottom")) / 2.0))
    return (float(middle["x"]), float(middle["y"])) if middle["x"] is not None else None


def _size(film: Film) -> tuple[int, int]:
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


def strokes_between(film: Film, before: Still, after: Still, base: Pixels, count: int) -> Iterator[Pixels]:
    """`count` pictures of how the drawing between two frames came about; `base` is the picture of the first.

    A film of somebody's own strokes shows these alone being drawn.
    """
    canvas = film.canvas
    visible = strokes.shown(canvas, journal.operations(canvas, before.seq, after.seq))
    if film.kind == Film.Kind.MINE:
        visible = [(number, op) for number, op in visible if op.author == film.owner_id]
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
    """The plan of a film, from its frames as they are now. Raises ValueError where there are none."""
    if film.shape:
        return plan.clip(stills(film), drawing=film.drawing)
    return plan.plan(stills(film), plan.PACES[film.kind], drawing=film.drawing)


def write_shots(film: Film, film_plan: Plan, view: crop.View) -> None:
    """Keeps what a film that is made now shows when: to plan it again takes long, and may come out differently."""
    rows = [(part.start, part.still.id) for part in film_plan.parts if part.still]
    area = list(view.area) if view.area else None
    Shots.objects.update_or_create(film=film, defaults={"packed": np.array(rows, SHOT).tobytes(), "area": area})


def shots(film: Film) -> npt.NDArray[np.void] | None:
    """SHOT of each of its frames, in order; None where none were kept."""
    packed = Shots.objects.filter(film=film).values_list("packed", flat=True).first()
    return np.frombuffer(bytes(packed), SHOT) if packed else None


def frame_at(film: Film, seconds: float) -> int | None:
    """The id of the frame that a finished film shows at this second.

    Found by arithmetic where shots are all alike: the film of everything has hundreds of thousands of them.
    """
    if film.drawing or film.by_member:
        found = shots(film)
        if found is None:
            return None
        place = int(np.searchsorted(found["start"], seconds * film.fps + 1e-6, "right")) - 1
        shown = Frame.objects.visible().filter(pk=int(found["frame"][max(place, 0)]))
        return shown.values_list("pk", flat=True).first()
    index = plan.shot_at(film.frames, plan.PACES[film.kind], seconds)
    return _frames(film).values_list("pk", flat=True)[index : index + 1].first()


def _frames(film: Film) -> QuerySet[Frame]:
    rows = Frame.objects.visible().filter(canvas=film.canvas, made_at__gte=film.starts_at, made_at__lt=film.ends_at)
    # A film that is made shows those that were whole when it was.
    whole = Q(thinned_at=None) | Q(thinned_at__gt=film.made_at) if film.made_at else Q(thinned_at=None)
    return rows.filter(whole).order_by("number")
