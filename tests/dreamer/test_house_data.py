"""What the house model's second edition is taught with: photographs, sketches, views, a teacher's answers."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from dreamer.house import photographs, sketches, sprites
from dreamer.house.classes import NUMBER

needs_font = pytest.mark.skipif(
    not sprites.FONT.is_file(), reason=f"{sprites.FONT} is missing: install fonts-noto-color-emoji"
)
needs_packages = pytest.mark.skipif(bool(photographs.missing()), reason=photographs.missing() or "they are there")


# --- licences -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "licence",
    [
        "public-domain",
        "CC0-1.0",
        "CC-BY-3.0",
        "CC-BY-SA-2.5",
        "GPL-3+",
        "CC0-1.0 and CC-BY-3.0",
        "GFDL or CC-BY-SA-2.5",
    ],
)
def test_free_licences_are_allowed(licence: str) -> None:
    assert photographs.allowed(licence)


@pytest.mark.parametrize(
    "licence", ["GFDL", "GFDL-1.2+", "CC-BY-3.0 and GFDL", "CC-Sampling-Plus-1.0", "CC-BY-NC-2.0", "unknown", ""]
)
def test_others_are_not(licence: str) -> None:
    assert not photographs.allowed(licence)


def test_the_last_pattern_of_a_copyright_file_counts_whatever_kind_of_picture_it_named() -> None:
    rights = photographs.Copyright.parse(
        "Format: x\n\nFiles: *\nCopyright: a\nLicense: GPL-3+\n\n"
        "Files: src/sea*.jpg\n       src/owl.png\nCopyright: b\nLicense: CC-BY-2.0\n text\n\n"
        "Files: src/sea9.jpg\nCopyright: c\nLicense: GFDL\n"
    )
    paths = ("src/hill.webp", "src/sea1.webp", "src/owl.webp", "src/sea9.webp")
    assert [rights.licence_of(path) for path in paths] == ["GPL-3+", "CC-BY-2.0", "CC-BY-2.0", "GFDL"]
    assert photographs.Copyright(()).licence_of("src/hill.webp") == "unknown"


def test_a_changelog_says_which_pictures_are_under_another_licence() -> None:
    found = photographs.exceptions(
        "2014\n"
        "  * Spotted Hen\n    Photographed by somebody\n    (GNU Free Documentation License (GFDL))\n\n"
        "  * New stamps from a school\n    Creative Commons BY-SA 3.0\n    + lily.png\n    + lotus.png\n\n"
        "    + cars/van\n      License: Creative Commons Attribution 2.5 License\n\n"
        '      Sound "honk"\n      License: Creative Commons Sampling Plus 1.0\n\n'
        "    + insects\n      - Small_slug\n        License: GFDL or CC-BY-SA 2.5\n"
        "      - louse\n        License:GFDL\n"
        "    + plums\n      drawn by somebody\n"
    )
    assert found["spotted hen"] == "GFDL"
    assert found["lily"] == found["lotus"] == "CC-BY-SA-3.0"
    assert found["van"] == "CC-BY-2.5"  # its sound is another matter
    assert found["small slug"] == "CC-BY-SA-2.5"
    assert found["louse"] == "GFDL"
    assert "plums" not in found


# --- Qt resource files ----------------------------------------------------------------------------------------------


def _resource_file(files: dict[str, bytes]) -> bytes:
    """A folder `art` with these files, uncompressed, in version 3 of the format."""
    names, contents, tree = b"", b"", b""

    def name(text: str) -> int:
        nonlocal names
        at = len(names)
        names += struct.pack(">HI", len(text), 0) + text.encode("utf-16-be")
        return at

    def node(text: str, flags: int, first: int, second: int) -> bytes:
        return struct.pack(">IHIIQ", name(text) if text else 0, flags, first, second, 0)

    tree += node("", 2, 1, 1) + node("art", 2, len(files), 2)
    for title, data in files.items():
        tree += struct.pack(">IHHHIQ", name(title), 0, 0, 0, len(contents), 0)
        contents += struct.pack(">I", len(data)) + data
    head = 24
    places = head, head + len(tree), head + len(tree) + len(contents)
    return b"qres" + struct.pack(">5I", 3, *places, 0) + tree + contents + names


def test_a_resource_files_files_are_found_by_path() -> None:
    files = {"owl.webp": b"an owl", "größe.webp": b"", "sea.webp": bytes(300)}
    found = photographs.resources(_resource_file(files))
    assert found == {f"/art/{name}": data for name, data in files.items()}


def test_what_is_no_resource_file_is_refused() -> None:
    with pytest.raises(ValueError, match="begins with b'qres', this one with b'PK"):
        photographs.resources(b"PK\3\4 and so on")


def test_where_the_packages_are_missing_it_says_which(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("STAMPS", "RESOURCES", "COPYRIGHTS"):
        monkeypatch.setattr(photographs, name, tmp_path / "none")
    with pytest.raises(FileNotFoundError, match="install the packages tuxpaint-stamps-default and gcompris-qt-data"):
        photographs.sources()


@needs_packages
def test_the_packages_pictures_are_found_and_none_is_under_a_licence_that_is_not_allowed() -> None:
    found = photographs.sources()
    assert all(photographs.allowed(source.licence) for source in found)
    stamps = [source for source in found if source.package == photographs.STAMPS_PACKAGE]
    assert len(stamps) > 180 and len(found) - len(stamps) > 150
    assert {path.shape for versions in photographs.cutouts().values() for path in versions} == {(256, 256, 4)}
    assert not any("Cherry_Stella" in source.path for source in found)


# --- sketches -------------------------------------------------------------------------------------------------------


def _disc() -> np.ndarray:
    picture = Image.new("RGBA", (128, 128))
    ImageDraw.Draw(picture).ellipse((24, 24, 104, 104), fill=(220, 60, 40, 255))
    return np.asarray(picture)


def test_a_discs_outline_is_one_line_around_it() -> None:
    lines, flat = sketches.traced(_disc(), 1)
    points = np.concatenate(lines)
    far = np.hypot(points[:, 0] - 64, points[:, 1] - 64)
    assert far.min() > 36 and far.max() < 44
    steps = np.hypot(*np.diff(lines[0], axis=0).T).sum()
    assert steps > 0.8 * 2 * np.pi * 40
    assert flat[64, 64, 3] == 255 and flat[5, 5, 3] == 0


def test_a_sketch_is_ink_along_the_outline_and_says_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sketches, "FILLED", 0.0)
    place = np.array([[0.75, 0, 8], [0, 0.75, 8]])
    drawn = []
    for _ in range(2):
        paper = np.full((112, 112, 3), 255, np.uint8)
        shape = sketches.sketch(np.random.default_rng(4), paper, _disc(), place, 3.0)
        drawn.append(paper)
    assert (drawn[0] == drawn[1]).all()
    ink = (drawn[0].min(axis=2) < 200).astype(int)
    far = np.hypot(*(np.mgrid[0:112, 0:112] - 56))
    assert ink[(far > 27) & (far < 33)].mean() > 0.4
    assert ink[(far < 20) | (far > 40)].mean() < 0.02
    assert shape[56, 56] > 0.5 and shape[5, 5] == 0


def test_a_filled_sketch_has_colour_inside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sketches, "FILLED", 1.0)
    place = np.array([[0.75, 0, 8], [0, 0.75, 8]])
    for seed in range(6):
        paper = np.full((112, 112, 3), 255, np.uint8)
        sketches.sketch(np.random.default_rng(seed), paper, _disc(), place, 3.0)
        inside = paper[46:66, 46:66].reshape(-1, 3).mean(axis=0)
        assert inside[0] - inside[2] > 20, seed  # a red disc stays reddish


# --- views ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def drawn_pictures(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """In place of the packages' photographs: a disc, an ellipse of no class, and fields of noise."""
    from dreamer.house import scenes

    scenes._photographed.cache_clear()
    thin = np.asarray(Image.fromarray(_disc()).resize((256, 64)))
    egg = np.zeros((256, 256, 4), np.uint8)
    egg[96:160] = thin
    apple = np.asarray(Image.fromarray(_disc()).resize((256, 256)))
    noise = np.random.default_rng(0).integers(0, 220, (3, 240, 320, 3)).astype(np.uint8)
    monkeypatch.setattr(scenes, "cutouts", lambda: {"apple": (apple,), "": (egg,)})
    monkeypatch.setattr(scenes, "pictures", lambda: tuple(noise))
    yield
    scenes._photographed.cache_clear()


@needs_font
@pytest.mark.usefixtures("drawn_pictures")
def test_views_are_the_same_for_the_same_seed_and_say_what_they_show() -> None:
    from dreamer.house import scenes

    dreams = [np.full((120, 160, 3), 7, np.uint8)]
    first, again = (scenes.render_scenes(3, 1, 24, dreams) for _ in range(2))
    assert (first.pictures == again.pictures).all() and (first.weights == again.weights).all()
    assert first.pictures.shape == (24, 96, 96, 3) and first.shares.shape == (24, 3, 6, 6)
    known = first.weights.sum(axis=(1, 2, 3)) > 0
    assert 0.5 < known.mean() < 0.9  # the others are photographs and dreams
    assert (first.weights <= first.shares.astype(int) + 1)[known].all()
    white = (first.pictures > 238).all(axis=3).mean(axis=(1, 2))
    assert 0.15 < (white > 0.4).mean() < 0.6  # drawings on paper


def test_a_crop_lies_within_the_picture() -> None:
    from dreamer.house import scenes

    random = np.random.default_rng(0)
    for _ in range(40):
        crop = scenes.crop(random, np.full((200, 300, 3), 180, np.uint8), 96)
        assert crop.min() > 170


@needs_font
def test_pasted_views_are_the_same_for_the_same_seed_and_know_where_each_thing_is(
    drawn_pictures: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dreamer.house import pasted, scenes

    kinds = ("apple", "fox")
    for name in ("cutouts", "pictures"):
        monkeypatch.setattr(pasted, name, getattr(scenes, name))
    monkeypatch.setattr(pasted, "OBJECTS", {kind: sprites.OBJECTS[kind] for kind in kinds})
    first, again = (pasted.Stock(3, grounds=6, coats=1, drawings=1) for _ in range(2))
    views, same = (pasted.paste(np.random.default_rng(1), stock, 60) for stock in (first, again))
    assert (views.pictures == same.pictures).all() and (views.weights == same.weights).all()
    assert views.pictures.shape == (60, 96, 96, 3) and views.shares.shape == (60, 3, 6, 6)
    assert (views.weights <= views.shares.astype(int) + 1).all()
    assert np.abs(views.shares.astype(int).sum(axis=1) - 255).max() <= 2
    shown = views.labels[:, 1:][views.shares[:, 1:].any(axis=(2, 3))]
    assert {NUMBER[kind] for kind in kinds} <= set(shown) <= {NUMBER[kind] for kind in kinds}
    assert (views.weights[:, 0].any(axis=(1, 2))).mean() < 1  # what a photograph behind shows is not known


@needs_font
def test_a_drawn_thing_is_ink_and_paper_shows_between_its_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    from dreamer.house import pasted

    monkeypatch.setattr(sketches, "FILLED", 0.0)
    thing = pasted._drawn(np.random.default_rng(2), _disc())
    ink = np.asarray(thing.sizes[128])
    assert ink[64, 64, 3] < 10 and ink[..., 3].max() > 200
    assert thing.mask is not None and np.asarray(thing.mask)[64, 64] > 100
    assert (ink[..., :3].max(axis=2) <= ink[..., 3].astype(int) + 2).all()  # colours are multiplied by alpha


# --- the teacher ----------------------------------------------------------------------------------------------------


def test_the_response_norm_is_onnx_runtimes() -> None:
    torch = pytest.importorskip("torch")
    import onnx
    import onnxruntime

    from dreamer.house.imported import response_norm

    attributes = {"alpha": 1e-2, "beta": 0.75, "bias": 1.0, "size": 5}
    node = onnx.helper.make_node("LRN", ["x"], ["y"], **attributes)
    ends = [onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [1, 9, 4, 5]) for name in "xy"]
    graph = onnx.helper.make_graph([node], "norm", ends[:1], ends[1:])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8)
    x = np.random.default_rng(0).normal(0, 20, (1, 9, 4, 5)).astype(np.float32)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    expected = session.run(None, {"x": x})[0]
    assert np.allclose(response_norm([torch.from_numpy(x)], attributes).numpy(), expected, rtol=1e-4, atol=1e-4)


def test_a_stored_lesson_is_read_as_it_was(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    from dreamer.house import teacher
    from dreamer.house.samples import Samples

    random = np.random.default_rng(0)
    views = random.integers(0, 256, (4, 96, 96, 3)).astype(np.uint8)
    known = Samples(views, np.ones((4, 3), np.int16), *np.ones((2, 4, 3, 6, 6), np.uint8))
    features = tuple(random.normal(size=(4, n, s, s)).astype(np.float16) for n, s in teacher.DEPTHS.values())
    kinds, chances = np.ones((4, 10, 6, 6), np.int16), np.ones((4, 10, 6, 6), np.float16)
    teacher.store(tmp_path, 7, teacher.Lesson(known, 1, features, kinds, chances))
    found = teacher.read(tmp_path, 7)
    assert found.pairs == 1 and (found.samples.pictures == views).all()
    assert all((ours == theirs).all() for ours, theirs in zip(found.features, features, strict=True))


# --- editions compared ----------------------------------------------------------------------------------------------


def test_a_network_read_in_pytorch_computes_what_onnx_runtime_does() -> None:
    torch = pytest.importorskip("torch")
    from dreamer.house import BUILTIN, judge
    from dreamer.house.imported import Imported

    pictures = np.random.default_rng(0).integers(0, 256, (2, 80, 112, 3)).astype(np.uint8)
    expected = judge.scores(BUILTIN / "house", pictures)
    network = Imported(BUILTIN / "house")
    x = torch.from_numpy(pictures).permute(0, 3, 1, 2).float().sub(127.5).div(127.5)
    found = network.see(x, ["classes"], half=False)["classes"].numpy()
    assert np.abs(found - expected).max() < 1e-3 * np.abs(expected).max()
    with pytest.raises(ValueError, match="house has no layer fc9"):
        network.see(x, ["fc9"])


def test_the_first_edition_is_right_less_often_when_samples_are_moved_against_it() -> None:
    pytest.importorskip("torch")
    if not sprites.FONT.is_file():
        pytest.skip("install fonts-noto-color-emoji")
    from dreamer.house import BUILTIN, compare

    right, robust = compare.robustness(BUILTIN / "house", 16)
    assert 0.2 < robust < right - 0.05 < 0.95


def test_classes_that_googlenet_knows_too_are_classes_of_ours() -> None:
    from dreamer.house.classes import ILSVRC, LABELS

    assert set(ILSVRC) <= set(LABELS) and len(ILSVRC) > 30


@pytest.mark.googlenet
def test_the_other_networks_kinds_are_named_as_it_names_them() -> None:
    import os

    folder = os.environ.get("DREAMSITE_TEST_GOOGLENET")
    if not folder:
        pytest.skip("DREAMSITE_TEST_GOOGLENET does not name a folder with labels.txt")
    from dreamer.house.classes import ILSVRC, LABELS
    from dreamer.house.teacher import classes_of_kinds

    lines = (Path(folder) / "labels.txt").read_text().splitlines()
    own = {line.split(",")[0]: LABELS[number] for line, number in zip(lines, classes_of_kinds(lines), strict=True)}
    kinds = ("pug", "red fox", "tabby", "corn", "garden spider", "hammer", "macaw", "bolete")
    assert [own[name] for name in kinds] == ["dog", "fox", "cat", "maize", "spider", "plain", "parrot", "mushroom"]
    labels = {line.split(",")[0].strip() for line in (Path(folder) / "labels.txt").read_text().splitlines()}
    assert {kind for kinds in ILSVRC.values() for kind in kinds} <= labels
