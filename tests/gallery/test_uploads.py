"""What comes in as a picture goes out as pixels in a file of the site's own, or not at all."""

from __future__ import annotations

import io
import os
import random
import resource
import subprocess
import sys

import pytest
from django.core.files.storage import default_storage
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, PngImagePlugin

from gallery.uploads import pictures
from tests.gallery import hostile

PHOTO = hostile.photo()


def opened(cleaned: pictures.CleanedPicture) -> Image.Image:
    image = Image.open(io.BytesIO(cleaned.data))
    image.load()
    return image


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_photo_comes_through(kind: str) -> None:
    cleaned = pictures.clean(io.BytesIO(hostile.encoded(PHOTO, kind)))
    image = opened(cleaned)
    assert (image.format, image.size, cleaned.suffix) == ("JPEG", (64, 48), "jpg")
    assert (cleaned.width, cleaned.height) == image.size
    red, green, blue = image.getpixel((60, 4))
    assert red > 200 and green > 200 and blue < 60


def test_noise_comes_through() -> None:
    noise = Image.frombytes("RGB", (256, 256), random.Random(3).randbytes(3 * 256 * 256))
    data = io.BytesIO()
    noise.save(data, "PNG")
    assert opened(pictures.clean(io.BytesIO(data.getvalue()))).size == (256, 256)


def test_what_is_see_through_stays_so() -> None:
    image = PHOTO.convert("RGBA")
    image.putpixel((3, 3), (0, 0, 0, 0))
    cleaned = pictures.clean(io.BytesIO(hostile.encoded(image, "PNG")))
    assert opened(cleaned).getpixel((3, 3))[3] == 0
    assert cleaned.suffix == "png"


def test_nothing_of_who_and_where_gets_through() -> None:
    exif = Image.Exif()
    exif[0x010E] = "the secret place"
    exif[0x013B] = "Ada Lovelace"
    exif.get_ifd(0x8825)[1] = "N"
    text = PngImagePlugin.PngInfo()
    text.add_text("Author", "Ada Lovelace")
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    files = [
        hostile.encoded(PHOTO, "JPEG", exif=exif, icc_profile=srgb, comment=b"Ada Lovelace") + b"<?php Ada Lovelace",
        hostile.encoded(PHOTO, "PNG", exif=exif, pnginfo=text, icc_profile=srgb) + b"PK\x03\x04 Ada Lovelace",
        hostile.encoded(PHOTO, "WEBP", exif=exif.tobytes(), icc_profile=srgb, xmp=b"Ada Lovelace"),
    ]
    for data in files:
        cleaned = pictures.clean(io.BytesIO(data))
        assert b"Lovelace" in data and b"Lovelace" not in cleaned.data and b"secret" not in cleaned.data
        image = opened(cleaned)
        assert not image.getexif() and "icc_profile" not in image.info and "comment" not in image.info


@pytest.mark.parametrize(("orientation", "corner"), [(1, (60, 4)), (3, (3, 43)), (6, (43, 60)), (8, (4, 3))])
def test_it_stands_as_the_camera_was_held(orientation: int, corner: tuple[int, int]) -> None:
    """The bright red corner, upper right in the file, is where EXIF says."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    cleaned = pictures.clean(io.BytesIO(hostile.encoded(PHOTO, "JPEG", exif=exif)))
    assert (cleaned.width > cleaned.height) == (orientation in (1, 3))
    red, green, blue = opened(cleaned).getpixel(corner)
    assert red > 180 and green > 180 and blue < 80


def test_sixteen_bits_of_grey_are_not_cut_off() -> None:
    grey = Image.new("I;16", (8, 8), 40_000)
    red, green, blue = opened(pictures.clean(io.BytesIO(hostile.encoded(grey, "PNG")))).getpixel((4, 4))
    assert abs(red - 156) < 4 and red == green == blue


def test_colours_of_another_profile_become_the_screens() -> None:
    cmyk = hostile.encoded(PHOTO.convert("CMYK"), "JPEG")
    assert opened(pictures.clean(io.BytesIO(cmyk))).mode == "RGB"
    broken = hostile.encoded(PHOTO, "JPEG", icc_profile=b"no profile at all" * 20)
    assert opened(pictures.clean(io.BytesIO(broken))).size == (64, 48)


def test_large_pictures_are_kept_smaller() -> None:
    data = hostile.encoded(hostile.photo(5000, 1000), "JPEG")
    cleaned = pictures.clean(io.BytesIO(data))
    assert (cleaned.width, cleaned.height) == (pictures.STORED_SIDE, 768)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "not a JPEG, PNG or WebP"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", "SVG"),
        (b"GIF89a" + bytes(100), "GIF"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", "not a JPEG"),
        (b"RIFF\x10\0\0\0WAVEfmt ", "not a JPEG"),
        (b"<html><body>\xff\xd8\xff", "not a JPEG"),
        (b"\xff\xd8\xff\xe0" + bytes(50), "no picture can be read"),
        (b"\x89PNG\r\n\x1a\n" + bytes(50), "no picture can be read"),
        (hostile.encoded(PHOTO, "JPEG")[:200], "no picture can be read"),
        (b"\x89PNG\r\n\x1a\n" + hostile.encoded(PHOTO, "JPEG"), "no picture can be read"),
        (hostile.png_claiming(60_000, 60_000), "at most 48 million pixels"),
        (hostile.png_claiming(7_000, 7_000), "7000 × 7000; expected at most 48 million pixels"),
        (hostile.png_claiming(13_000, 2), "12000 a side"),
        (hostile.png_with_text_bomb(), "no picture can be read"),
    ],
    ids=lambda value: value if isinstance(value, str) else f"{len(value)} bytes",
)
def test_what_is_no_fit_picture_is_refused_with_words(data: bytes, words: str) -> None:
    with pytest.raises(pictures.InvalidUpload, match=words):
        pictures.clean(io.BytesIO(data))


def test_a_bomb_is_refused_before_it_is_decoded() -> None:
    bomb = hostile.png_bomb(11_000)
    assert len(bomb) < 300_000
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(pictures.InvalidUpload, match="at most 48 million pixels"):
        pictures.clean(io.BytesIO(bomb))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000  # kilobytes; decoded it has 121 MB


def test_moving_pictures_are_refused() -> None:
    data = hostile.encoded(PHOTO, "WEBP", save_all=True, append_images=[PHOTO.transpose(Image.Transpose.ROTATE_180)])
    with pytest.raises(pictures.InvalidUpload, match="animated"):
        pictures.clean(io.BytesIO(data))


def test_no_more_is_read_than_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "MAX_BYTES", 1024 * 1024)

    class Endless(io.RawIOBase):
        given = 0

        def read(self, size: int = -1) -> bytes:
            assert 0 <= size <= 1024 * 1024 + 1, "asks for everything"
            self.given += size
            return bytes(size)

    with pytest.raises(pictures.InvalidUpload, match="larger than 1 MB"):
        pictures.clean(Endless())


@settings(max_examples=150, deadline=None)
@given(kind=st.sampled_from(["JPEG", "PNG", "WEBP"]), where=st.floats(0, 1), junk=st.binary(min_size=1, max_size=40))
def test_damaged_files_are_pictures_or_unfit_and_nothing_else(kind: str, where: float, junk: bytes) -> None:
    data = bytearray(hostile.encoded(PHOTO, kind))
    at = int(where * len(data))
    data[at : at + len(junk)] = junk
    try:
        cleaned = pictures.clean(io.BytesIO(bytes(data)))
    except pictures.InvalidUpload:
        return
    assert opened(cleaned).size == (cleaned.width, cleaned.height)


def test_names_are_the_sites_own() -> None:
    cleaned = pictures.clean(io.BytesIO(hostile.encoded(PHOTO, "PNG")))
    names = {pictures.store(cleaned) for _ in range(2)}
    assert len(names) == 2
    for name in names:
        folder, _, file = name.partition("/")
        assert folder == "uploads" and len(file) == 32 + len(".jpg")
        with default_storage.open(name) as stored:
            assert stored.read() == cleaned.data


WHOLE = """
import io, sys
import numpy as np, django
django.setup()
from PIL import Image
from gallery.uploads import pictures
buffer = io.BytesIO()
Image.fromarray(np.random.default_rng(0).integers(0, 256, (6000, 1, 3), np.uint8).repeat(8000, 1)).save(buffer, "JPEG")
open("/proc/self/clear_refs", "w").write("5")  # what making it took does not count
buffer.seek(0)
cleaned = pictures.clean(buffer, first=True, large=True)
assert (cleaned.width, cleaned.height, cleaned.large.width, cleaned.large.height) == (3840, 2880, 8000, 6000)
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
print(int(status["VmHWM"].split()[0]) // 1024)
"""


def test_a_photograph_of_48_megapixels_is_kept_as_it_came_within_700_mb() -> None:
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "dreamsite.settings"}
    done = subprocess.run([sys.executable, "-c", WHOLE], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout.split()[-1]) < 700, done.stdout
