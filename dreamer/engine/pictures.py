"""Picture files in and out: any photograph becomes upright sRGB bytes, and a dream carries its recipe in itself."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from PIL import ExifTags, Image, PngImagePlugin, UnidentifiedImageError

from dreamsite.core import files

from . import colours
from .bands import Bytes

SUFFIXES = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}
KEY = "dreamsite-recipe"  # of the PNG text; elsewhere the recipe is the EXIF user comment
_ASCII = b"ASCII\0\0\0"  # how an EXIF user comment says its encoding
_EXIF_LIMIT = 65_000  # a JPEG segment holds 64 KiB


class PictureError(ValueError):
    """A file that is no picture we can read, or a name we cannot write a picture to."""


def read_picture(path: Path) -> Bytes:
    """uint8 [H, W, 3] RGB, upright by the file's EXIF orientation, in sRGB whatever profile it came in.

    Transparency is laid on white, of an animation the first frame is taken (dreamer.engine.colours has the rest).
    PictureError where the file is missing, broken, or no picture.
    """
    try:
        with Image.open(path) as image:
            image.load()
            return np.asarray(upright(colours.on_white(image), image))
    except FileNotFoundError:
        raise PictureError(f"{path}: there is no such file") from None
    except UnidentifiedImageError:
        raise PictureError(
            f"{path}: received a file that is no picture we can read; expected JPEG, PNG, WebP, GIF, TIFF or the like"
        ) from None
    except Image.DecompressionBombError as error:
        raise PictureError(f"{path}: {error}") from None
    except Exception as error:  # decoders raise all kinds of errors for damaged bytes
        raise PictureError(f"{path}: the picture cannot be read ({type(error).__name__}: {error})") from None


_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def upright(picture: Image.Image, source: Image.Image) -> Image.Image:
    """`picture`, made of the pixels of `source`, turned as that one's EXIF says."""
    try:
        turn = _TURNS.get(source.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:  # damaged EXIF says nothing
        turn = None
    return picture if turn is None else picture.transpose(turn)


def fitted(height: int, width: int, side: int) -> tuple[int, int]:
    """(height, width) of a picture with the longer side at most `side`; never enlarged."""
    share = min(1.0, side / max(height, width))
    return max(1, round(height * share)), max(1, round(width * share))


def at_most(picture: Bytes, side: int | None) -> Bytes:
    """uint8 [H, W, 3] with the longer side at most `side` pixels; as it is where that is None."""
    height, width = picture.shape[:2]
    if side is None or max(height, width) <= side:
        return picture
    height, width = fitted(height, width, side)
    return np.asarray(Image.fromarray(picture).resize((width, height), Image.Resampling.LANCZOS))


def read_mask(path: Path) -> Bytes:
    """uint8 [H, W]: brightness of the picture, 255 where the dream may work and 0 where the photograph stays.

    A picture with transparency is taken by its opacity if it is all one brightness.
    """
    picture = read_picture(path)
    grey = np.asarray(Image.fromarray(picture).convert("L"))
    if grey.min() == grey.max():
        with Image.open(path) as image:
            made = upright(colours.srgb(image), image)
            if made.mode == "RGBA":
                return np.asarray(made.getchannel("A"))
    return grey


def write_picture(path: Path, picture: Bytes, recipe: dict[str, Any] | None = None) -> None:
    """Write uint8 [H, W, 3] in the format the name ends in (SUFFIXES), the recipe inside it as JSON, safely.

    The file appears whole or not at all. Nothing of the photograph's own metadata (place, camera) is passed on.
    """
    kind = file_kind(path)
    image = Image.fromarray(picture)
    options: dict[str, Any] = {}
    if recipe is not None:
        text = json.dumps(recipe, separators=(",", ":"))
        if kind == "PNG":
            info = PngImagePlugin.PngInfo()
            info.add_text(KEY, text)
            options["pnginfo"] = info
        else:
            options["exif"] = _exif(path, text)
    if kind == "JPEG":
        options |= {"quality": 95, "subsampling": 0}
    elif kind == "WEBP":
        options |= {"quality": 95}
    with whole_file(path) as temporary:
        image.save(temporary, kind, **options)


def read_recipe(path: Path) -> Any:
    """The recipe's plain data from a dreamed picture or a JSON file. PictureError where there is none."""
    try:
        with path.open("rb") as file:
            is_json = file.read(64).lstrip()[:1] == b"{"
            file.seek(0)
            text = file.read().decode("utf-8") if is_json else ""
    except (OSError, UnicodeDecodeError) as error:
        raise PictureError(f"{path}: the recipe cannot be read ({error})") from None
    text = text or _recipe_in(path)
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise PictureError(f"{path}: received a recipe that is no JSON ({error})") from None


def _recipe_in(path: Path) -> str:
    try:
        with Image.open(path) as image:
            text = image.info.get(KEY)
            if text is None:
                comment = image.getexif().get_ifd(ExifTags.IFD.Exif).get(ExifTags.Base.UserComment) or b""
                data = comment.encode("latin-1", "replace") if isinstance(comment, str) else bytes(comment)
                text = data.removeprefix(_ASCII).decode("utf-8", "replace").strip("\0 ")
    except (UnidentifiedImageError, OSError):
        raise PictureError(f"{path}: received neither a recipe's JSON nor a picture") from None
    if not text.startswith("{"):
        raise PictureError(
            f"{path}: received a picture without a recipe in it; expected one that was dreamed here, or a JSON file"
        )
    return str(text)


def file_kind(path: Path) -> str:
    """Pillow's name of the format the path ends in; PictureError with the known ones otherwise."""
    kind = SUFFIXES.get(path.suffix.lower())
    if kind is None:
        raise PictureError(
            f"{path}: received the ending {path.suffix or 'nothing'!r}, expected one of {', '.join(SUFFIXES)}"
        )
    return kind


def check_writable(path: Path) -> None:
    """PictureError where `whole_file` would fail; nothing is left behind."""
    if path.is_dir():
        raise PictureError(f"{path}: received a folder, expected the name of a file")
    if not path.parent.is_dir():
        raise PictureError(f"{path}: there is no folder {path.parent}")
    try:
        tempfile.TemporaryFile(dir=path.parent).close()
    except OSError as error:
        raise PictureError(f"{path}: cannot be written ({error.strerror})") from None


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """dreamsite.core.files.whole_file, with a PictureError where no file can be made."""
    with ExitStack() as stack:
        try:
            draft = stack.enter_context(files.whole_file(path, durable=False))
        except OSError as error:
            raise PictureError(f"{path}: cannot be written ({error.strerror})") from None
        yield draft


def _exif(path: Path, recipe: str) -> bytes:
    exif = Image.Exif()
    exif[ExifTags.Base.Software] = "Dreamsite"
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.UserComment] = _ASCII + recipe.encode("ascii")
    data = exif.tobytes()
    if len(data) > _EXIF_LIMIT:
        raise PictureError(
            f"{path}: the recipe takes {len(data)} bytes, more than a {path.suffix} file can hold "
            f"({_EXIF_LIMIT}); write a .png instead"
        )
    return data
