"""A fresh canvas begins with a drawing."""

from __future__ import annotations

import pytest

from canvas import frames, journal, strokes, wire
from canvas.models import Canvas, Stroke
from dreamer import opening
from dreamer.sheets import drawings

pytestmark = pytest.mark.django_db


def test_it_is_drawn_once_and_as_the_brush_draws_it() -> None:
    canvas = Canvas.objects.create(slug="fresh", title="Fresh", width=256, height=256)
    assert opening.draw(canvas)
    canvas.refresh_from_db()
    assert canvas.head > 20
    composed = frames.compose(canvas)
    assert (composed.pixels == drawings.draw(opening.DRAWING, 256)).all()
    assert not opening.draw(canvas)
    assert set(composed.authors) == set()


def test_not_where_somebody_has_drawn() -> None:
    canvas = Canvas.objects.create(slug="fresh", title="Fresh", width=256, height=256)
    journal.append(canvas, [wire.Stroke(1, 0, (0, 0, 0), 255, 0, ((80, 80, 80),), True, 7)])
    canvas.refresh_from_db()
    assert not opening.draw(canvas)


def test_a_browser_can_read_every_piece_of_it() -> None:
    canvas = Canvas.objects.create(slug="fresh", title="Fresh", width=1536, height=1536)
    opening.draw(canvas)
    canvas.refresh_from_db()
    operations = [op for _, op in journal.operations(canvas, 0, canvas.head)]
    assert wire.operations_from(b"".join(map(wire.encode, operations)), len(operations)) == (operations, 0)
    strokes.index(canvas)
    found = Stroke.objects.filter(canvas=canvas)
    assert found.count() == len(drawings.strokes(opening.DRAWING, 1536)) and all(one.finished for one in found)
