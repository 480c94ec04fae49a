"""Every kind of picture that Pillow can write, and some that it can only read: right colours, or words."""

from __future__ import annotations

import contextlib
import io
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from dreamer.engine.pictures import PictureError, read_picture
from gallery.uploads import pictures as uploads

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
# The primaries' names exchanged: what its red says is blue.
SWAPPED = SRGB.replace(b"rXYZ", b"tXYZ").replace(b"bXYZ", b"rXYZ").replace(b"tXYZ", b"bXYZ")


def grey_profile(gamma: float) -> bytes:
    """A grey ICC profile (version 2) of one gamma, as small as it may be."""

    def text(kind: bytes, words: bytes) -> bytes:
        body = kind + bytes(4) + words
        return body + bytes(-len(body) % 4)

    described = text(b"desc", struct.pack(">I", 5) + b"grey\0" + bytes(78))
    tags = {
        b"desc": described,
        b"cprt": text(b"text", b"none\0"),
        b"wtpt": text(b"XYZ ", struct.pack(">iii", 63190, 65536, 54061)),
        b"kTRC": text(b"curv", struct.pack(">IH", 1, round(gamma * 256))),
    }
    at, table, data = 128 + 4 + 12 * len(tags), b"", b""
    for name, body in tags.items():
        table += struct.pack(">4sII", name, at + len(data), len(body))
        data += body
    head = bytearray(128)
    struct.pack_into(">I4sI4s4s4s", head, 0, at + len(data), bytes(4), 0x02100000, b"mntr", b"GRAY", b"XYZ ")
    head[36:40] = b"acsp"
    struct.pack_into(">iii", head, 68, 63190, 65536, 54061)
    return bytes(head) + struct.pack(">I", len(tags)) + table + data


LINEAR = grey_profile(1.0)


def brighter(value: int) -> int:
    """A linear value in sRGB (IEC 61966-2-1)."""
    v = value / 255
    return round(255 * (12.92 * v if v <= 0.0031308 else 1.055 * v ** (1 / 2.4) - 0.055))


def tiff(values: Any, bits: int, *, white_is_zero: bool) -> bytes:
    """An uncompressed grey TIFF of any depth, which Pillow does not write."""
    height, width = values.shape
    if bits == 12:
        packed = bytearray()
        for row in values:
            numbers = [*map(int, row), *([0] * (width % 2))]
            for a, b in zip(numbers[::2], numbers[1::2], strict=True):
                packed += bytes((a >> 4, (a & 15) << 4 | b >> 8, b & 255))
        data = bytes(packed)
    else:
        data = values.astype("<u2" if bits == 16 else "u1").tobytes()
    entries = [
        (256, 3, width),
        (257, 3, height),
        (258, 3, bits),
        (259, 3, 1),
        (262, 3, 0 if white_is_zero else 1),
        (273, 4, 8),
        (277, 3, 1),
        (278, 3, height),
        (279, 4, len(data)),
    ]
    directory = struct.pack("<H", len(entries))
    for tag, kind, value in entries:
        directory += struct.pack("<HHII", tag, kind, 1, value)
    return b"II*\0" + struct.pack("<I", 8 + len(data)) + data + directory + bytes(4)


@pytest.mark.parametrize("bits", [8, 12, 16])
@pytest.mark.parametrize("white_is_zero", [False, True])
def test_grey_of_every_depth(tmp_path: Path, bits: int, white_is_zero: bool) -> None:
    """12 bits came out almost black, 16 bits that begin with white as their negative."""
    white = 2**bits - 1
    values = np.array([[0, white // 4, white // 2, white]] * 4)
    (tmp_path / "a.tif").write_bytes(tiff(values, bits, white_is_zero=white_is_zero))
    if bits == 12 and white_is_zero:  # which Pillow cannot read: words
        with pytest.raises(PictureError, match=r"a\.tif"):
            read_picture(tmp_path / "a.tif")
        return
    got = read_picture(tmp_path / "a.tif")[0, :, 0].astype(int)
    expected = np.rint((white - values[0] if white_is_zero else values[0]) * 255 / white).astype(int)
    assert np.abs(got - expected).max() <= 1, (got.tolist(), expected.tolist())


COLOURS = np.full((8, 8, 3), (200, 60, 20), np.uint8)


def swapped_sources() -> dict[str, tuple[Image.Image, str, dict[str, Any]]]:
    rgb = Image.fromarray(COLOURS)
    see_through = rgb.convert("RGBA")
    return {
        "RGB": (rgb, "png", {}),
        "palette": (rgb.quantize(4), "png", {}),
        "palette with a hole": (rgb.quantize(4), "png", {"transparency": 3}),
        "RGBA": (see_through, "png", {}),
        "RGB in TIFF": (rgb, "tif", {}),
        "palette in TIFF": (rgb.quantize(4), "tif", {}),
        "WebP": (rgb, "webp", {"lossless": True}),
    }


@pytest.mark.parametrize("name", swapped_sources())
def test_a_profile_of_colours_is_followed_in_every_mode(tmp_path: Path, name: str) -> None:
    image, suffix, options = swapped_sources()[name]
    path = tmp_path / f"a.{suffix}"
    image.save(path, icc_profile=SWAPPED, **options)
    assert np.abs(read_picture(path)[4, 4].astype(int) - (20, 60, 200)).max() <= 3
    if suffix in ("png", "webp"):
        cleaned = uploads.clean(io.BytesIO(path.read_bytes()))
        with Image.open(io.BytesIO(cleaned.data)) as kept:
            assert np.abs(np.asarray(kept.convert("RGB"))[4, 4].astype(int) - (20, 60, 200)).max() <= 6


@pytest.mark.parametrize("mode", ["L", "LA", "I;16"])
def test_a_profile_of_greys_is_followed_in_every_mode(tmp_path: Path, mode: str) -> None:
    if mode == "I;16":
        image = Image.fromarray(np.full((8, 8), 64 * 257, np.uint16))
    else:
        image = Image.new(mode, (8, 8), 64 if mode == "L" else (64, 255))
    image.save(tmp_path / "a.png", icc_profile=LINEAR)
    got = read_picture(tmp_path / "a.png")[4, 4].astype(int)
    assert np.abs(got - brighter(64)).max() <= 2 and brighter(64) > 120, got
    cleaned = uploads.clean(io.BytesIO((tmp_path / "a.png").read_bytes()))
    with Image.open(io.BytesIO(cleaned.data)) as kept:
        assert np.abs(np.asarray(kept.convert("RGB"))[4, 4].astype(int) - brighter(64)).max() <= 4


PROFILES = {"sRGB": SRGB, "grey": LINEAR, "none": b"nonsense", "cut": LINEAR[:150]}
UNFIT = [(mode, name) for mode in ("RGB", "L", "CMYK", "P") for name in PROFILES if (mode, name) != ("L", "grey")]


@pytest.mark.parametrize(("mode", "name"), UNFIT)
def test_a_profile_that_does_not_fit_changes_nothing(tmp_path: Path, mode: str, name: str) -> None:
    profile = PROFILES[name]
    image = Image.new("RGB", (8, 8), (120, 120, 120))
    image = image.quantize(4) if mode == "P" else image.convert(mode)
    image.save(tmp_path / "a.tif", icc_profile=profile)
    assert np.abs(read_picture(tmp_path / "a.tif")[4, 4].astype(int) - 120).max() <= 3


MODES = (
    "1",
    "L",
    "LA",
    "P",
    "PA",
    "RGB",
    "RGBA",
    "RGBa",
    "La",
    "CMYK",
    "YCbCr",
    "LAB",
    "HSV",
    "I",
    "F",
    "I;16",
    "I;16B",
)
# Short palettes come out of Pillow's IM black; a TIFF of mode I has 32 bits, of which 16 are next to nothing.
OTHERWISE = ("P as IM", "PA as IM", "I as TIFF")
DEEP = ("I", "F", "I;16", "I;16B")
FORMATS = (
    "PNG",
    "JPEG",
    "WEBP",
    "TIFF",
    "GIF",
    "BMP",
    "TGA",
    "PPM",
    "PCX",
    "SGI",
    "JPEG2000",
    "ICO",
    "DDS",
    "IM",
    "AVIF",
)


def grey(mode: str) -> Image.Image:
    """A grey of 128 in a mode of Pillow's; white where there is only black and white."""
    if mode in ("I", "I;16", "I;16B"):
        return Image.new(mode, (16, 16), 128 * 257)
    if mode == "F":
        return Image.new("F", (16, 16), 128.0)
    if mode == "1":
        return Image.new("1", (16, 16), 1)
    if mode == "LAB":
        return Image.new("LAB", (16, 16), (137, 128, 128))  # L* 53.6
    made = Image.new("RGB", (16, 16), (128, 128, 128))
    if mode in ("P", "PA"):
        made = made.quantize(4)  # convert("P") would dither between the web's colours
    for step in (*{"RGBa": ("RGBA",), "La": ("LA",)}.get(mode, ()), mode):
        made = made.convert(step)
    return made


def written() -> dict[str, tuple[str, bytes]]:
    """What this Pillow writes: the mode and the file, by names of mode and format."""
    files = {}
    for mode in MODES:
        for kind in FORMATS:
            out = io.BytesIO()
            with contextlib.suppress(OSError, ValueError, KeyError, SystemError):  # it writes no such file
                grey(mode).save(out, kind)
                with Image.open(out) as file:
                    clipped = mode in DEEP and file.mode not in DEEP  # to white, as it was written
                if not clipped and f"{mode} as {kind}" not in OTHERWISE:
                    files[f"{mode} as {kind}"] = mode, out.getvalue()
    return files


WRITTEN = written()


@pytest.mark.parametrize("name", WRITTEN)
def test_whatever_pillow_writes_is_read(tmp_path: Path, name: str) -> None:
    """A grey of 128 in every mode and format that fit together."""
    mode, data = WRITTEN[name]
    path = tmp_path / "a.bin"
    path.write_bytes(data)
    got = read_picture(path).astype(int)
    assert got.shape == (16, 16, 3)
    assert np.abs(got - (255 if mode == "1" else 128)).max() <= 6, (got.min(), got.max())


def test_pillow_writes_what_people_send() -> None:
    assert {"RGB as PNG", "RGB as JPEG", "CMYK as JPEG", "P as GIF", "RGBA as WEBP", "I;16 as PNG"} <= set(WRITTEN)


def animated() -> bytes:
    """An animated PNG of three pictures."""
    frames = [Image.effect_noise((32, 32), 40 + 20 * number).convert("RGB") for number in range(3)]
    out = io.BytesIO()
    frames[0].save(out, "PNG", save_all=True, append_images=frames[1:], duration=50)
    return out.getvalue()


ANIMATED = animated()


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(at=st.integers(8, len(ANIMATED) - 1), junk=st.binary(min_size=1, max_size=40), cut=st.booleans())
def test_a_broken_animated_png_is_a_picture_or_words(tmp_path: Path, at: int, junk: bytes, cut: bool) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(ANIMATED[:at] + junk + (b"" if cut else ANIMATED[at + len(junk) :]))
    try:
        assert read_picture(path).shape[2] == 3
    except PictureError as error:
        assert str(path) in str(error)
