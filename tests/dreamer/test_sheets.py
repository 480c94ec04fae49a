"""Contact sheets: the drawings, the number beside the eyes, and the command."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from dreamer.engine import PRESETS, Network
from dreamer.library.files import ShelfStyle
from dreamer.sheets import __main__ as sheets
from dreamer.sheets.chains import Chain
from dreamer.sheets.drawings import DRAWINGS, draw
from dreamer.sheets.likeness import chance, kept
from tests.dreamer import nets

SIDE = 384


@pytest.mark.parametrize("drawing", DRAWINGS)
def test_a_drawing_is_the_same_each_time_and_of_any_size(drawing: str) -> None:
    np.testing.assert_array_equal(draw(drawing, 192), draw(drawing, 192))
    small, large = draw(drawing, 192).astype(int), draw(drawing, SIDE)
    shrunk = np.asarray(Image.fromarray(large).resize((192, 192), Image.Resampling.BOX), int)
    assert np.abs(small - shrunk).mean() < 8
    assert (large.min() == 255) == (drawing == "white")


@pytest.mark.parametrize("drawing", [name for name in DRAWINGS if name != "white"])
def test_a_drawing_is_all_kept_by_itself_and_not_at_all_by_white_paper(drawing: str) -> None:
    picture = draw(drawing, SIDE)
    assert kept(picture, picture) == pytest.approx(1)
    assert kept(picture, 255 - picture) > 0.99  # light on dark is the same drawing
    assert kept(picture, draw("white", SIDE)) == 0
    noise = np.random.default_rng(2).integers(0, 256, picture.shape, np.uint8)
    assert kept(picture, noise) < 0.3
    assert chance(picture, picture) < 0.45


def test_what_is_fainter_than_a_quarter_of_the_inks_contrast_is_gone() -> None:
    picture = draw("harbour", SIDE)
    for share, found in ((0.5, True), (0.1, False)):
        faint = np.rint(255 - share * (255 - picture.astype(float))).astype(np.uint8)
        assert (kept(picture, faint) > 0.9) is found


def test_half_a_drawing_is_about_half_kept() -> None:
    picture = draw("name", SIDE)
    half = picture.copy()
    half[:, : SIDE // 2] = 255
    assert 0.3 < kept(picture, half) < 0.7


def test_of_white_paper_nothing_can_be_said() -> None:
    assert np.isnan(kept(draw("white", 96), draw("child", 96)))


@pytest.fixture
def tiny(tmp_path: Path) -> Network:
    return Network.open(nets.register_tiny(tmp_path / "models"), threads=1)


def test_a_chain_goes_on_where_it_was_left(tiny: Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rule = {**PRESETS["live"], "min_size": 32}
    chain = Chain(tiny, rule, ShelfStyle("block/output", None), "child", 64)
    first = list(chain.dreams(2, tmp_path / "work"))
    assert len(first) == 3 and (first[1] != first[0]).any() and (first[2] != first[1]).any()
    dreamed: list[int] = []
    kept_dream = Chain._dream

    def counted(self: Chain, picture: Any, ages: Any, number: int, path: Path) -> None:
        dreamed.append(number)
        kept_dream(self, picture, ages, number, path)

    monkeypatch.setattr(Chain, "_dream", counted)
    again = list(chain.dreams(3, tmp_path / "work"))
    assert dreamed == [3]
    np.testing.assert_array_equal(again[2], first[2])
    list(Chain(tiny, {**rule, "step": 1.0}, chain.style, "child", 64).dreams(1, tmp_path / "work"))
    assert dreamed == [3, 1]  # another recipe is another chain


def test_the_command_prints_both_rules_and_writes_a_sheet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sheets, "MEASURED", (1, 2))
    sheets.main(
        [
            "--side",
            "96",
            "--threads",
            "1",
            "--out",
            str(tmp_path / "out"),
            "--work",
            str(tmp_path / "work"),
            "--styles",
            "1",
            "--dreams",
            "1",
            "2",
        ]
    )
    lines = capsys.readouterr().out.splitlines()
    for drawing in sheets.FIVE:
        styled = 1 if drawing == sheets.STYLED else 0
        assert len([line for line in lines if line.startswith(f"| house | {drawing} | ")]) == 2 + styled
    with Image.open(tmp_path / "out" / "house.jpg") as sheet:
        assert sheet.size == (sheets.TILE * 5, (sheets.TILE + 16) * 6)
        now = np.asarray(sheet)[-sheets.TILE - 16 : -16, 3 * sheets.TILE :]
        assert now.min() < 200  # white paper comes alive, out of seeds that the dreamer plants
