"""What the undream brush can bring back: the frames that a base's dreams were made on.

An UNDREAM names a frame, so it shows what its author saw whatever is dreamed meanwhile. It shows nothing where that
frame is not among `earlier` of the base it lies on: hidden, thinned, too old, or from before a restoration, which
would bring back what a moderator has taken out. canvas.frames has the pictures.
"""

from __future__ import annotations

from canvas import limits
from canvas.models import Canvas, Frame

LISTED = limits.EARLIER + 1
LOOKED_AT = 64  # frames, hidden ones and checkpoints among them


def earlier(canvas: Canvas, base: Frame | None) -> list[Frame | None]:
    """The base and the frames that its dreams were made on, newest first; None is the bare paper.

    What is hidden or thinned is passed over, and what was there before it follows; nothing from behind a restoration.
    """
    if base is None:
        return [None]
    rows = Frame.objects.filter(canvas=canvas, number__lte=base.number).order_by("-number")[:LOOKED_AT]
    known = {row.pk: row for row in rows}
    found: list[Frame | None] = [base]
    at, dreamed = base, False
    while at.kind != Frame.Kind.RESTORED and len(found) < LISTED:
        dreamed = dreamed or at.kind == Frame.Kind.DREAM
        if at.base_id is None:
            return [*found, None] if dreamed else found
        if (below := known.get(at.base_id)) is None:
            break
        same_size = (below.width, below.height) == (base.width, base.height)
        if dreamed and same_size and below.hidden_at is None and below.thinned_at is None:
            found.append(below)
            dreamed = False
        at = below
    return found
