from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest

from canvas import picture, wire
from canvas.brush import Pixels
from tests.canvas import journals

SIDE = 48
WHITE = (255, 255, 255)


def compose(*operations: wire.Operation, base: Pixels | None = None) -> Pixels:
    start = picture.blank(SIDE, SIDE, WHITE) if base is None else base
    return picture.compose(start, journals.numbered(list(operations)))


def dot(
    stroke: int, author: int = 1, at: int = 24, colour: tuple[int, int, int] = (0, 0, 0), piece: int = 0
) -> wire.Stroke:
    return wire.Stroke(stroke, piece, colour, 255, 0, ((at * 8, at * 8, 96),), True, author)


def test_undo_takes_back_every_piece_and_only_of_its_author() -> None:
    kept = compose(dot(5, author=2))
    assert np.array_equal(compose(dot(5), dot(5, author=2), dot(5, at=10, piece=1), wire.Undo(5, 1)), kept)


def test_pieces_that_come_after_the_undo_stay_out_too() -> None:
    assert np.array_equal(compose(dot(5), wire.Undo(5, 1), dot(5, at=10, piece=1)), compose())


def test_hide_and_show_the_last_word_counts() -> None:
    ink = [dot(1), dot(2, at=10)]
    assert np.array_equal(compose(*ink, wire.Hide((1,))), compose(dot(2, at=10)))
    assert np.array_equal(compose(*ink, wire.Hide((1,)), wire.Hide((1,), show=True)), compose(*ink))


def test_order_matters_and_the_base_is_left_alone() -> None:
    base = picture.blank(SIDE, SIDE, (9, 9, 9))
    first = compose(dot(1, colour=(255, 0, 0)), dot(2, colour=(0, 0, 255)), base=base)
    assert tuple(first[24, 24]) == (0, 0, 255)
    assert (base == 9).all()


def test_an_undream_brings_an_earlier_picture_back_where_the_brush_was() -> None:
    before = np.arange(SIDE * SIDE * 3, dtype=np.uint32).reshape(SIDE, SIDE, 3).astype(np.uint8)
    ink = replace(dot(5), frame=7)
    covers = compose(dot(5)) == 0  # where the same stamp in black leaves nothing of the paper
    made = picture.compose(picture.blank(SIDE, SIDE, WHITE), [(1, ink)], earlier={7: before}.get)
    assert covers.any() and np.array_equal(made[covers], before[covers])
    untouched = compose(dot(5)) == 255
    assert (made[untouched] == 255).all() and untouched.any()


def test_an_undream_of_what_is_not_to_be_seen_paints_nothing() -> None:
    ink = replace(dot(5), frame=7)
    blank = compose()
    assert np.array_equal(compose(ink), blank)
    other = picture.blank(SIDE + 1, SIDE, (0, 0, 0))
    assert np.array_equal(picture.compose(blank, [(1, ink)], earlier=lambda frame: other), blank), "another size"


def test_an_undream_can_be_undone() -> None:
    black = picture.blank(SIDE, SIDE, (0, 0, 0))
    journal = journals.numbered([replace(dot(5), frame=7), wire.Undo(5, 1)])
    assert np.array_equal(picture.compose(compose(), journal, earlier=lambda frame: black), compose())


def test_authors_are_those_whose_ink_can_be_seen() -> None:
    numbered = journals.numbered([dot(1), dot(2, author=2), wire.Undo(2, 2), dot(3, author=3), wire.Hide((4,))])
    assert picture.authors(numbered) == {1}


def test_painting_ends_when_it_is_called_off() -> None:
    calls: list[int] = []

    def cancelled() -> bool:
        calls.append(1)
        return len(calls) > 2

    with pytest.raises(picture.Cancelled, match="operation 3"):
        start = picture.blank(SIDE, SIDE, WHITE)
        picture.compose(start, journals.numbered([dot(1), dot(2), dot(3), dot(4)]), cancelled)
    assert len(calls) == 3, "asked for each operation"


@pytest.mark.slow
def test_a_thousand_random_journals_look_the_same_in_the_browser() -> None:
    """Strokes, undreams, undo, hide, and a frame that lands in between: server and browser agree to the byte."""
    chance, lines, expected = random.Random(30), [], []
    for index in range(1000):
        side = chance.choice([24, 40, 64])
        pictures = {frame: journals.random_pixels(chance, side, side) for frame in (0, 7)}
        operations = journals.numbered(journals.random_journal(chance, side, frames=(0, 7, 9)))  # nobody can see 9
        more: dict[str, object] = {"earlier": journals.pictures_of(pictures)}
        start = picture.blank(side, side, (250, 240, 230))
        if index % 2:  # a dream took in the first part while the rest was being drawn
            base, seq = journals.random_pixels(chance, side, side), chance.randint(0, len(operations))
            more["rebase"] = {"at": chance.randint(seq, len(operations)), "base": journals.base64_of(base), "seq": seq}
            made = picture.compose(base, [some for some in operations if some[0] > seq], earlier=pictures.get)
        else:
            made = picture.compose(start, operations, earlier=pictures.get)
        lines.append(journals.as_line(side, (250, 240, 230), operations, **more))
        expected.append(journals.digest(made))
    got = journals.replay_in_node(lines)
    wrong = [index for index, (ours, theirs) in enumerate(zip(expected, got, strict=True)) if ours != theirs]
    assert not wrong, f"{len(wrong)} of {len(lines)} journals differ, the first is {wrong[0]}"
