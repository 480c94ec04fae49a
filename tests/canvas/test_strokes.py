"""The index of strokes tells of the journal what the journal itself tells, however and whenever it was read."""

from __future__ import annotations

import random
from collections.abc import Iterable
from datetime import datetime
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from canvas import brush, journal, strokes, wire
from canvas.models import Batch, Canvas, IndexProgress, Stroke
from dreamsite.core.rect import Rect
from tests import wire_client
from tests.canvas.journals import random_journal
from tests.sockets import pieces

SIDE = 64
Row = dict[str, object]


def expected(batches: Iterable[Batch]) -> dict[tuple[int, int], Row]:
    """Each stroke by a plain reading of the whole journal."""
    rows: dict[tuple[int, int], dict[str, list[object]]] = {}
    undone: dict[tuple[int, int], int] = {}
    hidden: dict[int, bool] = {}
    hides: dict[int, int] = {}
    for batch in batches:
        for number, op in strokes.operations(batch):
            if isinstance(op, wire.Undo):
                undone.setdefault((op.author, op.stroke_id), number)
            elif isinstance(op, wire.Hide):
                hidden |= dict.fromkeys(op.numbers, not op.show)
                hides |= dict.fromkeys(op.numbers, number)
            elif isinstance(op, wire.Stroke):
                row = rows.setdefault((op.author, op.stroke_id), {"ops": [], "numbers": [], "at": []})
                row["ops"].append(op)
                row["numbers"].append(number)
                row["at"].append(batch.at)
    return {key: _facts(row, undone.get(key), hidden, hides) for key, row in rows.items()}


def _facts(row: dict[str, list[object]], undone: int | None, hidden: dict[int, bool], hides: dict[int, int]) -> Row:
    ops = [op for op in row["ops"] if isinstance(op, wire.Stroke)]
    numbers = [number for number in row["numbers"] if isinstance(number, int)]
    boxes = [brush.bounds(op.points) for op in ops]
    out = [number for number in numbers if hidden.get(number)]
    return {
        "first_seq": numbers[0],
        "last_seq": numbers[-1],
        "began_at": row["at"][0],
        "ended_at": row["at"][-1],
        "left": min(box[0] for box in boxes),
        "top": min(box[1] for box in boxes),
        "right": max(box[2] for box in boxes),
        "bottom": max(box[3] for box in boxes),
        "colour": "#" + bytes(ops[0].colour).hex(),
        "width": max(w for op in ops for *_, w in op.points) / 8,
        "pieces": len(ops),
        "points": sum(len(op.points) for op in ops),
        "finished": any(op.last for op in ops),
        "undone_seq": undone,
        "hidden": len(out),
        "hidden_numbers": out,
        "hidden_seq": max((hides[number] for number in numbers if number in hides), default=None),
    }


def indexed(canvas: Canvas) -> dict[tuple[int, int], Row]:
    rows = Stroke.objects.filter(canvas=canvas).values()
    beside = ("id", "canvas_id", "author", "stroke_id", "opacity")
    return {(row["author"], row["stroke_id"]): {k: v for k, v in row.items() if k not in beside} for row in rows}


@pytest.mark.parametrize("seed", range(25))
def test_the_index_is_what_the_journal_says(canvas: Canvas, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(seed)
    monkeypatch.setattr(strokes, "CHUNK", chance.choice([1, 3, 200]))
    rest = random_journal(chance, SIDE, authors=chance.randint(1, 4))
    while rest:
        count = chance.randint(1, 12)
        journal.append(canvas, rest[:count])
        rest = rest[count:]
        if chance.random() < 0.3:
            strokes.index(canvas)
    strokes.index(canvas)
    batches = Batch.objects.filter(canvas=canvas).order_by("first")
    assert indexed(canvas) == expected(batches)
    assert strokes.index(canvas) == 0
    assert IndexProgress.objects.get(canvas=canvas).seq == Canvas.objects.get(pk=canvas.pk).head


def draw(canvas: Canvas, author: int, points: list[tuple[int, int]], *, stroke: int = 1, width: int = 32) -> None:
    cut = pieces(stroke, [(x * 8, y * 8, width) for x, y in points], each=2)
    for piece in cut:
        journal.append(canvas, [wire_client.by(piece, author)])


def test_a_place_is_asked_for_ink_and_not_for_boxes(canvas: Canvas) -> None:
    draw(canvas, 1, [(4, 4), (30, 4), (60, 4), (60, 60)])  # an angle around the middle
    draw(canvas, 2, [(10, 40), (50, 40)])
    assert [(s.author, s.pieces) for s in strokes.at(canvas, 60, 30)] == [(1, 2)]
    assert [s.author for s in strokes.at(canvas, 30, 40)] == [2]
    assert strokes.at(canvas, 30, 25) == []  # within the angle's box, but not on its ink
    draw(canvas, 2, [(10, 39), (50, 39)], stroke=2)
    assert [(s.author, s.stroke_id) for s in strokes.at(canvas, 30, 39.5)] == [(2, 2), (2, 1)]  # newest first
    assert len(strokes.at(canvas, 30, 39.5, limit=1)) == 1


def test_a_single_dot_is_found(canvas: Canvas) -> None:
    draw(canvas, 3, [(20, 20)])
    assert [s.author for s in strokes.at(canvas, 21, 21)] == [3]
    assert strokes.at(canvas, 30, 20) == []


def test_a_rectangle_is_asked_for_ink_too(canvas: Canvas) -> None:
    draw(canvas, 1, [(4, 4), (30, 4), (60, 4), (60, 60)])
    strokes.index(canvas)
    every = list(Stroke.objects.all())
    assert strokes.within(canvas, every, Rect(0, 0, 64, 64)) == every
    assert strokes.within(canvas, every, Rect(50, 30, 64, 40)) == every
    assert strokes.within(canvas, every, Rect(10, 20, 40, 50)) == []
    assert list(Stroke.objects.within(canvas, Rect(10, 20, 40, 50))) == every  # its box alone would say so


def test_people_and_times(canvas: Canvas) -> None:
    draw(canvas, 1, [(4, 4)])
    draw(canvas, 2, [(4, 4)])
    strokes.index(canvas)
    one, two = Stroke.objects.order_by("author")
    assert list(Stroke.objects.by(1)) == [one] and list(Stroke.objects.by(1, 2).newest()) == [two, one]
    assert set(Stroke.objects.between(one.began_at, None)) == {one, two}
    assert list(Stroke.objects.between(None, two.began_at)) == ([one] if one.began_at < two.began_at else [])
    assert list(Stroke.objects.between(datetime.fromtimestamp(two.ended_at.timestamp() + 1, two.ended_at.tzinfo))) == []


def test_pieces_come_from_among_other_peoples(canvas: Canvas) -> None:
    mine = [wire_client.by(piece, 1) for piece in pieces(7, [(8 * n, 80, 40) for n in range(9)], each=2)]
    theirs = [wire_client.by(piece, 2) for piece in pieces(7, [(8 * n, 160, 40) for n in range(9)], each=2)]
    for one, other in zip(mine, theirs, strict=True):
        journal.append(canvas, [one, other])
    strokes.index(canvas)
    row = Stroke.objects.get(author=1)
    assert strokes.pieces(canvas, [row]) == {(1, 7): list(zip((1, 3, 5, 7), mine, strict=True))}


def test_what_became_of_a_stroke(canvas: Canvas) -> None:
    for stroke in (1, 2, 3):
        draw(canvas, 1, [(4, 4)], stroke=stroke)
    journal.append(canvas, [wire.Undo(1, 1), wire.Hide((2,))])
    strokes.index(canvas)
    first, second, third = Stroke.objects.order_by("stroke_id")
    assert [row.state(0) for row in (first, second, third)] == ["undone", "hidden", "visible"]
    assert third.state(3) == "dreamed"
    assert list(Stroke.objects.shown()) == [third]


def test_the_command_indexes_and_makes_anew(canvas: Canvas) -> None:
    draw(canvas, 1, [(4, 4), (30, 4), (60, 4), (60, 60)])
    output = StringIO()
    call_command("index_strokes", stdout=output)
    assert "1 strokes from 2 operations" in output.getvalue()
    Stroke.objects.update(pieces=99)
    call_command("index_strokes", "--rebuild", "--canvas", "here", stdout=output)
    assert Stroke.objects.get().pieces == 2
    with pytest.raises(CommandError, match="nowhere"):
        call_command("index_strokes", "--canvas", "nowhere")
