"""How often guesses are right: sketches of emoji that nothing was trained on."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dreamer.engine import Network
from dreamer.guesses import __main__ as command
from dreamer.guesses import emoji, eye, judging, seeing, teaching
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


def test_the_eye_that_ships_is_the_shipped_models_and_says_its_words() -> None:
    house = Network.open(BUILTIN / "house", threads=1)
    shipped = eye.eye_of(house)
    assert shipped is not None and shipped.labels == teaching.LABELS
    assert set(shipped.labels) - {eye.NOTHING} <= set(house.labels)
    assert shipped.hidden.shape == (len(shipped.mean), len(shipped.weights))
    assert shipped.weights.shape[1] == len(shipped.labels)


def test_an_eye_finds_what_tells_its_lessons_apart_and_is_kept(tmp_path: Path) -> None:
    random = np.random.default_rng(3)
    middles = random.normal(0, 1, (len(teaching.LABELS), 300))
    labels = random.integers(0, len(teaching.LABELS), 2000)
    rows = (middles[labels] + random.normal(0, 0.3, (2000, 300))).astype(np.float32)
    made = teaching.fit("1" * 64, rows[:1500], labels[:1500])
    made.save(tmp_path / "eye.npz")
    read = eye.read(tmp_path / "eye.npz")
    assert read is not None and (read.sha256, read.labels) == ("1" * 64, teaching.LABELS)
    for one in (made, read):
        assert (one.scores(rows[1500:]).argmax(axis=1) == labels[1500:]).mean() > 0.9
    assert eye.read(tmp_path / "none.npz") is None


def folder(path: Path, spdx: str = "MIT", *, codes: bool = True) -> Path:
    """A set of emoji as a folder has it: a fox, a dog that is held back, a family of several characters, a flake."""
    body = '<path fill="currentColor" d="M2 2h12v12H2z"/>'
    named = {"1f98a": "fox", "1f9ae": "guide-dog", "1f468-200d-1f469": "family", "2744-fe0f": "flake"}
    path.mkdir()
    (path / "info.json").write_text(json.dumps({"license": {"spdx": spdx}}))
    (path / "chars.json").write_text(json.dumps(named if codes else {}))
    icons = {"fox": {"body": body}, "guide-dog": {"body": body}, "family": {"body": body}, "snow": {"body": body}}
    aliases = {"flake": {"parent": "snow"}}
    (path / "icons.json").write_text(json.dumps({"prefix": path.name, "icons": icons, "aliases": aliases}))
    return path


def test_a_set_of_emoji_is_read_as_far_as_it_was_trained_on_and_named_by_another(tmp_path: Path) -> None:
    wanted = "".join(OBJECTS.values())
    one, other = emoji.read([folder(tmp_path / "one"), folder(tmp_path / "other", "CC-BY-SA-4.0", codes=False)], wanted)
    assert (one.name, one.licence, other.licence) == ("one", "MIT", "CC-BY-SA-4.0")
    assert set(one.drawings) == set(other.drawings) == {"🦊", "❄"}  # not the guide dog, which is held back
    shape = one.drawings["🦊"]
    assert shape.shape == (128, 128, 4) and tuple(shape[64, 64]) == (17, 17, 17, 255) and shape[0, 0, 3] == 0


@pytest.mark.parametrize(("spdx", "wanted", "said"), [("CC-BY-NC-4.0", "🦊", "CC-BY-NC-4.0"), ("MIT", "🐶", "none of")])
def test_a_set_that_may_not_teach_or_has_nothing_is_refused(tmp_path: Path, spdx: str, wanted: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        emoji.read([folder(tmp_path / "set", spdx)], wanted)
    with pytest.raises(FileNotFoundError, match=r"info\.json"):
        emoji.read([tmp_path], wanted)


def test_lessons_are_drawings_of_every_emoji_that_was_trained_on_and_scribbles(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (*OBJECTS, eye.NOTHING) == teaching.LABELS
    monkeypatch.setattr(teaching, "OBJECTS", {"fox": "🦊", "cat": "🐱🐈"})
    monkeypatch.setattr(teaching, "SCRIBBLES", 8)
    disc = np.zeros((128, 128, 4), np.uint8)
    disc[30:90, 30:90] = (200, 90, 30, 255)
    shown = list(teaching.lessons(4, 5, [emoji.EmojiSet("another", "MIT", {"🐱": disc})]))
    counts = {label: [one for one, _ in shown].count(label) for label in ("fox", "cat", eye.NOTHING)}
    assert counts == {"fox": 4 + 1, "cat": 2 * (4 + 1) + 2 + 1, eye.NOTHING: 8}  # in lines, and painted
    assert all(window.shape == (eye.SIDE, eye.SIDE, 3) and window.min() < 250 for _, window in shown)


def test_a_lesson_is_shown_from_either_side_and_with_a_thicker_pen() -> None:
    window = np.full((eye.SIDE, eye.SIDE, 3), 255, np.uint8)
    window[40:42, 10:50] = (0, 0, 200)
    random, sides = np.random.default_rng(4), set()
    for _ in range(20):
        same, thick = teaching.views(random, window)
        sides.add(bool((same == window).all()))
        np.testing.assert_array_equal(np.sort(same.reshape(-1)), np.sort(window.reshape(-1)))
        assert (thick != 255).any(axis=2).sum() > (window != 255).any(axis=2).sum()
    assert sides == {True, False}


def test_of_scribbles_little_is_said() -> None:
    house, random = Network.open(BUILTIN / "house", threads=1), np.random.default_rng(8)
    said = 0
    for _ in range(20):
        page = Image.new("RGB", (160, 160), "white")
        teaching.scribble(random, page, 4)
        said += bool(seeing.guesses(house, np.asarray(page), (20, 20, 140, 140), judging.PAPER))
    assert said <= 10


def test_the_house_model_is_right_far_more_often_than_by_chance(capsys: pytest.CaptureFixture[str]) -> None:
    """Three of 168 words are one in 56; docs/dreams has the exact figures."""
    found = judging.judge(Network.open(BUILTIN / "house", threads=1), count=40)
    assert found.sketches == 40 and found.among >= 14 and found.first <= found.among <= found.answered
    command.main(["--count", "2"])
    assert capsys.readouterr().out.startswith("house: 2 sketches: the right word among three guesses ")
    with pytest.raises(SystemExit):  # drawings are for teaching, and nothing is taught
        command.main(["--drawings", "anywhere"])
