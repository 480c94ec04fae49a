"""A canvas as it is now: its base, and the ink of the journal after it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from canvas import growth, journal, lease, picture, strokes, wire
from canvas.brush import Pixels
from canvas.frames import bases
from canvas.frames.earlier import earlier_pictures
from canvas.frames.storing import FrameGone, load
from canvas.models import Canvas, Frame, Growth
from canvas.picture import Numbered


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
        painted = picture.compose(pixels, drawn, cancelled, earlier_pictures(now, now.frame))
        ages = growth.inked(_ages(now, numbered), (op for _, op in drawn)) if claimed else None
        return Composed(painted, seq, frozenset(picture.authors(drawn)), len(drawn), now.frame_id, claimed, ages)


def _ages(canvas: Canvas, later: list[Numbered]) -> growth.Ages:
    """How old the ink in a canvas' base is: kept with it, or else by the journal as it is visible now; `later` is what
    the journal has after the base.

    The journal is read from the newest frame it grew from that has a map and holds nothing that was hidden, shown
    or taken back since. The base itself may hold such ink, where it was hidden for a while, or what stood over it was.
    """
    base = canvas.frame
    if base is None:
        return growth.bare(canvas.width, canvas.height)
    kept = Growth.objects.filter(frame=base).first()
    if kept and _first_changed(canvas, later, base.seq + 1) > base.seq:
        return growth.unpack(bytes(kept.packed), canvas.width, canvas.height)
    chain = _grown_from(base)
    mapped = set(Growth.objects.filter(frame__canvas=canvas).values_list("frame_id", flat=True))
    below = base.seq + 1
    while True:
        found = next((at for at, frame in enumerate(chain) if frame.pk in mapped and frame.seq < below), len(chain))
        since = chain[found].seq if found < len(chain) else 0
        later = journal.operations(canvas, since, canvas.head)
        below = _first_changed(canvas, later, since + 1)
        if below > since:
            break
    ages = growth.bare(canvas.width, canvas.height)
    if found < len(chain):
        ages = growth.unpack(bytes(Growth.objects.get(frame=chain[found]).packed), canvas.width, canvas.height)
    drawn = [(number, op) for number, op in picture.visible(later) if number <= base.seq]
    return growth.followed(ages, drawn, [frame.seq for frame in chain[:found] if frame.kind == Frame.Kind.DREAM])


def _first_changed(canvas: Canvas, operations: list[Numbered], default: int) -> int:
    """The lowest number of ink that these hide, show again or take back.

    Ink of a dream is taken back where the dream was hidden for a while.
    """
    numbers = [number for _, op in operations if isinstance(op, wire.Hide) for number in op.numbers]
    if undone := {(op.author, op.stroke_id) for _, op in operations if isinstance(op, wire.Undo)}:
        strokes.index(canvas)
        numbers += [row.first_seq for row in strokes.rows(canvas, undone)]
    return min(numbers, default=default)


def _grown_from(base: Frame) -> list[Frame]:
    """The frame, the one it was made on, the one below that, and so on: what is in its picture, whatever was hidden or
    shown again since."""
    rows = Frame.objects.filter(canvas=base.canvas_id, number__lte=base.number).only("base", "seq", "kind").in_bulk()
    chain = [rows[base.pk]]
    while (below := chain[-1].base_id) is not None:
        chain.append(rows[below])
    return chain
