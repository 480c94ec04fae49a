"""How often guesses are right: sketches of emoji that nothing was trained on."""

from __future__ import annotations

import numpy as np
import pytest

from dreamer.engine import Network
from dreamer.guesses import __main__ as command
from dreamer.guesses import judging
from dreamer.house import BUILTIN
from dreamer.house.classes import OBJECTS
from dreamer.house.sprites import FONT

pytestmark = pytest.mark.skipif(not FONT.is_file(), reason="needs the font: install fonts-noto-color-emoji")


def test_what_is_held_back_is_no_emoji_that_was_trained_on() -> None:
    trained = set("".join(OBJECTS.values()))
    assert judging.HELD_BACK.keys() <= OBJECTS.keys()
    assert trained.isdisjoint("".join(judging.HELD_BACK.values()))


def test_sketches_are_drawn_alike_each_time_and_their_box_holds_the_ink() -> None:
    first, again = (list(judging.sketches(3, 7)) for _ in "12")
    for one, other in zip(first, again, strict=True):
        np.testing.assert_array_equal(one.picture, other.picture)
        x0, y0, x1, y1 = one.box
        outside = one.picture.copy()
        outside[y0:y1, x0:x1] = 255
        assert outside.min() == 255 and one.picture.min() < 200


def test_the_house_model_is_right_far_more_often_than_by_chance(capsys: pytest.CaptureFixture[str]) -> None:
    """Three of 168 words are one in 56; docs/dreams has the exact figures."""
    found = judging.judge(Network.open(BUILTIN / "house", threads=1), 40)
    assert found.sketches == 40 and found.among >= 5 and found.first <= found.among <= found.said
    command.main(["--count", "2"])
    assert capsys.readouterr().out.startswith("house: 2 sketches: the right word among three guesses ")
