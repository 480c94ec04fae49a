"""What a new canvas begins with: a drawing by the site's own brush, for the network at hand to dream on.

A stranger who opens a fresh site sees what it is about, and not a white page.
"""

from __future__ import annotations

from dataclasses import replace

from django.utils import timezone

from canvas import brush, journal, limits, wire
from canvas.models import Canvas, Frame
from dreamer.sheets import drawings

DRAWING = "child"


def draw(canvas: Canvas) -> bool:
    """Draws it where nobody has drawn and nothing was dreamed; whether it did. Its ink is nobody's (author 0)."""
    if canvas.head or Frame.objects.filter(canvas=canvas).exists():
        return False
    first = wire.milliseconds(timezone.now()) * 4096
    pieces = [
        piece
        for number, stroke in enumerate(drawings.strokes(DRAWING, min(canvas.width, canvas.height)))
        for piece in _pieces(replace(stroke, stroke_id=first + number))
    ]
    return journal.append(canvas, list(pieces)) is not None


def _pieces(stroke: wire.Stroke) -> list[wire.Stroke]:
    """As a browser would have sent it: no piece with more points than the wire takes."""
    step = limits.MAX_POINTS - 1
    starts = range(0, max(len(stroke.points) - 1, 1), step)
    found: list[wire.Stroke] = []
    carry = 0
    for piece, start in enumerate(starts):
        points = stroke.points[start : start + step + 1]
        found.append(replace(stroke, piece=piece, points=points, carry=carry, last=piece == len(starts) - 1))
        carry = brush.carry_after(points, carry)
    return found
