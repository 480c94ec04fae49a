"""A canvas as it is now: its base, and the ink of the journal after it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from canvas import growth, journal, lease, picture, wire
from canvas.brush import Pixels
from canvas.frames import bases
from canvas.frames.storing import FrameGone, load
from canvas.models import Canvas, Frame


def base(canvas: Canvas) -> tuple[Pixels, int]:
    """The pixels everybody starts from, and the journal's number that is in them. Raises FrameGone."""
    if canvas.frame is None:
        return picture.blank(canvas.width, canvas.height, canvas.background_rgb), 0
    return load(canvas.frame.pk), canvas.frame.seq


@dataclass(frozen=True)
class Composed:
    """The canvas at operation `seq`: pixels [h, w, 3], who drew between the base and here, and the base's id.

    `claim` and `ages`, how old its ink is in dreams (canvas.growth), are the dreamer's, where one asked.
    """

    pixels: Pixels
    seq: int
    authors: frozenset[int]
    operations: int
    base: int | None
    claim: lease.Claim | None = None
    ages: growth.Ages | None = None


def compose(
    canvas: Canvas,
    up_to: int | None = None,
    *,
    holder: str | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Composed:
    """The canvas as it is now, or without what was drawn after operation `up_to`.

    Base and head come from one SELECT, and the journal up to a head never changes: so nothing is locked while the
    picture is decoded and painted, and ink goes on. For `holder`, the dreamer, the ink is claimed first.

    What was undone or hidden later stays out even with `up_to`: a frame of it would otherwise bring back what its
    author took away. A base whose file is lost is replaced by the one before it. Raises lease.ClaimLost,
    StorageTrouble, and picture.Cancelled when `cancelled` says so.
    """
    while True:
        if holder is not None:
            claimed = lease.claim(canvas, holder, up_to)
            now = claimed.canvas
        else:
            claimed, now = None, Canvas.objects.select_related("frame").get(pk=canvas.pk)
        try:
            pixels, since = base(now)
        except FrameGone as error:
            assert now.frame is not None
            bases.base_unreadable(now.frame, error)
            continue
        seq = now.head if up_to is None else up_to
        numbered = journal.operations(now, since, now.head)
        drawn = [(number, op) for number, op in picture.visible(numbered) if number <= seq]
        painted = picture.compose(pixels, drawn, cancelled)
        ages = growth.inked(_ages(now), (op for _, op in drawn)) if claimed else None
        return Composed(painted, seq, frozenset(picture.authors(drawn)), len(drawn), now.frame_id, claimed, ages)


def _ages(canvas: Canvas) -> growth.Ages:
    """How old the ink in a canvas' base is: kept with it, or else by the journal as it is visible now.

    The journal is read from the newest frame before it that has a map and holds nothing that was hidden or shown since.
    """
    base = canvas.frame
    if base is None:
        return growth.bare(canvas.width, canvas.height)
    known = Frame.objects.visible().filter(canvas=canvas, number__lte=base.number).exclude(growth=None)
    known, below = known.select_related("growth").order_by("-number"), base.seq + 1
    while True:
        start = known.filter(seq__lt=below).first()
        since = start.seq if start else 0
        if start == base:
            break
        later = journal.operations(canvas, since, canvas.head)
        hidden = [number for _, op in later if isinstance(op, wire.Hide) for number in op.numbers]
        below = min(hidden, default=since + 1)
        if below > since:
            break
    ages = growth.bare(canvas.width, canvas.height)
    if start:
        ages = growth.unpack(bytes(start.growth.packed), canvas.width, canvas.height)
    if start == base:
        return ages
    dreams = Frame.objects.visible().dreams().filter(canvas=canvas, number__lte=base.number)
    if start:
        dreams = dreams.filter(number__gt=start.number)
    drawn = [(number, op) for number, op in picture.visible(later) if number <= base.seq]
    return growth.followed(ages, drawn, list(dreams.values_list("seq", flat=True)))
