"""Whatever Pillow reads, as 8 bits of sRGB: the one way from a file's numbers to colours, for commands and uploads.

A colour profile is applied, not kept. Where it does not fit the picture or is damaged, the plain colours are what every
viewer shows then.
"""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from PIL import Image, ImageCms, TiffImagePlugin

from .bands import Bytes

_BITS, _PHOTOMETRIC, _WHITE_IS_ZERO = 258, 262, 0  # tags and a value of TIFF 6.0
_SPACES = {"RGB ": "RGB", "GRAY": "L", "CMYK": "CMYK", "Lab ": "LAB"}  # of ICC profiles, and Pillow's modes


def srgb(image: Image.Image) -> Image.Image:
    """The picture as RGB, or RGBA where it has transparency. Not turned: EXIF is the caller's.

    Raises what Pillow raises for data that it cannot convert.
    """
    profile = image.info.get("icc_profile")
    plain, alpha = _eight_bits(image)
    made = _converted(plain, profile) or _plain(plain)
    if alpha is None:
        return made
    made.putalpha(alpha)
    return made


def on_white(image: Image.Image) -> Image.Image:
    """`srgb` as RGB: transparency laid on white."""
    made = srgb(image)
    if made.mode != "RGBA":
        return made
    return Image.alpha_composite(Image.new("RGBA", made.size, "white"), made).convert("RGB")


def _eight_bits(image: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    """The colours in a mode that profiles know (L, RGB, CMYK, LAB), and the opacity as L or None."""
    if image.mode == "I" or image.mode.startswith("I;16") or image.mode == "F":
        values = np.asarray(image)
        see_through = image.info.get("transparency")  # of a PNG with 16 bits: the one value that is not there
        alpha = (
            None if see_through is None else Image.fromarray(np.where(values == see_through, 0, 255).astype(np.uint8))
        )
        return Image.fromarray(_fractions(values) if image.mode == "F" else _whole(image, values)), alpha
    if image.has_transparency_data:
        if image.mode in ("L", "1", "LA", "La"):
            both = image.convert("LA")
            return both.getchannel("L"), both.getchannel("A")
        whole = image.convert("RGBA")
        return whole.convert("RGB"), whole.getchannel("A")
    if image.mode in ("L", "RGB", "CMYK", "LAB"):
        return image, None
    return image.convert("L" if image.mode == "1" else "RGB"), None


def _whole(image: Image.Image, values: np.ndarray) -> Bytes:
    """Grey of more than 8 bits, [H, W]: as many bits as the file says, from white to black where it says so."""
    numbers, white = values.astype(np.float64), 65535.0
    if isinstance(image, TiffImagePlugin.TiffImageFile) or hasattr(image, "tag_v2"):
        bits = image.tag_v2.get(_BITS, (16,))
        white = float(2 ** int(bits[0] if isinstance(bits, tuple) else bits) - 1)
        if image.tag_v2.get(_PHOTOMETRIC) == _WHITE_IS_ZERO:
            numbers = white - numbers
    elif numbers.max(initial=0) > white:
        white = 2.0**32 - 1
    return np.clip(np.rint(numbers * (255 / white)), 0, 255).astype(np.uint8)


def _fractions(values: np.ndarray) -> Bytes:
    """Numbers as they come, [H, W]: 0 to 1 where none is larger, else 0 to 255."""
    numbers = np.nan_to_num(values)
    made: Bytes = np.clip(np.rint(numbers * (255 if numbers.max(initial=0) <= 1 else 1)), 0, 255).astype(np.uint8)
    return made


def _converted(image: Image.Image, profile: bytes | None) -> Image.Image | None:
    """RGB by the profile; None where there is none that fits."""
    try:
        if image.mode == "LAB":
            source: Any = ImageCms.createProfile("LAB")
        elif profile:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            space = _SPACES.get(source.profile.xcolor_space)
            if space != image.mode:
                if (image.mode, space) != ("L", "RGB"):
                    return None
                image = image.convert("RGB")  # grey in the corners of a colour space
        else:
            return None
        return ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None


def _plain(image: Image.Image) -> Image.Image:
    return image.convert("RGB")
