"""`manage.py dream`, from outside: files in, files out, and errors that help."""

from __future__ import annotations

import json
import signal
from dataclasses import fields
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from PIL import ExifTags, Image

from dreamer import house
from dreamer.engine import PRESETS, Recipe
from dreamer.engine.atlas import GAP, MARGIN
from dreamer.engine.contact import CAPTION
from dreamer.engine.noise import noise_picture
from dreamer.engine.pictures import read_picture, read_recipe
from dreamer.management.commands.dream import Command
from dreamer.management.terminal import Bar, duration
from tests.dreamer import nets

SMALL = ["--octaves", "2", "--iterations", "2", "--min-size", "32", "--threads", "1"]
LAYER = ["--layer", "block/output"]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("models")
    nets.register_tiny(root)
    return root


@pytest.fixture(autouse=True)
def here(models: Path, tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a photograph, in which commands run."""
    settings.MODELS_DIR, settings.DREAM_MODEL = models, ""
    monkeypatch.chdir(tmp_path)
    Image.fromarray(noise_picture(60, 80, contrast=25, seed=2)).save("photo.png")
    return tmp_path


def run(*words: str) -> str:
    out = StringIO()
    call_command("dream", *words, stdout=out)
    return out.getvalue()


def test_a_photograph_is_dreamed_and_dreamed_again_by_its_recipe(here: Path) -> None:
    output = run("photo.png", "one.png", *LAYER, *SMALL, "--seed", "7")
    assert "one.png" in output and "tiny" in output and "cpu" in output
    photo, one = read_picture(here / "photo.png"), read_picture(here / "one.png")
    assert one.shape == photo.shape and (one != photo).any()
    recipe = Recipe.from_json(read_recipe(here / "one.png"))
    assert (recipe.model, recipe.octaves, recipe.seed) == ("tiny", 2, 7)
    run("photo.png", "two.png", "--recipe", "one.png", "--threads", "1")
    np.testing.assert_array_equal(read_picture(here / "two.png"), one)
    run("photo.png", "three.png", "--recipe", "one.png", "--seed", "8", "--threads", "1")
    assert (read_picture(here / "three.png") != one).any()
    assert Recipe.from_json(read_recipe(here / "three.png")).target == recipe.target


def test_the_photos_orientation_is_applied_and_its_metadata_left_behind(here: Path) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation], exif[ExifTags.Base.Make] = 6, "Camera"
    Image.open("photo.png").save("turned.jpg", exif=exif)
    run("turned.jpg", "dreamed.jpg", *LAYER, *SMALL)
    with Image.open("dreamed.jpg") as image:
        assert image.size == (60, 80)
        assert ExifTags.Base.Make not in image.getexif() and ExifTags.Base.Orientation not in image.getexif()
    assert Recipe.from_json(read_recipe(here / "dreamed.jpg")).octaves == 2


def test_from_noise_with_a_class_and_everything_beside_it(here: Path) -> None:
    pytest.importorskip("av")
    run("thing.webp", "--noise", "72x48", "--class", "thing 4", *SMALL, "--gif", "steps.gif", "--film", "steps.mp4")
    assert read_picture(here / "thing.webp").shape == (48, 72, 3)
    recipe = Recipe.from_json(read_recipe(here / "thing.webp"))
    assert recipe.noise == (72, 48) and recipe.smooth == PRESETS["noise"]["smooth"]
    with Image.open("steps.gif") as image:
        assert image.size == (72, 48) and image.n_frames == 5  # the noise and four steps
    assert (here / "steps.mp4").stat().st_size > 1000
    run("again.webp", "--recipe", "thing.webp", "--threads", "1")
    np.testing.assert_array_equal(read_picture(here / "again.webp"), read_picture(here / "thing.webp"))


def test_channels_of_noise_are_taken_before_their_relu(here: Path) -> None:
    """After it, a unit that noise does not wake has no gradient."""
    run("a.png", "--noise", "64x64", "--layer", "block/output", "--channel", "20", *SMALL)
    (term,) = Recipe.from_json(read_recipe(here / "a.png")).target.terms
    assert term.layer == "block/3x3_pre" and term.channels == ((4, 1.0),)
    run("photo.png", "b.png", "--layer", "block/output", "--channel", "20", *SMALL)
    (term,) = Recipe.from_json(read_recipe(here / "b.png")).target.terms
    assert term.layer == "block/output"


def test_guide_mask_and_kept_colours(here: Path) -> None:
    mask = np.zeros((60, 80), np.uint8)
    mask[:, 40:] = 255
    Image.fromarray(mask).save("mask.png")
    Image.fromarray(noise_picture(50, 50, contrast=60, seed=9)).save("guide.png")
    run("photo.png", "a.png", *LAYER, *SMALL, "--guide", "guide.png", "--mask", "mask.png", "--keep-colours")
    photo, dreamed = read_picture(here / "photo.png"), read_picture(here / "a.png")
    np.testing.assert_array_equal(dreamed[:, :40], photo[:, :40])
    assert (dreamed[:, 40:] != photo[:, 40:]).any()
    assert Recipe.from_json(read_recipe(here / "a.png")).keep_colours
    with pytest.raises(CommandError, match="guided by a picture"):
        run("photo.png", "b.png", "--recipe", "a.png")


def test_the_shelfs_first_style_is_the_default(here: Path, models: Path, settings: Any, tmp_path: Path) -> None:
    root = tmp_path / "shelved"
    folder = nets.register_tiny(root)
    (folder / "shelf.json").write_text('[{"layer": "conv2", "channel": 3, "title": "Threes"}]')
    settings.MODELS_DIR = root
    run("photo.png", "a.png", *SMALL)
    (term,) = Recipe.from_json(read_recipe(here / "a.png")).target.terms
    assert (term.layer, term.channels) == ("conv2", ((3, 1.0),))


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["nope.jpg", "a.png", *LAYER], "nope.jpg: there is no such file"),
        (["photo.png", "a.xyz", *LAYER], r"received the ending '\.xyz'"),
        (["photo.png", "away/a.png", *LAYER], "there is no folder away"),
        (["photo.png", "a.png", "--layer", "blok/outptu"], "block/output"),
        (["photo.png", "a.png", *LAYER, "--channel", "900"], "channels 0 to .*, received 900"),
        (["photo.png", "a.png", "--class", "thang 4"], "thing 4"),
        (["photo.png", "a.png"], "nothing to dream of"),
        (["photo.png", "a.png", *LAYER, "--octaves", "0"], "octaves: received 0, expected 1 to 32"),
        (["photo.png", "a.png", *LAYER, "--model", "tinny"], "tiny"),
        (["photo.png", "a.png", *LAYER, "--noise", "64x64"], "both a photograph"),
        (["a.png", *LAYER], "received no photograph"),
        (["photo.png", "a.png", *LAYER, "--gif", "a.avi"], r"expected \.gif or \.mp4"),
        (["photo.png", "a.png", "--recipe", "photo.png"], "without a recipe"),
        (["photo.png", "a.png", *LAYER, "--noise", "64"], "WIDTHxHEIGHT"),
        (["photo.png", "a.png", "--channel", "3"], "--layer of its own before it"),
        (["photo.png", "a.png", *LAYER, "--colour", "sepia"], "invalid choice"),
        (["photo.png", "photo.png", *LAYER], "photo.png: received a file that is in use here already"),
        (
            ["photo.png", "a.png", *LAYER, "--mask", "photo.png", "--gif", "./a.gif", "--film", "a.gif"],
            "a.gif: .*in use",
        ),
        (["photo.png", "/proc/a.png", *LAYER], "/proc/a.png: cannot be written"),
        (["photo.png", "a.png", *LAYER, "--gif", "a.gif", "--fps", "0"], "fps: received 0.0, expected more than 0"),
        (["photo.png", "a.png", *LAYER, "--gif", "a.gif", "--fps", "nan"], "fps: received nan"),
        (
            ["photo.png", "a.png", *LAYER, "--film", "a.mp4", "--frame-side", "-10"],
            "frame_side: received -10, expected 16",
        ),
        (["photo.png", "a.png", *LAYER, "--zoom", "1.1"], "--zoom without --dreams"),
        (["photo.png", "a.png", *LAYER, "--turn", "3"], "--turn without --dreams"),
        (["photo.png", "a.png", "--compare", "tiny"], "compare: received 1 networks, expected two or more"),
        (["photo.png", "a.png", "--compare", "tiny,tinny"], "tiny"),
        (["photo.png", "a.png", "--compare", "tiny,tiny", "--class", "thang 4"], "thing 4"),
        (["photo.png", "a.png", "--compare", "tiny,tiny", "--gif", "a.gif"], "both --compare and --gif"),
        (["photo.png", "a.png", "--sheet", *LAYER], "both --sheet and --layer"),
        (["photo.png", "a.png", "--sheet", "0"], "sheet: received 0, expected 1 to 200"),
        (["photo.png", "photo.png", "--sheet"], "in use here already"),
    ],
)
def test_mistakes_say_what_was_received_and_expected(here: Path, words: list[str], expected: str) -> None:
    with pytest.raises(CommandError, match=expected):
        run(*words)
    assert sorted(p.name for p in here.iterdir()) == ["photo.png"]


def test_a_folder_of_that_name_is_known_before_the_work(here: Path) -> None:
    (here / "a.png").mkdir()
    with pytest.raises(CommandError, match=r"a\.png: received a folder, expected the name of a file"):
        run("photo.png", "a.png", *LAYER)


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("octaves", '"4"', "octaves: received '4', expected a whole number"),
        ("channels", "[1, 2]", "channels must be"),
        ("channels", "3", "channels must be"),
        ("weight", '"x"', "weight must be"),
        ("position", "0.5", "position must be"),
        ("squared", '"no"', "squared must be"),
    ],
)
def test_a_recipe_written_by_hand_is_read_with_care(here: Path, field: str, value: str, expected: str) -> None:
    of_recipe = f', "{field}": {value}' if field == "octaves" else ""
    of_term = "" if of_recipe else f', "{field}": {value}'
    term = f'{{"layer": "conv2"{of_term}}}'
    (here / "r.json").write_text(f'{{"model": "tiny", "target": {{"terms": [{term}]}}{of_recipe}}}')
    with pytest.raises(CommandError, match=expected):
        run("photo.png", "a.png", "--recipe", "r.json")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--guide", "photo.png"], "received --guide for a recipe without one"),
        (["--no-squared"], "received --squared without a --layer"),
        (["--preset", "live"], "both --recipe and --preset"),
    ],
)
def test_what_a_recipe_has_no_use_for_is_said(here: Path, words: list[str], expected: str) -> None:
    (here / "r.json").write_text('{"model": "tiny", "target": {"terms": [{"layer": "conv2"}]}}')
    with pytest.raises(CommandError, match=expected):
        run("photo.png", "a.png", "--recipe", "r.json", *words)


def test_several_classes_at_once(here: Path) -> None:
    run("photo.png", "a.png", "--class", "thing 4", "--class", "7", *SMALL)
    terms = Recipe.from_json(read_recipe(here / "a.png")).target.terms
    assert [term.channels for term in terms] == [((4, 1.0),), ((7, 1.0),)]


def test_the_house_model_has_presets_of_its_own(here: Path, settings: Any) -> None:
    settings.HOUSE_MODEL = True
    run("photo.png", "a.png", "--model", "house", "--preset", "live")
    run("photo.png", "b.png", "--model", "house", "--iterations", "1")
    live, photo = (Recipe.from_json(read_recipe(here / name)) for name in ("a.png", "b.png"))
    assert {**live.to_json(), **PRESETS["live"], **house.LIVE} == live.to_json()
    assert {**photo.to_json(), **house.PHOTO, "iterations": 1} == photo.to_json()


def test_without_a_network_it_says_how_to_get_one(settings: Any, tmp_path: Path) -> None:
    settings.MODELS_DIR, settings.HOUSE_MODEL = tmp_path / "none", False
    with pytest.raises(CommandError, match=r"manage\.py model"):
        run("photo.png", "a.png", *LAYER)


def test_ctrl_c_leaves_the_picture_so_far(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[float] = []

    def press(bar: Bar, fraction: float, *more: Any) -> None:
        shown.append(fraction)
        if len(shown) == 3:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(Bar, "show", press)
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(CommandError, match="Stopped") as stopped:
        run("photo.png", "a.png", *LAYER, *SMALL, "--iterations", "50", "--gif", "a.gif")
    assert stopped.value.returncode == 130
    assert len(shown) < 20
    assert signal.getsignal(signal.SIGINT) is before
    assert (read_picture(here / "a.png") != read_picture(here / "photo.png")).any()
    assert (here / "a.gif").exists()


@pytest.fixture
def shelved(tmp_path: Path, settings: Any) -> None:
    """Two networks: `tiny` has three styles, `other` two, and no classes of those names."""
    settings.MODELS_DIR = tmp_path / "shelved"
    for name, layers in (("tiny", ["block/output", "block/3x3", "pool2"]), ("other", ["conv2", "block/3x3"])):
        folder = nets.register_tiny(settings.MODELS_DIR, name)
        shelf = [{"layer": layer, "channel": None, "title": f"Style {n}"} for n, layer in enumerate(layers)]
        (folder / "shelf.json").write_text(json.dumps(shelf))


def colours(path: str, x: int, y: int, width: int, height: int) -> Any:
    return np.asarray(read_picture(Path(path)))[y : y + height, x : x + width].astype(int)


def test_a_sheet_of_the_styles_that_suit_the_photograph(shelved: None, here: Path) -> None:
    out = run("photo.png", "sheet.png", "--model", "tiny", "--sheet", "2", "--frame-side", "64", *SMALL)
    assert "2 dreams in" in out and out.count("--layer ") == 2
    sheet = read_picture(here / "sheet.png")
    assert sheet.shape[1] > 2 * 64 and sheet.shape[0] > 48
    small = np.asarray(Image.open("photo.png").convert("RGB").resize((64, 48))).astype(int)
    first = colours("sheet.png", MARGIN, MARGIN, 64, 48)
    assert np.abs(first - small).mean() < 8, "the photograph itself comes first"
    second = colours("sheet.png", MARGIN + 64 + GAP, MARGIN, 64, 48)
    assert np.abs(second - first).mean() > 3, "then a dream on it"
    # The command that is printed dreams the same style again.
    words = out.splitlines()[0].split(": ")[1].split()
    run("photo.png", "a.png", "--model", "tiny", *words, *SMALL)
    assert (here / "a.png").exists()


def test_a_network_without_a_shelf_shows_its_own_layers(here: Path) -> None:
    out = run("photo.png", "sheet.png", "--model", "tiny", "--sheet", "3", "--frame-side", "64", *SMALL)
    assert out.count("--layer conv2") == 2 and "--channel" in out, "a late block, by a channel and whole"


def test_the_same_in_several_networks(shelved: None, here: Path) -> None:
    networks = ["--compare", "tiny,other", "--frame-side", "64", *SMALL]
    out = run("photo.png", "best.png", *networks)
    assert "tiny: Style" in out and "other: Style" in out
    out = run("photo.png", "layer.png", *networks, *LAYER)
    assert "tiny: --layer block/output" in out and "other: --layer block/output" in out
    for name in ("best.png", "layer.png"):
        across, down = 64 + GAP, 48 + CAPTION + GAP
        pictures = [colours(name, MARGIN + x, MARGIN + y, 64, 48) for x, y in ((0, 0), (across, 0), (0, down))]
        assert np.abs(pictures[1] - pictures[0]).mean() > 3 and np.abs(pictures[2] - pictures[0]).mean() > 3


def test_what_only_one_network_has_is_dreamed_there_and_the_other_does_its_best(shelved: None, here: Path) -> None:
    folder = here / "shelved" / "other"
    (folder / "labels.txt").write_text("\n".join(f"fruit {n}" for n in range(10)) + "\n")
    out = run("photo.png", "a.png", "--compare", "tiny,other", "--class", "fruit 3", "--frame-side", "64", *SMALL)
    assert "tiny: Style" in out and "other: --class 'fruit 3'" in out


def test_help_is_made_of_the_recipes_fields() -> None:
    text = " ".join(Command().create_parser("manage.py", "dream").format_help().split())
    for field in fields(Recipe):
        if field.metadata:
            assert f"--{field.name.replace('_', '-')}" in text
            assert " ".join(field.metadata["help"].split()) in text
    assert "8 live, 4 photo" in text


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def test_the_bar_is_one_line_on_a_terminal_and_lines_elsewhere() -> None:
    terminal, log = Terminal(), StringIO()
    for stream in (terminal, log):
        with Bar(stream, every=0) as bar:
            bar.show(0.25, "octave 1/4", 75.0)
            bar.show(1.0, "done")
    assert terminal.getvalue().count("\n") == 1 and terminal.getvalue().count("\r") == 2
    assert "[######.................." in terminal.getvalue() and "1:15 left" in terminal.getvalue()
    assert log.getvalue().splitlines() == [" 25% octave 1/4 · 1:15 left", "100% done"]
    assert [duration(s) for s in (0, 59.6, 3723, -1)] == ["0:00", "1:00", "1:02:03", "0:00"]
