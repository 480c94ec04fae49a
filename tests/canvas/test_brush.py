from __future__ import annotations

import json
import random
from dataclasses import replace
from math import sqrt
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from canvas import brush, picture, wire
from tests import wire_client
from tests.canvas import journals
from tests.sockets import pieces

GOLDEN = Path(__file__).parents[1] / "golden" / "brush.json"
WHITE = (255, 255, 255)

coordinate = st.integers(-256 * 8, (64 + 256) * 8)
points = st.lists(st.tuples(coordinate, coordinate, st.integers(8, 992)), min_size=1, max_size=12)


def make_golden() -> list[dict[str, object]]:
    """Vectors that both hosts must paint to the byte. Run this module to write them anew when the rules change."""
    chance, vectors = random.Random(2017), []
    for index in range(40):
        side = chance.choice([32, 64, 130])
        operations = journals.numbered(journals.random_stroke(chance, index, side, 1))
        pixels = picture.compose(picture.blank(side, side, WHITE), operations)
        vectors.append(journals.as_line(side, WHITE, operations, sha256=journals.digest(pixels)))
    for index in range(40, 52):
        side = chance.choice([32, 64])
        pictures = {index: journals.random_pixels(chance, side, side)}
        operations = journals.numbered(
            [
                *journals.random_stroke(chance, 1, side, 1),
                *(replace(op, frame=index, colour=(0, 0, 0)) for op in strokes_of(chance, side)),
            ]
        )
        pixels = picture.compose(picture.blank(side, side, WHITE), operations, earlier=pictures.get)
        more = {"earlier": journals.pictures_of(pictures), "sha256": journals.digest(pixels)}
        vectors.append(journals.as_line(side, WHITE, operations, **more))
    return vectors


def strokes_of(chance: random.Random, side: int) -> list[wire.Stroke]:
    return [op for op in journals.random_stroke(chance, 2, side, 1) if isinstance(op, wire.Stroke)]


def test_golden_vectors_are_what_this_brush_paints() -> None:
    assert json.loads(GOLDEN.read_text()) == make_golden()


def test_a_stamp_is_round_soft_and_strongest_in_the_middle() -> None:
    alpha = brush.mask(diameter=2 * 40, phase_x=0, phase_y=0, opacity=102)
    side = alpha.shape[0]
    assert alpha.shape == (side, side)
    assert 100 <= alpha.max() <= 102
    assert np.array_equal(alpha, alpha.T)
    middle = alpha[side // 2]
    top = int(middle.argmax())
    assert np.all(np.diff(middle[: top + 1].astype(int)) >= 0)
    assert alpha[0, 0] == 0
    # Round: the area with any ink is a disc of 40 px, not a square.
    assert 0.9 < np.count_nonzero(alpha) / (np.pi * 20**2) < 1.02


def test_opaque_ink_covers_and_faint_ink_adds_up() -> None:
    pixels = picture.blank(64, 64, WHITE)
    brush.draw(pixels, [(32 * 8, 32 * 8, 30 * 8)], 0, (10, 20, 30), 255)
    assert tuple(pixels[32, 32]) == (10, 20, 30)
    darkness = []
    pixels = picture.blank(64, 64, WHITE)
    for _ in range(6):
        brush.draw(pixels, [(32 * 8, 32 * 8, 30 * 8)], 0, (0, 0, 0), 60)
        darkness.append(int(pixels[32, 32, 0]))
    assert darkness == sorted(darkness, reverse=True) and len(set(darkness)) == 6


def test_stamps_lie_a_quarter_of_the_size_apart() -> None:
    found = list(brush.stamps([(0, 0, 400), (4000, 0, 400)], 0))
    assert [x for x, _, _ in found] == [100.0 * i for i in range(41)]


@given(points, st.integers(1, 6))
def test_a_stroke_in_pieces_is_the_stroke(path: list[tuple[int, int, int]], each: int) -> None:
    whole = list(brush.stamps(path, 0))
    parts = [stamp for piece in pieces(1, path, each=each) for stamp in brush.stamps(piece.points, piece.carry)]
    # `carry` is rounded to 1/256 px at each seam, so a stamp may move by that much for each seam before it.
    slack = len(path) / 32 + 1e-6
    assert abs(len(whole) - len(parts)) <= len(path)
    for (x, y, _), (u, v, _) in zip(whole[:3], parts[:3], strict=False):
        assert sqrt((x - u) ** 2 + (y - v) ** 2) <= slack + 1


@given(points, st.integers(0, 65535))
def test_bounds_hold_every_touched_pixel(path: list[tuple[int, int, int]], carry: int) -> None:
    far = 400  # px around, so that nothing is clipped
    pixels = picture.blank(64 + 2 * far, 64 + 2 * far, WHITE)
    brush.draw(pixels, [(x + far * 8, y + far * 8, w) for x, y, w in path], carry, (0, 0, 0), 255)
    touched = np.argwhere((pixels != 255).any(axis=2)) - far
    if len(touched):
        left, top, right, bottom = brush.bounds(path)
        (first_row, first_column), (last_row, last_column) = touched.min(axis=0), touched.max(axis=0)
        assert top <= first_row and left <= first_column and last_row < bottom and last_column < right


@given(points, st.integers(0, 65535))
def test_the_next_carry_is_a_distance_that_fits_the_wire(path: list[tuple[int, int, int]], carry: int) -> None:
    assert 1 <= wire_client.carry_after(path, carry) <= 65535


if __name__ == "__main__":
    GOLDEN.write_text(json.dumps(make_golden(), separators=(",", ":")) + "\n")
