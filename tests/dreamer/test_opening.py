"""A fresh canvas begins with a drawing."""

from __future__ import annotations

import numpy as np
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


def test_long_strokes_come_in_pieces_that_look_like_one() -> None:
    path = tuple((8 * x, 800 + 200 * (x % 7), 64) for x in range(10, 1200))
    whole = wire.Stroke(5, 0, (9, 9, 9), 255, 0, path)
    pieces = opening._pieces(whole)
    assert len(pieces) == 3 and [piece.last for piece in pieces] == [False, False, True]
    from canvas import brush, picture

    one, many = (picture.blank(1200, 400, (255, 255, 255)) for _ in range(2))
    brush.draw(one, path, 0, whole.colour, 255)
    for piece in pieces:
        brush.draw(many, piece.points, piece.carry, piece.colour, 255)
    assert np.abs(one.astype(int) - many).max() <= 40  # stamps lie at most 1/256 px apart
