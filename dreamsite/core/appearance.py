"""What the site is called and how it looks: its name, one colour and a logo, chosen by the owner."""

from __future__ import annotations

import hashlib
import io
import time
from dataclasses import dataclass
from typing import Any

from django.db import Error
from django.db.models.signals import post_save
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject
from PIL import Image

from dreamsite.core.models import Appearance

DEFAULT_NAME = "Dreamsite"
SECONDS = 1.0  # other processes show what was chosen after so long
LOGO_SIDE = 512  # px: larger logos are made smaller
LOGO_BYTES = 256 * 1024
READABLE = 4.5  # WCAG 2.2, 1.4.3: the least contrast of text
# The surface on which the accent is hardest to read, in static/site.css: the lightest dark one, the darkest light one.
DARK, LIGHT = (0x20, 0x1F, 0x27), (0xF0, 0xEB, 0xE2)
WHITE, BLACK = (255, 255, 255), (0, 0, 0)

Colour = tuple[int, int, int]


@dataclass(frozen=True)
class Look:
    """`logo` is a PNG or empty; `version` changes with anything of it."""

    name: str = DEFAULT_NAME
    accent: str = ""
    logo: bytes = b""

    @property
    def version(self) -> str:
        return hashlib.sha256(f"{self.accent}\0".encode() + self.logo).hexdigest()[:12]

    @property
    def square(self) -> bool:
        """Whether the logo can be the icon in a browser's tab, too."""
        width, height = logo_size(self.logo) if self.logo else (0, 1)
        return 0.8 < width / height < 1.25

    @property
    def own(self) -> bool:
        return self.name != DEFAULT_NAME


_known: tuple[float, Look] = (float("-inf"), Look())


def current() -> Look:
    """What is chosen now, at most SECONDS old; what was last known while the database does not answer."""
    global _known
    at, look = _known
    if time.monotonic() - at < SECONDS:
        return look
    try:
        row = Appearance.objects.filter(id=1).first()
    except Error:
        return look
    look = Look(row.name, row.accent, bytes(row.logo)) if row else Look()
    _known = time.monotonic(), look
    return look


def known() -> Look:
    """What was last known, without asking the database: for pages that say it is out of reach."""
    return _known[1]


@receiver(post_save, sender=Appearance)
def forget(**_: Any) -> None:
    """The next page reads the row."""
    global _known
    _known = float("-inf"), _known[1]


def context(request: HttpRequest) -> dict[str, Any]:
    """Context processor: `look`."""
    return {"look": SimpleLazyObject(current)}


# --- the colour -----------------------------------------------------------------------------------------------------


def accent_css(accent: str) -> str:
    """The rules that put this colour (#rrggbb) in the place of the site's own, readable on dark and on light."""
    chosen: Colour = (int(accent[1:3], 16), int(accent[3:5], 16), int(accent[5:7], 16))
    dark, light = readable(chosen, DARK, WHITE), readable(chosen, LIGHT, BLACK)
    return (
        f":root {{ {_rules(dark, mixed(dark, WHITE, 0.35))} }}\n"
        f"@media (prefers-color-scheme: light) {{ :root {{ {_rules(light, mixed(light, BLACK, 0.25))} }} }}\n"
    )


def _rules(accent: Colour, bright: Colour) -> str:
    on = max((mixed(accent, BLACK, 0.88), mixed(accent, WHITE, 0.95)), key=lambda text: contrast(text, accent))
    return f"--dawn: {_hex(accent)}; --dawn-bright: {_hex(bright)}; --on-dawn: {_hex(on)};"


def readable(colour: Colour, ground: Colour, towards: Colour) -> Colour:
    """The colour, mixed with white or black by no more than it takes to be read on that ground."""
    for percent in range(101):
        if contrast(found := mixed(colour, towards, percent / 100), ground) >= READABLE:
            return found
    return towards


def mixed(colour: Colour, other: Colour, share: float) -> Colour:
    red, green, blue = (round(one + (two - one) * share) for one, two in zip(colour, other, strict=True))
    return red, green, blue


def contrast(one: Colour, other: Colour) -> float:
    """1 to 21, by the formula of WCAG 2.2 ("contrast ratio")."""
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: Colour) -> float:
    parts = (part / 255 for part in colour)
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _hex(colour: Colour) -> str:
    return "#" + "".join(f"{part:02x}" for part in colour)


# --- the logo -------------------------------------------------------------------------------------------------------


def logo_size(logo: bytes) -> tuple[int, int]:
    with Image.open(io.BytesIO(logo)) as image:
        return image.size


def as_logo(image: Image.Image) -> bytes:
    """A PNG of at most LOGO_SIDE and LOGO_BYTES, without anything but its pixels.

    ValueError: even with few colours it is larger.
    """
    image = image.convert("RGBA")
    for side in (LOGO_SIDE, LOGO_SIDE // 2):
        small = image.copy()
        small.thumbnail((side, side))
        for form in (small, small.quantize(256, method=Image.Quantize.FASTOCTREE)):
            buffer = io.BytesIO()
            form.save(buffer, "PNG", optimize=True)
            if len(buffer.getvalue()) <= LOGO_BYTES:
                return buffer.getvalue()
    raise ValueError(f"The logo has more than {LOGO_BYTES // 1024} kB, also at {LOGO_SIDE // 2} pixels.")
