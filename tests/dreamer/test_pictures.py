"""Picture files: whatever comes in is upright RGB; what goes out is whole and carries its recipe."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import ExifTags, Image, ImageCms

from dreamer.engine.pictures import PictureError, read_mask, read_picture, read_recipe, whole_file, write_picture

RECIPE = {"model": "tiny", "target": {"terms": [{"layer": "a/ü", "channels": [[3, 0.5]]}]}, "octaves": 4}


@pytest.fixture
def corner() -> Any:
    """A picture with one red corner, at the top left."""
    picture = np.full((24, 40, 3), 60, np.uint8)
    picture[:10, :10] = 250, 20, 20
    return picture


@pytest.mark.parametrize(("orientation", "place"), [(1, (2, 2)), (3, (-3, -3)), (6, (2, -3)), (8, (-3, 2))])
def test_pictures_are_turned_upright(tmp_path: Path, corner: Any, orientation: int, place: tuple[int, int]) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    Image.fromarray(corner).save(tmp_path / "a.jpg", exif=exif, quality=95)
    picture = read_picture(tmp_path / "a.jpg")
    assert picture.shape == ((24, 40, 3) if orientation in (1, 3) else (40, 24, 3))
    red, _, blue = picture[place]
    assert red > 200 and blue < 60


@pytest.mark.parametrize(("white", "expected"), [(1.0, [0, 64, 255]), (255.0, [0, 64, 255])])
def test_numbers_with_fractions_are_a_picture_by_their_range(tmp_path: Path, white: float, expected: list[int]) -> None:
    values = np.array([[0, 0.25 * white, white, np.nan]], np.float32)
    Image.fromarray(values).save(tmp_path / "f.tiff")
    assert read_picture(tmp_path / "f.tiff")[0, :3, 0].tolist() == expected


@pytest.mark.parametrize("mode", ["L", "LA", "P", "RGBA", "CMYK", "1", "YCbCr", "I;16"])
def test_any_mode_becomes_rgb(tmp_path: Path, mode: str) -> None:
    grey = np.full((8, 9, 3), 128, np.uint8)
    if mode == "I;16":
        image = Image.fromarray(np.full((8, 9), 128 * 257, np.uint16))
    elif mode == "P":
        image = Image.fromarray(grey).quantize(4)
    elif mode == "1":
        image = Image.new("1", (9, 8), 1)
    else:
        image = Image.fromarray(grey).convert(mode)
    suffix = ".tif" if mode in ("CMYK", "YCbCr") else ".png"
    image.save(tmp_path / f"a{suffix}")
    picture = read_picture(tmp_path / f"a{suffix}")
    assert picture.shape == (8, 9, 3) and picture.dtype == np.uint8
    assert np.abs(picture.astype(int) - (255 if mode == "1" else 128)).max() <= 3


def test_transparency_lies_on_white(tmp_path: Path) -> None:
    Image.new("RGBA", (4, 4), (0, 0, 0, 0)).save(tmp_path / "a.png")
    assert (read_picture(tmp_path / "a.png") == 255).all()


def test_profiles_are_brought_to_srgb(tmp_path: Path, corner: Any) -> None:
    """sRGB's own profile changes nothing, a broken one is passed over, any other is followed."""
    good = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for profile in (good, b"nonsense"):
        Image.fromarray(corner).save(tmp_path / "a.png", icc_profile=profile)
        assert np.abs(read_picture(tmp_path / "a.png").astype(int) - corner).max() <= 1
    # The same with the primaries' names exchanged: what its red says is blue.
    swapped = good.replace(b"rXYZ", b"tXYZ").replace(b"bXYZ", b"rXYZ").replace(b"tXYZ", b"bXYZ")
    Image.fromarray(corner).save(tmp_path / "b.png", icc_profile=swapped)
    assert np.abs(read_picture(tmp_path / "b.png")[..., ::-1].astype(int) - corner).max() <= 3


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("none.jpg", None, "no such file"),
        ("text.jpg", b"hello", "no picture"),
        ("cut.jpg", "cut", "cannot be read"),
    ],
)
def test_what_cannot_be_read_is_said(tmp_path: Path, corner: Any, name: str, content: Any, expected: str) -> None:
    path = tmp_path / name
    if content == "cut":
        Image.fromarray(np.random.default_rng(0).integers(0, 256, (99, 99, 3), np.uint8)).save(path)
        content = path.read_bytes()[:2000]
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(PictureError, match=expected):
        read_picture(path)


def test_masks_are_brightness_or_opacity(tmp_path: Path) -> None:
    Image.fromarray(np.array([[0, 255], [128, 255]], np.uint8)).save(tmp_path / "a.png")
    assert read_mask(tmp_path / "a.png").tolist() == [[0, 255], [128, 255]]
    alpha = np.zeros((2, 2, 4), np.uint8)
    alpha[..., :3], alpha[0, 0, 3] = 255, 200
    Image.fromarray(alpha).save(tmp_path / "b.png")
    assert read_mask(tmp_path / "b.png").tolist() == [[200, 0], [0, 0]]


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".JPEG", ".webp"])
def test_the_recipe_travels_in_the_picture(tmp_path: Path, corner: Any, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    write_picture(path, corner, RECIPE)
    assert read_recipe(path) == RECIPE
    assert np.abs(read_picture(path).astype(int) - corner).mean() < 3
    if suffix == ".png":
        np.testing.assert_array_equal(read_picture(path), corner)


def test_recipes_are_read_from_json_too(tmp_path: Path, corner: Any) -> None:
    path = tmp_path / "r.json"
    path.write_text("  \n" + json.dumps(RECIPE, indent=2))
    assert read_recipe(path) == RECIPE
    write_picture(tmp_path / "plain.jpg", corner)
    for name, content, expected in (
        ("plain.jpg", None, "without a recipe"),
        ("n", b"what", "neither"),
        ("b.json", b"{oops", "no JSON"),
        ("gone", None, "cannot be read"),
    ):
        if content:
            (tmp_path / name).write_bytes(content)
        with pytest.raises(PictureError, match=expected):
            read_recipe(tmp_path / name)


def test_files_appear_whole_or_not_at_all(tmp_path: Path, corner: Any) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(b"before")
    with pytest.raises(RuntimeError), whole_file(path) as temporary:
        temporary.write_bytes(b"half")
        raise RuntimeError
    assert path.read_bytes() == b"before"
    write_picture(path, corner)
    assert [p.name for p in tmp_path.iterdir()] == ["a.png"]
    assert stat.S_IMODE(path.stat().st_mode) & 0o400


def test_unwritable_names_are_refused(tmp_path: Path, corner: Any) -> None:
    with pytest.raises(PictureError, match=r"received the ending '\.xyz', expected one of \.png"):
        write_picture(tmp_path / "a.xyz", corner)
    with pytest.raises(PictureError, match="cannot be written"):
        write_picture(tmp_path / "nowhere" / "a.png", corner)
    with pytest.raises(PictureError, match=r"write a \.png"):
        write_picture(tmp_path / "a.jpg", corner, {"long": "x" * 70_000})
