"""What a new canvas begins with: a drawing by the site's own brush, for the network at hand to dream on.

A stranger who opens a fresh site sees what it is about, and not a white page.
"""

from __future__ import annotations

from dataclasses import replace

from django.utils import timezone

from canvas import journal, wire
from canvas.models import Canvas, Frame
from dreamer.sheets import drawings

DRAWING = "child"


def draw(canvas: Canvas) -> bool:
    """Draws it where nobody has drawn and nothing was dreamed; whether it did. Its ink is nobody's (author 0)."""
    if canvas.head or Frame.objects.filter(canvas=canvas).exists():
        return False
    first = wire.milliseconds(timezone.now()) * 4096
    strokes: list[wire.Operation] = [
        replace(stroke, stroke_id=first + number, last=True)
        for number, stroke in enumerate(drawings.strokes(DRAWING, min(canvas.width, canvas.height)))
    ]
    return journal.append(canvas, strokes) is not None
